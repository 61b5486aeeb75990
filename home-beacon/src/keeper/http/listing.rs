//! Which part of a list is asked for: `page` from 1, and `per_page` or `limit` up to 100.

use std::collections::HashMap;

use super::HttpError;

/// The most that one call lists.
const MAX_PER_PAGE: u32 = 100;

/// Rows to skip and rows to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) skip: u32,
    pub(super) limit: u32,
}

impl Listing {
    pub(super) fn from_query(query: &HashMap<String, String>) -> Result<Self, HttpError> {
        let number = |names: &[&str], default: u32| match names.iter().find_map(|name| query.get_key_value(*name)) {
            None => Ok(default),
            Some((name, value)) => match value.parse() {
                Ok(number) if number > 0 => Ok(number),
                _ => Err(HttpError::unprocessable(format!("{name}: must be a number from 1"))),
            },
        };
        let limit = number(&["per_page", "limit"], MAX_PER_PAGE)?.min(MAX_PER_PAGE);
        let page = number(&["page"], 1)?;
        Ok(Self { skip: (page - 1).saturating_mul(limit), limit })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(pairs: &[(&str, &str)]) -> Result<Listing, HttpError> {
        Listing::from_query(&pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn pages_are_counted_from_1_and_hold_up_to_100() {
        assert_eq!(listing(&[]).unwrap(), Listing { skip: 0, limit: 100 });
        assert_eq!(listing(&[("page", "3"), ("per_page", "20")]).unwrap(), Listing { skip: 40, limit: 20 });
        assert_eq!(listing(&[("limit", "1000")]).unwrap().limit, 100);
        for wrong in ["0", "-1", "x", ""] {
            assert!(listing(&[("page", wrong)]).is_err(), "{wrong}");
        }
    }
}

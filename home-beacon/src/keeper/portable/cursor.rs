//! How far an export has come, as a text that the client sends back. It needs no memory here: an export that was cut off, by a
//! restart too, goes on.

use std::{fmt, str::FromStr};

/// What comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::keeper) enum Cursor {
    /// Groups and metrics.
    #[default]
    Begin,
    /// Components after that id.
    Components(String),
    /// Incidents after that id.
    Incidents(String),
    /// Statuses of components after that one, and of that one before that time.
    Statuses(String, i64),
    /// Looks of components after that place and time.
    Looks { component: String, location: String, inside: i64, began: i64 },
    /// Readings of series after that one, and of that one from that time on.
    Readings(i64, i64),
    /// Hours of series after that one, and of that one after that time.
    Hours(i64, i64),
}

/// That a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("after: is none that an answer here has named: leave it out to begin")]
pub(in crate::keeper) struct NoCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin => f.write_str("begin"),
            Self::Components(id) => write!(f, "components/{id}"),
            Self::Incidents(id) => write!(f, "incidents/{id}"),
            Self::Statuses(id, since) => write!(f, "statuses/{id}/{since}"),
            Self::Looks { component, location, inside, began } => {
                write!(f, "looks/{component}/{location}/{inside}/{began}")
            }
            Self::Readings(series, at) => write!(f, "readings/{series}/{at}"),
            Self::Hours(series, at) => write!(f, "hours/{series}/{at}"),
        }
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let number = |text: &str| text.parse::<i64>().map_err(|_| NoCursor);
        Ok(match *text.split('/').collect::<Vec<_>>() {
            ["begin"] => Self::Begin,
            ["components", id] => Self::Components(id.to_owned()),
            ["incidents", id] => Self::Incidents(id.to_owned()),
            ["statuses", id, since] => Self::Statuses(id.to_owned(), number(since)?),
            ["looks", component, location, inside, began] => Self::Looks {
                component: component.to_owned(),
                location: location.to_owned(),
                inside: number(inside)?,
                began: number(began)?,
            },
            ["readings", series, at] => Self::Readings(number(series)?, number(at)?),
            ["hours", series, at] => Self::Hours(number(series)?, number(at)?),
            _ => return Err(NoCursor),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_nothing_else_is_one() {
        let looks =
            Cursor::Looks { component: "8kbf7d35c070".into(), location: "eu-central-1".into(), inside: 0, began: -5 };
        for cursor in [
            Cursor::Begin,
            Cursor::Components(String::new()),
            Cursor::Incidents("8kbf7d35c070".into()),
            Cursor::Statuses(String::new(), i64::MAX),
            looks,
            Cursor::Readings(3, 1_764_400_000_000),
            Cursor::Hours(0, i64::MIN),
        ] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "readings", "readings/1", "readings/1/x", "readings/1/2/3", "tokens/1"] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }
}

//! Identifiers of pages, components, incidents and metrics.
//!
//! statuspage.io writes them as 12 lower-case letters and digits, and the keeper does the same. What a person
//! types is checked against that shape; what a service answers is taken as it is.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// How many characters an identifier has.
pub const LENGTH: usize = 12;

/// A text without the shape of an identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 12 lower-case letters and digits, like gytm4qzbx9t6")]
pub struct WrongShape;

fn has_shape(text: &str) -> bool {
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// An identifier that is always the same for the same text: of what comes from another program, which has one of its own.
pub fn derived(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    let digits = digest.as_ref().iter().take(LENGTH).map(|byte| char::from_digit(u32::from(*byte) % 36, 36));
    digits.map(Option::unwrap_or_default).collect()
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as the API writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = WrongShape;

            fn from_str(text: &str) -> Result<Self, WrongShape> {
                if has_shape(text) { Ok(Self(text.to_owned())) } else { Err(WrongShape) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = WrongShape;

            fn try_from(text: String) -> Result<Self, WrongShape> {
                if has_shape(&text) { Ok(Self(text)) } else { Err(WrongShape) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A status page.
    PageId
);
id!(
    /// A component of a page: the line on it that says up or down.
    ComponentId
);
id!(
    /// A group of components of a page.
    ComponentGroupId
);
id!(
    /// An incident of a page.
    IncidentId
);
id!(
    /// A metric of a page: a curve on it.
    MetricId
);
id!(
    /// Where a page's metrics come from.
    MetricsProviderId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_twelve_lower_case_letters_and_digits_is_taken() {
        assert_eq!("gytm4qzbx9t6".parse::<PageId>().unwrap().as_str(), "gytm4qzbx9t6");
    }

    #[test]
    fn other_shapes_are_refused() {
        for wrong in ["", "gytm4qzbx9t", "gytm4qzbx9t66", "GYTM4QZBX9T6", "gytm4qzbx9t/", "gytm4qzbx9té"] {
            assert_eq!(wrong.parse::<ComponentId>(), Err(WrongShape), "{wrong:?}");
        }
    }
}

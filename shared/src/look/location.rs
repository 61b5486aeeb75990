//! Where a prober is: a name that its operator gives it, or the region it runs in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest name, in bytes.
const MAX_LENGTH: usize = 16;

/// The name of a prober's place, like `eu-central-1`: up to 16 lower-case letters, digits and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Location(String);

/// A text that is no location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a location is 1 to 16 lower-case letters, digits and -, like eu-central-1")]
pub struct WrongLocation;

impl Location {
    /// As it travels.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A prober's that runs as a command, and was given no name.
    pub fn local() -> Self {
        Self("local".into())
    }
}

impl FromStr for Location {
    type Err = WrongLocation;

    fn from_str(text: &str) -> Result<Self, WrongLocation> {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(WrongLocation)
        }
    }
}

impl TryFrom<String> for Location {
    type Error = WrongLocation;

    fn try_from(text: String) -> Result<Self, WrongLocation> {
        text.parse()
    }
}

impl From<Location> for String {
    fn from(location: Location) -> Self {
        location.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_short_and_plain() {
        for good in ["a", "eu-central-1", "ap-southeast-1", "0123456789abcdef"] {
            assert_eq!(good.parse::<Location>().unwrap().as_str(), good);
        }
        for wrong in ["", "EU", "eu central", "eu_central", "0123456789abcdefg", "é", "a;b"] {
            assert_eq!(wrong.parse::<Location>(), Err(WrongLocation), "{wrong}");
        }
    }
}

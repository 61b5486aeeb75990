//! A name at DuckDNS, as its user may write it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What follows a name that DuckDNS gave.
const SUFFIX: &str = ".duckdns.org";

/// The part of `home.duckdns.org` before the first dot, in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct SubName(String);

/// A text that is no name at DuckDNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name at DuckDNS has letters, digits and hyphens, like home or home.duckdns.org; several have commas between"
)]
pub struct NoSubName;

impl SubName {
    /// The name without its suffix.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole name, with a dot at its end: it is complete, so that no search domain is tried.
    pub fn full(&self) -> String {
        format!("{}{SUFFIX}.", self.0)
    }
}

impl FromStr for SubName {
    type Err = NoSubName;

    fn from_str(text: &str) -> Result<Self, NoSubName> {
        let lower = text.trim().to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        let name = name.strip_suffix(SUFFIX).unwrap_or(name);
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let good =
            (1..=63).contains(&name.len()) && name.bytes().all(known) && !name.starts_with('-') && !name.ends_with('-');
        if good { Ok(Self(name.to_owned())) } else { Err(NoSubName) }
    }
}

impl TryFrom<String> for SubName {
    type Error = NoSubName;

    fn try_from(text: String) -> Result<Self, NoSubName> {
        text.parse()
    }
}

impl fmt::Display for SubName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{SUFFIX}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_read_with_and_without_its_suffix_in_any_case() {
        for text in ["home", "HOME", " home ", "home.duckdns.org", "Home.DuckDNS.org", "home.duckdns.org."] {
            assert_eq!(text.parse::<SubName>().unwrap().as_str(), "home", "{text}");
        }
        for wrong in [
            "",
            " ",
            ".duckdns.org",
            "my.home",
            "www.home.duckdns.org",
            "https://home.duckdns.org",
            "home.example.com",
            "-home",
            "home-",
            "ho_me",
            "h\u{f6}me",
            "home&token=x",
            "home,away",
        ] {
            assert_eq!(wrong.parse::<SubName>(), Err(NoSubName), "{wrong:?}");
        }
        assert!("a".repeat(64).parse::<SubName>().is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_a_name_that_a_url_or_a_query_could_not_hold(text in "\\PC*") {
            if let Ok(name) = text.parse::<SubName>() {
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
                prop_assert_eq!(name.to_string().parse::<SubName>().unwrap(), name);
            }
        }
    }
}

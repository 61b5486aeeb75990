//! The names of checks.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The longest name: with `check:` before it and a figure's label behind it, it is the name of a metric.
pub(crate) const LONGEST: usize = 50;

/// By what a check is known: lower-case letters, digits and `_ - .`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct CheckName(String);

/// A text that names no check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a check's name has up to {LONGEST} lower-case letters, digits and _ - . and begins with a letter or digit")]
pub struct NoCheckName;

impl CheckName {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest name to a text that people gave something: `Web site (home)` is `web-site-home`. `None` where nothing of it can
    /// stand in a name.
    pub fn from_title(title: &str) -> Option<Self> {
        let mut name = String::new();
        for c in title.chars().flat_map(char::to_lowercase) {
            match c {
                'a'..='z' | '0'..='9' => name.push(c),
                '_' | '.' if !name.is_empty() => name.push(c),
                _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
                _ => (),
            }
            if name.len() == LONGEST {
                break;
            }
        }
        name.trim_end_matches(['-', '.', '_']).parse().ok()
    }
}

impl FromStr for CheckName {
    type Err = NoCheckName;

    fn from_str(text: &str) -> Result<Self, NoCheckName> {
        let letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let known = |b: u8| letter(b) || matches!(b, b'_' | b'-' | b'.');
        let good = text.len() <= LONGEST && text.bytes().next().is_some_and(letter) && text.bytes().all(known);
        if good { Ok(Self(text.to_owned())) } else { Err(NoCheckName) }
    }
}

impl TryFrom<String> for CheckName {
    type Error = NoCheckName;

    fn try_from(text: String) -> Result<Self, NoCheckName> {
        text.parse()
    }
}

impl fmt::Display for CheckName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_the_nearest_name() {
        for (title, name) in [
            ("Web site (home)", Some("web-site-home")),
            ("nas.lan", Some("nas.lan")),
            ("  --  ", None),
            ("Ünïcode", Some("n-code")),
            ("", None),
        ] {
            assert_eq!(CheckName::from_title(title).map(|name| name.to_string()).as_deref(), name, "{title}");
        }
    }

    #[test]
    fn a_name_is_short_and_in_lower_case() {
        for wrong in ["", "-a", "A", "a b", "a:b", "é", &"a".repeat(51)] {
            assert_eq!(wrong.parse::<CheckName>(), Err(NoCheckName), "{wrong}");
        }
        assert!("a".repeat(50).parse::<CheckName>().is_ok());
    }
}

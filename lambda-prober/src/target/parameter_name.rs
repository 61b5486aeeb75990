//! The name of a parameter in Parameter Store.

use std::{fmt, str::FromStr};

use shared::{id::ComponentId, look::Location};

/// The full name of a parameter, which is a path: `/porchlight/statuspage-token`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParameterName(String);

/// A text that is not a parameter's name. Messages never repeat it: the likeliest mistake is to put the secret where
/// its name belongs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a parameter's name is a path of letters, digits, . - and _ like /porchlight/beacon-key, and not the secret itself"
)]
pub struct WrongName;

/// How long a name may be, and how many parts it may have. Parameter Store counts the account's ARN, too, and a
/// component below a name is one part more, so these are below its limits.
const MAX_LENGTH: usize = 900;
const MAX_PARTS: usize = 14;

impl ParameterName {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The parameter of a component below this one.
    #[must_use]
    pub fn of(&self, component: &ComponentId) -> Self {
        Self(format!("{}/{component}", self.0))
    }
}

impl ParameterName {
    /// The parameter of the notices, beside those of components: an id has twelve characters.
    #[must_use]
    pub fn notices(&self) -> Self {
        Self(format!("{}/notices", self.0))
    }

    /// The parameter of what the prober at a location saw, beside those of components.
    #[must_use]
    pub fn at(&self, location: &Location) -> Self {
        Self(format!("{}/at-{location}", self.0))
    }
}

impl FromStr for ParameterName {
    type Err = WrongName;

    fn from_str(text: &str) -> Result<Self, WrongName> {
        let part_fits = |part: &str| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        let path = text.trim().trim_end_matches('/');
        let parts = path.strip_prefix('/').ok_or(WrongName)?;
        if path.len() > MAX_LENGTH || parts.split('/').count() > MAX_PARTS || !parts.split('/').all(part_fits) {
            return Err(WrongName);
        }
        Ok(Self(path.to_owned()))
    }
}

impl fmt::Display for ParameterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path() {
        assert_eq!("/porchlight/state/".parse::<ParameterName>().unwrap().as_str(), "/porchlight/state");
        for wrong in ["", "/", "porchlight/key", "//key", "/a b", "/a/../b/é", "/a//b", &"/a".repeat(15)] {
            assert_eq!(wrong.parse::<ParameterName>(), Err(WrongName), "{wrong}");
        }
    }

    #[test]
    fn a_component_has_a_parameter_below_the_prefix() {
        let prefix: ParameterName = "/porchlight/state".parse().unwrap();
        let name = prefix.of(&"8kbf7d35c070".parse().unwrap());
        assert_eq!(name.to_string(), "/porchlight/state/8kbf7d35c070");
        assert_eq!(name.as_str().parse(), Ok(name));
    }
}

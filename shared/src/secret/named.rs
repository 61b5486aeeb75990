//! Secrets that people name themselves, in a file of theirs: the password of a service that they watch. Unlike those of our own
//! programs they are any text, blanks included: `Bearer …` is one.

use std::ffi::OsString;

use super::{Secret, SecretSource};
use crate::{settings::OURS, wrong_setting::WrongSetting};

/// The longest name.
const LONGEST: usize = 100;

impl SecretSource {
    /// Where a secret of that name is found among the variables that are handed in: in the variable `name`, or in the file that
    /// `<name>_FILE` names. Whether it is there, and can be used, [`SecretSource::current`] says: a secret that is missing is one of
    /// the machine's faults, and no fault of who named it.
    ///
    /// # Errors
    /// When the name is none, or that of a secret of our own.
    pub fn named(name: &str, variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, WrongSetting> {
        check_name(name)?;
        let missing = |why: String| Self::Missing { name: name.to_owned(), why: WrongSetting(why) };
        Ok(match (variable(name), variable(&format!("{name}_FILE"))) {
            (None, None) => missing(format!("{name} is not set: set {name}, or {name}_FILE to a file that holds it")),
            (Some(_), Some(_)) => missing(format!("{name} and {name}_FILE are both set: keep one of them")),
            (Some(value), None) => match value.into_string().map(|value| checked(name, &value)) {
                Ok(Ok(secret)) => Self::Value(secret),
                Ok(Err(why)) => Self::Missing { name: name.to_owned(), why },
                Err(_) => missing(format!("{name} is not text: copy it again")),
            },
            (None, Some(path)) => Self::Named { name: name.to_owned(), path: path.into() },
        })
    }
}

/// A name such as a variable can have. One of ours is refused: whoever may write such a file must not be able to send the
/// keeper's token to a server of his.
fn check_name(name: &str) -> Result<(), WrongSetting> {
    let known = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !begins || name.len() > LONGEST || !name.bytes().all(known) {
        return Err(WrongSetting(
            "a secret is named by its variable, which has letters, digits and _: write its name, and never the secret itself"
                .into(),
        ));
    }
    if OURS.contains(&name) {
        return Err(WrongSetting(format!(
            "{name} is a setting of Porchlight itself, and is sent nowhere else: give the secret a variable of its own"
        )));
    }
    Ok(())
}

/// A secret that may be any text but for control characters other than those of lines.
pub(super) fn checked(name: &str, value: &str) -> Result<Secret, WrongSetting> {
    if value.trim().is_empty() {
        return Err(WrongSetting(format!("{name} is empty: set it to the secret")));
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(WrongSetting(format!("{name} holds a character that is no text: copy it again")));
    }
    Ok(Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, set: &[(&str, &str)]) -> Result<SecretSource, String> {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| OsString::from(value));
        let found = SecretSource::named(name, variable).map_err(|error| error.to_string())?;
        found.current().map_err(|error| error.to_string())?;
        Ok(found)
    }

    #[test]
    fn a_secret_with_a_name_of_its_own_may_be_any_text() {
        let found = find("NAS_TOKEN", &[("NAS_TOKEN", "Bearer über 1")]).unwrap();
        assert_eq!(found.current().unwrap().expose(), "Bearer über 1");
        assert!(!format!("{found:?}").contains("über"));
    }

    #[test]
    fn a_secret_in_a_file_is_read_anew_at_each_use() {
        let path = std::env::temp_dir().join(format!("porchlight-named-{}", std::process::id()));
        std::fs::write(&path, "one two\n").unwrap();
        let found = find("NAS_TOKEN", &[("NAS_TOKEN_FILE", path.to_str().unwrap())]).unwrap();
        assert_eq!(found.current().unwrap().expose(), "one two");
        std::fs::write(&path, "three\n").unwrap();
        assert_eq!(found.current().unwrap().expose(), "three");
        std::fs::remove_file(&path).unwrap();
        let gone = found.current().unwrap_err().to_string();
        assert!(gone.starts_with("NAS_TOKEN_FILE: ") && gone.contains("cannot be read"), "{gone}");
    }

    #[test]
    fn what_cannot_be_a_secret_of_theirs_is_refused_without_repeating_it() {
        for (name, set, wrong) in [
            ("A", &[][..], "A is not set: set A, or A_FILE to a file that holds it"),
            ("A", &[("A", "x"), ("A_FILE", "/x")], "A and A_FILE are both set: keep one of them"),
            ("A", &[("A", " ")], "A is empty: set it to the secret"),
            ("A", &[("A", "hunter\u{0}2")], "A holds a character that is no text: copy it again"),
            (
                "KEEPER_TOKEN",
                &[("KEEPER_TOKEN", "x")],
                "KEEPER_TOKEN is a setting of Porchlight itself, and is sent nowhere",
            ),
            ("hunter 2", &[], "a secret is named by its variable"),
        ] {
            let error = find(name, set).unwrap_err();
            assert!(error.starts_with(wrong) && !error.contains("hunter"), "{error}");
        }
    }

    #[test]
    fn one_that_is_missing_is_a_source_all_the_same_and_says_so_at_each_use() {
        let found = SecretSource::named("NAS_TOKEN", |_| None).unwrap();
        assert_eq!(found.name("NAS_TOKEN"), "NAS_TOKEN");
        let said = found.current().unwrap_err().to_string();
        assert_eq!(said, "NAS_TOKEN is not set: set NAS_TOKEN, or NAS_TOKEN_FILE to a file that holds it");
        assert!(SecretSource::named("KEEPER_TOKEN", |_| None).is_err(), "one of ours is no fault of the machine");
    }
}

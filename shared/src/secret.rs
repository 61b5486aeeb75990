//! Values that must not be printed, and where they come from.
//!
//! A secret is never a command-line flag: it is a variable, or a file named by the variable's `_FILE` sibling.

mod named;

use std::{
    env,
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use crate::{file, token_prefix, wrong_setting::WrongSetting};

/// The longest file that can hold a secret, in bytes.
const MAX_FILE: u64 = 64 << 10;

/// What stands in a file in the place of a secret that systemd did not find, before the path at which it should be: a unit's
/// `SetCredential=`. No secret has a blank.
const MISSING: &str = "missing: ";

/// What secrets were called before, by what they are called: one name for each of two roles, and taken as ever.
const FORMER: [(&str, &str); 2] = [("STATUSPAGE_TOKEN", "TOKEN"), ("DUCKDNS_TOKEN", "TOKEN")];

/// Secrets of several lines, each of them one by itself; what a line may be is for who reads it.
const OF_LINES: [&str; 1] = ["NOTIFY_URLS"];

/// A value that `Debug` hides and that has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides that value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Reads a secret of that name. It travels in a header, so it is visible ASCII.
    ///
    /// # Errors
    /// When it is something else; the message never repeats it.
    pub fn checked(name: &str, value: &str) -> Result<Self, WrongSetting> {
        if value.is_empty() {
            return Err(WrongSetting(format!("{name} is empty: set it to the secret, or leave it out")));
        }
        if OF_LINES.contains(&name) {
            return Self::of_lines(name, value);
        }
        if !value.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(WrongSetting(format!("{name} holds a blank or a character that is not ASCII: copy it again")));
        }
        if ['"', '\'', '`'].iter().any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
        {
            return Err(WrongSetting(format!(
                "{name} stands between quotation marks, which are part of it where no shell takes them away: leave them out"
            )));
        }
        if token_prefix::is_in_another_case(value) {
            return Err(WrongSetting(format!(
                "{name} is a keeper's token in other letters: capitals count, so copy it again as it was made"
            )));
        }
        Ok(Self::new(value))
    }

    fn of_lines(name: &str, value: &str) -> Result<Self, WrongSetting> {
        if value.trim().is_empty() {
            return Err(WrongSetting(format!("{name} is empty: write one address a line, or leave it out")));
        }
        if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(WrongSetting(format!("{name} holds a character that is no text: write one address a line")));
        }
        Ok(Self::new(value))
    }

    /// The value itself. Every caller deserves a review.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What a file holds from which [`SecretSource::whole`] reads it: the end of a text's last line would be taken for the file's.
    pub fn as_file(&self) -> String {
        let end = if self.0.ends_with('\n') { "\n" } else { "" };
        format!("{}{end}", self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// A secret setting: its variable and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct SecretSetting {
    /// The variable; with `_FILE` behind it, the one that names a file.
    pub name: &'static str,
    /// What it is for, as `--help` and the tables say it.
    pub help: &'static str,
}

/// Where a secret was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In the variable itself.
    Value(Secret),
    /// Read at each use, so that a changed file (a rotated Kubernetes secret) takes effect.
    File {
        /// The variable that names the file.
        setting: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// As [`SecretSource::File`], of a secret that people named and that is any text: see [`SecretSource::named`].
    Named {
        /// The secret's name; its variable with `_FILE` behind it names the file.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// Nowhere: people named it, and this machine has none of that name, or two. See [`SecretSource::named`].
    Missing {
        /// The secret's name.
        name: String,
        /// What is wrong and what to do.
        why: WrongSetting,
    },
}

impl From<Secret> for SecretSource {
    fn from(secret: Secret) -> Self {
        Self::Value(secret)
    }
}

impl SecretSource {
    /// What to call it in a message: the variable `setting`, or the file.
    pub fn name(&self, setting: &str) -> String {
        match self {
            Self::Value(_) => setting.to_owned(),
            Self::File { setting, path } => format!("{setting}_FILE ({})", path.display()),
            Self::Named { name, path } => format!("{name}_FILE ({})", path.display()),
            Self::Missing { name, .. } => name.clone(),
        }
    }

    /// The secret as it is now.
    ///
    /// # Errors
    /// When it is missing, or the file cannot be read or holds nothing.
    pub fn current(&self) -> Result<Secret, WrongSetting> {
        match self {
            Self::Value(secret) => Ok(secret.clone()),
            Self::File { setting, path } => {
                let text = text_of(setting, path)?;
                Secret::checked(setting, text.trim_end_matches(['\r', '\n']))
                    .map_err(|error| WrongSetting(format!("{error} (in {})", path.display())))
            }
            Self::Named { name, path } => of_people(name, path, text_of(name, path)?.trim_end_matches(['\r', '\n'])),
            Self::Missing { why, .. } => Err(why.clone()),
        }
    }

    /// As [`SecretSource::current`], of one that is sent as it is, like a body: of the ends of lines at a file's end the last one
    /// alone is the file's.
    ///
    /// # Errors
    /// As [`SecretSource::current`].
    pub fn whole(&self) -> Result<Secret, WrongSetting> {
        let Self::Named { name, path } = self else { return self.current() };
        let text = text_of(name, path)?;
        let whole = text.strip_suffix('\n').map_or(&*text, |text| text.strip_suffix('\r').unwrap_or(text));
        of_people(name, path, whole)
    }
}

/// A secret that people named, in a file.
fn of_people(name: &str, path: &Path, text: &str) -> Result<Secret, WrongSetting> {
    named::checked(name, text).map_err(|error| WrongSetting(format!("{error} (in {})", path.display())))
}

/// What a file holds.
fn text_of(setting: &str, path: &Path) -> Result<String, WrongSetting> {
    let cannot =
        |error: &dyn fmt::Display| WrongSetting(format!("{setting}_FILE: {} cannot be read ({error})", path.display()));
    let bytes = file::read(path, MAX_FILE).map_err(|error| cannot(&error))?;
    let text = String::from_utf8(bytes).map_err(|_| cannot(&"it is not text"))?;
    if let Some(path) = text.strip_prefix(MISSING) {
        let sentence = format!("{setting}_FILE: {} is missing: write the secret to it", path.trim_end());
        return Err(WrongSetting(sentence));
    }
    Ok(text)
}

impl SecretSetting {
    /// The name that it had before, which is taken too.
    pub fn former(&self) -> Option<&'static str> {
        FORMER.iter().find(|(name, _)| *name == self.name).map(|(_, former)| *former)
    }

    /// The variables that it is read from.
    pub fn variables(&self) -> impl Iterator<Item = String> + use<> {
        [Some(self.name), self.former()]
            .into_iter()
            .flatten()
            .flat_map(|name| [name.to_owned(), format!("{name}_FILE")])
    }

    /// What it is for, as `--help`, the tables and the man pages say it.
    pub fn description(&self) -> String {
        let former = self.former().map(|former| format!(" (or {former}, as before)"));
        format!("{}{}", self.help, former.unwrap_or_default())
    }

    /// The one of its names under which it is set in this process; its own where it is not set.
    pub fn name_in_use(&self) -> &'static str {
        self.name_among(|name| env::var_os(name))
    }

    fn name_among(&self, variable: impl Fn(&str) -> Option<OsString>) -> &'static str {
        match self.former() {
            Some(former) if set_as(former, &variable).is_some() => former,
            _ => self.name,
        }
    }

    /// Where this process finds the secret; `None` when neither variable is set.
    ///
    /// # Errors
    /// When both the variable and its `_FILE` sibling are set, or it under its former name too, or what they name is not usable
    /// now.
    pub fn read(&self) -> Result<Option<SecretSource>, WrongSetting> {
        self.read_from(|name| env::var_os(name))
    }

    /// As [`SecretSetting::read`], for a secret that the program cannot do without.
    ///
    /// # Errors
    /// Also when the secret is not set at all.
    pub fn require(&self) -> Result<SecretSource, WrongSetting> {
        self.read()?.ok_or_else(|| self.missing())
    }

    fn missing(&self) -> WrongSetting {
        WrongSetting(format!("{0} is not set: set {0}, or {0}_FILE to a file that holds it", self.name))
    }

    fn read_from(&self, variable: impl Fn(&str) -> Option<OsString>) -> Result<Option<SecretSource>, WrongSetting> {
        if let Some(former) = self.former()
            && let (Some(one), Some(other)) = (set_as(self.name, &variable), set_as(former, &variable))
        {
            return Err(WrongSetting(format!(
                "{one} and {other} are both set, and {former} is only what {} was called before: keep {one}",
                self.name
            )));
        }
        let name = self.name_among(&variable);
        let source = match (variable(name), variable(&format!("{name}_FILE"))) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(WrongSetting(format!("{name} and {name}_FILE are both set: keep one of them")));
            }
            (Some(value), None) => {
                let value = value
                    .into_string()
                    .map_err(|_| WrongSetting(format!("{name} is not text: set it to plain ASCII")))?;
                SecretSource::Value(Secret::checked(name, &value)?)
            }
            (None, Some(path)) => SecretSource::File { setting: name, path: path.into() },
        };
        source.current()?;
        Ok(Some(source))
    }
}

/// The variable of that name, or the one for a file, that is set.
fn set_as(name: &str, variable: impl Fn(&str) -> Option<OsString>) -> Option<String> {
    [name.to_owned(), format!("{name}_FILE")].into_iter().find(|name| variable(name).is_some())
}

#[cfg(test)]
mod tests;

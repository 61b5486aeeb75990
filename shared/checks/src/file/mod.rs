//! The files that define checks: text in, checks or sentences out. Who reads them again, and what follows from a change, is left
//! to others.
//!
//! - [`checks_yml`]: our own, `checks.yml`
//! - [`statping`]: Statping's, as they are
//! - [`gatus`]: that of Gatus
//! - [`kuma`]: the monitors of Uptime Kuma
//! - [`uptimepulse`]: the variables of UpTimePulse's agent
//! - [`expect`](fn@expect): what an answer must be, as JSON has it: for the targets of a prober
//! - [`change`]: what is another between two lists of checks
//! - `together`: what is wrong with checks together that are in no file
//! - `machine`: what a file may refer to on the machine: variables, programs, folders
//! - `problems`: what is wrong, and where
//! - `yaml`: YAML with the line of each thing
//!
//! Without the feature `files` there is `expect` alone.

#[cfg(feature = "files")]
pub mod change;
#[cfg(feature = "files")]
pub mod checks_yml;
#[cfg(feature = "files")]
mod dotted;
mod expect;
#[cfg(feature = "files")]
pub mod gatus;
#[cfg(feature = "files")]
pub mod kuma;
#[cfg(feature = "files")]
mod login;
mod machine;
#[cfg(feature = "files")]
mod names;
mod problems;
mod reading;
mod shape;
#[cfg(feature = "files")]
pub mod statping;
#[cfg(feature = "files")]
mod together;
#[cfg(feature = "files")]
pub mod uptimepulse;
mod words;
#[cfg(feature = "files")]
mod yaml;

use std::fmt;
#[cfg(feature = "files")]
use std::{collections::HashSet, path::Path};

#[cfg(feature = "files")]
use self::reading::Reading;
#[cfg(feature = "files")]
pub use self::together::together;
pub use self::{
    expect::expect_of_json as expect,
    machine::{Machine, ThisMachine},
};
use crate::check::{Check, CheckName};

/// The longest file, in bytes.
pub const MAX_FILE: u64 = 4 << 20;

/// The most checks of a file.
pub const MAX_CHECKS: usize = 10_000;

/// The most sentences about one file: further ones would be read by none.
const MAX_WRONG: usize = 100;

/// What a file came to.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// Its checks, in its order.
    pub checks: Vec<Check>,
    /// What of it is not done as it says, each in one sentence, once.
    pub notes: Vec<String>,
    /// Whether it has a list of checks, an empty one included: a file that is cut off, or only begun, has none.
    pub has_list: bool,
    /// By what number another program's database knows which check.
    pub origins: Vec<(i64, CheckName)>,
    /// Whether something that may be a secret stands in what is none here, as in an address.
    pub is_confidential: bool,
    /// What its checks name and is not there on this machine: a secret, a program, a folder. Such a check is one all the same, whose
    /// runs say what is missing.
    pub missing: Vec<Wrong>,
}

/// What a file came to, whatever is wrong with it.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// All of it; where single checks are wrong, the others; `None` where the file is wrong as a whole.
    pub usable: Option<Loaded>,
    /// All that is wrong with it.
    pub wrong: Vec<Wrong>,
    /// What is wrong with the machine alone, as [`Loaded::missing`] has it.
    pub missing: Vec<Wrong>,
    /// The names of checks that are there and cannot be used, as far as they have one.
    pub left_out: Vec<String>,
}

impl Parts {
    /// All of it, or what is wrong.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn whole(self) -> Result<Loaded, Vec<Wrong>> {
        let Self { usable, wrong, missing, .. } = self;
        if wrong.is_empty() { Ok(Loaded { missing, ..usable.unwrap_or_default() }) } else { Err(wrong) }
    }

    /// All that is wrong and all that is missing, in the order of their lines.
    pub fn sentences(&self) -> Vec<Wrong> {
        let mut all = [self.wrong.as_slice(), &self.missing].concat();
        all.sort_by_key(|wrong| wrong.line);
        all
    }

    #[cfg(feature = "files")]
    fn none(wrong: Vec<Wrong>) -> Self {
        Self { wrong, ..Self::default() }
    }

    /// Of a reading that has made these checks of a text, each with its number there, where `named` makes the names of all.
    #[cfg(feature = "files")]
    fn of(
        reading: Reading<'_>,
        text: &str,
        file: &str,
        checks: Vec<(usize, Check)>,
        named: impl FnOnce() -> Vec<String>,
        has_list: bool,
    ) -> Self {
        let Reading { problems, notes, is_confidential, .. } = reading;
        let usable = problems.usable(checks);
        let used: HashSet<&str> = usable.iter().flatten().map(|check| check.name.as_str()).collect();
        let left_out = if problems.wrong.is_empty() { Vec::new() } else { named() };
        let left_out = left_out.into_iter().filter(|name| !used.contains(name.as_str())).collect();
        let (mut wrong, mut missing) = (Vec::new(), Vec::new());
        // The way that is right pays nothing for lines.
        if !(problems.wrong.is_empty() && problems.missing.is_empty()) {
            let node: yaml::Node = match yaml::read(text) {
                Ok(node) => node,
                Err(error) => return Self::none(vec![yaml::wrong(file, &error)]),
            };
            (wrong, missing) = (node.locate(file, problems.wrong), node.locate(file, problems.missing));
        }
        let loaded = |checks| Loaded { checks, notes, has_list, is_confidential, ..Loaded::default() };
        Self { usable: usable.map(loaded), wrong, missing, left_out }
    }
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1; `None` where it is the file as a whole, or what is no file.
    pub line: Option<u32>,
    /// What is wrong and what to do, in one sentence; never a secret.
    pub sentence: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.sentence),
            None => write!(f, "{}: {}", self.file, self.sentence),
        }
    }
}

/// The text of a file.
///
/// # Errors
/// When it cannot be read, is too long, or is no text.
#[cfg(feature = "files")]
fn text_of(path: &Path) -> Result<String, Vec<Wrong>> {
    let wrong = |why: String| {
        let sentence = format!("it cannot be read ({why}): put a file of at most {} MiB there", MAX_FILE >> 20);
        vec![Wrong { file: path.display().to_string(), line: None, sentence }]
    };
    let bytes = shared::file::read(path, MAX_FILE).map_err(|error| wrong(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| wrong("it is not text in UTF-8".into()))
}

#[cfg(all(test, feature = "files"))]
mod tests;

//! Other programs that do what this one does not link: `aws` and `cargo lambda`. They get secrets by standard input, and no
//! question that waits for an answer.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use serde_json::Value;
use shared::{secret::Secret, settings::WrongSetting};

use super::say;
use crate::child::{self, Ran};

/// The most that is shown of what one complains about, in characters.
const SHOWN: usize = 300;

/// A program that is there.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    path: PathBuf,
    name: &'static str,
    is_dry: bool,
    /// Words before all others: where it is to go.
    pinned: Vec<String>,
}

/// What another program said where it refused to do something, as its own answer: nothing was made by that call.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refused(String);

/// What AWS and Kubernetes call a refusal. What may have happened all the same, a server's own fault or an answer that never came, has
/// none of these words.
const REFUSALS: [&str; 9] = [
    "ResourceConflict",
    "AlreadyExists",
    "AccessDenied",
    "(Forbidden)",
    "UnauthorizedOperation",
    "ValidationException",
    "InvalidParameterValue",
    "ParameterLimitExceeded",
    "(Invalid)",
];

/// Whether a call was refused for certain: neither too late nor ended halfway.
pub(super) fn is_refused(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refused>().is_some_and(|Refused(why)| REFUSALS.iter().any(|word| why.contains(word)))
}

/// How one ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// With what it printed.
    Well(String),
    /// With what it complained about, on one line.
    Badly(String),
}

impl Tool {
    /// # Errors
    /// When it is not there; says what to install.
    pub(super) fn find(name: &'static str, install: &str, is_dry: bool) -> Result<Self, WrongSetting> {
        let missing = || WrongSetting(format!("the program {name} is missing: {install}"));
        Ok(Self { path: child::found(name).ok_or_else(missing)?, name, is_dry, pinned: Vec::new() })
    }

    /// The same, with these words before all others.
    pub(super) fn pinned(self, words: &[&str]) -> Self {
        Self { pinned: words.iter().map(|word| (*word).to_owned()).collect(), ..self }
    }

    /// Another one, which changes as much as this one does.
    ///
    /// # Errors
    /// When it is not there.
    pub(super) fn beside(&self, name: &'static str, install: &str) -> Result<Self, WrongSetting> {
        Self::find(name, install, self.is_dry)
    }

    /// Whether nothing is to be changed.
    pub(super) fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// Asks something, which changes nothing.
    ///
    /// # Errors
    /// When it cannot be started, or does not end in time.
    pub(super) async fn ask(&self, words: &[&str], within: Duration) -> anyhow::Result<Ended> {
        self.run(words, None, within).await
    }

    /// Changes something; `false` where nothing is to be changed: then it is printed.
    ///
    /// # Errors
    /// When it fails, or does not end in time.
    pub(super) async fn change(&self, words: &[&str], within: Duration) -> anyhow::Result<bool> {
        self.change_by(words, None, within).await
    }

    /// As [`Tool::change`], with a secret on its standard input, which is shown nowhere.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn change_by(
        &self,
        words: &[&str],
        input: Option<&Secret>,
        within: Duration,
    ) -> anyhow::Result<bool> {
        if self.is_dry {
            say(&format!("would   call {} {}", self.name, self.all(words).join(" ")));
            return Ok(false);
        }
        match self.run(words, input, within).await? {
            Ended::Well(_) => Ok(true),
            Ended::Badly(why) => {
                let why = input.iter().fold(why, |why, secret| why.replace(secret.expose(), "***"));
                let call = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                Err(Refused(format!("{} {call}: {}", self.name, shortened(&why))).into())
            }
        }
    }

    fn all<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        self.pinned.iter().map(String::as_str).chain(words.iter().copied()).collect()
    }

    async fn run(&self, words: &[&str], input: Option<&Secret>, within: Duration) -> anyhow::Result<Ended> {
        let name = self.name;
        match child::run(&self.path, &self.all(words), input, within).await {
            Ran::Ended { is_success: true, stdout, .. } => Ok(Ended::Well(stdout)),
            Ran::Ended { stderr, .. } => Ok(Ended::Badly(said(&stderr))),
            Ran::NotStarted(why) => bail!("{name} cannot be started ({why})"),
            Ran::TooLate => bail!("{name} {} did not end within {within:?}", words.join(" ")),
        }
    }
}

/// A path as one word of a shell.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// The lines that say something, as one.
fn said(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "it failed, and did not say why".to_owned() } else { lines.join(" ") }
}

/// Its end, where what was wrong stands.
fn shortened(why: &str) -> String {
    let length = why.chars().count();
    let end: String = why.chars().skip(length.saturating_sub(SHOWN)).collect();
    if length > SHOWN { format!("… {end}") } else { end }
}

impl Ended {
    /// What it printed, as JSON; `None` where it complained about one of these: that is an answer, too.
    ///
    /// # Errors
    /// When it failed in another way, or printed something else.
    pub(super) fn json_unless(self, answers: &[&str]) -> anyhow::Result<Option<Value>> {
        match self {
            Self::Well(text) => Ok(Some(serde_json::from_str(&text).context("it did not answer in JSON")?)),
            Self::Badly(why) if answers.iter().any(|answer| why.contains(answer)) => Ok(None),
            Self::Badly(why) => bail!("{}", shortened(&why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn sh() -> Tool {
        Tool::find("sh", "install a shell", false).unwrap()
    }

    #[tokio::test]
    async fn what_one_prints_is_read_and_what_it_complains_about_is_one_line_without_secrets() {
        let answered = sh().ask(&["-c", "echo '{\"a\": 1}'"], SOON).await.unwrap();
        assert_eq!(answered.json_unless(&[]).unwrap().unwrap()["a"], 1);
        let sh = sh();
        let missing = || sh.ask(&["-c", "echo '(ParameterNotFound)' >&2; exit 3"], SOON);
        assert!(missing().await.unwrap().json_unless(&["ParameterNotFound"]).unwrap().is_none());
        assert!(missing().await.unwrap().json_unless(&["Other"]).is_err());
        let secret = Secret::new("hunter22");
        let echo = ["-c", "cat >&2; echo ' is not taken' >&2; exit 1"];
        let error = sh.change_by(&echo, Some(&secret), SOON).await.unwrap_err().to_string();
        assert!(error.starts_with("sh -c") && error.ends_with(": *** is not taken"), "{error}");
    }

    #[tokio::test]
    async fn a_path_is_one_word_of_a_shell_whatever_is_in_it() {
        assert_eq!(quoted(Path::new("porchlight-setup/beacon.key")), "porchlight-setup/beacon.key");
        for path in ["my home/$HOME/it's `id`", "a;b", "~x", ""] {
            let script = format!("printf %s {}", quoted(Path::new(path)));
            let Ended::Well(printed) = sh().ask(&["-c", &script], SOON).await.unwrap() else { panic!("{script}") };
            assert_eq!(printed, path);
        }
    }

    #[tokio::test]
    async fn only_a_refusal_in_its_own_words_says_that_nothing_was_made() {
        for (script, expected) in [
            ("echo 'An error occurred (ResourceConflictException) when calling it: it exists' >&2; exit 254", true),
            ("echo 'Error from server (AlreadyExists): secrets \"duckdns\" already exists' >&2; exit 1", true),
            ("echo 'Could not connect to the endpoint URL' >&2; exit 255", false),
            ("echo 'An error occurred (InternalServerError) when calling it' >&2; exit 254", false),
        ] {
            let error = sh().pinned(&["-c"]).change(&[script], SOON).await.unwrap_err();
            assert_eq!(is_refused(&error), expected, "{script}");
        }
        let error = sh().change(&["-c", "sleep 60"], Duration::from_millis(200)).await.unwrap_err();
        assert!(!is_refused(&error), "it may have been done");
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_ended_and_one_that_is_missing_is_named() {
        let error = sh().ask(&["-c", "sleep 60"], Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(error.to_string(), "sh -c sleep 60 did not end within 200ms");
        let error = Tool::find("no-such-program", "install it", false).unwrap_err();
        assert_eq!(error.to_string(), "the program no-such-program is missing: install it");
        assert!(!is_refused(&error.into()));
        let dry = Tool { is_dry: true, ..sh() };
        assert!(!dry.change(&["-c", "exit 1"], SOON).await.unwrap());
    }
}

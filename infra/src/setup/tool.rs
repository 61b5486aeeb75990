//! Other programs that do what this one does not link: `aws` and `cargo lambda`. They get secrets by standard input, and no
//! question that waits for an answer.

use std::{path::PathBuf, process::Stdio, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use shared::{
    secret::{Secret, SecretSetting},
    settings::WrongSetting,
};
use tokio::{io::AsyncWriteExt, process::Command, time::timeout};

use super::{say, settings::SECRETS};

/// The most that is shown of what one complains about, in characters.
const SHOWN: usize = 300;

/// A program that is there.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    path: PathBuf,
    name: &'static str,
    is_dry: bool,
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
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file());
        match found {
            Some(path) => Ok(Self { path, name, is_dry }),
            None => Err(WrongSetting(format!("the program {name} is missing: {install}"))),
        }
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
            say(&format!("would   call {} {}", self.name, words.join(" ")));
            return Ok(false);
        }
        match self.run(words, input, within).await? {
            Ended::Well(_) => Ok(true),
            Ended::Badly(why) => {
                let why = input.iter().fold(why, |why, secret| why.replace(secret.expose(), "***"));
                let call = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
                bail!("{} {call}: {}", self.name, shortened(&why))
            }
        }
    }

    async fn run(&self, words: &[&str], input: Option<&Secret>, within: Duration) -> anyhow::Result<Ended> {
        let mut command = Command::new(&self.path);
        // Its pager would wait for a key; the second spares the function a third of a second at each cold start, as it is built.
        command
            .args(words)
            .env("AWS_PAGER", "")
            .env("AWS_LC_SYS_NO_JITTER_ENTROPY", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        for secret in SECRETS.iter().flat_map(SecretSetting::variables) {
            command.env_remove(secret);
        }
        let name = self.name;
        let mut child = command.spawn().with_context(|| format!("{name} cannot be started"))?;
        let stdin = child.stdin.take();
        let writing = async {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // One that ended before says itself why.
                let _ = stdin.write_all(input.expose().as_bytes()).await;
            }
        };
        let running = async { tokio::join!(writing, child.wait_with_output()).1 };
        let output = timeout(within, running).await;
        let output = output.map_err(|_| anyhow::anyhow!("{name} {} did not end within {within:?}", words.join(" ")))?;
        let output = output.with_context(|| format!("{name} cannot be waited for"))?;
        if output.status.success() {
            return Ok(Ended::Well(String::from_utf8_lossy(&output.stdout).into_owned()));
        }
        Ok(Ended::Badly(said(&String::from_utf8_lossy(&output.stderr))))
    }
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
    async fn one_that_does_not_end_is_ended_and_one_that_is_missing_is_named() {
        let error = sh().ask(&["-c", "sleep 60"], Duration::from_millis(200)).await.unwrap_err();
        assert_eq!(error.to_string(), "sh -c sleep 60 did not end within 200ms");
        let error = Tool::find("no-such-program", "install it", false).unwrap_err();
        assert_eq!(error.to_string(), "the program no-such-program is missing: install it");
        let dry = Tool { is_dry: true, ..sh() };
        assert!(!dry.change(&["-c", "exit 1"], SOON).await.unwrap());
    }
}

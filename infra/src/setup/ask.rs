//! Questions to who sits at the terminal, each with a default where there is one.

use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Read, Write},
    path::Path,
    str::FromStr,
    thread,
};

use anyhow::{Context, bail};
use shared::{
    secret::{Secret, SecretSetting, SecretSource},
    settings::WrongSetting,
};
use tokio::sync::oneshot;

use crate::terminal::Hidden;

/// The longest answer, in bytes.
const MOST: u64 = 4 << 10;

/// How often a question is asked that was not answered.
const TRIES: usize = 5;

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// Nobody is there, or nobody wants to be asked.
    pub(super) is_silent: bool,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) text: &'a str,
    /// What answers it on the command line.
    pub(super) flag: &'a str,
    pub(super) default: Option<&'a str>,
}

impl Asker {
    pub(super) fn new(yes: bool) -> Self {
        Self { is_silent: yes || !io::stdin().is_terminal() }
    }

    /// The answer, once it is one.
    ///
    /// # Errors
    /// When nobody is asked and there is no default; or after five answers that are none.
    pub(super) async fn ask<T: FromStr<Err: Display>>(self, question: Question<'_>) -> anyhow::Result<T> {
        self.choose(question, |text| text.parse().map_err(|error: T::Err| error.to_string())).await
    }

    /// As [`Asker::ask`], of what is read in another way.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn choose<T>(
        self,
        Question { text, flag, default }: Question<'_>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        let wrong = |why: String| WrongSetting(format!("{flag}: {why}"));
        if self.is_silent {
            let Some(default) = default else {
                return Err(wrong(format!("it is not set, and nobody is asked ({text}): set it")).into());
            };
            return read(default).map_err(|why| wrong(why).into());
        }
        for _ in 0..TRIES {
            let shown = default.filter(|it| !it.is_empty()).map(|it| format!(" [{it}]")).unwrap_or_default();
            eprint!("{text}{shown}: ");
            let answer = line().await?;
            let answer = match answer.trim() {
                "" => default.unwrap_or_default(),
                answer => answer,
            };
            match read(answer) {
                Ok(value) => return Ok(value),
                Err(why) => eprintln!("  {why}"),
            }
        }
        bail!("{text}: it was not answered: run it again, it goes on from here")
    }

    /// A secret: from its setting, else from that file, else typed, and not shown.
    ///
    /// # Errors
    /// When there is none, or it can be none.
    pub(super) async fn secret(
        self,
        setting: &SecretSetting,
        file: Option<&Path>,
        text: &str,
    ) -> anyhow::Result<Secret> {
        // Both services have had the name TOKEN: what it holds must not go to the wrong one.
        let in_use = setting.name_in_use();
        if in_use != setting.name {
            let sentence =
                format!("{in_use} is set, and does not say whose it is: call it STATUSPAGE_TOKEN or DUCKDNS_TOKEN");
            return Err(WrongSetting(sentence).into());
        }
        if let Some(source) = setting.read()? {
            return Ok(source.current()?);
        }
        if let Some(file) = file {
            return Ok(SecretSource::File { setting: setting.name, path: file.to_owned() }.current()?);
        }
        if self.is_silent {
            let name = setting.name;
            return Err(WrongSetting(format!(
                "{name} is not set, and nobody is asked: set {name}, or {name}_FILE to a file that holds it"
            ))
            .into());
        }
        for _ in 0..TRIES {
            let answer = {
                let hidden = Hidden::begin(&format!("{text} (it is not shown): "));
                let answer = line().await?;
                // A second end of line that was pasted along must not answer what is asked next.
                hidden.forget_more();
                answer
            };
            match Secret::checked(setting.name, answer.trim()) {
                Ok(secret) => return Ok(secret),
                Err(why) => eprintln!("  {why}"),
            }
        }
        bail!("{text}: it was not answered: run it again, it goes on from here")
    }
}

/// A line of stdin. A thread of its own reads it: nothing waits for that where the program is to end.
async fn line() -> anyhow::Result<String> {
    let _ = io::stderr().flush();
    let (sender, line) = oneshot::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = io::stdin().lock().take(MOST).read_line(&mut text);
        // Nobody may wait any more.
        let _ = sender.send(read.map(|length| (length > 0).then_some(text)));
    });
    let line = line.await.context("stdin cannot be read")?.context("stdin cannot be read")?;
    line.context("stdin has ended before all was answered: run it again, it goes on from here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn where_nobody_is_asked_the_default_counts_or_the_flag_is_named() {
        let unattended = Asker { is_silent: true };
        let question = Question { text: "The port", flag: "--port", default: Some("30008") };
        assert_eq!(unattended.ask::<u16>(question).await.unwrap(), 30008);
        let error = unattended.ask::<u16>(Question { default: None, ..question }).await.unwrap_err();
        assert_eq!(error.to_string(), "--port: it is not set, and nobody is asked (The port): set it");
        let error = unattended.ask::<u16>(Question { default: Some("x"), ..question }).await.unwrap_err();
        assert!(error.to_string().starts_with("--port: invalid digit"), "{error}");
    }
}

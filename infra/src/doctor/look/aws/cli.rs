//! One call of AWS's command line. Nothing is written there, and no secret is an argument.

use std::{env, path::PathBuf, time::Duration};

use super::super::super::{reply::Reply, until::Until};
use crate::child::{Ran, found, run_with};

/// How long one call may take; its own deadlines are shorter, so that it says what is wrong.
const PATIENCE: Duration = Duration::from_secs(12);

/// A call that gets no answer is tried once more, and not four times: somebody waits.
const VARIABLES: [(&str, &str); 1] = [("AWS_MAX_ATTEMPTS", "2")];

/// The command line.
pub(super) struct Cli {
    program: PathBuf,
    until: Until,
    /// The region to ask in, where the environment names none.
    region: Option<String>,
}

impl Cli {
    /// The one that is here, if there is one; no call of it goes on for longer than that.
    pub(super) fn found(until: Until, noted: Option<&str>) -> Option<Self> {
        let set = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| env::var(name).ok());
        let region = set.filter(|region| !region.is_empty()).or_else(|| noted.map(str::to_owned));
        found("aws").map(|program| Self { program, until, region })
    }

    /// What it answers, as JSON.
    pub(super) async fn call(&self, words: &[&str]) -> Reply {
        let common = ["--output", "json", "--cli-connect-timeout", "4", "--cli-read-timeout", "8"];
        reply(self.run(words.iter().copied().chain(common)).await)
    }

    /// The region that it asks in.
    pub(super) async fn region(&self) -> Option<String> {
        if self.region.is_some() {
            return self.region.clone();
        }
        match self.run(["configure", "get", "region"].into_iter()).await {
            Ran::Ended { is_success: true, stdout, .. } => {
                Some(stdout.trim().to_owned()).filter(|region| !region.is_empty())
            }
            _ => None,
        }
    }

    /// What it answers, as JSON, to what is not to be done twice, and has a time of its own.
    pub(super) async fn once(&self, words: &[&str], limit: Duration) -> Reply {
        reply(self.run_for(words.iter().copied(), [("AWS_MAX_ATTEMPTS", "1")], limit).await)
    }

    async fn run(&self, words: impl Iterator<Item = &str>) -> Ran {
        self.run_for(words, VARIABLES, self.until.left(PATIENCE)).await
    }

    async fn run_for(&self, words: impl Iterator<Item = &str>, variables: [(&str, &str); 1], limit: Duration) -> Ran {
        let words: Vec<String> = words.map(str::to_owned).collect();
        let region = self.region.iter().map(|region| ("AWS_REGION", region.as_str()));
        let variables: Vec<_> = variables.into_iter().chain(region).collect();
        run_with(&variables, &self.program, &words, None, limit).await
    }
}

fn reply(ran: Ran) -> Reply {
    match ran {
        Ran::TooLate => Reply::Silent("AWS did not answer in time".into()),
        Ran::NotStarted(why) => Reply::Silent(format!("the aws command cannot be run: {why}")),
        Ran::Ended { is_success: true, stdout, .. } if stdout.trim().is_empty() => Reply::Is(serde_json::Value::Null),
        Ran::Ended { is_success: true, stdout, .. } => serde_json::from_str(&stdout)
            .map_or_else(|_| Reply::Silent("what the aws command printed is no JSON".into()), Reply::Is),
        Ran::Ended { stderr, .. } => refused(&stderr),
    }
}

/// `An error occurred (Code) when calling the Operation operation: words`.
fn refused(stderr: &str) -> Reply {
    let line = stderr.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it gave no reason").trim();
    let code =
        stderr.split_once("An error occurred (").and_then(|(_, rest)| rest.split_once(')')).map(|(code, _)| code);
    let words: String = line.rsplit_once(" operation: ").map_or(line, |(_, words)| words).chars().take(200).collect();
    match code {
        Some(code) if code.contains("Throttl") || code == "TooManyRequestsException" => Reply::Limited(words),
        Some(code) => {
            Reply::Refused { code: code.to_owned(), words: if words.is_empty() { code.to_owned() } else { words } }
        }
        None if is_asked_for_a_code(stderr) => Reply::Silent(
            "aws asks for the code of a second factor, which nobody can give it here: log in first (aws sso login, or \
             aws sts get-session-token)"
                .into(),
        ),
        None => Reply::Silent(words),
    }
}

/// It asks the terminal, which it has none of, and then its standard input, which is at its end.
fn is_asked_for_a_code(stderr: &str) -> bool {
    stderr.contains("MFA code") || stderr.contains("EOF when reading a line")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(stderr: &str) -> Reply {
        reply(Ran::Ended { is_success: false, stdout: String::new(), stderr: stderr.into() })
    }

    #[test]
    fn what_the_command_line_says_is_an_answer_a_refusal_or_nothing() {
        let denied = failed(
            "\nAn error occurred (AccessDeniedException) when calling the GetParameters operation: User: arn is not authorized\n",
        );
        assert_eq!(
            denied,
            Reply::Refused { code: "AccessDeniedException".into(), words: "User: arn is not authorized".into() }
        );
        let silent =
            failed("\nUnable to locate credentials. You can configure credentials by running \"aws configure\".\n");
        assert!(matches!(&silent, Reply::Silent(why) if why.starts_with("Unable to locate credentials")));
        assert!(matches!(
            failed("\nAn error occurred (ThrottlingException) when calling the X operation: slow\n"),
            Reply::Limited(_)
        ));
        assert!(matches!(reply(Ran::TooLate), Reply::Silent(_)));
        let code = failed("Enter MFA code for arn:aws:iam::123456789012:mfa/me: \nEOF when reading a line\n");
        assert!(code.why().contains("the code of a second factor"), "{code:?}");
        let answered = reply(Ran::Ended { is_success: true, stdout: "{}".into(), stderr: String::new() });
        assert!(matches!(answered, Reply::Is(_)));
    }
}

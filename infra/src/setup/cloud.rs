//! AWS: the parameters, the two stacks, and what they are called. Everything is looked at before it is made.

use std::{io::Write, time::Duration};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use shared::secret::Secret;
use tempfile::NamedTempFile;

use super::{
    Outcome,
    record::{Made, Record},
    tool::{Ended, Tool},
};

pub(super) const BASE: &str = "porchlight-base";
pub(super) const SCHEDULE: &str = "porchlight-schedule";
pub(super) const KEY: &str = "/porchlight/beacon-key";
pub(super) const TOKEN: &str = "/porchlight/statuspage-token";

/// What the function itself writes below; it goes with it.
pub(super) const STATE: &str = "/porchlight/state";

const BASE_TEMPLATE: &str = include_str!("../../base.yaml");
const SCHEDULE_TEMPLATE: &str = include_str!("../../schedule.yaml");

/// How long one call may take.
pub(super) const CALL: Duration = Duration::from_secs(60);

/// How long a stack may take to be made or to go.
pub(super) const STACK: Duration = Duration::from_secs(900);

/// What the AWS command line says of what is not there.
pub(super) const NO_STACK: &str = "does not exist";
const NO_CHANGE: &str = "No updates are to be performed";
pub(super) const NO_PARAMETER: &str = "ParameterNotFound";
pub(super) const NO_FUNCTION: &str = "ResourceNotFoundException";

/// The AWS command line, once it has shown whose it is.
///
/// # Errors
/// When it is missing, or has no account.
pub(super) async fn aws(is_dry: bool) -> anyhow::Result<(Tool, String)> {
    let aws = Tool::find("aws", "install the AWS command line (https://docs.aws.amazon.com/cli/)", is_dry)?;
    let asked = aws.ask(&["sts", "get-caller-identity", "--output", "json"], CALL).await?;
    let who = asked.json_unless(&[]).map_err(|why| anyhow!("aws has no account: {why}: run `aws configure`"))?;
    let who = who.unwrap_or_default();
    let account = who["Account"].as_str().context("aws does not say whose account it is")?;
    Ok((aws, account.to_owned()))
}

/// A secret of Parameter Store; `None` where there is none.
///
/// # Errors
/// When it cannot be asked for.
pub(super) async fn parameter(aws: &Tool, name: &str) -> anyhow::Result<Option<Secret>> {
    let words = ["ssm", "get-parameter", "--with-decryption", "--output", "json", "--name", name];
    let answer = aws.ask(&words, CALL).await?.json_unless(&[NO_PARAMETER]).with_context(|| name.to_owned())?;
    Ok(answer.and_then(|answer| answer["Parameter"]["Value"].as_str().map(|text| Secret::new(text.trim()))))
}

/// Stores a secret, where it is not there already.
///
/// # Errors
/// When it cannot be stored.
pub(super) async fn store(aws: &Tool, name: &str, secret: &Secret, record: &mut Record) -> anyhow::Result<Outcome> {
    let before = parameter(aws, name).await?;
    if before.as_ref() == Some(secret) {
        return Ok(Outcome::Already(format!("{name} is in Parameter Store")));
    }
    // One that was there before is not ours to remove.
    if before.is_none() {
        record.note(Made::Parameter(name.to_owned()))?;
    }
    // By its standard input, so that it is in no list of processes. What --cli-input-json names is read twice, which a pipe cannot be.
    let words = [
        "ssm",
        "put-parameter",
        "--type",
        "SecureString",
        "--overwrite",
        "--value",
        "file:///dev/stdin",
        "--name",
        name,
    ];
    aws.change_by(&words, Some(secret), CALL).await?;
    let what = if before.is_some() { "has the new value" } else { "is in Parameter Store" };
    Ok(Outcome::Done(format!("{name} {what}")))
}

/// Makes or updates a stack.
///
/// # Errors
/// When it cannot be made.
async fn deploy(
    aws: &Tool,
    stack: &str,
    template: &str,
    parameters: &[String],
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let before = described(aws, stack).await?;
    if before.is_none() {
        record.note(Made::Stack(stack.to_owned()))?;
    }
    let mut file = NamedTempFile::new().context("a temporary file for the template")?;
    file.write_all(template.as_bytes()).context("a temporary file for the template")?;
    let path = file.path().display().to_string();
    let mut words =
        vec!["cloudformation", "deploy", "--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM"];
    words.extend(["--stack-name", stack, "--template-file", &path]);
    if !parameters.is_empty() {
        words.push("--parameter-overrides");
        words.extend(parameters.iter().map(String::as_str));
    }
    let time = |stack: &Option<Value>| stack.as_ref().map(|stack| stack["LastUpdatedTime"].clone());
    match aws.change(&words, STACK).await {
        Ok(true) => (),
        Ok(false) => return Ok(Outcome::Done(format!("would make or update the stack {stack}"))),
        // The command line knows this by itself where AWS says it of a change set, and not where it refuses to make one.
        Err(error) if before.is_some() && error.to_string().contains(NO_CHANGE) => (),
        Err(error) => return Err(error),
    }
    let after = described(aws, stack).await?;
    if before.is_some() && time(&before) == time(&after) {
        return Ok(Outcome::Already(format!("the stack {stack} is as it should be")));
    }
    Ok(Outcome::Done(format!("the stack {stack} is there")))
}

/// A stack as AWS describes it; `None` where there is none.
///
/// # Errors
/// When it cannot be asked for.
pub(super) async fn described(aws: &Tool, stack: &str) -> anyhow::Result<Option<Value>> {
    let words = ["cloudformation", "describe-stacks", "--output", "json", "--stack-name", stack];
    let answer = aws.ask(&words, CALL).await?.json_unless(&[NO_STACK]).with_context(|| stack.to_owned())?;
    Ok(answer.map(|answer| answer["Stacks"][0].clone()))
}

/// The role, the log group and the topic; and the role's address.
///
/// # Errors
/// When they cannot be made.
pub(super) async fn base(aws: &Tool, mail: &str, record: &mut Record) -> anyhow::Result<(Outcome, Option<String>)> {
    let parameters = if mail.is_empty() { Vec::new() } else { vec![format!("AlarmEmail={mail}")] };
    let outcome = deploy(aws, BASE, BASE_TEMPLATE, &parameters, record).await?;
    let stack = described(aws, BASE).await?.unwrap_or_default();
    let outputs = stack["Outputs"].as_array().cloned().unwrap_or_default();
    let role = outputs.iter().find(|output| output["OutputKey"] == "RoleArn");
    let role = role.and_then(|output| output["OutputValue"].as_str()).map(str::to_owned);
    if role.is_none() && !matches!(&outcome, Outcome::Done(would) if would.starts_with("would")) {
        bail!("the stack {BASE} names no role: delete it, and run this again");
    }
    Ok((outcome, role))
}

/// What starts the function every minute, and the alarms.
///
/// # Errors
/// When they cannot be made.
pub(super) async fn schedule(aws: &Tool, record: &mut Record) -> anyhow::Result<Outcome> {
    deploy(aws, SCHEDULE, SCHEDULE_TEMPLATE, &[], record).await
}

/// Whether a call was answered by that something is not there.
pub(super) fn is_gone(ended: &Ended, answers: &[&str]) -> bool {
    matches!(ended, Ended::Badly(why) if answers.iter().any(|answer| why.contains(answer)))
}

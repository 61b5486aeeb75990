//! AWS: the parameters, the two stacks, and what they are called. Everything is looked at before it is made.

use std::{collections::BTreeMap, io::Write, time::Duration};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;
use shared::secret::Secret;
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};

use super::{
    Outcome,
    made::Made,
    record::{Account, Record},
    tool::{Ended, Tool},
};

pub(super) const BASE: &str = "porchlight-base";
pub(super) const SCHEDULE: &str = "porchlight-schedule";
pub(super) const KEY: &str = "/porchlight/beacon-key";
pub(super) const TOKEN: &str = "/porchlight/statuspage-token";

/// What the function itself writes below; it goes with it.
pub(super) const STATE: &str = "/porchlight/state";

pub(super) const BASE_TEMPLATE: &str = include_str!("../../base.yaml");
pub(super) const SCHEDULE_TEMPLATE: &str = include_str!("../../schedule.yaml");

/// How long one call may take.
pub(super) const CALL: Duration = Duration::from_secs(60);

/// How long a stack may take to be made or to go.
pub(super) const STACK: Duration = Duration::from_secs(900);

const STACK_PAUSE: Duration = Duration::from_secs(5);

/// What the AWS command line says of what is not there.
pub(super) const NO_STACK: &str = "does not exist";
const NO_CHANGE: &str = "No updates are to be performed";
pub(super) const NO_PARAMETER: &str = "ParameterNotFound";
pub(super) const NO_FUNCTION: &str = "ResourceNotFoundException";

/// The AWS command line, once it has shown whose it is.
///
/// # Errors
/// When it is missing, or has no account.
pub(super) async fn aws(is_dry: bool) -> anyhow::Result<(Tool, Account)> {
    let aws = Tool::find("aws", "install the AWS command line (https://docs.aws.amazon.com/cli/)", is_dry)?;
    let asked = aws.ask(&["sts", "get-caller-identity", "--output", "json"], CALL).await?;
    let who = asked.json_unless(&[]).map_err(|why| anyhow!("aws has no account: {why}: run `aws configure`"))?;
    let who = who.unwrap_or_default();
    let id = who["Account"].as_str().context("aws does not say whose account it is")?.to_owned();
    let set = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| std::env::var(name).ok());
    let region = match set.filter(|region| !region.is_empty()) {
        Some(region) => region,
        None => match aws.ask(&["configure", "get", "region"], CALL).await? {
            Ended::Well(region) if !region.trim().is_empty() => region.trim().to_owned(),
            _ => bail!("aws has no region: run `aws configure`, or set AWS_REGION"),
        },
    };
    Ok((aws, Account { id, region }))
}

/// Refuses another account or region than what was made is in: there, everything would seem to be gone.
///
/// # Errors
/// When it is another one.
pub(super) fn same(account: &Account, record: &Record) -> anyhow::Result<()> {
    match &record.chosen().account {
        Some(before) if before != account => bail!(
            "this folder is a setup in the account {} and region {}, and aws is set for {} in {}: set it for the former, or take \
             another --folder",
            before.id,
            before.region,
            account.id,
            account.region
        ),
        _ => Ok(()),
    }
}

/// What Parameter Store has of a setup.
#[derive(Debug, Default)]
pub(super) struct Stored(BTreeMap<String, Secret>);

impl Stored {
    /// Both secrets, by one call: each takes a second on a small machine.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub(super) async fn ask(aws: &Tool, key: &str) -> anyhow::Result<Self> {
        let words = ["ssm", "get-parameters", "--with-decryption", "--output", "json", "--names", key, TOKEN];
        let answer = aws.ask(&words, CALL).await?.json_unless(&[]).context("Parameter Store")?.unwrap_or_default();
        let each = answer["Parameters"].as_array().into_iter().flatten();
        let pair = |it: &Value| Some((it["Name"].as_str()?.to_owned(), Secret::new(it["Value"].as_str()?.trim())));
        Ok(Self(each.filter_map(pair).collect()))
    }

    pub(super) fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }
}

/// Stores a secret, where it is not there already.
///
/// # Errors
/// When it cannot be stored.
pub(super) async fn store(
    aws: &Tool,
    name: &str,
    secret: &Secret,
    stored: &Stored,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let before = stored.get(name);
    if before == Some(secret) {
        return Ok(Outcome::Already(format!("{name} is in Parameter Store")));
    }
    let made = Made::Parameter(name.to_owned());
    // One that was there before is not ours to remove, nor to replace: somebody else's chain may rest on it.
    if before.is_none() {
        record.note(made)?;
    } else if !record.has_made(&made) {
        bail!(
            "{name} is there with another value, and this setup did not make it: for another value of your own, overwrite it by hand \
             (infra/README.md, under Later), or delete it"
        );
    }
    // By its standard input, so that it is in no list of processes. What --cli-input-json names is read twice, which a pipe cannot be.
    let mut words =
        vec!["ssm", "put-parameter", "--type", "SecureString", "--value", "file:///dev/stdin", "--name", name];
    // What somebody has put there meanwhile is not ours to replace either.
    words.extend(before.map(|_| "--overwrite"));
    let is_done = aws.change_by(&words, Some(secret), CALL).await?;
    let what = if before.is_some() { "has the new value" } else { "is in Parameter Store" };
    Ok(Outcome::of(is_done, format!("{name} {what}")))
}

/// Makes or updates a stack; with what it is then.
///
/// # Errors
/// When it cannot be made.
pub(super) async fn deploy(
    aws: &Tool,
    stack: &str,
    template: &str,
    parameters: &[(&str, String)],
    record: &mut Record,
) -> anyhow::Result<(Outcome, Value)> {
    let before = usable(aws, stack, record).await?;
    let is_right = |it: Value| Ok((Outcome::Already(format!("the stack {stack} is as it should be")), it));
    match &before {
        None => record.note(Made::Stack(stack.to_owned()))?,
        // A change set that says so itself takes AWS ten seconds.
        Some(it) if has(it, parameters) && is_made_of(aws, stack, template).await? => return is_right(it.clone()),
        Some(_) => (),
    }
    let mut file = NamedTempFile::new().context("a temporary file for the template")?;
    file.write_all(template.as_bytes()).context("a temporary file for the template")?;
    let path = file.path().display().to_string();
    let overrides: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut words =
        vec!["cloudformation", "deploy", "--no-fail-on-empty-changeset", "--capabilities", "CAPABILITY_IAM"];
    words.extend(["--stack-name", stack, "--template-file", &path]);
    if !parameters.is_empty() {
        words.push("--parameter-overrides");
        words.extend(overrides.iter().map(String::as_str));
    }
    let time = |stack: &Option<Value>| stack.as_ref().map(|stack| stack["LastUpdatedTime"].clone());
    match aws.change(&words, STACK).await {
        Ok(true) => (),
        Ok(false) => {
            let would = Outcome::Skipped(format!("the stack {stack} would be made or updated"));
            return Ok((would, before.unwrap_or_default()));
        }
        // The command line knows this by itself where AWS says it of a change set, and not where it refuses to make one.
        Err(error) if before.is_some() && error.to_string().contains(NO_CHANGE) => (),
        Err(error) => return Err(error),
    }
    let after = described(aws, stack).await?;
    if before.is_some() && time(&before) == time(&after) {
        return is_right(after.unwrap_or_default());
    }
    Ok((Outcome::Done(format!("the stack {stack} is there")), after.unwrap_or_default()))
}

/// Whether a stack has these values for its parameters.
pub(super) fn has(stack: &Value, parameters: &[(&str, String)]) -> bool {
    let is = |name: &str, value: &str| {
        let mut each = stack["Parameters"].as_array().into_iter().flatten();
        each.any(|it| it["ParameterKey"] == name && it["ParameterValue"] == value)
    };
    parameters.iter().all(|(name, value)| is(name, value))
}

/// Whether a stack was made of that template, as far as that can be seen.
async fn is_made_of(aws: &Tool, stack: &str, template: &str) -> anyhow::Result<bool> {
    let words = ["cloudformation", "get-template", "--output", "json", "--stack-name", stack];
    // Who may not read it may still update it.
    let unknown = [NO_STACK, "AccessDenied", "not authorized"];
    let answer = aws.ask(&words, CALL).await?.json_unless(&unknown).with_context(|| stack.to_owned())?;
    Ok(answer.is_some_and(|answer| answer["TemplateBody"].as_str().is_some_and(|text| text.trim() == template.trim())))
}

/// A stack that can be updated; `None` where there is none, any more: one that could never be made is removed, where it is ours.
async fn usable(aws: &Tool, stack: &str, record: &Record) -> anyhow::Result<Option<Value>> {
    let until = Instant::now() + STACK;
    loop {
        let Some(before) = described(aws, stack).await? else { return Ok(None) };
        let status = before["StackStatus"].as_str().unwrap_or_default();
        match status {
            _ if status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS" && Instant::now() < until => {
                eprintln!("  the stack {stack} is being changed ({status}); this waits for it");
                sleep(STACK_PAUSE).await;
            }
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "DELETE_FAILED" => {
                if !record.has_made(&Made::Stack(stack.to_owned())) {
                    bail!(
                        "the stack {stack} is in {status}: see why in the console, and delete it: aws cloudformation delete-stack --stack-name {stack}"
                    );
                }
                delete(aws, stack).await?;
                return Ok(None);
            }
            _ => return Ok(Some(before)),
        }
    }
}

/// Deletes a stack, and waits until it has gone.
///
/// # Errors
/// When it stays.
pub(super) async fn delete(aws: &Tool, stack: &str) -> anyhow::Result<()> {
    aws.change(&["cloudformation", "delete-stack", "--stack-name", stack], CALL).await?;
    aws.change(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", stack], STACK).await.map(drop)
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
pub(super) async fn base(aws: &Tool, record: &mut Record) -> anyhow::Result<(Outcome, Option<String>)> {
    let mail = record.chosen().alarm_email.clone();
    let parameters: Vec<_> = mail.into_iter().map(|mail| ("AlarmEmail", mail)).collect();
    let (outcome, stack) = deploy(aws, BASE, BASE_TEMPLATE, &parameters, record).await?;
    let outputs = stack["Outputs"].as_array().cloned().unwrap_or_default();
    let role = outputs.iter().find(|output| output["OutputKey"] == "RoleArn");
    let role = role.and_then(|output| output["OutputValue"].as_str()).map(str::to_owned);
    Ok((outcome, role))
}

/// What starts the function every minute, and the alarms.
///
/// # Errors
/// When they cannot be made.
pub(super) async fn schedule(aws: &Tool, record: &mut Record) -> anyhow::Result<Outcome> {
    deploy(aws, SCHEDULE, SCHEDULE_TEMPLATE, &[], record).await.map(|(outcome, _)| outcome)
}

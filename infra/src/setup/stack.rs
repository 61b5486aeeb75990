//! The stacks of AWS: made, updated and deleted, each once it was looked at. One that another has made stays as it is.

use std::{io::Write, time::Duration};

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};

use super::{
    Outcome,
    cloud::CALL,
    made::Made,
    record::Record,
    tool::{Tool, is_refused},
};

/// What the names of all of them begin with.
pub(super) const OURS: &str = "porchlight-";
/// That of infra/heartbeat.yaml, which imports from the first.
pub(super) const HEARTBEAT: &str = "porchlight-heartbeat";
pub(super) const BASE: &str = "porchlight-base";
pub(super) const SCHEDULE: &str = "porchlight-schedule";

pub(super) const BASE_TEMPLATE: &str = include_str!("../../base.yaml");
pub(super) const SCHEDULE_TEMPLATE: &str = include_str!("../../schedule.yaml");

/// How long a stack may take to be made or to go.
const STACK: Duration = Duration::from_secs(900);

const STACK_PAUSE: Duration = Duration::from_secs(5);

/// What the AWS command line says.
const NO_STACK: &str = "does not exist";
const NO_CHANGE: &str = "No updates are to be performed";

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
    let made = Made::Stack(stack.to_owned());
    if !record.has_made(&made)
        && let Some(it) = usable(aws, stack, record).await?
    {
        // Somebody may have set there what this setup does not know of.
        let is_right = has(&it, parameters) && is_made_of(aws, stack, template).await?;
        let outcome = if is_right { as_it_should_be(stack) } else { Outcome::Skipped(stays(stack, parameters)) };
        return Ok((outcome, it));
    }
    change(aws, stack, template, parameters, record).await
}

fn as_it_should_be(stack: &str) -> Outcome {
    Outcome::Already(format!("the stack {stack} is as it should be"))
}

fn stays(stack: &str, parameters: &[(&str, String)]) -> String {
    let wanted: Vec<_> = parameters.iter().map(|(name, value)| format!(", with {name}={value}")).collect();
    format!(
        "the stack {stack} is there, and this setup did not make it: it stays as it is; infra/README.md says how to deploy it{}",
        wanted.concat()
    )
}

/// Makes or updates a stack, whoever has made it.
///
/// # Errors
/// When it cannot be made.
pub(super) async fn change(
    aws: &Tool,
    stack: &str,
    template: &str,
    parameters: &[(&str, String)],
    record: &mut Record,
) -> anyhow::Result<(Outcome, Value)> {
    let before = usable(aws, stack, record).await?;
    let is_right = |it: Value| Ok((as_it_should_be(stack), it));
    // A change set that says so itself takes AWS ten seconds.
    if let Some(it) = before.as_ref().filter(|it| is_whole(it) && has(it, parameters))
        && is_made_of(aws, stack, template).await?
    {
        return is_right(it.clone());
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
    let deployed = match &before {
        None => noted_stack(aws, stack, &words, record).await,
        Some(_) => aws.change(&words, STACK).await,
    };
    match deployed {
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
    if let Some(after) = after.as_ref().filter(|after| !is_whole(after)) {
        bail!("the stack {stack} is in {}: see why in the console, mend it there, and run this again", status(after));
    }
    if before.is_some() && time(&before) == time(&after) {
        return is_right(after.unwrap_or_default());
    }
    Ok((Outcome::Done(format!("the stack {stack} is there")), after.unwrap_or_default()))
}

/// Makes one. Where it is refused before there is a change set, there is none of it.
async fn noted_stack(aws: &Tool, stack: &str, words: &[&str], record: &mut Record) -> anyhow::Result<bool> {
    let made = Made::Stack(stack.to_owned());
    let is_new = record.note(made.clone())?;
    let done = aws.change(words, STACK).await;
    let is_refused = |error: &anyhow::Error| is_refused(error) && error.to_string().contains("CreateChangeSet");
    if is_new && done.as_ref().is_err_and(is_refused) {
        record.forget(&made)?;
    }
    done
}

fn status(stack: &Value) -> &str {
    stack["StackStatus"].as_str().unwrap_or_default()
}

/// Whether all of it is as it was asked for last.
fn is_whole(stack: &Value) -> bool {
    matches!(status(stack), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE")
}

/// What a parameter of a stack is.
pub(super) fn parameter<'a>(stack: &'a Value, name: &str) -> Option<&'a str> {
    let mut each = stack["Parameters"].as_array().into_iter().flatten();
    each.find(|it| it["ParameterKey"] == name).and_then(|it| it["ParameterValue"].as_str())
}

/// Whether a stack has these values for its parameters.
pub(super) fn has(stack: &Value, parameters: &[(&str, String)]) -> bool {
    parameters.iter().all(|(name, value)| parameter(stack, name) == Some(value.as_str()))
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
        let status = status(&before);
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

/// The role, the log group and the topic; and the role's address. That alarms are mailed to nobody is set only where it `is_said`: else
/// an address that somebody has set there would go.
///
/// # Errors
/// When they cannot be made.
pub(super) async fn base(aws: &Tool, is_said: bool, record: &mut Record) -> anyhow::Result<(Outcome, Option<String>)> {
    let mail = record.chosen().alarm_email.clone().filter(|mail| is_said || !mail.is_empty());
    let parameters: Vec<_> = mail.into_iter().map(|mail| ("AlarmEmail", mail)).collect();
    let (outcome, stack) = deploy(aws, BASE, BASE_TEMPLATE, &parameters, record).await?;
    let outputs = stack["Outputs"].as_array().cloned().unwrap_or_default();
    let role = outputs.iter().find(|output| output["OutputKey"] == "RoleArn");
    let role = role.and_then(|output| output["OutputValue"].as_str()).map(str::to_owned);
    Ok((outcome, role))
}

/// The names of all stacks whose names begin so.
///
/// # Errors
/// When AWS cannot be asked.
pub(super) async fn named(aws: &Tool, begin: &str) -> anyhow::Result<Vec<String>> {
    let words = ["cloudformation", "describe-stacks", "--output", "json"];
    let answer = aws.ask(&words, CALL).await?.json_unless(&[])?.unwrap_or_default();
    let each = answer["Stacks"].as_array().into_iter().flatten().filter_map(|it| it["StackName"].as_str());
    Ok(each.filter(|name| name.starts_with(begin)).map(str::to_owned).collect())
}

/// Whether a setup has made what starts the function, of a first home or of one beside another.
pub(super) fn is_scheduled(record: &Record) -> bool {
    let is_one = |name: &str| name == SCHEDULE || name.starts_with(super::beside::HOMES);
    record.made().iter().any(|made| matches!(made, Made::Stack(name) if is_one(name)))
}

/// What starts the function every minute, and the alarms.
///
/// # Errors
/// When they cannot be made.
pub(super) async fn schedule(aws: &Tool, record: &mut Record) -> anyhow::Result<Outcome> {
    deploy(aws, SCHEDULE, SCHEDULE_TEMPLATE, &[], record).await.map(|(outcome, _)| outcome)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stack_is_whole_in_three_states_alone() {
        for (status, expected) in [
            ("CREATE_COMPLETE", true),
            ("UPDATE_COMPLETE", true),
            ("UPDATE_ROLLBACK_COMPLETE", true),
            ("UPDATE_ROLLBACK_FAILED", false),
            ("REVIEW_IN_PROGRESS", false),
            ("CREATE_FAILED", false),
        ] {
            assert_eq!(is_whole(&json!({ "StackStatus": status })), expected, "{status}");
        }
    }
}

//! The cluster: the Secrets that the chart names, in its namespace, brought by `kubectl` to where its context leads.

use std::time::Duration;

use anyhow::bail;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::secret::Secret;

use super::{
    Outcome,
    ask::{Asker, Question},
    made::Made,
    record::Record,
    settings::{RunsOn, SetupSettings},
    tool::{Ended, Tool},
    yes_or_no,
};

pub(super) const NAMESPACE: &str = "porchlight";

/// How long one call may take.
pub(super) const CALL: Duration = Duration::from_secs(30);

/// What the home side must not be without: each Secret by its name, its key in there, and the secret.
pub(super) type Secrets<'a> = [(&'static str, &'static str, &'a Secret)];

/// Brings them there, where that is wanted.
///
/// # Errors
/// When a cluster is there and does not take them.
pub(super) async fn bring(
    asker: Asker,
    settings: &SetupSettings,
    secrets: &Secrets<'_>,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let by_hand = |why: &str| Ok(Outcome::Skipped(format!("{why}: the secrets go there by the commands below")));
    if record.chosen().runs_on != Some(RunsOn::Kubernetes) {
        return Ok(Outcome::Skipped("there is none: the home side runs on this machine".into()));
    }
    let Ok(kubectl) = Tool::find("kubectl", "install kubectl", settings.dry_run) else {
        return by_hand("kubectl is not here");
    };
    let Ended::Well(context) = kubectl.ask(&["config", "current-context"], CALL).await? else {
        return by_hand("kubectl has no cluster");
    };
    let context = context.trim();
    let has_made = record.made().iter().any(|made| matches!(made, Made::Secret(_) | Made::Release(_)));
    let wanted = match settings.apply {
        Some(wanted) => wanted,
        None if asker.is_silent => false,
        None => {
            let text = format!("Bring the home side into the cluster {context}, its secrets and by helm: yes or no");
            asker.choose(Question { text: &text, flag: "--apply", default: Some("yes") }, yes_or_no).await?
        }
    };
    if !wanted {
        return by_hand("it is not wanted (--apply true)");
    }
    match &record.chosen().cluster {
        Some(before) if has_made && before != context => bail!("{}", another(before, context)),
        _ => record.choose(|chosen| chosen.cluster = Some(context.to_owned()))?,
    }
    let is_there = answer(&kubectl, &["get", "namespace", NAMESPACE]).await?.is_some();
    if !is_there {
        kubectl.change(&["create", "namespace", NAMESPACE], CALL).await?;
    }
    let mut brought = Vec::new();
    for (name, key, secret) in secrets {
        if put(&kubectl, name, key, secret, record).await? {
            brought.push(*name);
        }
    }
    Ok(match brought.as_slice() {
        [] => Outcome::Already(format!("the secrets are in the cluster {context}")),
        brought => Outcome::of(!settings.dry_run, format!("brought {} into the cluster {context}", brought.join(", "))),
    })
}

fn another(before: &str, context: &str) -> String {
    format!(
        "this folder's home is in the cluster {before}, and kubectl leads to {context}: kubectl config use-context {before}, or take \
         another --folder"
    )
}

/// Refuses to remove anything from another cluster than it was brought to.
///
/// # Errors
/// When kubectl leads to another one.
pub(super) async fn same(record: &Record) -> anyhow::Result<()> {
    let kubectl = Tool::find("kubectl", "install kubectl", false)?;
    match (&record.chosen().cluster, kubectl.ask(&["config", "current-context"], CALL).await?) {
        (Some(before), Ended::Well(context)) if context.trim() != before => {
            bail!("{}", another(before, context.trim()))
        }
        _ => Ok(()),
    }
}

/// What `kubectl` knows of something; `None` where it is not there.
async fn answer(kubectl: &Tool, words: &[&str]) -> anyhow::Result<Option<Value>> {
    let words = [words, &["--output", "json", "--ignore-not-found"]].concat();
    match kubectl.ask(&words, CALL).await? {
        Ended::Well(text) if text.trim().is_empty() => Ok(None),
        ended => ended.json_unless(&[]),
    }
}

/// Whether anything was changed.
async fn put(kubectl: &Tool, name: &str, key: &str, secret: &Secret, record: &mut Record) -> anyhow::Result<bool> {
    let before = answer(kubectl, &["--namespace", NAMESPACE, "get", "secret", name]).await?;
    let encoded = BASE64_STANDARD.encode(secret.expose());
    let is_right = before.as_ref().is_some_and(|before| before["data"][key] == json!(encoded));
    if is_right {
        return Ok(false);
    }
    let made = Made::Secret(name.to_owned());
    if before.is_some() && !record.has_made(&made) {
        bail!(
            "the Secret {name} is there with another value, and this setup did not make it: delete it, or leave the cluster out by \
             --apply false"
        );
    }
    // By its standard input, and not applied: what is applied is written into an annotation as well.
    let verb = if before.is_some() { "replace" } else { "create" };
    record.note(made)?;
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {key: encoded}});
    kubectl.change_by(&[verb, "--filename", "-"], Some(&Secret::new(object.to_string())), CALL).await?;
    Ok(true)
}

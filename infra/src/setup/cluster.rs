//! The cluster: the Secrets that the chart names, in its namespace, brought by `kubectl` to where its context leads.

use std::time::Duration;

use anyhow::bail;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use shared::secret::Secret;

use super::{
    Outcome,
    ask::{Asker, Question},
    home::KEY_FILE,
    made::Made,
    mend::noted,
    record::{Chosen, Record},
    settings::{RunsOn, SetupSettings},
    tool::{Ended, Tool, quoted},
    yes_or_no,
};

pub(super) const NAMESPACE: &str = "porchlight";
pub(super) const INSTALL: &str = "install kubectl";

/// The Secret with the beacon's key.
pub(super) const KEY: &str = "beacon-key";

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
    let Ok(kubectl) = Tool::find("kubectl", INSTALL, settings.dry_run) else {
        return by_hand("kubectl is not here");
    };
    let Ended::Well(context) = kubectl.ask(&["config", "current-context"], CALL).await? else {
        return by_hand("kubectl has no cluster");
    };
    let context = context.trim();
    let kubectl = kubectl.pinned(&["--context", context]);
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
    let uid = uid(&kubectl).await?;
    if has_made {
        refuse_another(record.chosen(), context, uid.as_deref())?;
    }
    let uid = uid.or_else(|| record.chosen().cluster_uid.clone().filter(|_| has_made));
    record.choose(|chosen| (chosen.cluster, chosen.cluster_uid) = (Some(context.to_owned()), uid))?;
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

/// Contexts of several files may have one name, and one cluster several contexts: what a cluster calls itself counts, where it may be
/// asked.
fn refuse_another(chosen: &Chosen, context: &str, uid: Option<&str>) -> anyhow::Result<()> {
    let Some(before) = &chosen.cluster else { return Ok(()) };
    let is_same = match (chosen.cluster_uid.as_deref(), uid) {
        (Some(before), Some(uid)) => before == uid,
        _ => before == context,
    };
    if is_same {
        return Ok(());
    }
    let other = if before == context { "another one of that name" } else { context };
    bail!(
        "this folder's home is in the cluster {before}, and kubectl leads to {other}: kubectl config use-context {before}, or take \
         another --folder"
    )
}

/// What the cluster is told apart by, as long as it is that one; `None` where it does not say.
async fn uid(kubectl: &Tool) -> anyhow::Result<Option<String>> {
    let words = ["get", "namespace", "kube-system", "--output", "json", "--ignore-not-found"];
    match kubectl.ask(&words, CALL).await? {
        Ended::Well(text) => {
            let namespace: Value = serde_json::from_str(&text).unwrap_or_default();
            Ok(namespace["metadata"]["uid"].as_str().map(str::to_owned))
        }
        Ended::Badly(why) if why.contains("(Forbidden)") => Ok(None),
        Ended::Badly(why) => bail!("kubectl does not get to the cluster: {why}"),
    }
}

/// The context that leads to the cluster that it was brought to.
///
/// # Errors
/// When kubectl leads to another one, or to none.
pub(super) async fn same(record: &Record) -> anyhow::Result<String> {
    let kubectl = Tool::find("kubectl", INSTALL, false)?;
    let Ended::Well(context) = kubectl.ask(&["config", "current-context"], CALL).await? else {
        bail!("kubectl has no cluster: set its context to that of this folder's home")
    };
    let context = context.trim().to_owned();
    let kubectl = kubectl.pinned(&["--context", &context]);
    refuse_another(record.chosen(), &context, uid(&kubectl).await?.as_deref())?;
    Ok(context)
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
    if before.is_some() && name == KEY {
        let path = record.path(KEY_FILE);
        let path = quoted(&path);
        bail!(
            "the Secret {name} has another key than {path}: where the Secret's is the right one, kubectl -n {NAMESPACE} get secret \
             {name} -o jsonpath='{{.data.KEY}}' | base64 -d > {path}; else kubectl -n {NAMESPACE} delete secret {name}; then run \
             this again"
        );
    }
    // By its standard input, and not applied: what is applied is written into an annotation as well.
    let verb = if before.is_some() { "replace" } else { "create" };
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": {key: encoded}});
    let object = Secret::new(object.to_string());
    noted(record, made, kubectl.change_by(&[verb, "--filename", "-"], Some(&object), CALL)).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_known_by_what_it_calls_itself() {
        let of = |uid: Option<&str>| Chosen {
            cluster: Some("pi".into()),
            cluster_uid: uid.map(str::to_owned),
            ..Chosen::default()
        };
        let other = refuse_another(&of(Some("a")), "pi", Some("b")).unwrap_err().to_string();
        assert!(other.contains("in the cluster pi, and kubectl leads to another one of that name"), "{other}");
        refuse_another(&of(Some("a")), "another name", Some("a")).unwrap();
        assert!(
            refuse_another(&of(None), "work", Some("b")).is_err()
                && refuse_another(&of(Some("a")), "work", None).is_err()
        );
        refuse_another(&of(None), "pi", Some("b")).unwrap();
    }
}

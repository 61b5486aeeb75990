//! The list of checks in the form in which a keeper takes it.

use checks::check::{Check, Dependency, Kind, PassiveCheck, Place};
use serde_json::{Value, json};
use shared::fingerprint::Fingerprint;

use super::super::{defined::List, shown::target};

/// The longest title and group of a page, in characters.
const MAX_TITLE: usize = 200;

/// The longest target, and the most failures that a notice waits for.
const MAX_TARGET: usize = 300;
const MAX_AFTER: u32 = 1_000_000;

/// The list of these checks as the keeper is to have it.
pub(super) fn registration(source: &str, list: &List, own: Option<&Check>) -> Value {
    let checks: Vec<Value> = list.checks.iter().chain(own).map(of_check).collect();
    let mut registration = json!({ "source": source, "partial": !list.is_whole, "checks": checks });
    if !list.wrong.is_empty() {
        registration["keep"] = json!(list.wrong);
    }
    registration
}

fn of_check(check: &Check) -> Value {
    let depends_on = check.depends_on.iter().map(|dependency| match dependency {
        Dependency::Home => "home".to_owned(),
        Dependency::Check(name) => format!("check:{name}"),
    });
    let passive = match &check.kind {
        Kind::Passive(passive) => of_passive(passive),
        _ => Value::Null,
    };
    json!({
        "name": check.name,
        "was": check.was,
        "title": cut(&check.title, MAX_TITLE),
        "group": check.group.as_deref().map(|group| cut(group, MAX_TITLE)),
        "kind": check.kind.label(),
        "target": cut(&target(&check.kind), MAX_TARGET),
        "every_seconds": check.every.as_secs(),
        "component": match &check.component {
            Place::Own => "own",
            Place::Nowhere => "nowhere",
            Place::Component(id) => id.as_str(),
        },
        "depends_on": depends_on.collect::<Vec<_>>(),
        "notices": {
            "wanted": check.notices.wanted,
            "after_failures": check.notices.after_failures.min(MAX_AFTER),
            "all_changes": check.notices.all_changes,
        },
        "passive": passive,
    })
}

/// As long as a keeper takes it.
fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// Where the secret cannot be read now, the keeper goes on with the one that it knows.
fn of_passive(passive: &PassiveCheck) -> Value {
    json!({
        "period_seconds": passive.period.as_secs(),
        "grace_seconds": passive.grace.as_secs(),
        "secret_sha256": fingerprint(passive).map(|it| it.to_string()),
    })
}

/// What a keeper knows a secret by; `None` while it cannot be read.
pub(in super::super) fn fingerprint(passive: &PassiveCheck) -> Option<Fingerprint> {
    passive.secret.current().ok().map(|secret| Fingerprint::of(secret.expose().as_bytes()))
}

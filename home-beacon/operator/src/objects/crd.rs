//! The definitions (CRDs) of all objects, made from the types that read them.

use serde_json::{Value, json};

use super::{
    ObjectKind, VERSION,
    pinglow::{CheckSpec, ScriptSpec, TelegramChannelSpec},
    porchlight,
    structural::structural,
};
use crate::resolve::script::MAX_SCRIPT;

/// The kinds of a check, each a key of `spec`.
const CHECK_KINDS: [&str; 8] = ["http", "tcp", "tls", "dns", "icmp", "grpc", "script", "passive"];

/// Every definition, in the order of [`ObjectKind::ALL`].
pub fn all() -> Vec<Value> {
    ObjectKind::ALL.map(definition).to_vec()
}

/// All of them as one file for `kubectl apply`.
pub fn yaml() -> String {
    let documents = all().into_iter().map(|it| serde_saphyr::to_string(&it).unwrap_or_default());
    documents.collect::<Vec<_>>().join("---\n")
}

/// The definition of one kind.
pub fn definition(kind: ObjectKind) -> Value {
    let (plural, group) = (kind.plural(), kind.group());
    let mut names = json!({
        "kind": kind.kind(), "listKind": format!("{}List", kind.kind()), "plural": plural,
        "singular": kind.kind().to_lowercase(), "categories": ["porchlight"],
    });
    if let Some(short) = short_name(kind) {
        names["shortNames"] = json!([short]);
    }
    let schema = json!({
        "type": "object",
        "required": ["spec"],
        "properties": {"spec": spec(kind), "status": status()},
    });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": format!("{plural}.{group}"),
            // Without it, an uninstall would take every object of the kind with it.
            "annotations": {"helm.sh/resource-policy": "keep"},
        },
        "spec": {
            "group": group, "names": names, "scope": "Namespaced",
            "versions": [{
                "name": VERSION, "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns(kind),
            }],
        },
    })
}

/// What `kubectl get` takes for it; Pinglow's own kinds have none that could be in the way of ours.
const fn short_name(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Check => Some("plc"),
        ObjectKind::TelegramChannel => Some("tgc"),
        ObjectKind::PinglowCheck | ObjectKind::Script => None,
    }
}

fn spec(kind: ObjectKind) -> Value {
    match kind {
        ObjectKind::Check => check(),
        ObjectKind::PinglowCheck => {
            let mut spec = structural(&schemars::schema_for!(CheckSpec).to_value());
            spec["properties"]["interval"]["minimum"] = 5.into();
            // An interval that is left empty gets a default, which the status says.
            let rule = "self.passive == true || has(self.scriptRef)";
            spec["x-kubernetes-validations"] =
                json!([{"rule": rule, "message": "a check that is not passive needs scriptRef: name a Script"}]);
            spec["properties"]["passive"]["default"] = false.into();
            spec
        }
        ObjectKind::Script => {
            let mut spec = structural(&schemars::schema_for!(ScriptSpec).to_value());
            limit(&mut spec["properties"]["content"]);
            spec
        }
        ObjectKind::TelegramChannel => {
            let mut spec = structural(&schemars::schema_for!(TelegramChannelSpec).to_value());
            spec["properties"]["chatId"]["pattern"] = r"^\s*(-?[0-9]+|@[A-Za-z0-9_]+)\s*$".into();
            spec
        }
    }
}

/// Of a script's text.
fn limit(content: &mut Value) {
    content["minLength"] = 1.into();
    content["maxLength"] = MAX_SCRIPT.into();
}

fn check() -> Value {
    let mut spec = structural(&checks::file::checks_yml::schema_of_one());
    spec["description"] =
        "A check, in the words of checks.yml: one of the kinds, and what is to be another way than the defaults."
            .into();
    let properties = &mut spec["properties"];
    properties["script"] = structural(&schemars::schema_for!(porchlight::ScriptSpec).to_value());
    limit(&mut properties["script"]["properties"]["content"]);
    // The API server counts what a rule may cost by the longest text that it may be given.
    for duration in ["every", "timeout"] {
        properties[duration]["maxLength"] = 40.into();
    }
    properties["secrets"] = structural(&schemars::schema_for!(Vec<porchlight::SecretSpec>).to_value());
    properties["secrets"]["maxItems"] = 50.into();
    properties["name"]["description"] = "By what it is known, where that is not the object's own name.".into();
    // The object has a name, and which kinds exclude each other is said by a rule that has a sentence.
    let map = spec.as_object_mut().expect("it is one");
    map.remove("oneOf");
    map.remove("anyOf");
    let given = CHECK_KINDS.map(|kind| format!("has(self.{kind})")).join(", ");
    let short = "self.every.matches('^ *([0-9]+ms|[0-4]s) *$')";
    // What CEL reads as we do; the operator reads the rest.
    let plain = |of: &str| format!("has(self.{of}) && self.{of}.matches('^([0-9]+(h|m|s|ms))+$')");
    map.insert(
        "x-kubernetes-validations".into(),
        json!([
            {
                "rule": format!("[{given}].filter(given, given).size() == 1"),
                "message": format!("write exactly one of {}", CHECK_KINDS.join(", ")),
            },
            {"rule": format!("!has(self.every) || !{short}"), "message": "every must be 5s or more"},
            {
                "rule": format!(
                    "!({} && {}) || duration(self.timeout) <= duration(self.every)", plain("timeout"), plain("every")
                ),
                "message": "timeout must be every or less: a run must end before the next one begins",
            },
            {
                "rule": "!has(self.script) || has(self.script.content) != has(self.script.script_ref)",
                "message": "script needs either content or script_ref",
            },
            {
                "rule": "!has(self.script) || !has(self.script.content) || has(self.script.language)",
                "message": "script.content needs script.language: Python or Bash",
            },
        ]),
    );
    spec
}

fn status() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let moment = |description: &str| json!({"type": "string", "format": "date-time", "description": description});
    json!({
        "type": "object",
        "description": "What the operator says of it.",
        "properties": {
            "observedGeneration": {"type": "integer", "format": "int64", "description": "The spec that this is about."},
            "outcome": {"type": "string", "enum": ["ok", "warning", "critical", "unknown"], "description": "What the last run came to."},
            "text": text("What it said."),
            "lastRunTime": moment("When it ran last."),
            "nextRunTime": moment("When it runs next."),
            "mutedUntil": moment("Until when nobody is written to about it, as the keeper was told."),
            "conditions": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
                "items": {
                    "type": "object",
                    "required": ["type", "status", "lastTransitionTime", "reason", "message"],
                    "properties": {
                        "type": text("What is or is not so."),
                        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
                        "observedGeneration": {"type": "integer", "format": "int64"},
                        "lastTransitionTime": moment("Since when."),
                        "reason": text("Why, in a word."),
                        "message": text("Why, in a sentence."),
                    },
                },
            },
        },
    })
}

fn columns(kind: ObjectKind) -> Value {
    let column = |name: &str, path: &str, of: &str| json!({"name": name, "type": of, "jsonPath": path});
    let ready = column("Ready", ".status.conditions[?(@.type==\"Ready\")].status", "string");
    let age = column("Age", ".metadata.creationTimestamp", "date");
    match kind {
        ObjectKind::Check | ObjectKind::PinglowCheck => json!([
            column("Outcome", ".status.outcome", "string"),
            column("Last run", ".status.lastRunTime", "date"),
            ready,
            column("Text", ".status.text", "string"),
            age,
        ]),
        ObjectKind::Script => json!([column("Language", ".spec.language", "string"), ready, age]),
        ObjectKind::TelegramChannel => json!([ready, age]),
    }
}

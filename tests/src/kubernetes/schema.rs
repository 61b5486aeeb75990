//! A status against the schema of its definition, as strict as an API server is where a client asks for `fieldValidation=Strict`.
//!
//! Source: Kubernetes' documentation, "Extend the Kubernetes API with `CustomResourceDefinitions`", on structural schemas, read 2026-11.

use std::collections::BTreeMap;

use serde_json::Value;

/// The schemas of statuses, by collection.
#[derive(Clone, Debug, Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

impl Schemas {
    pub(super) fn of(definitions: &[Value]) -> Self {
        let schema = |definition: &Value| {
            let spec = &definition["spec"];
            let collection = format!("{}/{}", spec["group"].as_str()?, spec["names"]["plural"].as_str()?);
            Some((collection, spec["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"].clone()))
        };
        Self(definitions.iter().filter_map(schema).collect())
    }

    /// What is wrong with a status as it would be, where its kind is defined.
    pub(super) fn refuse(&self, collection: &str, status: &Value) -> Option<String> {
        wrong("status", status, self.0.get(collection)?)
    }
}

fn wrong(place: &str, value: &Value, schema: &Value) -> Option<String> {
    let is_it = match schema["type"].as_str()? {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        other => panic!("{other} is a type that no definition of ours has"),
    };
    if !is_it {
        return Some(format!("{place}: Invalid value: {value}: must be of type {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        return Some(format!("{place}: Unsupported value: {value}"));
    }
    if schema["format"] == "date-time" && value.as_str().is_none_or(|text| text.parse::<jiff::Timestamp>().is_err()) {
        return Some(format!("{place}: Invalid value: {value}: must be of type date-time"));
    }
    match value {
        Value::Object(fields) => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let missing = required.into_iter().find(|name| !fields.contains_key(*name));
            if let Some(missing) = missing {
                return Some(format!("{place}.{missing}: Required value"));
            }
            fields.iter().find_map(|(name, value)| match schema["properties"].get(name) {
                Some(schema) => wrong(&format!("{place}.{name}"), value, schema),
                None => Some(format!("unknown field \"{place}.{name}\"")),
            })
        }
        Value::Array(items) => {
            let keys: Vec<&str> = schema["x-kubernetes-list-map-keys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let mut seen: Vec<Vec<&Value>> = Vec::new();
            items.iter().enumerate().find_map(|(index, item)| {
                let key: Vec<&Value> = keys.iter().map(|key| &item[*key]).collect();
                if !keys.is_empty() && seen.contains(&key) {
                    return Some(format!("{place}[{index}]: Duplicate value: {key:?}"));
                }
                seen.push(key);
                wrong(&format!("{place}[{index}]"), item, &schema["items"])
            })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_status_that_its_definition_does_not_know_is_refused() {
        let status = json!({"type": "object", "properties": {
            "outcome": {"type": "string", "enum": ["ok"]}, "at": {"type": "string", "format": "date-time"},
            "conditions": {"type": "array", "x-kubernetes-list-map-keys": ["type"], "items": {
                "type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}}},
        }});
        let definition = json!({"spec": {"group": "g", "names": {"plural": "p"}, "versions": [
            {"schema": {"openAPIV3Schema": {"properties": {"status": status}}}}]}});
        let schemas = Schemas::of(&[definition]);
        let of = |status: Value| schemas.refuse("g/p", &status).unwrap_or_default();
        assert_eq!(of(json!({"outcome": "ok", "at": "2026-11-30T12:00:00Z", "conditions": [{"type": "Ready"}]})), "");
        for (status, said) in [
            (json!({"outcom": "ok"}), "unknown field \"status.outcom\""),
            (json!({"outcome": "bad"}), "status.outcome: Unsupported value"),
            (json!({"outcome": 1}), "status.outcome: Invalid value: 1: must be of type \"string\""),
            (json!({"at": "now"}), "status.at: Invalid value"),
            (json!({"conditions": [{}]}), "status.conditions[0].type: Required value"),
            (json!({"conditions": [{"type": "a"}, {"type": "a"}]}), "status.conditions[1]: Duplicate value"),
        ] {
            let refused = of(status.clone());
            assert!(refused.starts_with(said), "{status}: {refused}");
        }
        assert_eq!(schemas.refuse("batch/jobs", &json!(1)), None);
    }
}

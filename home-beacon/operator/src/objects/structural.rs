//! JSON Schema, as it is made of types, in the form that the API server takes: one type for each value, no references, and `nullable`
//! in the place of null.

use serde_json::{Map, Value, json};

/// What no definition may say, or what says nothing there.
const LEFT_OUT: [&str; 6] = ["$schema", "$defs", "title", "additionalProperties", "default", "examples"];

/// The schema of a type, with what it refers to written where it is referred to.
pub(super) fn structural(schema: &Value) -> Value {
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    convert(schema, &definitions)
}

fn convert(schema: &Value, definitions: &Value) -> Value {
    let Value::Object(from) = schema else { return anything(None) };
    if let Some(name) = from.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/")) {
        return described(convert(&definitions[name], definitions), from);
    }
    for key in ["anyOf", "oneOf"] {
        let Some(Value::Array(branches)) = from.get(key) else { continue };
        // Branches that only say which keys there must be are allowed as they are.
        if branches.iter().all(|branch| branch.as_object().is_some_and(|it| it.keys().all(|key| key == "required"))) {
            continue;
        }
        return described(branch(branches, definitions), from);
    }
    let mut to = Map::new();
    for (key, value) in from.iter().filter(|(key, _)| !LEFT_OUT.contains(&key.as_str())) {
        match (key.as_str(), value) {
            ("type", Value::Array(types)) => one_type(types, &mut to),
            ("properties", Value::Object(properties)) => {
                let converted = properties.iter().map(|(name, schema)| (name.clone(), convert(schema, definitions)));
                to.insert(key.clone(), Value::Object(converted.collect()));
            }
            ("items", schema) => drop(to.insert(key.clone(), convert(schema, definitions))),
            ("format", Value::String(format)) => {
                if let Some(format) = known_format(format) {
                    to.insert(key.clone(), format.into());
                }
            }
            ("enum", Value::Array(values)) => {
                let values = values.iter().filter(|value| !value.is_null()).cloned().collect();
                to.insert(key.clone(), Value::Array(values));
            }
            ("const", value) => drop(to.insert("enum".into(), json!([value]))),
            _ => drop(to.insert(key.clone(), value.clone())),
        }
    }
    // A map from names to values.
    if let Some(values @ Value::Object(_)) = from.get("additionalProperties") {
        to.insert("additionalProperties".into(), convert(values, definitions));
    }
    if !to.contains_key("type") && !to.keys().any(|key| key.starts_with("x-kubernetes")) {
        return described(anything(None), from);
    }
    Value::Object(to)
}

/// Several types are a text that may look like a number, or a value that may be left out.
fn one_type(types: &[Value], to: &mut Map<String, Value>) {
    let named: Vec<&str> = types.iter().filter_map(Value::as_str).filter(|name| *name != "null").collect();
    if types.iter().any(|name| name == "null") {
        to.insert("nullable".into(), true.into());
    }
    let name = if named.contains(&"string") { "string" } else { named.first().copied().unwrap_or("object") };
    to.insert("type".into(), name.into());
}

/// One of several schemas: without null the only one, a list where one is a list, several words as one enum, else anything.
fn branch(branches: &[Value], definitions: &Value) -> Value {
    let is_null = |schema: &&Value| schema.get("type") != Some(&json!("null"));
    let others: Vec<Value> = branches.iter().filter(is_null).map(|schema| convert(schema, definitions)).collect();
    let mut one = if let [only] = others.as_slice() {
        only.clone()
    } else if let Some(list) = others.iter().find(|schema| schema["type"] == "array") {
        list.clone()
    } else if others.iter().all(|schema| schema["enum"].is_array()) {
        let words: Vec<Value> =
            others.iter().filter_map(|schema| schema["enum"].as_array()).flatten().cloned().collect();
        json!({"type": "string", "enum": words})
    } else {
        anything(None)
    };
    if others.len() < branches.len() {
        one["nullable"] = true.into();
    }
    one
}

fn anything(description: Option<&Value>) -> Value {
    let mut schema = json!({"x-kubernetes-preserve-unknown-fields": true});
    if let Some(description) = description {
        schema["description"] = description.clone();
    }
    schema
}

/// With the description that stands where it is used.
fn described(mut schema: Value, used: &Map<String, Value>) -> Value {
    if let Some(description) = used.get("description") {
        schema["description"] = description.clone();
    }
    schema
}

fn known_format(format: &str) -> Option<&'static str> {
    match format {
        "uint8" | "uint16" | "int32" => Some("int32"),
        "uint32" | "uint64" | "int64" | "uint" => Some("int64"),
        "double" | "float" => Some("double"),
        "date-time" => Some("date-time"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_nulls_and_several_types_become_one_type_each() {
        let schema = json!({
            "$schema": "x", "title": "T", "type": "object", "additionalProperties": false,
            "properties": {
                "a": {"$ref": "#/$defs/A", "description": "mine"},
                "b": {"type": ["string", "number", "boolean"]},
                "c": {"type": ["integer", "null"], "format": "uint8", "minimum": 0},
                "d": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]},
                "e": {"anyOf": [{"type": ["string", "number"]}, {"type": "array", "items": {"type": "string"}}]},
                "f": true,
                "g": {"type": "object", "additionalProperties": {"type": "string"}},
                "h": {"oneOf": [{"const": "x", "type": "string"}, {"const": "y", "type": "string"}]},
            },
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
            "$defs": {"A": {"type": "string", "pattern": "^x$", "description": "theirs"}}
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "a": {"type": "string", "pattern": "^x$", "description": "mine"},
                "b": {"type": "string"},
                "c": {"type": "integer", "nullable": true, "format": "int32", "minimum": 0},
                "d": {"type": "string", "pattern": "^x$", "description": "theirs", "nullable": true},
                "e": {"type": "array", "items": {"type": "string"}},
                "f": {"x-kubernetes-preserve-unknown-fields": true},
                "g": {"type": "object", "additionalProperties": {"type": "string"}},
                "h": {"type": "string", "enum": ["x", "y"]},
            },
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        });
        assert_eq!(structural(&schema), expected);
    }
}

//! `GET /openapi.json`: what there is here, as `OpenAPI` 3.1 describes it. Operations and schemas are called as in Pinglow's
//! description, for clients that were generated from that.

use axum::{Json, Router, routing::get};
use serde_json::{Map, Value, json};

use super::{CHECKS, FIGURES, MUTE, OPENAPI, RESULT, STATUS, read::MAX_RUNS};
use crate::keeper::checks::pinglow::Status;

pub(super) fn router() -> Router<super::AppState> {
    Router::new().route(OPENAPI, get(async || Json(document())))
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The keeper's API for clients of Pinglow",
            "description": "How checks are, and what passive ones and people say of them. A refusal is one sentence.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "api_key": [] }],
        "paths": {
            CHECKS: { "get": operation("get_checks", "All checks, by name", &[], answered(
                "The checks", &json!({ "type": "array", "items": schema("SimpleCheckDto") }),
            ), &[]) },
            STATUS: { "get": operation("get_check_status", "How a check is", &[of_check()], answered(
                "By its last run; not by that one where something should have come since", &schema("SimpleCheckResultDto"),
            ), &[404]) },
            FIGURES: { "get": operation("get_performance_data", "The figures of a check's newest runs", &[
                of_check(),
                in_query("limit", "Of how many runs at most", &json!({
                    "type": "integer", "minimum": 1, "maximum": MAX_RUNS, "default": MAX_RUNS,
                })),
                in_query("before", "Only of runs before that time", &json!({ "type": "string", "format": "date-time" })),
            ], paged(), &[400, 404]) },
            RESULT: { "post": with_body(operation("process_check_result", "What a passive check came to", &[of_check()],
                json!({ "description": "It was taken" }), &[400, 404, 409, 413, 415]), &schema("CheckResultPayload")) },
            MUTE: {
                "put": operation("mute_check", "Writes to nobody about a check", &[
                    of_check(),
                    in_query("until", "Until when; left out, it has no end", &json!({ "type": "string", "format": "date-time" })),
                ], json!({ "description": "It is muted" }), &[400, 404]),
                "delete": operation("unmute_check", "Writes about a check again", &[of_check()],
                    json!({ "description": "It is not muted" }), &[404]),
            },
            OPENAPI: { "get": operation("get_description", "This description", &[],
                answered("OpenAPI 3.1", &json!({ "type": "object" })), &[]) },
        },
        "components": {
            "securitySchemes": { "api_key": { "type": "apiKey", "in": "header", "name": super::KEY } },
            "schemas": schemas(),
        },
    })
}

fn schemas() -> Value {
    let time = json!({ "type": ["string", "null"], "format": "date-time" });
    json!({
        "CheckResultStatus": { "type": "string", "enum": Status::ALL.map(Status::label) },
        "SimpleCheckDto": object(&["check_name", "passive"], &json!({
            "check_name": { "type": "string" },
            "passive": { "type": "boolean", "description": "Whether it calls, and is not run" },
            "interval": { "type": ["integer", "null"], "minimum": 0, "description": "In seconds; null of one that calls" },
        })),
        "SimpleCheckResultDto": object(&["check_name", "passive", "output", "status"], &json!({
            "check_name": { "type": "string" },
            "passive": { "type": "boolean" },
            "output": { "type": "string" },
            "status": schema("CheckResultStatus"),
            "timestamp": time,
            "notifications_muted": { "type": ["boolean", "null"] },
            "notifications_muted_until": time,
            "stale": { "type": "boolean", "description": "Whether something should have come since: the status is no good one" },
        })),
        "CheckResultPayload": object(&["output", "status"], &json!({
            "output": { "type": "string", "description": "A text and, behind a pipe, figures: text|key=value,key2=value" },
            "status": { "oneOf": [
                { "type": "integer", "minimum": 0, "maximum": Status::ALL.len() - 1 },
                schema("CheckResultStatus"),
            ] },
            "image_jpg_base64": {
                "type": ["string", "null"],
                "contentEncoding": "base64",
                "contentMediaType": "image/jpeg",
                "description": "Up to 1 MiB, for channels that show pictures, where a notice is due",
            },
        })),
        "Refusal": object(&["error"], &json!({ "error": { "type": "string" } })),
    })
}

fn schema(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn object(required: &[&str], properties: &Value) -> Value {
    json!({ "type": "object", "required": required, "properties": properties })
}

fn of_check() -> Value {
    let name = json!({ "type": "string" });
    json!({ "name": "target_check", "in": "path", "required": true, "description": "The check's name", "schema": name })
}

fn in_query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn answered(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": schema } } })
}

/// Figures by their labels, by the times of their runs.
fn paged() -> Value {
    let by_time = json!({
        "type": "object",
        "propertyNames": { "format": "date-time" },
        "additionalProperties": { "type": "object", "additionalProperties": { "type": "number" } },
    });
    let mut answer = answered("Figures by their labels, by the times of their runs", &by_time);
    answer["headers"] = json!({ "link": {
        "description": "With rel=\"next\": the runs before these, where there are any",
        "schema": { "type": "string" },
    } });
    answer
}

fn operation(id: &str, summary: &str, parameters: &[Value], answer: Value, refusals: &[u16]) -> Value {
    let mut responses = Map::from_iter([("200".to_owned(), answer)]);
    for status in refusals.iter().chain(&[401, 503]) {
        let description = match status {
            400 => "Something in the request is wrong",
            401 => "The key is missing or wrong",
            404 => "There is no such check",
            409 => "The check is not passive",
            413 => "The body is too large",
            415 => "The body is no JSON",
            _ => "The keeper cannot, now",
        };
        responses.insert(status.to_string(), answered(description, &schema("Refusal")));
    }
    json!({ "operationId": id, "summary": summary, "parameters": parameters, "responses": responses })
}

fn with_body(mut operation: Value, schema: &Value) -> Value {
    operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    operation
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        super::{ROUTES, read},
        *,
    };

    fn keys(object: &Value) -> BTreeSet<String> {
        object.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn every_route_is_described_with_its_methods() {
        let document = document();
        let described: BTreeSet<(String, BTreeSet<String>)> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, methods)| (path.clone(), keys(methods)))
            .collect();
        let routes = ROUTES
            .iter()
            .map(|(path, methods)| ((*path).to_owned(), methods.iter().map(ToString::to_string).collect()));
        assert_eq!(described, routes.collect());
    }

    #[test]
    fn every_field_of_an_answer_is_described() {
        let document = document();
        let schemas = &document["components"]["schemas"];
        let (listed, status) = read::samples();
        for (schema, answer) in [("SimpleCheckDto", listed), ("SimpleCheckResultDto", status)] {
            assert_eq!(keys(&schemas[schema]["properties"]), keys(&answer), "{schema}");
            for required in schemas[schema]["required"].as_array().unwrap() {
                assert!(!answer[required.as_str().unwrap()].is_null(), "{schema}: {required}");
            }
        }
    }

    #[test]
    fn whatever_is_referred_to_is_there() {
        let document = document();
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().unwrap();
            assert!(document.pointer(pointer).is_some(), "{pointer}");
        }
    }
}

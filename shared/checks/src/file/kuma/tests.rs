use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::{
    check::{BodyExpectation, HttpCheck, RecordType, Text},
    file::checks_yml,
};

fn rows(rows: Value) -> Vec<Map<String, Value>> {
    serde_json::from_value(rows).unwrap()
}

fn http_of(check: &Check) -> &HttpCheck {
    let Kind::Http(http) = &check.kind else { panic!("{:?}", check.kind) };
    http
}

#[test]
fn monitors_become_checks_of_their_groups() {
    let loaded = read(&rows(json!([
        {"id": 1, "type": "group", "name": "Web", "active": 1, "interval": 60},
        {"id": 2, "type": "http", "name": "Shop", "active": 1, "interval": 60, "parent": 1, "url": "https://shop.example/",
         "method": "post", "body": "{\"a\": 1}", "headers": "{\"X-Key\": \"hunter2hunter2\"}", "maxretries": 2,
         "accepted_statuscodes_json": "[\"200-299\", \"404\"]", "maxredirects": 0, "ignore_tls": 1, "timeout": 24.5,
         "expiry_notification": 1, "basic_auth_user": "me", "basic_auth_pass": "hunter2", "auth_method": "basic"},
        {"id": 3, "type": "keyword", "name": "Wiki", "active": 1, "interval": 20, "url": "http://wiki/", "keyword": "a.b",
         "invert_keyword": 0},
        {"id": 4, "type": "json-query", "name": "API", "active": 1, "interval": 60, "url": "http://api/", "json_path": "a.b[0]",
         "expected_value": "up", "json_path_operator": "=="},
        {"id": 5, "type": "port", "name": "SSH", "active": 1, "interval": 60, "hostname": "nas.lan", "port": 22},
        {"id": 6, "type": "ping", "name": "Router", "active": 1, "interval": 60, "hostname": "192.168.1.1"},
        {"id": 7, "type": "dns", "name": "Name", "active": 1, "interval": 60, "hostname": "example.org", "port": 53,
         "dns_resolve_server": "1.1.1.1, 8.8.8.8", "dns_resolve_type": "AAAA"},
        {"id": 8, "type": "push", "name": "Backup", "active": 1, "interval": 3600, "push_token": "a".repeat(32)},
    ])));
    let titles: Vec<_> = loaded.checks.iter().map(|check| check.title.as_str()).collect();
    assert_eq!(titles, ["Shop", "Wiki", "API", "SSH", "Router", "Name", "Backup"]);
    let said: Vec<_> = loaded.notes.iter().map(|note| note.split(": ").next().unwrap()).collect();
    assert_eq!(said, ["Name", "Backup", CERTIFICATES], "{:?}", loaded.notes);
    let shop = &loaded.checks[0];
    assert_eq!((shop.group.as_deref(), shop.thresholds.fail_after, shop.timeout.as_millis()), (Some("Web"), 3, 24_500));
    let asked = http_of(shop);
    assert_eq!((asked.method.as_str(), asked.redirects, asked.verify), ("POST", 0, false));
    assert_eq!(asked.expect.status, [200..=299, 404..=404]);
    let value = |name: &str| match &asked.headers.iter().find(|(known, _)| known == name).unwrap().1 {
        Text::Plain(text) => text.clone(),
        Text::Secret(source) => source.current().unwrap().expose().to_owned(),
    };
    assert_eq!((value("x-key"), value("authorization")), ("hunter2hunter2".into(), "Basic bWU6aHVudGVyMg==".into()));
    assert_eq!(value("content-type"), "application/json");
    let [BodyExpectation::Matches(keyword)] = &http_of(&loaded.checks[1]).expect.body[..] else { panic!("a keyword") };
    assert!(keyword.is_match("xa.by") && !keyword.is_match("axb"));
    let [BodyExpectation::Json { path, matches: Some(matches), .. }] = &http_of(&loaded.checks[2]).expect.body[..]
    else {
        panic!("a query")
    };
    assert!(path.to_string() == "$['a']['b'][0]" && matches.is_match("up") && !matches.is_match("upper"));
    let Kind::Dns(dns) = &loaded.checks[5].kind else { panic!("a name") };
    assert_eq!((dns.record, dns.server.unwrap().to_string()), (RecordType::Aaaa, "1.1.1.1:53".into()));
    let Kind::Passive(passive) = &loaded.checks[6].kind else { panic!("a push") };
    assert_eq!(passive.period.as_secs(), 3600);
    assert!(!format!("{loaded:?}").contains("hunter2"));
    let file = checks_yml::written(&loaded.checks).unwrap();
    let names: Vec<_> = file.secrets.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["CHECK_SHOP_X_KEY", "CHECK_SHOP_AUTHORIZATION", "CHECK_SHOP_BODY", "CHECK_BACKUP_PING"];
    assert_eq!(names, expected, "{}", file.text);
}

#[test]
fn what_cannot_be_checked_here_is_named_once_and_the_others_are_there() {
    let http = |name: &str, more: Value| {
        let mut row = json!({"type": "http", "name": name, "active": 1, "interval": 60, "url": "http://a/"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        row
    };
    let loaded = read(&rows(json!([
        http("Paused", json!({"active": 0})),
        {"type": "dns", "name": "No host", "active": 1, "interval": 60},
        http("Behind", json!({"proxy_id": 1})),
        http("Alert", json!({"type": "port", "hostname": "a", "port": 443, "expected_tls_alert": "certificate_required"})),
        http("Records", json!({"type": "dns", "hostname": "a", "conditions": "[{\"type\": \"expression\"}]"})),
        http("Turned", json!({"upside_down": 1})),
        http("Windows", json!({"auth_method": "ntlm"})),
        http("Odd", json!({"accepted_statuscodes_json": "[\"2xx\"]"})),
        http("Headers", json!({"headers": "X-Key: a"})),
        http("Query", json!({"type": "json-query", "json_path": "$count(a)", "expected_value": "1"})),
        http("Address", json!({"url": "example.org"})),
        {"type": "docker", "name": "Box", "active": 1, "interval": 60},
        {"type": "push", "name": "Short", "active": 1, "interval": 60, "push_token": "abcdefghij"},
        {"type": "dns", "name": "By name", "active": 1, "interval": 60, "hostname": "a", "dns_resolve_server": "one.one.one.one"},
        {"type": "port", "name": "No port", "active": 1, "interval": 60, "hostname": "a"},
        {},
        http("Fine", json!({"interval": 1, "headers": "", "timeout": null, "conditions": "[]", "expected_tls_alert": "none",
            "proxy_id": null, "auth_method": null, "basic_auth_user": "me", "basic_auth_pass": "old"})),
    ])));
    let titles: Vec<_> = loaded.checks.iter().map(|check| (check.title.as_str(), check.every.as_secs())).collect();
    assert_eq!(titles, [("Fine", 5)]);
    let said: BTreeSet<_> =
        loaded.notes.iter().filter_map(|note| note.split_once(": ")).map(|(title, _)| title).collect();
    let expected = [
        "Paused",
        "No host",
        "Behind",
        "Alert",
        "Records",
        "Turned",
        "Windows",
        "Odd",
        "Headers",
        "Query",
        "Address",
        "Box",
        "Short",
        "By name",
        "No port",
        "a monitor without a name",
    ];
    assert_eq!((said, loaded.notes.len()), (expected.into(), expected.len()));
    assert!(loaded.notes.iter().all(|note| note.ends_with("left out")), "{:?}", loaded.notes);
    assert_eq!(http_of(&loaded.checks[0]).headers, [], "it was switched off");
}

#[test]
fn a_login_is_a_header_and_what_may_be_missed_may_be_late() {
    let loaded = read(&rows(json!([
        {"type": "http", "name": "A", "active": 1, "interval": 3600, "url": "https://me:hunter2@nas/?token=x", "maxretries": 2,
         "retry_interval": 60, "headers": "{\"X-Key\": \"a\", \"x-key\": \"b\", \"X-None\": \"\"}"},
        {"type": "push", "name": "B", "active": 1, "interval": 60, "maxretries": 10, "retry_interval": 60,
         "push_token": "a".repeat(32)},
        {"type": "keyword", "name": "C", "active": 1, "interval": 60, "url": "http://a/", "keyword": "\"status\":\"ok\""},
    ])));
    let asked = http_of(&loaded.checks[0]);
    let names: Vec<_> = asked.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((asked.url.as_str(), names), ("https://nas/?token=x", vec!["x-key", "authorization"]));
    assert!(loaded.is_confidential, "an address may hold a secret behind its ?");
    let Kind::Passive(passive) = &loaded.checks[1].kind else { panic!("a push") };
    assert_eq!(passive.grace.as_secs(), 660);
    let said: Vec<_> = loaded.notes.iter().map(|note| note.split(": ").next().unwrap()).collect();
    assert_eq!(said, ["A", "B", "C"], "{:?}", loaded.notes);
}

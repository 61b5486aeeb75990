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

fn http(check: &Check) -> &HttpCheck {
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
    assert_eq!(loaded.notes.len(), 1, "{:?}", loaded.notes);
    let shop = &loaded.checks[0];
    assert_eq!((shop.group.as_deref(), shop.thresholds.fail_after, shop.timeout.as_millis()), (Some("Web"), 3, 24_500));
    let asked = http(shop);
    assert_eq!((asked.method.as_str(), asked.redirects, asked.verify), ("POST", 0, false));
    assert_eq!(asked.expect.status, [200..=299, 404..=404]);
    assert_eq!(asked.expect.certificate.warning.unwrap().as_secs(), 21 * 86_400);
    let value = |name: &str| match &asked.headers.iter().find(|(known, _)| known == name).unwrap().1 {
        Text::Plain(text) => text.clone(),
        Text::Secret(source) => source.current().unwrap().expose().to_owned(),
    };
    assert_eq!((value("x-key"), value("authorization")), ("hunter2hunter2".into(), "Basic bWU6aHVudGVyMg==".into()));
    assert_eq!(value("content-type"), "application/json");
    let [BodyExpectation::Matches(keyword)] = &http(&loaded.checks[1]).expect.body[..] else { panic!("a keyword") };
    assert!(keyword.is_match("xa.by") && !keyword.is_match("axb"));
    let [BodyExpectation::Json { path, matches: Some(matches), .. }] = &http(&loaded.checks[2]).expect.body[..] else {
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
        http("Fine", json!({"interval": 1, "headers": "", "timeout": null})),
    ])));
    let titles: Vec<_> = loaded.checks.iter().map(|check| (check.title.as_str(), check.every.as_secs())).collect();
    assert_eq!(titles, [("Fine", 5)]);
    let said: BTreeSet<_> =
        loaded.notes.iter().filter_map(|note| note.split_once(": ")).map(|(title, _)| title).collect();
    let expected = [
        "Paused",
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
}

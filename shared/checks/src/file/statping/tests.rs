use std::fs;

use hyper::StatusCode;

use super::*;
use crate::{
    check::{BodyExpectation, Kind, Notices, Place, Text},
    file::tests::World,
};

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/src/file/statping/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn services(text: &str) -> Result<Loaded, Vec<String>> {
    let groups = Groups::from([(1, "Web".to_owned())]);
    read(text, "services.yml", &groups, &World).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn named<'a>(loaded: &'a Loaded, name: &str) -> &'a Check {
    loaded.checks.iter().find(|check| check.name.as_str() == name).unwrap()
}

fn header(check: &Check, name: &str) -> Option<String> {
    let Kind::Http(http) = &check.kind else { return None };
    http.headers.iter().find(|(set, _)| set == name).map(|(_, text)| match text {
        Text::Plain(text) => text.clone(),
        Text::Secret(source) => source.current().unwrap().expose().to_owned(),
    })
}

#[test]
fn every_key_counts_or_is_named_once_by_service_and_key() {
    let loaded = services(&file("every_key.yml")).unwrap();
    let names: Vec<_> = loaded.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["router", "calls", "plain-calls", "ssh-2", "wiki", "ssh", "shop"]);
    let mut said: Vec<_> = loaded.notes.iter().filter_map(|note| note.split_once(": ")).map(|(what, _)| what).collect();
    said.sort_unstable();
    let expected = [
        "Names, type udp",
        "Office, colour",
        "Office, type static",
        "Plain calls, grpc_health_check",
        "SSH",
        "SSH, check_interval",
        "SSH, timeout",
        "Shop, headers",
        "Shop, permalink",
        "Shop, tls_cert",
        "Shop, tls_cert_key",
        "Shop, tls_cert_root",
        "Wiki, public",
        "theme",
        "verify_ssl is not set (Wiki …)",
    ];
    assert_eq!(said, expected);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn an_http_service_is_asked_as_statping_asks() {
    let loaded = services(&file("every_key.yml")).unwrap();
    let shop = named(&loaded, "shop");
    assert_eq!((shop.title.as_str(), shop.group.as_deref()), ("Shop", Some("Web")));
    assert_eq!(
        (shop.every.as_secs(), shop.timeout.as_secs(), shop.retries, shop.thresholds.fail_after),
        (45, 10, 0, 1)
    );
    assert_eq!(shop.notices, Notices { wanted: true, after_failures: 2, all_changes: true });
    let Kind::Http(http) = &shop.kind else { panic!("{:?}", shop.kind) };
    assert_eq!((http.method.as_str(), http.redirects, http.verify), ("POST", 10, true));
    assert!(http.expect.accepts(StatusCode::NO_CONTENT) && !http.expect.accepts(StatusCode::OK));
    let BodyExpectation::Matches(regex) = &http.expect.body[0] else { panic!("{:?}", http.expect) };
    assert!(regex.is_match(r#"{"status":"up"}"#));
    assert_eq!(header(shop, "authorization").as_deref(), Some("Bearer hunter2"));
    // Statping sends a POST as JSON, whatever is set.
    assert_eq!(header(shop, "content-type").as_deref(), Some("application/json"));
    assert_eq!(header(shop, "accept").as_deref(), Some("text/html"));

    let wiki = named(&loaded, "wiki");
    assert_eq!(header(wiki, "authorization").as_deref(), Some("Basic YWRtaW46aHVudGVyMg=="));
    assert_eq!((wiki.group.as_deref(), &wiki.component), (Some("Group 2"), &Place::Nowhere));
    assert_eq!(wiki.notices, Notices { wanted: false, after_failures: 1, all_changes: false });
    let Kind::Http(http) = &wiki.kind else { panic!("{:?}", wiki.kind) };
    assert!(
        !http.verify && http.redirects == 0 && http.expect.accepts(StatusCode::OK) && http.url.username().is_empty()
    );
}

#[test]
fn the_other_types_become_the_kinds_that_there_are() {
    let loaded = services(&file("every_key.yml")).unwrap();
    let kind = |name: &str| named(&loaded, name).kind.clone();
    assert!(matches!(kind("ssh"), Kind::Tcp(tcp) if (tcp.host.as_str(), tcp.port) == ("nas.lan", 22)));
    assert!(matches!(kind("ssh-2"), Kind::Tcp(tcp) if (tcp.host.as_str(), tcp.port) == ("other.lan", 2222)));
    assert!(matches!(kind("router"), Kind::Icmp(icmp) if icmp.host == "192.168.1.1"));
    assert!(matches!(kind("calls"), Kind::Grpc(grpc) if grpc.host == "calls.example" && grpc.tls && grpc.verify));
    assert!(matches!(kind("plain-calls"), Kind::Tcp(tcp) if !tcp.tls && tcp.port == 50051));
    assert_eq!(named(&loaded, "ssh").every.as_secs(), 5);
}

#[test]
fn a_file_that_a_script_wrote_is_read_as_well() {
    let loaded = services(&file("of_a_script.yml")).unwrap();
    let one = &loaded.checks[1];
    assert_eq!(
        (one.name.as_str(), one.title.as_str(), one.every.as_secs(), one.timeout.as_secs()),
        ("2024", "2024", 60, 15)
    );
    assert_eq!(one.notices, Notices { wanted: true, after_failures: 3, all_changes: false });
    assert_eq!(header(one, "x-number").as_deref(), Some("17"));
    let Kind::Http(http) = &one.kind else { panic!("{:?}", one.kind) };
    assert!(http.verify && http.redirects == 10 && http.body.is_none() && http.expect.body.is_empty());
    assert_eq!(loaded.checks[0].timeout.as_secs(), 5);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = "services:\n- name: A\n  type: htp\n- domain: http://a/\n  type: http\n- name: B\n  type: tcp\n  domain: b\n  \
                port: ssh\n- name: C\n  type: http\n  domain: c\n- name: D\n  type: http\n  domain: http://d/\n  expected: '('\n  \
                expected_status: 20\n  public: maybe\n  timeout: long\n- name: E\n";
    let expected = [
        "services.yml:3: type: there is no such type: write http, tcp, udp, icmp, grpc or static",
        "services.yml:4: name is missing: write what the service is called",
        "services.yml:9: port is no whole number: write one",
        "services.yml:12: domain: an address is written like https://example.com/path",
        "services.yml:16: expected: this regular expression does not compile (unclosed group): correct it",
        "services.yml:17: expected_status: write a status from 100 to 599",
        "services.yml:18: public is neither yes nor no: write true or false",
        "services.yml:19: timeout is no number of seconds: write one",
        "services.yml:20: type is missing: write http, tcp, udp, icmp, grpc or static",
    ];
    assert_eq!(services(text).unwrap_err(), expected);
    assert!(services("- a").unwrap_err()[0].starts_with("services.yml:1: "));
    for (text, has_list) in [("", false), ("services:", false), ("services: []", true)] {
        let loaded = services(text).unwrap();
        assert_eq!((loaded.checks.len(), loaded.has_list), (0, has_list), "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_edit_of_a_good_file_makes_it_panic(at in 0..3000_usize, length in 0..40_usize, with in "\\PC{0,12}") {
        let chars: Vec<char> = file("every_key.yml").chars().collect();
        let at = at.min(chars.len());
        let end = (at + length).min(chars.len());
        let edited: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[end..].iter().copied()).collect();
        let _ = services(&edited);
    }
}

#[test]
fn a_service_that_is_wrong_has_its_number_all_the_same() {
    let service = |host: &str| format!("- name: Web\n  type: icmp\n  domain: {host}\n  check_interval: 60\n");
    let Parts { usable, wrong, .. } =
        parts(&format!("services:\n{}{}", service("'a b'"), service("b.lan")), "services.yml", &Groups::new(), &World);
    let names: Vec<_> = usable.iter().flat_map(|it| &it.checks).map(|check| check.name.as_str()).collect();
    assert_eq!((names.as_slice(), wrong.len()), (["web-2"].as_slice(), 1), "{wrong:?}");
}

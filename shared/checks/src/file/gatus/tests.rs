use hyper::StatusCode;

use super::*;
use crate::{
    check::{BodyExpectation, Check, Kind, Text},
    file::tests::World,
};

const CONFIG: &str = include_str!("every_kind.yaml");

fn config(text: &str) -> Result<Loaded, Vec<String>> {
    read(text, "config.yaml", &World).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
}

fn named<'a>(loaded: &'a Loaded, name: &str) -> &'a Check {
    loaded.checks.iter().find(|check| check.name.as_str() == name).unwrap()
}

#[test]
fn endpoints_become_checks_and_what_is_left_out_is_named_once() {
    let loaded = config(CONFIG).unwrap();
    let names: Vec<_> = loaded.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["web-shop", "router", "ssh", "tls", "calls", "names"]);
    let mut said: Vec<_> = loaded.notes.iter().filter_map(|note| note.split_once(": ")).map(|(what, _)| what).collect();
    said.sort_unstable();
    let expected = [
        "Chat",
        "NOT_SET",
        "Off",
        "Router, interval",
        "Shop, [IP] == 1.1.1.1",
        "Shop, [RESPONSE_TIME]",
        "Shop, client.proxy-url",
        "alerting",
        "backup",
        "storage",
    ];
    assert_eq!(said, expected);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn an_endpoint_is_asked_and_judged_as_gatus_does() {
    let loaded = config(CONFIG).unwrap();
    let shop = named(&loaded, "web-shop");
    assert_eq!((shop.title.as_str(), shop.group.as_deref(), shop.every.as_secs()), ("Shop", Some("Web"), 30));
    assert!(shop.notices.wanted && shop.notices.after_failures == 5 && !named(&loaded, "router").notices.wanted);
    let Kind::Http(http) = &shop.kind else { panic!("{:?}", shop.kind) };
    assert!(!http.verify && http.redirects == 0 && http.method == hyper::Method::POST);
    assert!(http.expect.accepts(StatusCode::OK) && !http.expect.accepts(StatusCode::CREATED));
    assert_eq!(http.expect.certificate.critical.unwrap().as_secs(), 48 * 3600);
    let header = |name: &str| http.headers.iter().find(|(set, _)| set == name).map(|(_, text)| text.clone()).unwrap();
    let value = |name: &str| match header(name) {
        Text::Secret(source) => source.current().unwrap().expose().to_owned(),
        Text::Plain(text) => text,
    };
    let values = ["authorization", "x-price", "x-none", "content-type"].map(value);
    assert_eq!(values, ["Bearer hunter2", "5$", "a", "application/json"]);
    let Some(Text::Secret(body)) = &http.body else { panic!("{:?}", http.body) };
    assert_eq!(body.current().unwrap().expose(), r#"{"query":"{ a }"}"#);
}

#[test]
fn the_other_kinds_are_there_too() {
    let loaded = config(CONFIG).unwrap();
    let kind = |name: &str| named(&loaded, name).kind.clone();
    assert!(matches!(kind("ssh"), Kind::Tcp(tcp) if tcp.banner.is_some() && tcp.port == 22));
    assert!(matches!(kind("router"), Kind::Icmp(icmp) if icmp.host == "192.168.1.1"));
    assert!(matches!(kind("tls"), Kind::Tls(tls) if tls.port == 8443 && tls.certificate.critical.is_some()));
    assert!(matches!(kind("calls"), Kind::Grpc(grpc) if grpc.tls && grpc.port == 50051));
    assert!(
        matches!(kind("names"), Kind::Dns(dns) if dns.expect == ["93.184.215.14"] && dns.server.unwrap().port() == 53)
    );
}

#[test]
fn a_setting_of_ours_is_sent_nowhere_and_an_address_of_ipv6_is_whole() {
    let text = "endpoints:\n- { name: A, url: 'http://a/?${KEEPER_TOKEN}$NAS_TOKEN' }\n\
                - { name: B, url: '2620:fe::9:53', dns: { query-name: example.com } }\n\
                - { name: C, url: '8.8.8.8:53', dns: { query-name: example.com } }\n";
    let loaded = config(text).unwrap();
    let said = "KEEPER_TOKEN: this variable is a secret of Porchlight itself, and what names it is empty";
    assert_eq!(loaded.notes, [said, "A, url: what its variables hold stands in the open in it"]);
    assert!(loaded.is_confidential);
    let servers = ["b", "c"].map(|name| match &named(&loaded, name).kind {
        Kind::Dns(dns) => dns.server.unwrap().to_string(),
        kind => panic!("{kind:?}"),
    });
    assert_eq!(servers, ["[2620:fe::9:53]:53", "8.8.8.8:53"]);
}

#[test]
fn what_is_wrong_is_said_with_its_line() {
    let text = "endpoints:\n- url: http://a/\n- name: B\n- name: C\n  url: c\n- name: D\n  url: http://d/\n  interval: long\n  \
                conditions:\n  - \"[STATUS] == 200\"\n  - \"[STATUS] == 201\"\n";
    let expected = [
        "config.yaml:2: name is missing: write what the endpoint is called",
        "config.yaml:3: url is missing: write what is asked",
        "config.yaml:5: url: write http, https, tcp, tls, icmp, grpc, grpcs or ssh before ://, or dns below it",
        "config.yaml:8: interval: a duration is written like 5s, 2m or 1h30m, is more than nothing, and is a year at most",
        "config.yaml:9: conditions: no status is left that all of them take: take one of them out",
    ];
    assert_eq!(config(text).unwrap_err(), expected);
    for (text, has_list) in [("", false), ("endpoints: []", true)] {
        let loaded = config(text).unwrap();
        assert_eq!((loaded.checks.len(), loaded.has_list), (0, has_list), "{text:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_edit_of_a_good_file_makes_it_panic(at in 0..3000_usize, length in 0..40_usize, with in "\\PC{0,12}") {
        let chars: Vec<char> = CONFIG.chars().collect();
        let at = at.min(chars.len());
        let end = (at + length).min(chars.len());
        let edited: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[end..].iter().copied()).collect();
        let _ = config(&edited);
    }
}

#[test]
fn what_asks_for_a_failure_or_for_nothing_that_is_known_is_no_check_here() {
    let text = "endpoints:\n\
                - { name: Blocked, url: 8.8.8.8, dns: { query-name: ads.example }, conditions: ['[DNS_RCODE] == NXDOMAIN'] }\n\
                - { name: Closed, url: 'tcp://a:22', conditions: ['[CONNECTED] == false'] }\n\
                - { name: Many, url: 'http://a/', conditions: ['len([BODY].items) > 3'] }\n\
                - { name: Mail, url: 8.8.8.8, dns: { query-name: a.example, query-type: MX }, conditions: ['[BODY] == mail.a.example.', '[DNS_RCODE] == NOERROR'] }\n\
                - { name: By name, url: dns.example, dns: { query-name: a.example }, conditions: ['[DNS_RCODE] == NOERROR'] }\n\
                - { name: $NAS_TOKEN at nas, url: 'http://me:secret99@nas/', conditions: ['[BODY].v == $NAS_TOKEN'] }\n";
    let loaded = config(text).unwrap();
    let names: Vec<_> = loaded.checks.iter().map(|check| check.title.as_str()).collect();
    assert_eq!(names, ["Mail", "Bearer hunter2 at nas"]);
    let left_out = loaded.notes.iter().filter(|note| note.ends_with("left out")).count();
    assert_eq!(left_out, 4, "{:?}", loaded.notes);
    let Kind::Http(http) = &loaded.checks[1].kind else { panic!("{:?}", loaded.checks[1].kind) };
    let BodyExpectation::Json { matches: Some(matches), .. } = &http.expect.body[0] else { panic!("a value") };
    assert!(matches.is_match("Bearer hunter2") && http.headers.len() == 1 && http.url.as_str() == "http://nas/");
}

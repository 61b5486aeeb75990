use super::*;

fn wanted(conditions: &[&str]) -> Wanted {
    let mut wanted = Wanted::default();
    for condition in conditions {
        assert!(wanted.add(condition, "http"), "{condition}");
    }
    wanted
}

#[test]
fn conditions_of_a_status_leave_those_that_all_of_them_take() {
    for (conditions, ranges) in [
        (&[][..], vec![100..=599]),
        (&["[CONNECTED] == true"], vec![100..=599]),
        (&["[STATUS] == 200"], vec![200..=200]),
        (&["[STATUS] < 300", "[STATUS] >= 200"], vec![200..=299]),
        (&["[STATUS] == any(200, 201, 404)"], vec![200..=201, 404..=404]),
        (&["[STATUS] != 500", "[STATUS] > 498", "[status] <= 502"], vec![499..=499, 501..=502]),
        (&["[STATUS] == pat(2*)"], vec![200..=299]),
        (&["[STATUS] == 200", "[STATUS] == 201"], vec![]),
    ] {
        assert_eq!(wanted(conditions).statuses(), ranges, "{conditions:?}");
    }
}

#[test]
fn conditions_of_a_body_become_patterns_and_places() {
    let wanted = wanted(&[
        "[BODY] == pat(*<h1>?k</h1>*)",
        "[BODY] != error.",
        "[BODY].data[0].name == any(a, b.c)",
        "has([BODY].errors) == true",
        "[BODY].count == 5",
    ]);
    let matches = |pattern: &str, text: &str| regex::Regex::new(pattern).unwrap().is_match(text);
    assert!(matches(&wanted.body[0].0, "x\n<h1>ok</h1>\n") && wanted.body[0].1);
    assert!(matches(&wanted.body[1].0, "error.\n") && !matches(&wanted.body[1].0, "errors") && !wanted.body[1].1);
    assert_eq!(wanted.json[0].0, "$['data'][0]['name']");
    let pattern = wanted.json[0].1.as_ref().unwrap();
    assert!(matches(pattern, "b.c") && !matches(pattern, "bxc"));
    assert_eq!(wanted.json[1], ("$['errors']".to_owned(), None));
}

#[test]
fn times_are_the_strictest_of_all() {
    let wanted = wanted(&[
        "[RESPONSE_TIME] < 500",
        "[RESPONSE_TIME] <= 2s",
        "[CERTIFICATE_EXPIRATION] > 48h",
        "[CERTIFICATE_EXPIRATION] > 1h",
    ]);
    assert_eq!((wanted.fast.unwrap().as_millis(), wanted.certificate.unwrap().as_secs()), (500, 48 * 3600));
}

#[test]
fn what_has_no_meaning_here_is_not_taken_for_kept() {
    for condition in [
        "nonsense",
        "[IP] == 1.2.3.4",
        "[DOMAIN_EXPIRATION] > 720h",
        "[DNS_RCODE] == NXDOMAIN",
        "[CONNECTED] == false",
        "len([BODY].items) > 3",
        "[BODY].count > 5",
        "[BODY].a != b",
        "[BODY].a'] == b",
        "[CONTEXT].a == b",
        "[STATUS] == ok",
        "[STATUS] > any(1, 2)",
        "[RESPONSE_TIME] > 5",
    ] {
        assert!(!Wanted::default().add(condition, "http"), "{condition}");
    }
}

#[test]
fn what_a_kind_cannot_be_held_against_is_not_taken_for_kept() {
    for (scheme, condition, is_kept) in [
        ("tls", "[CERTIFICATE_EXPIRATION] > 48h", true),
        ("tls", "[RESPONSE_TIME] < 300", false),
        ("tls", "[BODY] == up", false),
        ("dns", "[BODY] == 192.0.2.1", true),
        ("dns", "[BODY] == pat(192.0.2.*)", false),
        ("dns", "[DNS_RCODE] == NOERROR", true),
        ("dns in part", "[BODY] == mail.example.com.", false),
        ("tls", "[CERTIFICATE_EXPIRATION] > 0", false),
        ("dns", "[RESPONSE_TIME] < 300", false),
        ("icmp", "[RESPONSE_TIME] < 300", true),
        ("icmp", "[STATUS] == 200", false),
        ("tcp", "[CONNECTED] == true", true),
        ("tcp", "[STATUS] == 200", false),
        ("grpc", "[CERTIFICATE_EXPIRATION] > 48h", false),
        ("http", "[DNS_RCODE] == NOERROR", false),
    ] {
        assert_eq!(Wanted::default().add(condition, scheme), is_kept, "{scheme}: {condition}");
    }
}

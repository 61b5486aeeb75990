mod parts;

use std::{collections::BTreeSet, env, fs, path::PathBuf, time::Instant};

use super::*;
use crate::{
    check::{BodyExpectation, Dependency, Kind, Place as ComponentPlace, RecordType, TlsVersion},
    file::tests::World,
};

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/file").join(name)
}

fn lines(numbers: std::ops::RangeInclusive<usize>, line: impl Fn(usize) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
}

fn sentences(text: &str) -> Vec<String> {
    parts(text, "checks.yml", &World).sentences().iter().map(ToString::to_string).collect()
}

/// Each file of the corpus has beside it what is said of it. `UPDATE_CORPUS=1` writes that anew: read it then.
#[test]
fn each_wrong_file_has_its_sentences() {
    let files = fs::read_dir(folder("corpus")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<PathBuf> = files.filter(|path| path.extension().is_some_and(|it| it == "yml")).collect();
    assert!(files.len() >= 40, "{}", files.len());
    for path in files {
        let said = sentences(&fs::read_to_string(&path).unwrap()).join("\n") + "\n";
        let beside = path.with_extension("txt");
        if env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&beside, &said).unwrap();
        }
        assert_eq!(said, fs::read_to_string(&beside).unwrap(), "{}", path.display());
        assert!(said.len() > 10 && !said.contains("hunter2"), "{}: {said}", path.display());
    }
}

#[test]
fn every_key_of_every_kind_is_read() {
    let Loaded { checks, missing, .. } = load(&folder("every_key.yml")).unwrap();
    let is_missing = |wrong: &Wrong| wrong.sentence.contains("is not set") || wrong.sentence.contains("is not there");
    assert!(!missing.is_empty() && missing.iter().all(is_missing) && checks.len() == 8, "{missing:?}");
    let text = fs::read_to_string(folder("every_key.yml")).unwrap();
    let Loaded { checks, notes, .. } = read(&text, "checks.yml", &World).unwrap();
    assert!(notes.is_empty() && checks.len() == 8, "{notes:?}");
    let nas = &checks[0];
    assert_eq!((nas.name.as_str(), nas.title.as_str(), nas.group.as_deref()), ("nas", "NAS", Some("Things")));
    assert_eq!((nas.every.as_secs(), nas.timeout.as_secs(), nas.retries), (30, 5, 2));
    assert_eq!((nas.thresholds.fail_after, nas.thresholds.recover_after), (3, 4));
    assert_eq!(nas.depends_on, [Dependency::Home, Dependency::Check("router".parse().unwrap())]);
    assert_eq!(nas.was.as_ref().unwrap().as_str(), "old-nas");
    assert_eq!(nas.component, ComponentPlace::Component("gytm4qzbx9t6".parse().unwrap()));
    assert!(!nas.notices.wanted && nas.notices.after_failures == 5 && nas.notices.all_changes);
    let Kind::Http(http) = &nas.kind else { panic!("{:?}", nas.kind) };
    assert_eq!((http.method.as_str(), http.redirects, http.verify), ("POST", 0, false));
    assert_eq!((http.headers.len(), http.slow_above.unwrap().as_millis()), (2, 1500));
    assert!(
        matches!(&http.expect.body[3], BodyExpectation::Json { equals: Some(Value::String(up)), .. } if up == "up")
    );
    assert!(matches!(&http.expect.body[4], BodyExpectation::Json { equals: Some(Value::Null), .. }));
    let Kind::Dns(dns) = &checks[3].kind else { panic!("{:?}", checks[3].kind) };
    assert_eq!((dns.record, dns.server.unwrap().to_string().as_str()), (RecordType::Mx, "192.168.1.1:53"));
    let Kind::Tls(tls) = &checks[2].kind else { panic!("{:?}", checks[2].kind) };
    assert_eq!((tls.port, tls.least_version), (8443, Some(TlsVersion::V1_3)));
    let Kind::Script(script) = &checks[6].kind else { panic!("{:?}", checks[6].kind) };
    assert_eq!(script.command, ["/opt/check", "-w", "10", "1.10", "true"]);
    assert_eq!((script.environment.len(), script.uid), (3, Some(65534)));
    let Kind::Passive(passive) = &checks[7].kind else { panic!("{:?}", checks[7].kind) };
    assert_eq!((passive.period.as_secs(), passive.grace.as_secs()), (86_400, 7_200));
}

#[test]
fn what_is_not_said_is_as_the_defaults_have_it() {
    let text = "defaults: { every: 20s, retries: 3, fail_after: 4 }\nchecks: [{ title: Web site, tcp: { host: '::1', port: 22 } }]";
    let check = &read(text, "checks.yml", &World).unwrap().checks[0];
    assert_eq!((check.name.as_str(), check.every.as_secs(), check.timeout.as_secs()), ("web-site", 20, 10));
    assert_eq!((check.retries, check.thresholds.fail_after, check.thresholds.recover_after), (3, 4, 1));
    let short = "checks: [{ name: a, every: 5s, icmp: { host: a } }]";
    assert_eq!(read(short, "checks.yml", &World).unwrap().checks[0].timeout.as_secs(), 5);
}

#[test]
fn names_may_be_given_on_from_check_to_check() {
    let lines = ["{ name: b, was: a, icmp: { host: a } }", "{ name: c, was: b, icmp: { host: a } }"];
    for [one, other] in [lines, [lines[1], lines[0]]] {
        assert_eq!(sentences(&format!("checks: [{one}, {other}]")), [""; 0]);
    }
}

#[test]
fn an_empty_file_is_one_without_checks() {
    for (text, has_list) in [
        ("", false),
        ("# nothing yet\n", false),
        ("checks:\n", false),
        ("checks: []", true),
        ("defaults:\nchecks:", false),
    ] {
        let loaded = read(text, "checks.yml", &World).unwrap();
        assert_eq!((loaded.checks.len(), loaded.has_list), (0, has_list), "{text:?}");
    }
}

#[test]
fn a_secret_in_the_file_itself_is_noted_and_kept_as_one() {
    let text =
        "checks: [{ name: a, http: { url: 'http://a/', headers: { authorization: Bearer hunter2, accept: b } } }]";
    let loaded = read(text, "checks.yml", &World).unwrap();
    let note =
        "checks[0].http.headers.authorization: a secret stands in the file: give it by its variable, { secret: NAME }";
    assert_eq!(loaded.notes, [note]);
    assert!(!format!("{loaded:?}").contains("hunter2"));
}

#[test]
fn anchors_and_merge_keys_save_writing() {
    let text = "checks:\n  - &a\n    name: a\n    every: 30s\n    icmp: { host: a }\n  - <<: *a\n    name: b\n  - <<: *a\n    name: c\n    every: 1s\n";
    let said = sentences(text);
    assert_eq!(said, ["checks.yml:10: every is 1s, and the shortest interval is 5s: write 5s or more"]);
    let checks = read(&text.replace("1s", "10s"), "checks.yml", &World).unwrap().checks;
    assert_eq!(checks.iter().map(|check| check.every.as_secs()).collect::<Vec<_>>(), [30, 30, 10]);
}

#[test]
fn a_file_with_too_many_checks_or_of_too_many_things_is_refused() {
    let many = lines(0..=MAX_CHECKS, |i| format!("- {{name: c{i}, icmp: {{host: a}}}}\n"));
    let said = sentences(&format!("checks:\n{many}"));
    assert!(said.len() == 1 && said[0].starts_with("checks.yml:1: there are more than 10000 checks"), "{said:?}");
    let bomb = lines(1..=6, |i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(",")));
    let said = sentences(&format!("a0: &a0 [x]\n{bomb}"));
    let too_much = "this is too much or too deep for a list of checks";
    assert!(said.len() == 1 && said[0].contains(too_much), "{said:?}");
    let deep = format!("checks: {}{}", "[".repeat(100), "]".repeat(100));
    let said = sentences(&deep);
    assert!(said.len() == 1 && said[0].contains(too_much), "{said:?}");
    for deep in [20, 30, 60] {
        let deep = format!("checks: {}{}", "[".repeat(deep), "]".repeat(deep));
        assert_eq!(sentences(&deep).len(), 1, "{}", deep.len());
    }
    let many: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<_>>().concat();
    assert_eq!(sentences(&many).len(), 1);
}

#[test]
fn what_was_found_is_never_more_than_people_read() {
    let many = lines(0..=499, |i| format!("- {{name: c{i}, icmp: {{host: a}}, evry: 1}}\n"));
    assert_eq!(sentences(&format!("checks:\n{many}")).len(), 100);
}

#[test]
fn numbers_for_texts_are_taken_up_to_a_number_and_then_said() {
    let records = |count| lines(1..=count, |i| format!("    - {i}\n"));
    let of = |count| {
        let wrong = "  evry: 5s\n";
        sentences(&format!(
            "checks:\n- name: a\n{wrong}  dns:\n    name: a\n    record: txt\n    expect:\n{}",
            records(count)
        ))
    };
    assert!(matches!(&of(999)[..], [one] if one.contains("evry is no key here")), "{:?}", of(999));
    let said = "there are 1000 numbers and more that should be texts: put quotes around them";
    assert!(of(1001).iter().any(|one| one.ends_with(said)), "{:?}", of(1001));
}

/// The schema that editors take is that of the types. `UPDATE_SCHEMA=1` writes it anew.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../charts/home-beacon/files/checks.schema.json");
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap_or_default() == text, "{}: UPDATE_SCHEMA=1 renews it", path.display());
}

#[test]
fn ten_thousand_checks_are_read_in_no_time() {
    let check = |i: usize| {
        format!(
            "  - name: check-{i}\n    title: Check {i}\n    group: Group {}\n    every: 60s\n    depends_on: [home{}]\n    http:\n      url: http://10.0.0.1:8080/health/{i}\n      headers: {{ Accept: text/plain }}\n      expect: {{ status: [200, \"301-308\"], body: {{ matches: \"ok{}\" }}, json: [{{ path: \"$.state\", equals: up }}] }}\n",
            i % 50,
            i.checked_sub(1).map(|before| format!(", check-{before}")).unwrap_or_default(),
            i % 100,
        )
    };
    let text = format!("checks:\n{}", lines(0..=MAX_CHECKS - 1, check));
    let start = Instant::now();
    let parsed: File = yaml::read(&text).unwrap();
    let parsed_in = start.elapsed();
    drop(parsed);
    let start = Instant::now();
    let old = read(&text, "checks.yml", &World).unwrap().checks;
    let read_in = start.elapsed();
    let renamed = text.replace("check-77\n", "check-x\n").replace("check-77]", "check-x]");
    let new = read(&renamed, "checks.yml", &World).unwrap().checks;
    let start = Instant::now();
    let changes = crate::file::change::between(&old, &new);
    eprintln!(
        "10 000 checks, {} bytes: read in {read_in:?}, of which {parsed_in:?} for YAML; compared in {:?}",
        text.len(),
        start.elapsed()
    );
    assert_eq!(changes.len(), MAX_CHECKS + 1);
    // A debug build is some twenty times slower than what is shipped, which has 200 ms for both.
    assert!(read_in.as_secs() < 20, "{read_in:?}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[-:{}\\[\\]&*<>|!%@`'\"#, \n\t~?a-e0-9]{0,200}") {
        let _ = read(&text, "checks.yml", &World);
    }

    #[test]
    fn no_edit_of_a_good_file_makes_it_panic(at in 0..4000_usize, length in 0..40_usize, with in "\\PC{0,12}") {
        let text = fs::read_to_string(folder("every_key.yml")).unwrap();
        let chars: Vec<char> = text.chars().collect();
        let at = at.min(chars.len());
        let end = (at + length).min(chars.len());
        let edited: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[end..].iter().copied()).collect();
        if let Err(wrong) = read(&edited, "checks.yml", &World) {
            proptest::prop_assert!(!wrong.is_empty());
            let lines = u32::try_from(edited.lines().count()).unwrap();
            proptest::prop_assert!(wrong.iter().all(|wrong| wrong.line.is_none_or(|line| line >= 1 && line <= lines + 1)));
        }
    }
}

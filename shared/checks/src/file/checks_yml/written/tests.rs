use std::{ffi::OsString, fs, path::Path};

use super::*;
use crate::file::{Machine, checks_yml::read, gatus, statping, tests::World};

/// A machine with the secrets of what was written.
struct With(Vec<(String, Secret)>);

impl Machine for With {
    fn variable(&self, name: &str) -> Option<OsString> {
        let mut known = self.0.iter().filter(|(known, _)| known == name);
        known.next().map(|(_, secret)| secret.expose().into()).or_else(|| World.variable(name))
    }

    fn program(&self, path: &Path) -> Result<(), String> {
        World.program(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        World.is_folder(path)
    }
}

/// A check whose harmless headers are in the open, and what a body must hold in the order of the file.
fn plain(mut check: Check) -> Check {
    // Without TLS there is no certificate.
    match &mut check.kind {
        Kind::Tcp(tcp) => tcp.verify |= !tcp.tls,
        Kind::Grpc(grpc) => grpc.verify |= !grpc.tls,
        _ => (),
    }
    if let Kind::Http(http) = &mut check.kind {
        for (name, text) in &mut http.headers {
            if let Text::Secret(SecretSource::Value(value)) = text
                && HARMLESS.contains(name)
            {
                *text = Text::Plain(value.expose().to_owned());
            }
        }
        http.headers.sort_by(|one, other| one.0.as_str().cmp(other.0.as_str()));
        http.expect.body.sort_by_key(|wanted| match wanted {
            BodyExpectation::Matches(_) => 0,
            BodyExpectation::MatchesNot(_) => 1,
            BodyExpectation::Json { .. } => 2,
        });
    }
    check
}

fn is_read_as_it_was(checks: Vec<Check>) -> Written {
    assert!(checks.len() > 3);
    let file = written(&checks).unwrap();
    let loaded = read(&file.text, "checks.yml", &With(file.secrets.clone()));
    let loaded = loaded.unwrap_or_else(|wrong| panic!("{wrong:#?}\n{}", file.text));
    let (before, after): (Vec<_>, Vec<_>) =
        (checks.into_iter().map(plain).collect(), loaded.checks.into_iter().map(plain).collect());
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before.kind, after.kind, "{}", file.text);
        assert_eq!(format!("{before:?}"), format!("{after:?}"), "{}", file.text);
    }
    assert_eq!(before.len(), after.len());
    for (_, secret) in file.secrets.iter().filter(|(_, secret)| secret.expose().len() > 5) {
        assert!(!file.text.contains(secret.expose()), "{}", file.text);
    }
    file
}

fn text(name: &str) -> String {
    fs::read_to_string(format!("{}/src/file/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_key_is_written_as_it_was_read() {
    let loaded = read(&text("every_key.yml"), "checks.yml", &World).unwrap();
    let file = is_read_as_it_was(loaded.checks);
    let names: Vec<_> = file.secrets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CHECK_NAS_AUTHORIZATION", "CHECK_DISK_DB_PASSWORD", "CHECK_BACKUP_PING"], "each once");
    assert!(file.text.starts_with("checks:\n- name: nas\n  title: NAS\n  was: old-nas\n"), "{}", file.text);
}

#[test]
fn what_was_read_of_others_is_ours_then() {
    let services = statping::read(&text("statping/every_key.yml"), "services.yml", &statping::Groups::new(), &World);
    let file = is_read_as_it_was(services.unwrap().checks);
    assert!(!file.text.contains("retries: 1"), "what is usual is left out: {}", file.text);
    let endpoints = gatus::read(&text("gatus/every_kind.yaml"), "config.yaml", &World).unwrap();
    is_read_as_it_was(endpoints.checks);
}

#[test]
fn secrets_of_one_name_get_numbers() {
    let text =
        "checks:\n- {name: a-b, http: {url: http://a/, headers: {X-Key: {secret: ONE}, X_Key: {secret: TWO}}}}\n";
    let machine = With(["ONE", "TWO"].map(|name| (name.to_owned(), Secret::new(name.repeat(3)))).into());
    let file = written(&read(text, "checks.yml", &machine).unwrap().checks).unwrap();
    let names: Vec<_> = file.secrets.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CHECK_A_B_X_KEY", "CHECK_A_B_X_KEY_2"]);
}

proptest::proptest! {
    #[test]
    fn whatever_people_write_is_read_the_same(
        title in "[ -~äß:#'\"\\-]{1,60}", send in "(?s).{0,40}", command in "(?s)[^\0]{0,40}", group in "[ -~]{0,20}",
    ) {
        let [title, group] = [title, group].map(|text| text.trim().to_owned());
        proptest::prop_assume!(!title.is_empty());
        let text = serde_json::json!({"checks": [
            {"name": "a", "title": title, "tcp": {"host": "a", "port": 1, "send": send}},
            {"name": "b", "title": title, "group": if group.is_empty() { None } else { Some(group) },
                "script": {"command": ["/opt/check", command, "1.10", "true", "~", "- x", "0x1f", "1e3"]}},
            {"name": "c", "icmp": {"host": "a", "warning": {"loss": 0.1}}},
            {"name": "d", "icmp": {"host": "a"}},
            {"name": "e", "http": {"url": "http://a/", "body": format!("{send}\n")}},
        ]});
        if let Ok(loaded) = read(&text.to_string(), "checks.yml", &World) {
            is_read_as_it_was(loaded.checks);
        }
    }
}

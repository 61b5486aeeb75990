use std::fs;

use super::*;

const TOKEN: SecretSetting = SecretSetting { name: "TOKEN", help: "" };

fn read(pairs: &[(&str, &str)]) -> Result<Option<SecretSource>, WrongSetting> {
    TOKEN.read_from(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
}

#[test]
fn a_secret_cannot_be_printed() {
    let shown = format!("{:?} {:#?}", Secret::new("hunter2"), SecretSource::Value(Secret::new("hunter2")));
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_file_is_read_again_when_it_changes_and_its_line_end_is_dropped() {
    let path = env::temp_dir().join(format!("porchlight-secret-{}", std::process::id()));
    fs::write(&path, "first\n").unwrap();
    let source = read(&[("TOKEN_FILE", path.to_str().unwrap())]).unwrap().unwrap();
    assert_eq!(source.current().unwrap().expose(), "first");
    fs::write(&path, "second\r\n").unwrap();
    assert_eq!(source.current().unwrap().expose(), "second");
    fs::remove_file(&path).unwrap();
    assert!(source.current().unwrap_err().to_string().contains("TOKEN_FILE"));
}

#[test]
fn what_is_sent_whole_keeps_the_ends_of_its_lines_over_a_file() {
    let path = env::temp_dir().join(format!("porchlight-whole-{}", std::process::id()));
    let source = SecretSource::Named { name: "BODY".into(), path: path.clone() };
    for body in ["a", "a\n", "a\n\n", "a\r\n", "a\r", "\na\nb\n", "{\n}\n\r\n"] {
        fs::write(&path, Secret::new(body).as_file()).unwrap();
        assert_eq!(source.whole().unwrap().expose(), body, "{body:?}");
        assert_eq!(source.current().unwrap().expose(), body.trim_end_matches(['\r', '\n']), "as a password");
    }
    for (written, body) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a")] {
        fs::write(&path, written).unwrap();
        assert_eq!(source.whole().unwrap().expose(), body, "by hand: {written:?}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(SecretSource::from(Secret::new("a\n")).whole().unwrap().expose(), "a\n");
}

#[test]
fn a_credential_that_systemd_did_not_find_is_named_by_its_path() {
    let path = env::temp_dir().join(format!("porchlight-credential-{}", std::process::id()));
    fs::write(&path, "missing: /etc/porchlight/keeper.token").unwrap();
    let error = read(&[("TOKEN_FILE", path.to_str().unwrap())]).unwrap_err().to_string();
    assert_eq!(error, "TOKEN_FILE: /etc/porchlight/keeper.token is missing: write the secret to it");
    fs::remove_file(&path).unwrap();
}

#[test]
fn both_forms_at_once_are_an_error() {
    let error = read(&[("TOKEN", "a"), ("TOKEN_FILE", "/nowhere")]).unwrap_err();
    assert_eq!(error.to_string(), "TOKEN and TOKEN_FILE are both set: keep one of them");
}

#[test]
fn a_secret_is_taken_by_its_former_name_too_but_not_by_both() {
    const PAGE: SecretSetting = SecretSetting { name: "STATUSPAGE_TOKEN", help: "The key" };
    let variable = |pairs: &'static [(&str, &str)]| {
        move |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v))
    };
    for (pairs, name) in [
        (&[("STATUSPAGE_TOKEN", "one")][..], "STATUSPAGE_TOKEN"),
        (&[("TOKEN", "one")], "TOKEN"),
        (&[("TOKEN", "one"), ("DUCKDNS_TOKEN", "other")], "TOKEN"),
    ] {
        let source = PAGE.read_from(variable(pairs)).unwrap().unwrap();
        assert_eq!((source.current().unwrap().expose(), PAGE.name_among(variable(pairs))), ("one", name));
    }
    for (pairs, said) in [
        (&[("STATUSPAGE_TOKEN", "a"), ("TOKEN", "a")][..], "STATUSPAGE_TOKEN and TOKEN are both set"),
        (&[("STATUSPAGE_TOKEN_FILE", "/a"), ("TOKEN", "a")], "STATUSPAGE_TOKEN_FILE and TOKEN are both set"),
        (&[("STATUSPAGE_TOKEN", "a"), ("TOKEN_FILE", "/a")], "STATUSPAGE_TOKEN and TOKEN_FILE are both set"),
        (&[("TOKEN", "a"), ("TOKEN_FILE", "/a")], "TOKEN and TOKEN_FILE are both set: keep one of them"),
        (&[("TOKEN_FILE", "/nowhere")], "TOKEN_FILE: /nowhere cannot be read"),
        (&[("TOKEN", "")], "TOKEN is empty"),
    ] {
        let error = PAGE.read_from(variable(pairs)).unwrap_err().to_string();
        assert!(error.starts_with(said), "{pairs:?}: {error}");
    }
    assert_eq!(PAGE.description(), "The key (or TOKEN, as before)");
    assert_eq!(TOKEN.former(), None);
}

#[test]
fn an_unusable_value_is_refused_without_being_repeated() {
    assert!(read(&[("TOKEN", "")]).is_err());
    let error = read(&[("TOKEN", "hunter 2")]).unwrap_err().to_string();
    assert!(!error.contains("hunter"), "{error}");
    for (value, said) in [
        ("\"hunter2\"", "TOKEN stands between quotation marks"),
        ("'hunter2'", "TOKEN stands between quotation marks"),
        ("PORCHLIGHT_KEEPER_HUNTER2", "TOKEN is a keeper's token in other letters"),
        ("Porchlight_keeper_hunter2", "TOKEN is a keeper's token in other letters"),
    ] {
        let error = read(&[("TOKEN", value)]).unwrap_err().to_string();
        assert!(error.starts_with(said) && !error.to_lowercase().contains("hunter"), "{error}");
    }
    for value in ["\"", "hunter\"2", "porchlight_keeper_hunter2", "Porchlight", "'hunter2\""] {
        assert!(read(&[("TOKEN", value)]).is_ok(), "{value}");
    }
}

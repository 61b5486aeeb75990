use serde_json::json;

use super::*;

fn written() -> Value {
    json!({"name": "nas", "was": null, "title": "NAS", "group": null, "kind": "http", "target": "http://nas.lan/",
        "every_seconds": 60, "component": "own", "depends_on": ["home", "check:router"],
        "notices": {"wanted": true, "after_failures": 1, "all_changes": false}, "passive": null})
}

fn read(checks: &Value) -> Result<Registration, String> {
    let Value::Object(body) = json!({"source": "checks", "checks": checks}) else { unreachable!() };
    Registration::read(body)
}

#[test]
fn a_check_is_read_as_it_is_written() {
    let registration = read(&json!([written()])).unwrap();
    let check = &registration.checks[0];
    assert_eq!((check.kind, &check.component, check.every()), (Kind::Http, &Place::Own, Duration::from_mins(1)));
    let texts: Vec<_> = check.depends_on.iter().map(dependency_text).collect();
    assert_eq!(texts, ["home", "check:router"]);
}

#[test]
fn a_wrong_check_is_refused_with_what_is_wrong() {
    let passive =
        |period: u32, secret: &str| json!({"period_seconds": period, "grace_seconds": 60, "secret_sha256": secret});
    let hash = "ab".repeat(32);
    for (field, value, message) in [
        ("name", json!("NAS"), "checks[0]: a check's name has up to 50 lower-case letters"),
        ("title", json!(" "), "checks[0] (nas): title and group have 1 to 200 characters"),
        ("target", json!("x".repeat(301)), "checks[0] (nas): target has up to 300 characters"),
        ("kind", json!("smoke"), "checks[0]: unknown variant `smoke`"),
        ("kind", json!("passive"), "checks[0] (nas): passive is missing"),
        ("every_seconds", json!(4), "checks[0] (nas): every_seconds is from 5 to 31708800"),
        ("component", json!("mine"), "checks[0]: component is own, nowhere, or a component's id"),
        ("depends_on", json!(["router"]), "checks[0]: depends_on names home, or check:<name>"),
        ("notices", json!({"after_failures": 1_000_001}), "checks[0] (nas): notices.after_failures is up to 1000000"),
        ("passive", passive(60, &hash), "checks[0] (nas): passive belongs to the kind passive alone"),
        ("passive", passive(60, "hunter2"), "checks[0]: secret_sha256 is a SHA-256 in 64 hexadecimal digits"),
        ("colour", json!("red"), "checks[0]: unknown field `colour`"),
    ] {
        let mut wrong = written();
        wrong[field] = value;
        let error = read(&json!([wrong])).unwrap_err();
        assert!(error.starts_with(message), "{error}");
        assert!(!error.contains("hunter2"));
    }
    let mut short = written();
    short["kind"] = json!("passive");
    short["passive"] = passive(4, &hash);
    assert!(read(&json!([short.clone()])).unwrap_err().contains("period_seconds is from 5"));
    assert!(read(&json!([written(), written()])).unwrap_err().contains("checks[1] (nas): another check has this name"));
    short["passive"] = passive(60, &hash);
    let mut other = short.clone();
    other["name"] = json!("other");
    assert!(read(&json!([short, other])).unwrap_err().contains("checks[1] (other): another check has this secret"));
}

#[test]
fn a_wrong_registration_is_refused_with_what_is_wrong() {
    for (body, message) in [
        (json!({"checks": []}), "source: the program's name"),
        (json!({"source": "A b", "checks": []}), "source: the program's name"),
        (json!({"source": "checks"}), "checks is missing"),
        (json!({"source": "checks", "checks": [], "page": 1}), "page: is no field"),
        (json!({"source": "checks", "checks": [], "partial": 1}), "partial is true or false"),
        (json!({"source": "checks", "checks": [], "keep": ["A b"]}), "keep is a list of names of checks"),
        (json!({"source": "checks", "checks": vec![0; 12_001]}), "checks: one call may bring 12000"),
    ] {
        let Value::Object(body) = body else { unreachable!() };
        let error = Registration::read(body).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}

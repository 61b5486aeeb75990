//! What of a file can be used that is wrong, or that names what is not there.

use super::*;

#[test]
fn what_is_wrong_with_one_check_leaves_the_others_usable() {
    let good = "  - { name: good, icmp: { host: a } }\n";
    for (wrong, usable) in [
        ("  - { name: bad, http: { url: 'http://a/', expect: { body: { matches: '(' } } } }\n", &["good"][..]),
        ("  - { name: bad, every: 4s, icmp: { host: a } }\n", &["good"]),
        ("  - { name: good, icmp: { host: b } }\n", &["good"]),
        ("  - { name: bad, depends_on: [bad], icmp: { host: b } }\n", &["good"]),
        (
            "  - { name: one, depends_on: [other], icmp: { host: b } }\n  - { name: other, depends_on: [one], icmp: { host: b } }\n",
            &["good", "other"],
        ),
        (
            "  - { name: leaf, depends_on: [bad], icmp: { host: b } }\n  - { name: bad, every: 1s, icmp: { host: b } }\n",
            &["good", "leaf"],
        ),
        (
            "  - { name: leaf, depends_on: [bad], icmp: { host: b } }\n  - { title: Bad, icmp: { host: 'a/b' } }\n",
            &["good", "leaf"],
        ),
    ] {
        let found = parts(&format!("checks:\n{good}{wrong}"), "checks.yml", &World);
        let names: Vec<_> = found.usable.iter().flat_map(|it| &it.checks).map(|check| check.name.as_str()).collect();
        assert_eq!((names.as_slice(), found.wrong.len(), found.missing.len()), (usable, 1, 0), "{:?}", found.wrong);
    }
    // One that is wrong is there as well, and keeps what it has measured until it is mended.
    let two = "  - { name: heir, was: bad, icmp: { host: b } }\n  - { name: bad, every: 1s, icmp: { host: b } }\n";
    let Parts { usable, wrong, .. } = parts(&format!("checks:\n{good}{two}"), "checks.yml", &World);
    assert_eq!((usable.unwrap().checks.len(), wrong.len()), (1, 2), "{wrong:?}");
    assert!(wrong[0].sentence.starts_with("was: bad is the name of a check that is there"), "{wrong:?}");
    // A hundred sentences are enough; what they are of is left out all the same.
    let many = lines(0..=150, |number| format!("  - {{ name: c{number}, every: 1s, icmp: {{ host: a }} }}\n"));
    let Parts { usable, wrong, .. } = parts(&format!("checks:\n{many}{good}"), "checks.yml", &World);
    assert_eq!((usable.unwrap().checks.len(), wrong.len()), (1, 100));
}

#[test]
fn what_is_wrong_with_the_file_leaves_nothing_usable() {
    for text in [
        "defaults: { every: 1s }\nchecks: [{ name: a, icmp: { host: a } }]",
        "checks: [{ name: a, icmp: { host: a } }, { name: b, evry: 5s, icmp: { host: b } }]",
        "check: [{ name: a, icmp: { host: a } }]",
        "checks: [{ name: a",
    ] {
        let Parts { usable, wrong, .. } = parts(text, "checks.yml", &World);
        assert!(usable.is_none() && !wrong.is_empty(), "{text}");
    }
}

#[tokio::test]
async fn a_check_whose_secret_program_or_folder_is_missing_is_one_and_its_runs_say_what_is() {
    let text = "checks:
  - { name: good, icmp: { host: a } }
  - { name: secret, http: { url: 'http://127.0.0.1:9/', headers: { X-A: { secret: NOT_SET } } } }
  - { name: program, script: { command: [/opt/gone] } }
  - { name: folder, script: { command: [/opt/check], folder: /opt/gone } }
  - { name: backup, passive: { period: 1d, secret: SHORT } }
";
    let loaded = read(text, "checks.yml", &World).unwrap();
    let said: Vec<_> = loaded.missing.iter().map(ToString::to_string).collect();
    let expected = [
        "checks.yml:3: NOT_SET is not set: set NOT_SET, or NOT_SET_FILE to a file that holds it",
        "checks.yml:4: command: /opt/gone is not there: install it, or write where it is",
        "checks.yml:5: folder: it is not there: make it, or write where it is",
        "checks.yml:6: secret: SHORT must have 22 or more letters, digits, - and _: make a longer one",
    ];
    assert_eq!((said.as_slice(), loaded.checks.len()), (expected.map(str::to_owned).as_slice(), 5));
    let prober = crate::probe::Prober::new(None).unwrap();
    for (index, why) in
        [(1, "NOT_SET is not set"), (2, "there is no program /opt/gone"), (3, "there is no folder /opt/gone")]
    {
        let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
        let outcome = prober.run(&loaded.checks[index].kind, until).await;
        assert_eq!(outcome.state, crate::outcome::State::Unknown);
        assert!(outcome.text.contains(why), "{}", outcome.text);
    }
    let Kind::Passive(passive) = &loaded.checks[4].kind else { panic!("{:?}", loaded.checks[4].kind) };
    assert!(passive.secret.current().is_err(), "one that can be guessed is never used");
}

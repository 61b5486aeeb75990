//! What answers in the home's stead: caches, redirects, tunnels, and what is said to do about them.

use super::*;

/// What came with a proof that does not fit: what that was, and what else the answer said.
fn foreign(byte: u8, fields: &[(&str, &str)]) -> Attempt {
    let mut attempt = from(Identity::Foreign);
    let Ok(answer) = &mut attempt.exchanges[0].outcome else { panic!("an answer") };
    let (key, challenge) = (Key::new([byte; 32]), Challenge::new([9; 32]));
    answer.marks.proof = Some(Proof::new(&key, &challenge, Running { up: 1, age: 1 }));
    let asked = "http://home.example/".parse().unwrap();
    for (name, value) in fields {
        answer.marks.note(name, value.as_bytes(), &asked);
    }
    attempt
}

#[test]
fn a_proof_that_may_be_an_old_one_out_of_a_cache_is_nobody_elses() {
    let impostor = Verdict::Down(DownCause::Impostor);
    let unproven = Verdict::Down(DownCause::Unproven);
    for (first, second, fields, verdict) in [
        (1, 2, &[][..], impostor),
        (1, 1, &[], unproven),
        (1, 2, &[("age", "12")], unproven),
        (1, 1, &[("via", "1.1 varnish")], unproven),
        // A beacon that lives behind a proxy, with another key.
        (1, 2, &[("via", "1.1 Caddy")], impostor),
        (1, 2, &[("cf-cache-status", "DYNAMIC")], impostor),
    ] {
        let attempts = [foreign(first, fields), foreign(second, fields)];
        assert_eq!(judge(&attempts), verdict, "{first} {second} {fields:?}");
        let advised = crate::advice::advice(&attempts);
        let told = advised.is_some_and(|it| {
            it.contains("perhaps an old one out of a cache") && fields.iter().all(|(_, value)| it.contains(value))
        });
        assert_eq!(told, verdict == unproven, "{fields:?}");
    }
}

#[test]
fn what_answers_in_the_homes_stead_is_told_with_what_to_do() {
    let asked = "http://home.example/".parse().unwrap();
    for (status, field, said) in [
        (
            301,
            ("location", "https://home.example/?key=secret"),
            "301 (Location: https://home.example/?...), which points",
        ),
        (400, ("server", "nginx"), "400 (Server: nginx), as a server of https does to http://: write https://"),
        (401, ("server", "RouterOS"), "401 (Server: RouterOS) and wants somebody to log in"),
        (530, ("server", "cloudflare"), "530 (Server: cloudflare): a proxy or tunnel that does not reach the home"),
        (502, ("via", "1.1 x"), "502 (Via: 1.1 x): a proxy or tunnel"),
        (200, ("server", "lighttpd"), "200 (Server: lighttpd) without a proof"),
    ] {
        let mut attempt = from(Identity::Absent);
        let Ok(answer) = &mut attempt.exchanges[0].outcome else { panic!("an answer") };
        answer.status = status;
        answer.marks.note(field.0, field.1.as_bytes(), &asked);
        let advised = crate::advice::advice(&[attempt]).unwrap();
        assert!(advised.contains(said) && !advised.contains("secret"), "{advised}");
    }
    assert_eq!(crate::advice::advice(&[from(PROVEN)]), None);
    assert_eq!(crate::advice::advice(&[failed(Failure::Refused)]), None);
}

//! Answers that are not the home's: from caches, redirects, tunnels; and the advice about them.

use super::*;

/// An attempt whose answer has a proof of another key, and these headers.
fn foreign(byte: u8, fields: &[(&str, &str)]) -> Attempt {
    let mut attempt = from(Identity::Foreign);
    let Ok(answer) = &mut attempt.exchanges[0].outcome else { panic!("an answer") };
    let (key, challenge) = (Key::new([byte; 32]), Challenge::new([9; 32]));
    answer.headers.proof = Some(Proof::new(&key, &challenge, Running { up: 1, age: 1 }));
    let asked = "http://home.example/".parse().unwrap();
    for (name, value) in fields {
        answer.headers.note(name, value.as_bytes(), &asked);
    }
    attempt
}

#[test]
fn a_proof_that_may_be_an_old_one_out_of_a_cache_is_no_impostor() {
    let impostor = Verdict::Down(DownCause::Impostor);
    let unproven = Verdict::Down(DownCause::Unproven);
    for (first, second, fields, verdict) in [
        (1, 2, &[][..], impostor),
        (1, 1, &[], unproven),
        (1, 2, &[("age", "12")], unproven),
        (1, 1, &[("via", "1.1 varnish")], unproven),
        // A running beacon behind a proxy, with another key.
        (1, 2, &[("via", "1.1 Caddy")], impostor),
        (1, 2, &[("cf-cache-status", "DYNAMIC")], impostor),
    ] {
        let attempts = [foreign(first, fields), foreign(second, fields)];
        assert_eq!(judge(&attempts), verdict, "{first} {second} {fields:?}");
        let advised = crate::judge::advice::advice(&attempts);
        let warns = advised.is_some_and(|it| {
            it.contains("perhaps an old one out of a cache") && fields.iter().all(|(_, value)| it.contains(value))
        });
        assert_eq!(warns, verdict == unproven, "{fields:?}");
    }
}

#[test]
fn an_answer_that_is_not_the_homes_is_described_with_what_to_do() {
    let asked = "http://home.example/".parse().unwrap();
    for (status, field, said) in [
        (
            301,
            ("location", "https://home.example/?key=secret"),
            "301 (Location: https://home.example/?...), a redirect",
        ),
        (400, ("server", "nginx"), "400 (Server: nginx), as an https server does to http://: write https://"),
        (401, ("server", "RouterOS"), "401 (Server: RouterOS) and asks for a login"),
        (530, ("server", "cloudflare"), "530 (Server: cloudflare): a proxy or tunnel that does not reach the home"),
        (502, ("via", "1.1 x"), "502 (Via: 1.1 x): a proxy or tunnel"),
        (200, ("server", "lighttpd"), "200 (Server: lighttpd) without a proof"),
    ] {
        let mut attempt = from(Identity::Absent);
        let Ok(answer) = &mut attempt.exchanges[0].outcome else { panic!("an answer") };
        answer.status = status;
        answer.headers.note(field.0, field.1.as_bytes(), &asked);
        let advised = crate::judge::advice::advice(&[attempt]).unwrap();
        assert!(advised.contains(said) && !advised.contains("secret"), "{advised}");
    }
    assert_eq!(crate::judge::advice::advice(&[from(PROVEN)]), None);
    assert_eq!(crate::judge::advice::advice(&[failed(Failure::Refused)]), None);
}

//! The dyndns2 protocol, which No-IP, deSEC, dynv6 and most others speak: what one call asks for, and what is answered. A word
//! says what became of it; which words there are, and what a client has to do after each, is in tests/FACTS.md, D4 and D5.

use std::{borrow::Cow, net::IpAddr};

use url::Url;

/// How much of an answer is read, in bytes; a real one has a line.
pub(super) const MAX_BYTES: usize = 4 << 10;

/// Why a service takes no address until somebody changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// User and password are not those of an account.
    Credentials,
    /// The name is not one of the account's.
    Name,
    /// The account would have to pay for it.
    Paid,
    /// The service does not want this program.
    Client,
    /// The name is blocked, because it was updated too often.
    Blocked,
}

/// Why an address was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// Another call would come to the same, and be held against the name.
    Refused(Refusal),
    /// The service is in trouble that it knows of, or was asked too often: it wants to be left alone for a while.
    Busy(String),
    /// It cannot be reached, or answers as no such service does.
    Failing(String),
}

impl Refusal {
    /// What is wrong, and what to do.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Credentials => "it knows no such user, or another password: correct DYNDNS_USER and DYNDNS_PASSWORD",
            Self::Name => "the name is not one of this account's: correct hostname= in DYNDNS_URL",
            Self::Paid => "this account may not do that: the service wants to be paid for it",
            Self::Client => "it does not want this program: ask the service, or take another one",
            Self::Blocked => "it has blocked the name for updates: sign in there and have it opened again",
        }
    }
}

/// The address of a call that sets this address.
pub(super) fn call(service: &Url, address: IpAddr) -> Url {
    let mut call = service.clone();
    call.query_pairs_mut().append_pair("myip", &address.to_string());
    call
}

/// The name that an update address is about.
pub(super) fn hostname(service: &Url) -> Option<Cow<'_, str>> {
    service.query_pairs().find(|(key, value)| key == "hostname" && !value.is_empty()).map(|(_, value)| value)
}

/// What an answer to a call means that was to set this address.
///
/// # Errors
/// When it was not taken. The text never repeats what came: a page of a proxy is no sentence.
pub(super) fn read(status: u16, body: &[u8], address: IpAddr) -> Result<(), NotTaken> {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    // One name, one line.
    let line = lines.next().filter(|_| lines.next().is_none()).unwrap_or_default();
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    match (status, word) {
        (200, "good" | "nochg") => is_of(rest, address),
        (_, "badauth") | (401 | 403, _) => Err(NotTaken::Refused(Refusal::Credentials)),
        (200..=499, "notfqdn" | "nohost" | "numhost") => Err(NotTaken::Refused(Refusal::Name)),
        (200..=499, "!donator") => Err(NotTaken::Refused(Refusal::Paid)),
        (200..=499, "badagent") => Err(NotTaken::Refused(Refusal::Client)),
        (200..=499, "abuse") => Err(NotTaken::Refused(Refusal::Blocked)),
        (_, "911" | "dnserr") => Err(NotTaken::Busy(format!("it is in trouble ({word})"))),
        (429, _) => Err(NotTaken::Busy("it was asked too often (status 429)".into())),
        (200, _) => Err(NotTaken::Failing("it answered with none of the words of dyndns2".into())),
        _ => Err(NotTaken::Failing(format!("it answered with status {status}"))),
    }
}

/// Whether what follows the word is the address that was sent: nothing, or a list that has it. Some name both families.
fn is_of(rest: &str, address: IpAddr) -> Result<(), NotTaken> {
    let named: Vec<IpAddr> = rest.split([',', ' ']).filter_map(|part| part.parse().ok()).collect();
    match named.first() {
        // A client that is blocked is told so by this address.
        Some(first) if first.is_loopback() && !address.is_loopback() => Err(NotTaken::Refused(Refusal::Client)),
        Some(first) if !named.contains(&address) => {
            Err(NotTaken::Failing(format!("it was given {address} and says that it took {first}")))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(81, 2, 69, 142));

    #[test]
    fn a_call_keeps_what_the_service_wants_besides() {
        let service: Url = "https://update.dedyn.io/?hostname=home.dedyn.io&myipv6=preserve".parse().unwrap();
        assert_eq!(
            call(&service, HOME).as_str(),
            "https://update.dedyn.io/?hostname=home.dedyn.io&myipv6=preserve&myip=81.2.69.142"
        );
        assert_eq!(hostname(&service).as_deref(), Some("home.dedyn.io"));
        for none in
            ["https://update.dedyn.io/", "https://update.dedyn.io/?hostname=", "https://update.dedyn.io/?host=a"]
        {
            assert_eq!(hostname(&none.parse().unwrap()), None, "{none}");
        }
    }

    #[test]
    fn an_address_is_taken_by_two_words_alone_and_by_no_other_address() {
        for body in [
            "good",
            "good 81.2.69.142",
            "good 81.2.69.142\r\n",
            "nochg 81.2.69.142",
            "nochg",
            "good 81.2.69.142,2a02:8109::1",
            "good 2a02:8109::1, 81.2.69.142",
        ] {
            assert_eq!(read(200, body.as_bytes(), HOME), Ok(()), "{body}");
        }
        let failing = |why: &str| Err(NotTaken::Failing(why.into()));
        assert_eq!(
            read(200, b"good 81.2.69.1", HOME),
            failing("it was given 81.2.69.142 and says that it took 81.2.69.1")
        );
        // FACTS.md D5: so a service tells a client that it ignores.
        assert_eq!(read(200, b"good 127.0.0.1", HOME), Err(NotTaken::Refused(Refusal::Client)));
        for body in ["", "Good", "goodness", "OK", "<html>good</html>", "good\ngood", "good 81.2.69.142\nnohost"] {
            assert_eq!(
                read(200, body.as_bytes(), HOME),
                failing("it answered with none of the words of dyndns2"),
                "{body}"
            );
        }
        assert_eq!(read(404, b"good 81.2.69.142", HOME), failing("it answered with status 404"));
        assert_eq!(read(502, b"<html>", HOME), failing("it answered with status 502"));
    }

    #[test]
    fn a_refusal_has_its_reason_and_trouble_of_the_service_is_none() {
        for (status, body, refusal) in [
            (200, "badauth", Refusal::Credentials),
            (401, "badauth", Refusal::Credentials),
            (401, "", Refusal::Credentials),
            (403, "<html>", Refusal::Credentials),
            (200, "notfqdn", Refusal::Name),
            (404, "nohost", Refusal::Name),
            (200, "numhost", Refusal::Name),
            (200, "!donator", Refusal::Paid),
            (200, "badagent", Refusal::Client),
            (200, "abuse", Refusal::Blocked),
        ] {
            assert_eq!(read(status, body.as_bytes(), HOME), Err(NotTaken::Refused(refusal)), "{status} {body}");
        }
        for (status, body) in [(200, "911"), (500, "911"), (200, "dnserr"), (429, ""), (429, "<html>")] {
            assert!(matches!(read(status, body.as_bytes(), HOME), Err(NotTaken::Busy(_))), "{status} {body}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic_and_never_repeated(status in 100_u16..600, body in "[ -~\n]{0,60}") {
            if let Err(NotTaken::Failing(why) | NotTaken::Busy(why)) = read(status, body.as_bytes(), HOME) {
                prop_assert!(why.starts_with("it "), "{why}");
            }
        }
    }
}

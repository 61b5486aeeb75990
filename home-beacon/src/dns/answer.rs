//! What DuckDNS answers to an update. `OK` and `KO` come with status 200; a verbose answer has four lines: `OK`, the IPv4
//! address or nothing, the IPv6 address or nothing, `UPDATED` or `NOCHANGE`. Anything else means that DuckDNS, or a proxy in
//! between, fails: never that the token is wrong.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use shared::{message::JobFault, retry::Retryable};

/// The longest answer that is read, in bytes. The longest verbose one has about 70.
pub const MAX_BYTES: usize = 4 << 10;

/// What a verbose answer says of an update that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbose {
    /// The IPv4 address of the record, if it has one.
    pub ipv4: Option<Ipv4Addr>,
    /// The IPv6 address of the record, if it has one.
    pub ipv6: Option<Ipv6Addr>,
    /// The record is another one than before.
    pub updated: bool,
}

/// An update that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// `KO`: trying again is of no use.
    #[error("{}", JobFault::DuckDns.words())]
    Refused,
    /// Its answer is neither `OK` nor `KO`, or broke off: try again.
    #[error("DuckDNS fails: {0}")]
    Failing(String),
    /// It answered as it should, but what it says cannot be right, and will not be the next time.
    #[error("DuckDNS answered OK, but {0}")]
    Odd(String),
    /// There is no connection: try again.
    #[error("DuckDNS cannot be reached: {0}")]
    Unreached(String),
}

impl Retryable for NotTaken {
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused | Self::Odd(_) => None,
            Self::Failing(_) | Self::Unreached(_) => Some(Duration::ZERO),
        }
    }

    fn out_of_time() -> Self {
        Self::Failing("it did not answer in time".into())
    }
}

/// Reads an answer: `None` of a plain `OK`.
///
/// # Errors
/// When it is anything but an `OK`.
pub fn read(status: u16, body: &[u8]) -> Result<Option<Verbose>, NotTaken> {
    if status == 200 {
        let lines: Vec<&[u8]> = body.trim_ascii_end().split(|b| *b == b'\n').map(<[u8]>::trim_ascii_end).collect();
        match lines[..] {
            [b"KO"] => return Err(NotTaken::Refused),
            [b"OK"] => return Ok(None),
            [b"OK", ipv4, ipv6, change] => {
                if let (Some(ipv4), Some(ipv6), Some(updated)) = (address(ipv4), address(ipv6), updated(change)) {
                    return Ok(Some(Verbose { ipv4, ipv6, updated }));
                }
            }
            _ => (),
        }
    }
    Err(NotTaken::Failing(unexpected(status, body)))
}

/// A line with an address or nothing; `None` where it holds anything else.
fn address<T: std::str::FromStr>(line: &[u8]) -> Option<Option<T>> {
    match std::str::from_utf8(line).ok()? {
        "" => Some(None),
        text => text.parse().ok().map(Some),
    }
}

fn updated(line: &[u8]) -> Option<bool> {
    match line {
        b"UPDATED" => Some(true),
        b"NOCHANGE" => Some(false),
        _ => None,
    }
}

fn unexpected(status: u16, body: &[u8]) -> String {
    let what = match body.trim_ascii_start() {
        [] => "nothing",
        [b'<', ..] => "an HTML page",
        _ if body.len() >= MAX_BYTES => "a text without end",
        _ => "neither OK nor KO",
    };
    match status {
        200 => format!("it answered with {what}"),
        _ => format!("it answered with {what} (status {status})"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::corpus, *};

    fn verbose(ipv4: &str, ipv6: &str, updated: bool) -> Verbose {
        Verbose { ipv4: ipv4.parse().ok(), ipv6: ipv6.parse().ok(), updated }
    }

    #[test]
    fn plain_and_verbose_answers_are_read_with_any_blanks_at_the_ends_of_lines() {
        for (body, expected) in [
            ("OK", None),
            ("OK\n", None),
            ("OK \r\n", None),
            ("OK\n81.2.69.142\n\nUPDATED", Some(verbose("81.2.69.142", "", true))),
            ("OK\n81.2.69.142\n2a02:8109::1\nNOCHANGE", Some(verbose("81.2.69.142", "2a02:8109::1", false))),
            ("OK\n\n2a02:8109::1\nUPDATED\n", Some(verbose("", "2a02:8109::1", true))),
            ("OK\r\n81.2.69.142 \r\n\r\nNOCHANGE\r\n\r\n", Some(verbose("81.2.69.142", "", false))),
            ("OK\n\n\nNOCHANGE", Some(verbose("", "", false))),
        ] {
            assert_eq!(read(200, body.as_bytes()), Ok(expected), "{body:?}");
        }
    }

    #[test]
    fn ko_is_a_refusal() {
        for body in ["KO", "KO\n", "KO\r\n "] {
            assert_eq!(read(200, body.as_bytes()), Err(NotTaken::Refused), "{body:?}");
        }
    }

    #[test]
    fn anything_else_is_a_failure_described_by_what_came() {
        for (status, body, said) in [
            (200, "", "it answered with nothing"),
            (200, "<html>OK</html>", "it answered with an HTML page"),
            (502, "<html>502 Bad Gateway</html>", "it answered with an HTML page (status 502)"),
            (404, "<h2>HTTP ERROR 404 Not Found</h2>", "it answered with an HTML page (status 404)"),
            (404, "KO", "it answered with neither OK nor KO (status 404)"),
            (502, "OK", "it answered with neither OK nor KO (status 502)"),
            (302, "", "it answered with nothing (status 302)"),
            (200, "ok", "it answered with neither OK nor KO"),
            (200, " OK", "it answered with neither OK nor KO"),
            (200, "OKAY", "it answered with neither OK nor KO"),
            (200, "KO\nKO", "it answered with neither OK nor KO"),
            (200, "OK\n81.2.69.142", "it answered with neither OK nor KO"),
            (200, "OK\n81.2.69.142\n\n", "it answered with neither OK nor KO"),
            (200, "OK\n81.2.69.142\n\nCHANGED", "it answered with neither OK nor KO"),
            (200, "OK\n81.2.69.1422\n\nUPDATED", "it answered with neither OK nor KO"),
            (200, "OK\n2a02:8109::1\n\nUPDATED", "it answered with neither OK nor KO"),
            (200, "OK\n81.2.69.142\n\nUPDATED\nUPDATED", "it answered with neither OK nor KO"),
        ] {
            assert_eq!(read(status, body.as_bytes()), Err(NotTaken::Failing(said.into())), "{status} {body:?}");
        }
        assert_eq!(read(200, &[b'x'; MAX_BYTES]), Err(NotTaken::Failing("it answered with a text without end".into())));
        assert!(read(200, b"O\xffK").is_err());
    }

    #[test]
    fn the_corpus_is_read_as_its_names_say() {
        for (name, body) in corpus::read("duckdns-answer") {
            let mut words = name.split('-');
            let status = words.next().unwrap().parse().unwrap();
            let read = read(status, &body);
            match words.next().unwrap() {
                "ok" => assert_eq!(read, Ok(None), "{name}"),
                "verbose" => assert!(matches!(read, Ok(Some(_))), "{name}: {read:?}"),
                "ko" => assert_eq!(read, Err(NotTaken::Refused), "{name}"),
                "trouble" => assert!(matches!(read, Err(NotTaken::Failing(_))), "{name}: {read:?}"),
                other => panic!("{other} is no kind of answer"),
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic_and_only_ko_is_a_refusal(status in 100_u16..600, body: Vec<u8>) {
            match read(status, &body) {
                Ok(_) => prop_assert!(status == 200 && body.starts_with(b"OK")),
                Err(NotTaken::Refused) => prop_assert_eq!((status, body.trim_ascii_end()), (200, &b"KO"[..])),
                Err(error) => prop_assert!(error.to_string().starts_with("DuckDNS fails: it answered with ")),
            }
        }

        #[test]
        fn a_verbose_answer_is_read_as_it_was_written(four: Option<u32>, six: Option<u128>, updated: bool, end in "(\n|\r\n)") {
            let written = Verbose { ipv4: four.map(Ipv4Addr::from), ipv6: six.map(Ipv6Addr::from), updated };
            let four = written.ipv4.map(|address| address.to_string()).unwrap_or_default();
            let six = written.ipv6.map(|address| address.to_string()).unwrap_or_default();
            let change = if updated { "UPDATED" } else { "NOCHANGE" };
            let body = ["OK", &four, &six, change].join(&end);
            prop_assert_eq!(read(200, body.as_bytes()), Ok(Some(written)));
        }
    }
}

//! Until when a certificate is valid. The TLS library reads that of other people's certificates only.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The tags of DER that lead there.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The `notAfter` of a certificate (RFC 5280, section 4.1); `None` where it is none.
pub(super) fn valid_until(certificate: &[u8]) -> Option<Timestamp> {
    let whole = Part::first(certificate)?;
    let mut rest = Part::first(whole.content)?.content;
    let mut next = || {
        let part = Part::first(rest)?;
        rest = part.rest;
        Some(part)
    };
    // The version may be left out; serial number, algorithm and issuer come before the validity.
    if next()?.tag == VERSION {
        next()?;
    }
    next()?;
    next()?;
    let before = Part::first(next()?.content)?;
    let after = Part::first(before.rest)?;
    time(after.tag, after.content)
}

/// A part of DER: its tag, what is in it, and what follows.
struct Part<'a> {
    tag: u8,
    content: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Part<'a> {
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let [tag, length, rest @ ..] = bytes else { return None };
        let (length, rest) = match length {
            0..=0x7f => (usize::from(*length), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        Some(Self { tag: *tag, content, rest })
    }
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let year: i16 = text.get(..2)?.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(2 * at..2 * at + 2)?.parse::<i8>().ok();
    let time = DateTime::new(year, part(0)?, part(1)?, part(2)?, part(3)?, part(4)?, 0).ok()?;
    // The last day of the year 9999 stands for no end.
    Some(time.to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |time| time.timestamp()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let key = KeyPair::generate().unwrap();
        for (year, end) in
            [(2031, "2031-05-01T00:00:00Z"), (2049, "2049-05-01T00:00:00Z"), (2050, "2050-05-01T00:00:00Z")]
        {
            let mut params = CertificateParams::new(["home.example".to_owned()]).unwrap();
            params.not_after = date_time_ymd(year, 5, 1);
            let made = params.self_signed(&key).unwrap();
            assert_eq!(valid_until(made.der()), end.parse().ok());
        }
        assert_eq!(time(GENERALIZED_TIME, b"99991231235959Z"), Some(Timestamp::MAX));
        assert_eq!(time(UTC_TIME, b"991231235959Z"), "1999-12-31T23:59:59Z".parse().ok());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            valid_until(&bytes);
        }
    }
}

//! The header with which a prober signs its request: `v1;at=…;loc=…;last=…;since=…;mac=…`.

use std::{fmt, str::FromStr};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{LastVerdict, Location};
use crate::{
    proof::{BYTES, Challenge, Key, decoded},
    verdict::{NO_CAUSE, Verdict},
};

/// The request's header, in the lower case that both HTTP libraries want.
pub const PROBER_HEADER: &str = "porchlight-prober";

/// The longest header that is read, in bytes: the longest one that can be written is shorter.
const MAX_LENGTH: usize = 192;

/// What is written for [`SignedLook::last`] where no run came before.
const NO_VERDICT: &str = "none";

/// A prober's signature under its request. Well-formed, which does not make it true: see [`SignedLook::is_made_with`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLook {
    /// Unix time of the run by the prober's clock, in seconds.
    pub at: i64,
    /// Where the prober is.
    pub location: Location,
    /// What the run before concluded; `None` where the prober knows of none, or is of a later version and names a cause that
    /// this one does not know.
    pub last: Option<LastVerdict>,
    /// The same as it is written, which is what is signed: labels, and since when.
    written: (String, i64),
    mac: [u8; BYTES],
}

/// A text that is no signed look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signed look is written v1;at=…;loc=…;last=…;since=…;mac=…")]
pub struct WrongLook;

impl SignedLook {
    /// Signs the request that carries the challenge.
    pub fn new(key: &Key, challenge: &Challenge, at: i64, location: Location, last: Option<LastVerdict>) -> Self {
        let mut look = Self { at, location, last, written: written(last), mac: [0; BYTES] };
        let tag = hmac::sign(&key.hmac(), &look.signed(challenge));
        look.mac.copy_from_slice(tag.as_ref());
        look
    }

    /// Whether it was made for `challenge` under `key`; compared in constant time.
    pub fn is_made_with(&self, key: &Key, challenge: &Challenge) -> bool {
        hmac::verify(&key.hmac(), &self.signed(challenge), &self.mac).is_ok()
    }

    fn signed(&self, challenge: &Challenge) -> Vec<u8> {
        let Self { at, location, written: (last, since), .. } = self;
        format!("porchlight-prober-v1\n{}\n{at}\n{location}\n{last}\n{since}", challenge.as_str()).into_bytes()
    }
}

fn written(last: Option<LastVerdict>) -> (String, i64) {
    last.map_or((NO_VERDICT.into(), 0), |LastVerdict { verdict, since }| {
        (format!("{}/{}", verdict.label(), verdict.cause().unwrap_or(NO_CAUSE)), since)
    })
}

impl fmt::Display for SignedLook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, location, written: (last, since), mac, .. } = self;
        let mac = BASE64_URL_SAFE_NO_PAD.encode(mac);
        write!(f, "v1;at={at};loc={location};last={last};since={since};mac={mac}")
    }
}

impl FromStr for SignedLook {
    type Err = WrongLook;

    /// Strict: one order, one way to write each value, nothing more.
    fn from_str(text: &str) -> Result<Self, WrongLook> {
        let parse = || {
            let (at, rest) = text.strip_prefix("v1;at=")?.split_once(";loc=")?;
            let (location, rest) = rest.split_once(";last=")?;
            let (last, rest) = rest.split_once(";since=")?;
            let (since, mac) = rest.split_once(";mac=")?;
            let since = seconds(since)?;
            let written = (last.to_owned(), since);
            let last = if last == NO_VERDICT {
                (since == 0).then_some(None)?
            } else {
                let (verdict, cause) = last.split_once('/')?;
                match Verdict::from_labels(verdict, Some(cause)) {
                    Some(verdict) => Some(LastVerdict { verdict, since }),
                    None => Verdict::may_be_later(verdict, cause).then_some(None)?,
                }
            };
            Some(Self { at: seconds(at)?, location: location.parse().ok()?, last, written, mac: decoded(mac)? })
        };
        if text.len() > MAX_LENGTH { Err(WrongLook) } else { parse().ok_or(WrongLook) }
    }
}

/// Seconds since 1970 as `Display` writes them: no sign, no leading zero, and of a year that a clock can show.
fn seconds(text: &str) -> Option<i64> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::verdict::DownCause;

    fn key() -> Key {
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8".parse().unwrap()
    }

    fn challenge() -> Challenge {
        "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8".parse().unwrap()
    }

    fn down() -> LastVerdict {
        LastVerdict { verdict: Verdict::Down(DownCause::Unreachable), since: 1_764_331_000 }
    }

    fn look(last: Option<LastVerdict>) -> SignedLook {
        SignedLook::new(&key(), &challenge(), 1_764_331_200, "eu-central-1".parse().unwrap(), last)
    }

    /// Made with Python's `hmac` and `base64` modules.
    #[test]
    fn known_answers_are_given_and_taken() {
        let up = Some(LastVerdict { verdict: Verdict::Up, since: 1_764_331_140 });
        for (last, written) in [
            (
                None,
                "v1;at=1764331200;loc=eu-central-1;last=none;since=0;mac=ss4VxnBAZV_KypTbGarc31-XrZ31eG9tk0JF9qxLULM",
            ),
            (
                up,
                "v1;at=1764331200;loc=eu-central-1;last=up/none;since=1764331140;mac=WgTBg78Q1Nte0b-0rKvuY2Q88FsE6TzCF36go7PgkuY",
            ),
            (
                Some(down()),
                "v1;at=1764331200;loc=eu-central-1;last=down/unreachable;since=1764331000;mac=XEZsApl9Rf0ZUpJC715WVgnAAKQJ67CRpC8WvRj1Lw4",
            ),
        ] {
            assert_eq!(look(last).to_string(), written);
            assert!(written.parse::<SignedLook>().unwrap().is_made_with(&key(), &challenge()));
        }
    }

    /// As the first one, with a cause that no version has.
    #[test]
    fn a_cause_of_a_later_version_is_not_known_and_the_look_counts() {
        let later = SignedLook { last: None, written: ("down/haunted".into(), 1_764_331_000), ..look(None) };
        let tag = hmac::sign(&key().hmac(), &later.signed(&challenge()));
        let written = later
            .to_string()
            .replace(&BASE64_URL_SAFE_NO_PAD.encode(later.mac), &BASE64_URL_SAFE_NO_PAD.encode(tag.as_ref()));
        let read: SignedLook = written.parse().unwrap();
        assert!(read.is_made_with(&key(), &challenge()));
        assert_eq!((read.last, read.to_string()), (None, written));
    }

    #[test]
    fn what_was_changed_on_the_way_is_not_made_with_the_key() {
        let written = look(Some(down())).to_string();
        for (real, forged) in [
            ("at=1764331200", "at=1764331260"),
            ("loc=eu-central-1", "loc=eu-central-2"),
            ("last=down/unreachable", "last=down/refused"),
            ("since=1764331000", "since=1764331001"),
        ] {
            let forged: SignedLook = written.replace(real, forged).parse().unwrap();
            assert!(!forged.is_made_with(&key(), &challenge()), "{forged}");
        }
        assert!(!look(None).is_made_with(&Key::new([9; 32]), &challenge()));
        assert!(!look(None).is_made_with(&key(), &Challenge::new([9; 32])));
    }

    #[test]
    fn what_is_not_exactly_a_signed_look_is_refused() {
        let good = look(Some(down())).to_string();
        for (part, instead) in [
            ("v1;", "v2;"),
            ("v1;", ""),
            ("at=1764331200", "at=01764331200"),
            ("at=1764331200", "at=-1"),
            ("at=1764331200", "at=4294967296"),
            ("at=1764331200", "at=1764331200.5"),
            ("loc=eu-central-1", "loc="),
            ("loc=eu-central-1", "loc=EU"),
            ("loc=eu-central-1", "loc=eu-central-1-and-more"),
            ("last=down/unreachable", "last=down"),
            ("last=down/unreachable", "last=down/none"),
            ("last=down/unreachable", "last=none"),
            ("last=down/unreachable", "last=up/none/none"),
            (";mac=", ";more=1;mac="),
            (";mac=", "; mac="),
        ] {
            assert_eq!(good.replace(part, instead).parse::<SignedLook>(), Err(WrongLook), "{part} -> {instead}");
        }
        for wrong in [format!("{good} "), format!("{good}="), good[..good.len() - 1].to_owned(), "v1;".repeat(1 << 20)]
        {
            assert_eq!(wrong.parse::<SignedLook>(), Err(WrongLook), "{wrong:.100}");
        }
    }

    fn any_last() -> impl Strategy<Value = Option<LastVerdict>> {
        let verdicts: Vec<Verdict> = Verdict::all().collect();
        let last = (proptest::sample::select(verdicts), any::<u32>());
        proptest::option::of(last.prop_map(|(verdict, since)| LastVerdict { verdict, since: since.into() }))
    }

    proptest! {
        #[test]
        fn whatever_is_made_is_read_back(
            key: [u8; 32], challenge: [u8; 32], at: u32, location in "[a-z0-9-]{1,16}", last in any_last(),
        ) {
            let (key, challenge) = (Key::new(key), Challenge::new(challenge));
            let look = SignedLook::new(&key, &challenge, at.into(), location.parse().unwrap(), last);
            prop_assert!(look.to_string().len() <= MAX_LENGTH);
            prop_assert_eq!(look.to_string().parse::<SignedLook>(), Ok(look.clone()));
            prop_assert!(look.is_made_with(&key, &challenge));
        }

        /// One way to write each: nothing that differs is taken for the same.
        #[test]
        fn whatever_is_read_is_written_the_same(
            look in "v1;at=[0-9+]{0,11};loc=[a-z0-9-]{0,17};last=(none|up/none|down/[a-z]{3,11});since=[0-9]{0,11};mac=[A-Za-z0-9_=-]{42,44}",
        ) {
            if let Ok(read) = look.parse::<SignedLook>() {
                prop_assert_eq!(read.to_string(), look);
            }
        }

        #[test]
        fn no_text_is_a_panic(text in ".*") {
            let _ = text.parse::<SignedLook>();
            let _ = format!("v1;at=1;loc={text};last={text};since=1;mac={text}").parse::<SignedLook>();
        }
    }
}

//! The proof: how a prober knows that its own beacon answered.
//!
//! The prober sends a [`Challenge`]; the beacon answers with a [`Proof`]: how long its host and itself have been
//! running, signed together with the challenge under a [`Key`] that only the two have. Pure: random bytes and times come
//! from the caller. Hiding a beacon is not a goal, nor is stopping an attacker who passes our challenge on to the real home.

mod key;

use std::{fmt, str::FromStr};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

pub(crate) use self::key::decoded;
pub use self::key::{BYTES, Key, WrongKey};

/// The request's header, in the lower case that both HTTP libraries want.
pub const CHALLENGE_HEADER: &str = "porchlight-challenge";
/// The answer's header.
pub const PROOF_HEADER: &str = "porchlight-proof";

/// What a prober sends: 16 to 64 random bytes, kept as the text that travels, because that text is what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge(String);

/// A text that is no challenge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a challenge is 16 to 64 bytes in base64url without padding")]
pub struct WrongChallenge;

impl Challenge {
    /// A challenge of as many random bytes as a key has.
    pub fn new(bytes: [u8; BYTES]) -> Self {
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The challenge as it travels in the header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Challenge {
    type Err = WrongChallenge;

    fn from_str(text: &str) -> Result<Self, WrongChallenge> {
        // The text's length first, so that a long one is not decoded at all.
        if !(22..=86).contains(&text.len()) {
            return Err(WrongChallenge);
        }
        match BASE64_URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if (16..=64).contains(&bytes.len()) => Ok(Self(text.to_owned())),
            _ => Err(WrongChallenge),
        }
    }
}

/// How long the beacon has been running when it answered, in whole seconds of the boot-time clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// Since its host booted.
    pub up: u64,
    /// Since its process started.
    pub age: u64,
}

/// A beacon's answer to a challenge. Well-formed, which does not make it true: see [`Proof::is_made_with`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// What the beacon says of itself, under the signature.
    pub running: Running,
    mac: [u8; BYTES],
}

/// A text that is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof is written v1;up=…;age=…;mac=…")]
pub struct WrongProof;

impl Proof {
    /// The proof that the key makes.
    pub fn new(key: &Key, challenge: &Challenge, running: Running) -> Self {
        let tag = hmac::sign(&key.hmac(), &signed(challenge, running));
        let mut mac = [0; BYTES];
        mac.copy_from_slice(tag.as_ref());
        Self { running, mac }
    }

    /// Whether this answers `challenge` under `key`; compared in constant time.
    pub fn is_made_with(&self, key: &Key, challenge: &Challenge) -> bool {
        hmac::verify(&key.hmac(), &signed(challenge, self.running), &self.mac).is_ok()
    }
}

fn signed(challenge: &Challenge, Running { up, age }: Running) -> Vec<u8> {
    format!("porchlight-proof-v1\n{}\n{up}\n{age}", challenge.0).into_bytes()
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Running { up, age } = self.running;
        write!(f, "v1;up={up};age={age};mac={}", BASE64_URL_SAFE_NO_PAD.encode(self.mac))
    }
}

impl FromStr for Proof {
    type Err = WrongProof;

    /// Strict: one order, one way to write a number, nothing more.
    fn from_str(text: &str) -> Result<Self, WrongProof> {
        let parse = || {
            let (up, rest) = text.strip_prefix("v1;up=")?.split_once(";age=")?;
            let (age, mac) = rest.split_once(";mac=")?;
            Some(Self { running: Running { up: whole(up)?, age: whole(age)? }, mac: decoded(mac)? })
        };
        parse().ok_or(WrongProof)
    }
}

/// A decimal number as `Display` writes it: no sign, no leading zero.
fn whole(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Made with Python's `hmac` and `base64` modules: key, challenge, up, age, and the header's value.
    const KNOWN: [(&str, &str, u64, u64, &str); 3] = [
        (
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAA",
            0,
            0,
            "v1;up=0;age=0;mac=X5WbnBpSZv0SnAmqsguqc1Prcwuifidaj-74jHaxkqU",
        ),
        (
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
            "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8",
            86400,
            42,
            "v1;up=86400;age=42;mac=D56ymRIVHDoGeKhok5RGdgAAnKwiks3fsDAP60Nl3fA",
        ),
        (
            "__________________________________________8",
            "_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_g",
            u64::MAX,
            u64::MAX,
            "v1;up=18446744073709551615;age=18446744073709551615;mac=voefI0H9VEYprzBskFDn8fEf-fMcadEkIqU2yGgG0HE",
        ),
    ];

    #[test]
    fn known_answers_are_given_and_taken() {
        for (key, challenge, up, age, written) in KNOWN {
            let (key, challenge): (Key, Challenge) = (key.parse().unwrap(), challenge.parse().unwrap());
            assert_eq!(Proof::new(&key, &challenge, Running { up, age }).to_string(), written);
            assert!(written.parse::<Proof>().unwrap().is_made_with(&key, &challenge));
            assert_eq!(key.expose().parse(), Ok(key));
        }
    }

    #[test]
    fn another_key_challenge_or_time_is_not_proven() {
        let (key, challenge) = (Key::new([7; 32]), Challenge::new([8; 32]));
        let proof = Proof::new(&key, &challenge, Running { up: 10, age: 5 });
        assert!(proof.is_made_with(&key, &challenge));
        assert!(!proof.is_made_with(&Key::new([9; 32]), &challenge));
        assert!(!proof.is_made_with(&key, &Challenge::new([9; 32])));
        for (real, forged) in [("up=10", "up=11"), ("age=5", "age=6")] {
            let forged: Proof = proof.to_string().replace(real, forged).parse().unwrap();
            assert!(!forged.is_made_with(&key, &challenge));
        }
    }

    #[test]
    fn a_challenge_has_16_to_64_bytes() {
        let of = |length: usize| BASE64_URL_SAFE_NO_PAD.encode(vec![1; length]);
        for length in [16, 17, 32, 63, 64] {
            assert!(of(length).parse::<Challenge>().is_ok(), "{length}");
        }
        let padded = format!("{}==", of(16));
        for wrong in [of(15), of(65), String::new(), padded, of(16).replace('A', " "), "é".repeat(16), of(1 << 20)] {
            assert_eq!(wrong.parse::<Challenge>(), Err(WrongChallenge), "{wrong:.100}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_proof_is_refused() {
        let good = Proof::new(&Key::new([1; 32]), &Challenge::new([2; 32]), Running { up: 60, age: 9 }).to_string();
        for (part, instead) in [
            ("v1;", "v2;"),
            ("v1;", "V1;"),
            ("v1;", ""),
            ("up=60", "up=060"),
            ("up=60", "up=+60"),
            ("up=60", "up=-1"),
            ("up=60", "up="),
            ("up=60", "up=18446744073709551616"),
            ("up=60;age=9", "age=9;up=60"),
            ("age=9", "age=9.0"),
            (";mac=", "; mac="),
            (";mac=", ";more=1;mac="),
            ("mac=", "mac=AA"),
        ] {
            assert_eq!(good.replace(part, instead).parse::<Proof>(), Err(WrongProof), "{part} -> {instead}");
        }
        for wrong in [format!("{good} "), format!(" {good}"), format!("{good}="), good[..good.len() - 1].to_owned()] {
            assert_eq!(wrong.parse::<Proof>(), Err(WrongProof), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_made_is_read_back(key: [u8; 32], challenge: [u8; 32], up: u64, age: u64) {
            let (key, challenge) = (Key::new(key), Challenge::new(challenge));
            let proof = Proof::new(&key, &challenge, Running { up, age });
            prop_assert_eq!(proof.to_string().parse(), Ok(proof));
            prop_assert!(proof.is_made_with(&key, &challenge));
        }

        /// One way to write each proof, key and challenge: nothing that differs is taken for the same.
        #[test]
        fn whatever_is_read_is_written_the_same(
            proof in "v1;up=[0-9+ ]{0,21};age=[0-9-]{0,21};mac=[A-Za-z0-9_=-]{41,45}",
            key in "[A-Za-z0-9_+/=-]{42,44}",
            challenge in "[A-Za-z0-9_+/=-]{20,90}",
        ) {
            if let Ok(read) = proof.parse::<Proof>() {
                prop_assert_eq!(read.to_string(), proof);
            }
            if let Ok(read) = key.parse::<Key>() {
                prop_assert_eq!(read.expose(), key);
            }
            if let Ok(read) = challenge.parse::<Challenge>() {
                prop_assert_eq!(read.as_str(), challenge);
            }
        }

        #[test]
        fn no_text_is_a_panic(text in ".*", bytes: Vec<u8>) {
            let texts = [text, String::from_utf8_lossy(&bytes).into_owned()];
            for text in &texts {
                let _ = (text.parse::<Proof>(), text.parse::<Key>(), text.parse::<Challenge>());
                let _ = format!("v1;up={text};age=1;mac={text}").parse::<Proof>();
            }
        }

        /// One changed bit anywhere in the signature is noticed.
        #[test]
        fn a_changed_signature_is_not_proven(byte in 0..32_usize, bit in 0..8_u8) {
            let (key, challenge) = (Key::new([3; 32]), Challenge::new([4; 32]));
            let mut proof = Proof::new(&key, &challenge, Running { up: 1, age: 1 });
            proof.mac[byte] ^= 1 << bit;
            prop_assert!(!proof.is_made_with(&key, &challenge));
        }
    }
}

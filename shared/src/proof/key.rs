//! Keys: what a home and its prober share.

use std::{fmt, str::FromStr};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

/// The length of a key and of a signature, in bytes.
pub const BYTES: usize = 32;

/// What a home and its prober share. `Debug` hides it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; BYTES]);

/// A text that is no key. It never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 43 letters, digits, - and _, as `porchlight keygen` writes it")]
pub struct WrongKey;

impl Key {
    /// A key of random bytes; whose randomness is the caller's business.
    pub const fn new(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// The key as people keep it. Every caller deserves a review.
    pub fn expose(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

impl FromStr for Key {
    type Err = WrongKey;

    fn from_str(text: &str) -> Result<Self, WrongKey> {
        decoded(text).map(Self).ok_or(WrongKey)
    }
}

/// The 32 bytes of 43 characters.
pub(crate) fn decoded(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != 43 {
        return None;
    }
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_or_alphabet_is_refused_and_never_shown() {
        let good = Key::new([250; 32]).expose();
        let loose_bits = format!("{}_", &good[..42]);
        for wrong in
            ["", "short", &good[1..], &format!("{good}A"), &format!("{good}="), &good.replace('-', "+"), &loose_bits]
        {
            assert_eq!(wrong.parse::<Key>(), Err(WrongKey), "{wrong}");
        }
        assert_eq!(format!("{:?}", Key::new([250; 32])), "Key(hidden)");
    }
}

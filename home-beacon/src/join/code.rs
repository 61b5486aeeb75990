//! The join code: one line that is copied from one terminal to another.
//!
//! After a prefix that says what it is stand, in base64url without padding: a version, the fingerprint, the secret, the address,
//! and the first bytes of a SHA-256 of all these, so that a slip is known before anybody is asked.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use shared::{
    fingerprint::Fingerprint,
    random::{self, NoRandomness},
    secret::Secret,
};
use url::Url;

/// How a code begins.
const PREFIX: &str = "porchlight-join-";

/// The version of what this reads and writes.
const VERSION: u8 = 1;

/// How many bytes the parts of a code have.
const PRINT: usize = 32;
const SECRET: usize = 16;
const CHECKSUM: usize = 4;

/// The longest text that is read as a code: a name may have 253 characters.
pub const MAX_CODE: usize = 2048;

/// Where an outside machine is, by which certificate it is known, and a secret for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinCode {
    /// Host and port, like `vps.example.com:8443` or `[2001:db8::1]:8443`.
    pub address: String,
    /// Of its certificate.
    pub fingerprint: Fingerprint,
    /// What the outside machine takes once.
    pub secret: Secret,
}

/// Why a text is no code that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCode {
    /// There is nothing in it.
    #[error("there is no code: paste the line that the outside machine printed, which begins with {PREFIX}")]
    Empty,
    /// It does not come out as it was made.
    #[error("the code has a typo or is cut off: paste it again")]
    Typo,
    /// It is of a later version.
    #[error("the code is of a newer version of Porchlight than this one: update Porchlight here")]
    Newer,
}

impl JoinCode {
    /// A code with a new secret. The address is as people write it, with a port.
    ///
    /// # Errors
    /// When this machine has no random bytes to give.
    pub fn new(address: impl Into<String>, fingerprint: Fingerprint) -> Result<Self, NoRandomness> {
        let secret: [u8; SECRET] = random::bytes()?;
        Ok(Self { address: address.into(), fingerprint, secret: Secret::new(BASE64_URL_SAFE_NO_PAD.encode(secret)) })
    }

    /// The line to be pasted. It holds the secret: whoever reads it first can join.
    pub fn to_text(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.fingerprint.as_bytes());
        bytes.extend(BASE64_URL_SAFE_NO_PAD.decode(self.secret.expose()).unwrap_or_default());
        bytes.extend(self.address.as_bytes());
        bytes.extend(checksum(&bytes));
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Reads a line that was pasted; blanks and line breaks in it are a terminal's.
    ///
    /// # Errors
    /// When it is not what was printed.
    pub fn read(text: &str) -> Result<Self, NoCode> {
        if text.len() > MAX_CODE {
            return Err(NoCode::Typo);
        }
        let text: String = text.split_whitespace().collect();
        if text.is_empty() {
            return Err(NoCode::Empty);
        }
        let bytes = text.strip_prefix(PREFIX).and_then(|text| BASE64_URL_SAFE_NO_PAD.decode(text).ok());
        let bytes = bytes.ok_or(NoCode::Typo)?;
        let (content, sum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(NoCode::Typo)?;
        if checksum(content) != *sum {
            return Err(NoCode::Typo);
        }
        let (version, content) = content.split_first().ok_or(NoCode::Typo)?;
        if *version != VERSION {
            return Err(NoCode::Newer);
        }
        let (print, content) = content.split_first_chunk::<PRINT>().ok_or(NoCode::Typo)?;
        let (secret, address) = content.split_first_chunk::<SECRET>().ok_or(NoCode::Typo)?;
        let address = std::str::from_utf8(address).map_err(|_| NoCode::Typo)?;
        let code = Self {
            address: address.to_owned(),
            fingerprint: Fingerprint::from_bytes(*print),
            secret: Secret::new(BASE64_URL_SAFE_NO_PAD.encode(secret)),
        };
        code.base().map(|_| code).ok_or(NoCode::Typo)
    }

    /// The address of the outside machine's keeper; `None` where it is none.
    pub fn base(&self) -> Option<Url> {
        let url = Url::parse(&format!("https://{}", self.address)).ok()?;
        let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        (is_plain && is_anonymous && url.host().is_some() && !self.address.contains('/')).then_some(url)
    }

    /// The port that must be open at the outside machine.
    pub fn port(&self) -> u16 {
        self.base().and_then(|url| url.port_or_known_default()).unwrap_or(443)
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    sum.copy_from_slice(&Fingerprint::of(bytes).as_bytes()[..CHECKSUM]);
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn code(address: &str) -> JoinCode {
        JoinCode::new(address, Fingerprint::of(b"certificate")).unwrap()
    }

    #[test]
    fn a_code_is_read_as_it_was_printed_whatever_a_terminal_did_to_its_line() {
        for address in ["vps.example.com:8443", "192.0.2.7:8443", "[2001:db8::7]:443"] {
            let code = code(address);
            let text = code.to_text();
            assert!(text.starts_with(PREFIX) && !text.contains(char::is_whitespace), "{text}");
            assert_eq!(JoinCode::read(&text), Ok(code.clone()), "{address}");
            let broken = format!("  {}\r\n   {} \n", &text[..40], &text[40..]);
            assert_eq!(JoinCode::read(&broken), Ok(code), "{address}");
        }
        assert_eq!(code("vps.example.com:8443").port(), 8443);
        assert_eq!(code("vps.example.com:443").port(), 443);
    }

    #[test]
    fn a_text_that_is_no_code_is_one_sentence() {
        let text = code("vps.example.com:8443").to_text();
        assert_eq!(JoinCode::read(" \n"), Err(NoCode::Empty));
        for wrong in [&text[1..], &text[..text.len() - 1], &text.to_uppercase(), "hunter2", &"x".repeat(MAX_CODE + 1)] {
            assert_eq!(JoinCode::read(wrong), Err(NoCode::Typo), "{wrong}");
        }
        for address in ["", "vps.example.com:8443/path", "user@vps:8443", "vps:99999", "a b:1", "vps:1?x", "vps:1#x"] {
            assert_eq!(JoinCode::read(&code(address).to_text()), Err(NoCode::Typo), "{address}");
        }
    }

    #[test]
    fn a_code_of_a_later_version_asks_for_an_update() {
        let mut bytes = vec![VERSION + 1, 2, 3];
        bytes.extend(checksum(&bytes));
        let text = format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(JoinCode::read(&text), Err(NoCode::Newer));
    }

    #[test]
    fn its_secret_is_not_shown() {
        let code = code("vps.example.com:8443");
        assert!(!format!("{code:?}").contains(code.secret.expose()), "{code:?}");
    }

    proptest! {
        #[test]
        fn every_substitution_of_one_character_is_found(at in 0_usize..150, other in "[ -~]") {
            let text = code("vps.example.com:8443").to_text();
            let at = at % text.len();
            prop_assume!(text[at..=at] != other);
            let slip = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            prop_assert_eq!(JoinCode::read(&slip), Err(NoCode::Typo));
        }

        #[test]
        fn no_text_makes_it_panic(text in "(porchlight-join-)?[A-Za-z0-9_-]{0,120}") {
            let _ = JoinCode::read(&text);
        }
    }
}

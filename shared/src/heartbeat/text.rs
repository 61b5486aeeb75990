//! The line that a home sends: written and signed, verified and read.

use std::{fmt, str::FromStr};

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    Answer, MAX_LENGTH, MAX_SEQUENCE, WrongAnswer, answer,
    view::{Outage, View},
    whole,
};
use crate::{
    id::ComponentId,
    proof::{BYTES, Key, Running, decoded},
};

/// What keeps this signature from being taken for any other under the same key.
const DOMAIN: &[u8] = b"porchlight-heartbeat-v1\n";

/// Between what is signed and the signature.
const MAC: &str = ";mac=";

/// A boot of a host: Linux's `/proc/sys/kernel/random/boot_id`, or any other name of up to 36 of its characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Boot(String);

/// A text that is no boot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a boot is named by up to 36 of the characters 0 to 9, a to f and -")]
pub struct WrongBoot;

/// What a home says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The component of the status page that it is about.
    pub home: ComponentId,
    /// Unix time in seconds, by the home's clock or by [`Answer::at`].
    pub at: u64,
    /// Higher than that of every heartbeat before: 1 to [`MAX_SEQUENCE`].
    pub sequence: u64,
    /// The boot of its host.
    pub boot: Boot,
    /// How long host and sender have been running.
    pub running: Running,
    /// What it saw.
    pub view: View,
    /// The last outage that it knows to be over.
    pub last: Option<Outage>,
}

/// A heartbeat as it travels. `Debug` shows the text: nothing in it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    text: String,
    mac: [u8; BYTES],
}

/// A heartbeat whose signature is right.
#[derive(Clone, Debug)]
pub struct Received<'k> {
    /// What it says.
    pub heartbeat: Heartbeat,
    mac: [u8; BYTES],
    key: &'k Key,
}

/// Why a text is not taken for a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Longer than [`MAX_LENGTH`]; nothing of it was read.
    #[error("a heartbeat is at most {MAX_LENGTH} bytes")]
    TooLong,
    /// Not of this shape.
    #[error("a heartbeat is written v1;home=…;at=…;seq=…;boot=…;up=…;age=…;router=…;…;mac=…")]
    Malformed,
    /// Of a home that has no key here, or signed with another key.
    #[error("the signature is none of this home's")]
    Unsigned,
}

impl Heartbeat {
    /// Signs it.
    pub fn sign(&self, key: &Key) -> Signed {
        let signed = self.to_string();
        let mac = tag(key, &signed);
        Signed { text: format!("{signed}{MAC}{}", BASE64_URL_SAFE_NO_PAD.encode(mac)), mac }
    }

    /// Reads what came. `keys` are those of a home, the present one and one that is going out of use; of a home that is not
    /// known there are none. Signatures are compared in constant time, and before anything but the home's id is read.
    ///
    /// # Errors
    /// When it is no heartbeat of a known home.
    pub fn read<'k>(body: &[u8], keys: impl FnOnce(&ComponentId) -> &'k [Key]) -> Result<Received<'k>, Refused> {
        if body.len() > MAX_LENGTH {
            return Err(Refused::TooLong);
        }
        let text = str::from_utf8(body).map_err(|_| Refused::Malformed)?;
        let (signed, mac) = text.rsplit_once(MAC).ok_or(Refused::Malformed)?;
        let mac = decoded(mac).ok_or(Refused::Malformed)?;
        let home = home(signed).ok_or(Refused::Malformed)?;
        let is_its = |key: &&Key| hmac::verify(&key.hmac(), &message(signed), &mac).is_ok();
        let key = keys(&home).iter().find(is_its).ok_or(Refused::Unsigned)?;
        Ok(Received { heartbeat: signed.parse()?, mac, key })
    }
}

impl Signed {
    /// The request's body.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What the other side made of it.
    ///
    /// # Errors
    /// When that is no answer to this heartbeat under this key.
    pub fn answer(&self, key: &Key, body: &[u8]) -> Result<Answer, WrongAnswer> {
        answer::read(key, &self.mac, body)
    }
}

impl Received<'_> {
    /// The answer's body, which only the sender of this heartbeat takes.
    pub fn answer(&self, answer: Answer) -> String {
        answer::written(self.key, &self.mac, answer)
    }
}

fn message(signed: &str) -> Vec<u8> {
    [DOMAIN, signed.as_bytes()].concat()
}

fn tag(key: &Key, signed: &str) -> [u8; BYTES] {
    let tag = hmac::sign(&key.hmac(), &message(signed));
    let mut mac = [0; BYTES];
    mac.copy_from_slice(tag.as_ref());
    mac
}

/// Whose it says to be.
fn home(signed: &str) -> Option<ComponentId> {
    signed.strip_prefix("v1;home=")?.split(';').next()?.parse().ok()
}

impl fmt::Display for Heartbeat {
    /// What is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { home, at, sequence, boot, running: Running { up, age }, view, last } = self;
        let View { router, provider, world, names } = view;
        write!(f, "v1;home={home};at={at};seq={sequence};boot={};up={up};age={age};", boot.0)?;
        write!(f, "router={router};provider={provider};world={world};names={names};")?;
        match last {
            Some(last) => write!(f, "last={last}"),
            None => f.write_str("last=none"),
        }
    }
}

impl FromStr for Heartbeat {
    type Err = Refused;

    /// Strict: one order, one way to write each value, nothing more.
    fn from_str(text: &str) -> Result<Self, Refused> {
        let parse = || {
            let mut parts = text.strip_prefix("v1;")?.split(';');
            let mut next = |name: &str| parts.next()?.strip_prefix(name)?.strip_prefix('=');
            let read = Self {
                home: next("home")?.parse().ok()?,
                at: whole(next("at")?)?,
                sequence: whole(next("seq")?).filter(|sequence| (1..=MAX_SEQUENCE).contains(sequence))?,
                boot: next("boot")?.parse().ok()?,
                running: Running { up: whole(next("up")?)?, age: whole(next("age")?)? },
                view: View {
                    router: next("router")?.parse().ok()?,
                    provider: next("provider")?.parse().ok()?,
                    world: next("world")?.parse().ok()?,
                    names: next("names")?.parse().ok()?,
                },
                last: match next("last")? {
                    "none" => None,
                    last => Some(last.parse().ok()?),
                },
            };
            parts.next().is_none().then_some(read)
        };
        parse().ok_or(Refused::Malformed)
    }
}

impl Boot {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Boot {
    type Err = WrongBoot;

    fn from_str(text: &str) -> Result<Self, WrongBoot> {
        let is_one = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'-');
        let fits = (1..=36).contains(&text.len()) && text.bytes().all(is_one);
        if fits { Ok(Self(text.to_owned())) } else { Err(WrongBoot) }
    }
}

//! The line that a home gets back.

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{MAX_SEQUENCE, whole};
use crate::proof::{BYTES, Key, decoded};

/// As that of heartbeats, and another one.
const DOMAIN: &[u8] = b"porchlight-heartbeat-answer-v1\n";

/// The longest answer that is read, in bytes: the longest that can be written is shorter.
const MAX_LENGTH: usize = 192;

/// What became of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is the newest one.
    Stored,
    /// One with this sequence or a later one was there; nothing was written. Go on above [`Answer::newest`].
    NotLater,
    /// Its time is more than [`MAX_SKEW`](super::MAX_SKEW) off; nothing was written. Send again with [`Answer::at`].
    Stale,
}

/// How many hosts send with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// One, as it should be.
    One,
    /// Two boots took turns lately: two hosts have the key.
    Several,
}

/// What was made of a heartbeat: written `v1;outcome=stored;newest=42;at=1764331201;hosts=one;mac=…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub outcome: Outcome,
    /// The newest sequence that is known, 0 where none is. Signed, and never above [`MAX_SEQUENCE`] − 2³², so that nobody
    /// can be told one after which there is none left.
    pub newest: u64,
    /// Unix time in seconds at which it was taken.
    pub at: u64,
    /// How many hosts send with this key.
    pub hosts: Hosts,
}

/// A text that is no answer to this heartbeat: whatever it says is to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not signed for this heartbeat with this key")]
pub struct WrongAnswer;

/// The highest sequence that an answer tells.
const MAX_ANSWERED: u64 = MAX_SEQUENCE - (1 << 32);

/// The answer's body.
pub(super) fn written(key: &Key, to: &[u8; BYTES], answer: Answer) -> String {
    let Answer { outcome, newest, at, hosts } = answer;
    let outcome = match outcome {
        Outcome::Stored => "stored",
        Outcome::NotLater => "not_later",
        Outcome::Stale => "stale",
    };
    let hosts = match hosts {
        Hosts::One => "one",
        Hosts::Several => "several",
    };
    let signed = format!("v1;outcome={outcome};newest={};at={at};hosts={hosts}", newest.min(MAX_ANSWERED));
    let tag = hmac::sign(&key.hmac(), &message(to, &signed));
    format!("{signed};mac={}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// The answer to the heartbeat with that signature.
pub(super) fn read(key: &Key, to: &[u8; BYTES], body: &[u8]) -> Result<Answer, WrongAnswer> {
    let parse = || {
        let text = str::from_utf8(body).ok()?;
        let (signed, mac) = text.rsplit_once(";mac=")?;
        hmac::verify(&key.hmac(), &message(to, signed), &decoded(mac)?).ok()?;
        let (outcome, rest) = signed.strip_prefix("v1;outcome=")?.split_once(";newest=")?;
        let (newest, rest) = rest.split_once(";at=")?;
        let (at, hosts) = rest.split_once(";hosts=")?;
        let outcome = match outcome {
            "stored" => Outcome::Stored,
            "not_later" => Outcome::NotLater,
            "stale" => Outcome::Stale,
            _ => return None,
        };
        let hosts = match hosts {
            "one" => Hosts::One,
            "several" => Hosts::Several,
            _ => return None,
        };
        Some(Answer { outcome, newest: whole(newest).filter(|newest| *newest <= MAX_ANSWERED)?, at: whole(at)?, hosts })
    };
    if body.len() > MAX_LENGTH { Err(WrongAnswer) } else { parse().ok_or(WrongAnswer) }
}

fn message(to: &[u8; BYTES], signed: &str) -> Vec<u8> {
    [DOMAIN, BASE64_URL_SAFE_NO_PAD.encode(to).as_bytes(), b"\n", signed.as_bytes()].concat()
}

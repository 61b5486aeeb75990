//! The heartbeat: how a home that nobody can reach says that it is there.
//!
//! The home posts one line of text (at most [`MAX_LENGTH`] bytes), signed under the beacon's key:
//!
//! ```text
//! v1;home=gytm4qzbx9t6;at=1764331200;seq=42;boot=0b7e…;up=86400;age=900;
//! router=up/3600;provider=up/3600;world=up/120;names=unknown/0;last=line/3720/120;mac=…
//! ```
//!
//! (broken here, one line on the way). The answer is one line too, signed under the same key and bound to that heartbeat:
//! `v1;outcome=stored;newest=42;at=1764331201;hosts=one;mac=…`. Both signatures are HMAC-SHA256, each over a domain string
//! of its own and every byte before `;mac=`; neither can be taken for a proof or for a signed look.
//!
//! What happened is told as *seconds ago*, so that a clock that is a year off tells it right all the same; `at` only
//! keeps a heartbeat that was held back from being taken later. Nothing in it names the home's network: no address, no name.
//! Pure: keys, times and sequences come from the caller, and who stores or judges what is theirs too.
//!
//! - [`Heartbeat`], [`Received`]: sign, and read
//! - [`View`], [`Outage`]: what the home saw
//! - [`Answer`]: what was made of it

mod answer;
#[cfg(test)]
mod tests;
mod text;
mod view;

pub use self::{
    answer::{Answer, Hosts, Outcome, WrongAnswer},
    text::{Boot, Heartbeat, Received, Refused, Signed, WrongBoot},
    view::{Outage, OutageKind, Reach, Seen, View},
};

/// The longest heartbeat that is read, in bytes; the longest that can be written is a quarter of it.
pub const MAX_LENGTH: usize = 2048;

/// How far a heartbeat's time may be from that of who takes it, in seconds.
///
/// A home whose clock is further off is told the time ([`Outcome::Stale`]) and sends again with that: [`Answer::at`].
pub const MAX_SKEW: u64 = 600;

/// The highest sequence that is sent, taken or told: with a heartbeat a second it is reached in 285 million years.
pub const MAX_SEQUENCE: u64 = 1 << 53;

/// A decimal number as `Display` writes it: no sign, no leading zero.
fn whole(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

//! Homes that nobody can reach: they say themselves that they are there, and a run judges them by how long ago they did.
//!
//! - `table`: the newest heartbeat of each home, in `DynamoDB`
//! - [`judge`]: what their age says, and what it says beside a probe; pure
//! - `watch`: what a run reads of them, and the heartbeat that it sends by the same way
//! - `receive`: the function that takes them: verify, store, answer
//! - `url_event`: the event of a function URL, and its answer

pub mod judge;
#[cfg(feature = "aws")]
pub(crate) mod receive;
mod table;
#[cfg(feature = "aws")]
mod url_event;
mod watch;
#[cfg(test)]
mod year;

use shared::id::{ComponentId, derived};

pub use self::table::{TableName, WrongTable};
pub(crate) use self::{
    table::Item,
    watch::{Hearing, Watch},
};

/// Whose heartbeats those of the prober itself are: by the way of the homes', so that a way that does not work is not taken
/// for the outage of them all.
pub(crate) fn canary() -> Option<ComponentId> {
    derived("porchlight's own heartbeat").parse().ok()
}

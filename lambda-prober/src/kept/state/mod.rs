//! State: one small record for each home, between runs. No run depends on it: a record that is lost, old or unreadable
//! makes a run less informed, and one that cannot be written is written by the next run.
//!
//! - [`record`](StateRecord): what is kept of a home
//! - [`finding`](Finding): what a run found, and how that changes the record
//! - [`store`](State): reading and writing records, cached in the warm instance
//! - `prepared`: the records of a run before they are written
//! - `session`: one home's record while the home is probed
//! - `sighting`: what the prober at another location saw
//! - `file`: the records in one JSON file

mod file;
mod finding;
mod prepared;
mod record;
mod session;
mod sighting;
mod store;

pub use self::{
    finding::Finding,
    record::StateRecord,
    store::{State, StatePlace},
};
pub(crate) use self::{
    prepared::{PreparedRecords, RecordResult},
    session::StateSession,
};

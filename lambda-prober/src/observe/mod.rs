//! Observing: sockets and name queries that show what a home answers, and whether witnesses can be reached.
//!
//! - `observer`: the spaced attempts of a run on one home
//! - `attempt`: one attempt: resolve the name, and try all addresses at once
//! - `names`: a name that does not exist, apart from a name service that fails
//! - `exchange`: one connection to one address, phase by phase
//! - [`head`]: lenient reading of the answer's head
//! - `body`: the body of an answer, however it is framed
//! - `expectation`: whether an answer is what is expected of the target
//! - `checker`: the challenge, who answered it, and the run's signature
//! - [`witness`]: the witnesses of the settings
//! - `witness_check`: which of them can be reached now
//! - `config`: witnesses and limits, as the settings have them

mod attempt;
mod body;
mod checker;
mod config;
mod exchange;
mod expectation;
pub mod head;
mod names;
mod observer;
pub mod witness;
mod witness_check;

pub(crate) use self::{
    checker::{Checker, Signer},
    observer::Observer,
    witness_check::WitnessCheck,
};
pub use self::{config::ProbeConfig, observer::Progress};

//! Checks as Kubernetes objects.
//!
//! - [`objects`]: what people apply: `Check`, and Pinglow's `Check`, `Script` and `TelegramChannel`; their definitions (CRDs)
//! - [`resolve`]: from objects to checks, or to what is wrong with each; pure
//! - [`job`]: the Job of one run of a script; pure
//! - [`pods`]: what has become of a run, by its Job and its pod; pure
//! - [`channels`]: Telegram channels as channels of the keeper
//! - `watching`: all objects as they are now; `runs`: runs as Jobs; `statuses`: what objects are told of themselves
//! - `leader`: which of several operators runs the checks
//! - `health`: what it says of itself
//! - `defining`: what follows from all objects; `due`: when each check ran last; `mutes`: of which nobody is written to
//! - [`program`]: what wires these to what runs checks and hands over results (`home_beacon::checks`)
//!
//! What runs in the pods is another crate, [`check_runner`].

#![warn(missing_docs)]

pub mod channels;
#[cfg(test)]
mod chaos;
mod defining;
mod due;
mod health;
pub mod job;
mod leader;
mod mutes;
pub mod objects;
pub mod pods;
pub mod program;
pub mod resolve;
mod runs;
mod settings;
mod statuses;
mod watching;

pub use self::settings::OperatorSettings;

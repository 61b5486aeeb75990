//! What runs in a check's pod. A crate of its own, because it is copied into every pod: nothing of Kubernetes' client is in it.
//!
//! - [`message`]: how a run tells what came of it
//! - [`packages`]: what scripts in Python need
//! - [`run`](mod@run): the program

#![warn(missing_docs)]

pub mod message;
pub mod packages;
pub mod run;

//! What is kept between runs and read from outside: secrets, parameters, and the state of each home.
//!
//! - `parameters`: calls of Parameter Store
//! - [`secrets`]: token, keys and the list of targets, from variables, files or parameters
//! - [`state`]: one small record for each home

pub(crate) mod parameters;
pub mod secrets;
pub mod state;

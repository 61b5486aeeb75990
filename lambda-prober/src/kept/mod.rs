//! What is kept between runs and read from outside: secrets, parameters, and the state of each home.
//!
//! - `aws`: region, credentials and endpoint of what is called of AWS
//! - `parameters`: calls of Parameter Store
//! - [`secrets`]: token, keys and the list of targets, from variables, files or parameters
//! - [`state`]: one small record for each home

#[cfg(feature = "aws")]
pub(crate) mod aws;
pub(crate) mod parameters;
pub mod secrets;
pub mod state;

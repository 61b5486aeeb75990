//! Calls of JSON services that take `Authorization: OAuth …`: statuspage.io, and a keeper.

mod client;
mod error;
mod version;

pub use client::Api;
pub use error::{ApiError, Passing, Pausing, Permanent};
pub use version::Version;

//! Calls of JSON services that take `Authorization: OAuth …`: statuspage.io, and a keeper.

mod client;
mod error;
mod hint;
mod stranger;
mod version;

pub use client::Api;
pub use error::{ApiError, Passing, Pausing, Permanent, Stranger};
pub use hint::ApiSettings;
pub use version::Version;

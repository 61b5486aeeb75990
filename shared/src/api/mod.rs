//! Calls of JSON services that take `Authorization: OAuth …`: statuspage.io, and a keeper.

mod client;
mod error;
mod hint;
mod not_the_api;
mod version;

pub use client::Api;
pub use error::{ApiError, NotTheApi, Passing, Pausing, Permanent};
pub use hint::ApiSettings;
pub use version::Version;

//! The secrets: the statuspage token and the homes' keys, from variables, files or Parameter Store.
//!
//! What Parameter Store returned is cached in the warm instance; when it cannot be read again, the last value is used.
//! Within a run everything may be read once more: a token that is refused, or a proof that does not fit, may only mean
//! that the secret has just been replaced.
//!
//! - [`places`](Places): where each secret is
//! - [`cache`](Secrets): what was last read from there
//! - `run`: the secrets as one run has them

mod cache;
mod places;
mod run;

pub(crate) use self::run::RunSecrets;
pub use self::{
    cache::Secrets,
    places::{Place, Places},
};

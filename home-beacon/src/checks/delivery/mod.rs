//! Where results go: to a keeper, which takes every one; or without one to a status page, which takes the statuses of components.

mod keeper;
mod registration;
mod statuspage;

pub use self::keeper::{Refused, ToKeeper};
pub(super) use self::{registration::fingerprint, statuspage::ToStatuspage};

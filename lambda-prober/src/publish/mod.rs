//! Publishing: the pages as read, and the calls that change them.
//!
//! - `access`: calls of the page's API, with the token, retries and a budget
//! - `page`: reading the pages of all targets
//! - `apply`: applying a plan, after reading again what it is about

pub(crate) mod access;
pub(crate) mod apply;
pub(crate) mod page;

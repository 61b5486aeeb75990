//! How old what was measured may be, by how finely it is kept.

use jiff::SignedDuration;

/// How long single readings are kept, and how long what an hour came to.
pub(in crate::keeper) const RAW: SignedDuration = SignedDuration::from_hours(30 * 24);
pub(in crate::keeper) const HOURS: SignedDuration = SignedDuration::from_hours(2 * 365 * 24);

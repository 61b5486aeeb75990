//! A component's past, for its bars.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    super::{AppState, component_past::ComponentPast},
    bars::{DAYS, HistoryView, history},
};
use crate::keeper::{KeeperError, history::start, status::Component};

/// For how many seconds a component's past is kept.
pub(super) const LIFETIME: i64 = 15;

/// Reads what the page shows of a component's past.
///
/// # Errors
/// When the storage fails.
pub(super) async fn read(
    state: &AppState,
    component: &Component,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<HistoryView, KeeperError> {
    let past = ComponentPast::read(state, component, start(now, zone, DAYS + 1)..i64::MAX).await?;
    Ok(history(&past.record(), now, zone))
}

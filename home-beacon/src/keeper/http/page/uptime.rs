//! A component's uptime over one of the stretches that the page gives, with what nobody looked at, for those who show it
//! elsewhere.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    super::AppState,
    bars::{STRETCHES, UNSEEN_DAY},
    past,
};
use crate::keeper::{KeeperError, status::Component};

/// An uptime in words and as a number.
pub(in crate::keeper::http) struct Uptime {
    /// As the page has it; `None` where no time counts.
    pub(in crate::keeper::http) words: Option<String>,
    /// The share that nobody looked at, as the page has it.
    pub(in crate::keeper::http) unseen: Option<String>,
    /// From 0 to 1, where enough was looked at for it to say something.
    pub(in crate::keeper::http) share: Option<f64>,
}

/// Of the last so many days; `None` where the page has no such stretch.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper::http) async fn uptime(
    state: &AppState,
    component: &Component,
    now: Timestamp,
    zone: &TimeZone,
    days: i64,
) -> Result<Option<Uptime>, KeeperError> {
    let Some(place) = STRETCHES.iter().position(|(_, hours)| *hours == days.saturating_mul(24)) else {
        return Ok(None);
    };
    let read = past::read(state, component, now, zone);
    let slot = now.as_second() / past::LIFETIME;
    let history = state.past.histories.get(component.id.clone(), slot, read).await?;
    Ok(history.uptimes.get(place).map(|view| Uptime {
        words: view.uptime.clone(),
        unseen: view.unseen.clone(),
        share: view.tally.uptime().filter(|_| view.tally.unseen().is_some_and(|unseen| unseen <= UNSEEN_DAY)),
    }))
}

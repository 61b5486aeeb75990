//! Reads what this home's own records say of outages.

use shared::id::ComponentId;

use super::AppState;
use crate::keeper::{
    KeeperError,
    db::Moment,
    history::kinds::{HomeRecords, Silence},
    measured::heartbeats::{self, Gap, MAX_GAPS},
    status::pages,
};

/// The component of the page that is this home, and what was recorded here since then; `None` where the keeper is not known to
/// be at a home, or has recorded nothing.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn of_home(
    state: &AppState,
    since: Option<Moment>,
) -> Result<Option<(ComponentId, HomeRecords)>, KeeperError> {
    let Some(at_home) = &state.at_home else { return Ok(None) };
    let Some(component) = at_home.component(&state.db, &state.page).await? else { return Ok(None) };
    let Some(until) = heartbeats::last_at(&state.db).await? else { return Ok(None) };
    let gaps = heartbeats::gaps(&state.db, since, MAX_GAPS).await?;
    let began = pages::get(&state.db, &state.page).await?.created_at;
    // Earlier gaps are kept no more, or were not asked for.
    let is_full = u32::try_from(gaps.len()).is_ok_and(|count| count >= MAX_GAPS);
    let oldest = gaps.last().filter(|_| is_full).map(|gap| gap.began);
    let known = [Some(began), since, oldest].into_iter().flatten().max().unwrap_or(began);
    let silence =
        |gap: &Gap| Silence { began: gap.began.millis(), ended: gap.ended.millis(), host_started: gap.host_booted };
    let silences = gaps.iter().map(silence).collect();
    Ok(Some((component, HomeRecords { since: known.millis(), until: until.millis(), silences })))
}

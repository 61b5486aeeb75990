//! What the page says of the relay: how old the outside view is, what waits, and when nothing could be recorded.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{super::AppState, Audience, Time};
use crate::keeper::{
    KeeperError,
    db::Moment,
    measured::heartbeats::{self, Gap},
    outbox::Backlog,
    relay::{Condition, Report, Skipped},
};

/// After so long without a copy the outside view is old.
const OLD: Duration = Duration::from_mins(3);

/// How many gaps are listed, and how far back.
const MAX_GAPS: u32 = 5;
const PAST: Duration = Duration::from_hours(14 * 24);

#[expect(clippy::struct_excessive_bools, reason = "each is a sentence of the template, there or not")]
pub(super) struct RelayView {
    /// When upstream's page was copied last.
    pub(super) mirrored_at: Option<Time>,
    /// Whether that is long ago, or never was.
    pub(super) is_old: bool,
    /// Whether nothing is sent until the operator has mended it, or the last call failed.
    pub(super) is_paused: bool,
    pub(super) is_failing: bool,
    /// Why, for the operator.
    pub(super) reason: Option<String>,
    /// How much upstream does not take, and for the operator what and why.
    pub(super) skipped_count: usize,
    pub(super) skipped: Vec<Skipped>,
    /// Whether nothing is left to be sent.
    pub(super) is_done: bool,
    pub(super) waiting: i64,
    pub(super) oldest: Option<Time>,
    pub(super) too_old: i64,
    pub(super) rejected: i64,
    pub(super) undated: i64,
}

pub(super) struct GapView {
    pub(super) began: Time,
    pub(super) ended: Time,
    pub(super) host_booted: bool,
}

/// When upstream's page was copied, where it is; `Err` where that was not lately, or never.
pub(in crate::keeper::http) fn confirmed_at(
    state: &AppState,
    now: Timestamp,
) -> Result<Option<Timestamp>, Option<Timestamp>> {
    let Some(reports) = &state.relay else { return Ok(None) };
    let at = reports.latest().mirrored_at;
    if at.is_none_or(|at| now.duration_since(at).unsigned_abs() > OLD) { Err(at) } else { Ok(at) }
}

/// The state of the relay; `None` where there is none.
pub(super) async fn relay(
    state: &AppState,
    audience: Audience,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<Option<RelayView>, KeeperError> {
    let Some(reports) = &state.relay else { return Ok(None) };
    let Report { condition, reason, skipped, mirrored_at, .. } = reports.latest();
    let Backlog { waiting, oldest, too_old, rejected, undated } = state.outbox.backlog(now).await?;
    let oldest = oldest.and_then(|slot| Timestamp::from_second(slot).ok());
    Ok(Some(RelayView {
        is_old: confirmed_at(state, now).is_err(),
        mirrored_at: mirrored_at.map(|at| Time::new(at, zone)),
        is_paused: condition == Condition::Paused,
        is_failing: condition == Condition::Trouble,
        reason: reason.filter(|_| audience == Audience::Private),
        skipped_count: skipped.len(),
        is_done: waiting + rejected + undated == 0 && skipped.is_empty() && condition == Condition::Well,
        skipped: if audience == Audience::Private { skipped } else { Vec::new() },
        waiting,
        oldest: oldest.map(|at| Time::new(at.min(now), zone)),
        too_old,
        rejected,
        undated,
    }))
}

/// When nothing could be recorded lately, the newest first.
pub(super) async fn gaps(state: &AppState, zone: &TimeZone, now: Timestamp) -> Result<Vec<GapView>, KeeperError> {
    let since = now.checked_sub(PAST).ok().map(Moment::new);
    let view = |gap: Gap| GapView {
        began: Time::new(gap.began.timestamp(), zone),
        ended: Time::new(gap.ended.timestamp(), zone),
        host_booted: gap.host_booted,
    };
    Ok(heartbeats::gaps(&state.db, since, MAX_GAPS).await?.into_iter().map(view).collect())
}

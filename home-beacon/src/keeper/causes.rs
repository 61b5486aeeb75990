//! Concludes why it was down of each incident that a prober has resolved upstream, and has upstream be told.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::id::IncidentId;
use tokio::time::sleep;

use super::{
    KeeperError,
    background::{Failures, RETRY_INTERVAL},
    db::{FromRow, Moment, Row, StorageError, query},
    http::{AppState, evidence, inside},
    outbox::Cause,
    relay::cause::is_wanted,
};

/// What came back after the end is waited for: a router that finds its line again says what it was.
const SETTLED: SignedDuration = SignedDuration::from_mins(5);

/// An incident that was over for longer is left alone: nobody waits for a word of it.
const TOO_LATE: SignedDuration = SignedDuration::from_hours(24);

/// The most that are looked at in one pass.
const MOST: u32 = 20;

/// An incident that is over: when the outage began, and when it ended.
#[derive(Clone, Debug)]
struct Over {
    id: IncidentId,
    from: i64,
    to: i64,
}

/// Looks for such incidents, for as long as it is polled.
pub(super) async fn run(state: &AppState) {
    let mut failures = Failures::default();
    loop {
        sleep(RETRY_INTERVAL).await;
        failures.note(&pass(state).await, "why it was down cannot be concluded yet");
    }
}

/// Queues what upstream is to be told now.
async fn pass(state: &AppState) -> Result<(), KeeperError> {
    let Some(now) = state.clock.trusted_now() else { return Ok(()) };
    for Over { id, from, to } in over(state, now).await? {
        let since = Moment::try_from(from - inside::AROUND).ok();
        let Some((component, records)) = evidence::of_home(state, since).await? else { return Ok(()) };
        let is_ours = is_about(state, &id, component.as_str()).await?;
        let cause = if is_ours { inside::cause_of(state, &component, &records, &(from..to)).await? } else { None };
        match cause {
            Some(cause) => {
                let text = format!("As seen from home: {}", cause.sentence());
                state.outbox.queue_cause(Cause { incident: id, text });
            }
            // What nobody knows at home is nothing to tell.
            None => state.outbox.leave_cause(&id),
        }
    }
    Ok(())
}

/// The copies of a prober's incidents that are over for a while, and of which upstream has not been told.
async fn over(state: &AppState, now: Timestamp) -> Result<Vec<Over>, KeeperError> {
    let before = |age: SignedDuration| Moment::new(now.saturating_sub(age).unwrap_or(now));
    let list = query(
        "SELECT id, metadata, started_at, resolved_at FROM incidents
         WHERE page_id = ? AND mirrored AND status = 'resolved' AND resolved_at > ? AND resolved_at <= ?
         ORDER BY resolved_at DESC LIMIT ?",
    );
    let list = list.bind(state.page.as_str()).bind(before(TOO_LATE)).bind(before(SETTLED)).bind(MOST);
    let resolved: Vec<Resolved> = list.all(&mut state.db.read().await?).await?;
    let wanted = resolved.into_iter().filter(|it| is_wanted(&it.metadata) && !state.outbox.knows_cause(&it.id));
    let over = wanted.map(|Resolved { id, metadata, began, ended }| {
        // A prober opens it some minutes after what it noted there.
        let noted = metadata["porchlight"]["down_since"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let from = noted.map_or(began, Timestamp::as_millisecond).min(began);
        Over { id, from, to: ended }
    });
    Ok(over.filter(|over| over.from < over.to).collect())
}

struct Resolved {
    id: IncidentId,
    metadata: Value,
    began: i64,
    ended: i64,
}

impl FromRow for Resolved {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            id: row.get("id")?,
            metadata: row.get("metadata")?,
            began: row.get("started_at")?,
            ended: row.get("resolved_at")?,
        })
    }
}

/// Whether an incident names that component.
async fn is_about(state: &AppState, incident: &IncidentId, component: &str) -> Result<bool, KeeperError> {
    let find = query("SELECT COUNT(*) FROM incident_components WHERE incident_id = ? AND component_id = ?");
    let found: i64 = find.bind(incident.as_str()).bind(component).one(&mut state.db.read().await?).await?;
    Ok(found > 0)
}

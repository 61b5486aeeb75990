//! What a run found of a home, and how that changes the home's record. Pure.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use shared::statuspage::{Component, ComponentStatus};

use super::record::StateRecord;
use crate::{
    judge::{identity::Proven, start_times::StartTimes, verdict::Verdict},
    plan::{OurIncident, statuses::Statuses},
};

/// How often a continuing outage is noted in the record.
const NOTE_INTERVAL: Duration = Duration::from_mins(10);

/// An outage that was noted within this time continues, whatever the page says; about an older one the page is right.
const NOTE_VALID_FOR: Duration = Duration::from_mins(25);

/// How far apart two runs may be for a home to count as up throughout: a run an hour is the slowest schedule that makes
/// sense.
const MAX_GAP: Duration = Duration::from_mins(65);

/// What a run found of one home.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    /// When the run began.
    pub at: Timestamp,
    /// What it concluded.
    pub verdict: Verdict,
    /// The component before the run changed it.
    pub page: Option<&'a Component>,
    /// Our open incident that names the component.
    pub incident: Option<&'a OurIncident>,
    /// The addresses that the home's name has now; empty where it was not resolved.
    pub addresses: &'a [IpAddr],
    /// The proof that the home has just given.
    pub proven: Option<Proven>,
    /// When host and beacon started, by that proof.
    pub start_times: Option<StartTimes>,
    /// When what is down now was last known to be up, where that is not the run before.
    pub began: Option<Timestamp>,
    /// The component's status for each verdict.
    pub statuses: &'a Statuses,
    /// The key of an outage that begins now.
    pub new_key: &'a str,
    /// How long a home must be up for its outage to be over; a shorter up belongs to the outage.
    pub resolve_after: Duration,
}

impl Finding<'_> {
    /// Whether the record must be read. While page and verdict are plainly up, the cached one is enough, unless that
    /// shows an outage that is not over, or another address or start.
    pub fn needs_record(&self, cached: Option<&StateRecord>) -> bool {
        let plainly_up =
            self.verdict == Verdict::Up && self.says(ComponentStatus::Operational) && self.incident.is_none();
        match cached {
            Some(record) if plainly_up => {
                record.down_since.is_some()
                    || self.address(record) != record.last_proven_address
                    || self.start_times(record) != record.start_times()
            }
            _ => true,
        }
    }

    /// The record after this run; `before` is `None` where none is known.
    pub fn record(&self, before: Option<&StateRecord>) -> StateRecord {
        let known = self.with_page(before.cloned().unwrap_or_default());
        // A clock that was ahead must not keep an outage open for ever.
        let times = self.start_times(&known);
        let past = |time: Option<Timestamp>| time.filter(|time| *time <= self.at);
        let known = StateRecord {
            down_since: past(known.down_since),
            up_since: past(known.up_since),
            seen_down: past(known.seen_down),
            seen_up: past(known.seen_up),
            last_proven_address: self.address(&known),
            booted: times.map(|times| times.booted),
            started: times.map(|times| times.started),
            ..known
        };
        match self.verdict {
            // Times from a clock that was ahead may be right again in the next run, so none of them is removed.
            Verdict::Unknown(_) => {
                let last_proven_address = known.last_proven_address;
                let before = before.cloned().unwrap_or(known);
                // It may have been down meanwhile, so an outage is only over once it was up for long enough again.
                let up_since = before.up_since.filter(|_| before.down_since.is_none());
                StateRecord { last_proven_address, up_since, seen_up: None, ..before }
            }
            // What begins under maintenance is not an outage before the maintenance is over.
            Verdict::Down(_) if known.down_since.is_none() && self.says(ComponentStatus::UnderMaintenance) => {
                StateRecord { up_since: None, ..known }
            }
            Verdict::Down(_) => self.down(known),
            Verdict::Up | Verdict::Degraded(_) => self.up(known),
        }
    }

    fn down(&self, known: StateRecord) -> StateRecord {
        let down_since = known.down_since.filter(|_| self.is_same_outage(&known));
        let open = self.incident.map(|incident| incident.note.key.clone());
        let kept = known.outage_key.filter(|_| down_since.is_some());
        let noted = known.seen_down.filter(|noted| down_since.is_some() && self.since(*noted) < NOTE_INTERVAL);
        StateRecord {
            down_since: down_since.or(self.began.filter(|began| *began <= self.at)).or(Some(self.at)),
            up_since: None,
            seen_up: None,
            seen_down: noted.or(Some(self.at)),
            // The page wins: an incident that is open for this home is this outage's.
            outage_key: open.or(kept).or_else(|| Some(self.new_key.to_owned())),
            cause: self.verdict.cause().map(str::to_owned),
            ..known
        }
    }

    fn up(&self, known: StateRecord) -> StateRecord {
        // Between two runs far apart, it may have been down.
        let continuous = known.seen_up.is_none_or(|seen| self.since(seen) < MAX_GAP.max(self.resolve_after));
        let up_since = known.up_since.filter(|_| known.down_since.is_none() || continuous).unwrap_or(self.at);
        let known = StateRecord { up_since: Some(up_since), ..known };
        if known.down_since.is_some() && self.since(up_since) < self.resolve_after {
            return StateRecord { seen_up: Some(self.at), ..known };
        }
        StateRecord { down_since: None, seen_down: None, seen_up: None, outage_key: None, cause: None, ..known }
    }

    fn is_same_outage(&self, known: &StateRecord) -> bool {
        match (known.up_since, known.seen_down) {
            // Had it been up for long enough, a run would have ended the outage.
            (Some(up), _) => self.since(up) < self.resolve_after.max(NOTE_VALID_FOR),
            // A human may have set the page to operational although the home is down; that does not end the outage.
            (None, Some(noted)) if self.since(noted) < NOTE_VALID_FOR => true,
            // No run for a while. Where the page says `operational`, the outage on record is an old one.
            _ => !self.says(ComponentStatus::Operational),
        }
    }

    /// The record, corrected by the page: a record may be lost, or of another time. An open incident with another key
    /// is about a later outage than the record's, and a home has not been up since before its outage began.
    fn with_page(&self, known: StateRecord) -> StateRecord {
        let shown = self.shown_by_page();
        let Some(began) = shown.down_since else { return known };
        // The record saw the end of the outage that the page, as it was read, still shows.
        if known.down_since.is_none() && known.up_since.is_some_and(|up| up >= began) {
            return known;
        }
        if shown.outage_key.is_some() && shown.outage_key != known.outage_key {
            let StateRecord { last_proven_address, booted, started, others, .. } = known;
            return StateRecord { last_proven_address, booted, started, others, ..shown };
        }
        let up_since = known.up_since.filter(|up| *up >= began);
        StateRecord {
            down_since: known.down_since.or(shown.down_since),
            up_since: up_since.or(shown.up_since),
            ..known
        }
    }

    /// What the page shows of an outage.
    fn shown_by_page(&self) -> StateRecord {
        let Some(incident) = self.incident else {
            // For a home that is up, only an incident is left to end.
            let is_down = |status| matches!(self.verdict, Verdict::Down(_)) && self.statuses.mean_down(status);
            let out = self.page.filter(|component| component.status.is_some_and(is_down));
            let down_since = out.and_then(|component| component.updated_at.parse().ok());
            return StateRecord { down_since, ..StateRecord::default() };
        };
        StateRecord {
            down_since: Some(incident.note.down_since),
            up_since: incident.up_since(),
            outage_key: Some(incident.note.key.clone()),
            ..StateRecord::default()
        }
    }

    fn says(&self, status: ComponentStatus) -> bool {
        self.page.is_some_and(|component| component.status == Some(status))
    }

    fn since(&self, time: Timestamp) -> Duration {
        self.at.duration_since(time).unsigned_abs()
    }

    /// The start times of the record after this run. Until an outage is over and its incident resolved, those from
    /// before it are needed.
    fn start_times(&self, before: &StateRecord) -> Option<StartTimes> {
        let known = before.start_times();
        if before.down_since.is_some() || self.incident.is_some() || !self.verdict.answers() {
            return known;
        }
        match (self.start_times, known) {
            (Some(now), Some(known)) if !now.supersedes(known) => Some(known),
            (now, known) => now.or(known),
        }
    }

    /// The last proven address after this run. Of several, the one on record stays while the name has it: which of them
    /// answers first is chance.
    fn address(&self, before: &StateRecord) -> Option<IpAddr> {
        match (self.proven, before.last_proven_address) {
            (Some(_), Some(known)) if self.addresses.contains(&known) => Some(known),
            (Some(proven), _) => Some(proven.at),
            (None, known) => known,
        }
    }
}

#[cfg(test)]
mod tests;

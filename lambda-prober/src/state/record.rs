//! What a run remembers of a home, and how a run changes it. Pure.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::statuspage::{Component, ComponentStatus};

use crate::{
    identity::{Began, Proven},
    plan::OurIncident,
    statuses::Statuses,
    verdict::Verdict,
};

/// How often an outage that goes on is noted as such.
const NOTED_EVERY: Duration = Duration::from_mins(10);

/// An outage that was noted within this time goes on, whatever the page says; of an older one the page knows better.
const WATCHED: Duration = Duration::from_mins(25);

/// How long nobody may have looked at a home for it to count as up throughout: a run an hour is the slowest schedule that
/// makes sense.
const LONGEST_GAP: Duration = Duration::from_mins(65);

/// One home's record. Without it a run is right, only less informed: what is missing is `None`, and a record that cannot
/// be read is an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// When the outage began that is not over yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down_since: Option<Timestamp>,
    /// Since when every run has found the home up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_since: Option<Timestamp>,
    /// While the outage is not over, when the home was last seen up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_up: Option<Timestamp>,
    /// When the home was last seen down, to within ten minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen_down: Option<Timestamp>,
    /// What the outage's incident is found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_key: Option<String>,
    /// The label of the outage's cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Where the home last proved itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_proven_address: Option<IpAddr>,
    /// When its host booted and its beacon started, as the last run that found the home up before an outage saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booted: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// What another version wrote, kept for its return.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl Record {
    /// When host and beacon began, as far as that is known of the time before an outage.
    pub fn began(&self) -> Option<Began> {
        Some(Began { booted: self.booted?, started: self.started? })
    }
}

/// What a run found of one home.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    pub at: Timestamp,
    pub verdict: Verdict,
    /// What the page said before the run changed it.
    pub page: Option<&'a Component>,
    /// Our open incident that names the component.
    pub incident: Option<&'a OurIncident>,
    /// The addresses that the home's name has now, where it was resolved.
    pub addresses: &'a [IpAddr],
    /// The proof that the home has just given.
    pub proven: Option<Proven>,
    /// When host and beacon began, by that proof.
    pub began: Option<Began>,
    /// What the page says of which verdict.
    pub statuses: &'a Statuses,
    /// What the incident of an outage that begins now will be found by.
    pub new_key: &'a str,
    /// How long a home must be up for its outage to be over; a shorter up belongs to the outage.
    pub resolve_after: Duration,
}

impl Finding<'_> {
    /// Whether the record is needed. While page and verdict are plainly up, what this instance remembers is enough,
    /// unless that shows an outage that is not over, or another address.
    pub fn needs_record(&self, remembered: Option<&Record>) -> bool {
        let plainly_up =
            self.verdict == Verdict::Up && self.says(ComponentStatus::Operational) && self.incident.is_none();
        match remembered {
            Some(record) if plainly_up => {
                record.down_since.is_some()
                    || self.address(record) != record.last_proven_address
                    || self.began(record) != record.began()
            }
            _ => true,
        }
    }

    /// The record after this run; of `None`, no record is known.
    pub fn record(&self, before: Option<&Record>) -> Record {
        let known = self.with_the_page(before.cloned().unwrap_or_default());
        // A clock that was ahead must not keep an outage open for ever.
        let began = self.began(&known);
        let past = |time: Option<Timestamp>| time.filter(|time| *time <= self.at);
        let known = Record {
            down_since: past(known.down_since),
            up_since: past(known.up_since),
            seen_down: past(known.seen_down),
            seen_up: past(known.seen_up),
            last_proven_address: self.address(&known),
            booted: began.map(|began| began.booted),
            started: began.map(|began| began.started),
            ..known
        };
        match self.verdict {
            // Times from a clock that was ahead may be right again in the next run, so nothing of them is taken away.
            Verdict::Unknown(_) => {
                let last_proven_address = known.last_proven_address;
                let before = before.cloned().unwrap_or(known);
                // It may have been down meanwhile, so that an outage is not over before it was up for long enough again.
                let up_since = before.up_since.filter(|_| before.down_since.is_none());
                Record { last_proven_address, up_since, seen_up: None, ..before }
            }
            // What begins under maintenance is no outage before the maintenance is over.
            Verdict::Down(_) if known.down_since.is_none() && self.says(ComponentStatus::UnderMaintenance) => {
                Record { up_since: None, ..known }
            }
            Verdict::Down(_) => self.down(known),
            Verdict::Up | Verdict::Degraded(_) => self.up(known),
        }
    }

    fn down(&self, known: Record) -> Record {
        let down_since = known.down_since.filter(|_| self.is_same_outage(&known));
        let open = self.incident.map(|incident| incident.note.key.clone());
        let kept = known.outage_key.filter(|_| down_since.is_some());
        let noted = known.seen_down.filter(|noted| down_since.is_some() && self.since(*noted) < NOTED_EVERY);
        Record {
            down_since: down_since.or(Some(self.at)),
            up_since: None,
            seen_up: None,
            seen_down: noted.or(Some(self.at)),
            // The page wins: an incident that is open for this home is this outage's.
            outage_key: open.or(kept).or_else(|| Some(self.new_key.to_owned())),
            cause: self.verdict.cause().map(str::to_owned),
            ..known
        }
    }

    fn up(&self, known: Record) -> Record {
        // Where nobody looked for a while, it may have been down meanwhile.
        let watched = known.seen_up.is_none_or(|seen| self.since(seen) < LONGEST_GAP.max(self.resolve_after));
        let up_since = known.up_since.filter(|_| known.down_since.is_none() || watched).unwrap_or(self.at);
        let known = Record { up_since: Some(up_since), ..known };
        if known.down_since.is_some() && self.since(up_since) < self.resolve_after {
            return Record { seen_up: Some(self.at), ..known };
        }
        Record { down_since: None, seen_down: None, seen_up: None, outage_key: None, cause: None, ..known }
    }

    fn is_same_outage(&self, known: &Record) -> bool {
        match (known.up_since, known.seen_down) {
            // Had it been up for long enough, a run would have closed it, if there was one.
            (Some(up), _) => self.since(up) < self.resolve_after.max(WATCHED),
            // A human may have set the page to operational although the home is down; that ends no outage.
            (None, Some(noted)) if self.since(noted) < WATCHED => true,
            // Nobody looked for a while. Where the page says that all is well, the outage on record is an old one.
            _ => !self.says(ComponentStatus::Operational),
        }
    }

    /// The record, unless the page knows better: a record may be lost, or of another time. An open incident with another key
    /// tells of a later outage than the record, and a home has not been up since before its outage began.
    fn with_the_page(&self, known: Record) -> Record {
        let told = self.as_the_page_tells();
        let Some(began) = told.down_since else { return known };
        // It saw the end of what the page, as it was read, still tells.
        if known.down_since.is_none() && known.up_since.is_some_and(|up| up >= began) {
            return known;
        }
        if told.outage_key.is_some() && told.outage_key != known.outage_key {
            let Record { last_proven_address, booted, started, others, .. } = known;
            return Record { last_proven_address, booted, started, others, ..told };
        }
        let up_since = known.up_since.filter(|up| *up >= began);
        Record { down_since: known.down_since.or(told.down_since), up_since: up_since.or(told.up_since), ..known }
    }

    /// What the page says of an outage.
    fn as_the_page_tells(&self) -> Record {
        let Some(incident) = self.incident else {
            // Of a home that is up only an incident must still be ended.
            let tells = |status| matches!(self.verdict, Verdict::Down(_)) && self.statuses.tell_down(status);
            let out = self.page.filter(|component| component.status.is_some_and(tells));
            let down_since = out.and_then(|component| component.updated_at.parse().ok());
            return Record { down_since, ..Record::default() };
        };
        Record {
            down_since: Some(incident.note.down_since),
            up_since: incident.up_since(),
            outage_key: Some(incident.note.key.clone()),
            ..Record::default()
        }
    }

    fn says(&self, status: ComponentStatus) -> bool {
        self.page.is_some_and(|component| component.status == Some(status))
    }

    fn since(&self, time: Timestamp) -> Duration {
        self.at.duration_since(time).unsigned_abs()
    }

    /// When host and beacon began, as the record is to tell it after this run. An outage that is not over, or not told to its
    /// end, needs to know how it was before.
    fn began(&self, before: &Record) -> Option<Began> {
        let known = before.began();
        if before.down_since.is_some() || self.incident.is_some() || !self.verdict.answers() {
            return known;
        }
        match (self.began, known) {
            (Some(now), Some(known)) if !now.is_news_after(known) => Some(known),
            (now, known) => now.or(known),
        }
    }

    /// The last proven address after this run. Of a name with several, the one on record stays while the name has it:
    /// which of them answers first is chance.
    fn address(&self, before: &Record) -> Option<IpAddr> {
        match (self.proven, before.last_proven_address) {
            (Some(_), Some(known)) if self.addresses.contains(&known) => Some(known),
            (Some(proven), _) => Some(proven.at),
            (None, known) => known,
        }
    }
}

#[cfg(test)]
mod tests;

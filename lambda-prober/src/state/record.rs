//! What a run remembers of a home, and how a run changes it. Pure.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::statuspage::ComponentStatus;

use crate::verdict::Verdict;

/// How long a home must be up for its outage to be over; a shorter up belongs to the outage.
const RESOLVE_AFTER: Duration = Duration::from_mins(2);

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
    /// The label of the outage's cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Where the home last proved itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_proven_address: Option<IpAddr>,
    /// What another version wrote, kept for its return.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

/// What a run found of one home.
#[derive(Clone, Debug)]
pub struct Finding<'a> {
    pub at: Timestamp,
    pub verdict: Verdict,
    /// What the page said before the run changed it.
    pub page: Option<ComponentStatus>,
    /// The addresses that the home's name has now, where it was resolved.
    pub addresses: &'a [IpAddr],
    /// The one at which the home has just proved itself.
    pub proven: Option<IpAddr>,
}

impl Finding<'_> {
    /// Whether the record is needed. While page and verdict are plainly up, what this instance remembers is enough,
    /// unless that shows an outage that is not over, or another address.
    pub fn needs_record(&self, remembered: Option<&Record>) -> bool {
        let plainly_up = self.verdict == Verdict::Up && self.page == Some(ComponentStatus::Operational);
        match remembered {
            Some(record) if plainly_up => {
                record.down_since.is_some() || self.address(record) != record.last_proven_address
            }
            _ => true,
        }
    }

    /// The record after this run.
    pub fn record(&self, before: &Record) -> Record {
        // A clock that was ahead must not keep an outage open for ever.
        let past = |time: Option<Timestamp>| time.filter(|time| *time <= self.at);
        let (down_since, up_since) = (past(before.down_since), past(before.up_since));
        let (last_proven_address, others) = (self.address(before), before.others.clone());
        match self.verdict {
            Verdict::Unknown(_) => Record { last_proven_address, ..before.clone() },
            Verdict::Down(_) => {
                let same_outage = match up_since {
                    Some(up) => !self.is_over(up),
                    // The page wins: where it says that all is well, the outage on record is an old one.
                    None => self.page != Some(ComponentStatus::Operational),
                };
                Record {
                    down_since: down_since.filter(|_| same_outage).or(Some(self.at)),
                    up_since: None,
                    cause: self.verdict.cause().map(str::to_owned),
                    last_proven_address,
                    others,
                }
            }
            Verdict::Up => {
                let up_since = up_since.unwrap_or(self.at);
                let down_since = down_since.filter(|_| !self.is_over(up_since));
                let cause = before.cause.clone().filter(|_| down_since.is_some());
                Record { down_since, up_since: Some(up_since), cause, last_proven_address, others }
            }
        }
    }

    fn is_over(&self, up: Timestamp) -> bool {
        self.at.duration_since(up).unsigned_abs() >= RESOLVE_AFTER
    }

    /// The last proven address after this run. Of a name with several, the one on record stays while the name has it:
    /// which of them answers first is chance.
    fn address(&self, before: &Record) -> Option<IpAddr> {
        match (self.proven, before.last_proven_address) {
            (Some(_), Some(known)) if self.addresses.contains(&known) => Some(known),
            (Some(proven), _) => Some(proven),
            (None, known) => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{DownCause, UnknownCause};

    const UP: Verdict = Verdict::Up;
    const DOWN: Verdict = Verdict::Down(DownCause::Refused);
    const FINE: Option<ComponentStatus> = Some(ComponentStatus::Operational);
    const OUTAGE: Option<ComponentStatus> = Some(ComponentStatus::MajorOutage);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn finding(second: i64, verdict: Verdict, page: Option<ComponentStatus>) -> Finding<'static> {
        Finding { at: at(second), verdict, page, addresses: &[], proven: None }
    }

    /// The records of several runs, each with second, verdict and page; as (down since, up since).
    fn played(runs: &[(i64, Verdict, Option<ComponentStatus>)]) -> Vec<(Option<i64>, Option<i64>)> {
        let mut record = Record::default();
        let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second() - 1_800_000_000);
        let run = |(second, verdict, page): &(i64, Verdict, Option<ComponentStatus>)| {
            record = finding(*second, *verdict, *page).record(&record);
            (seconds(record.down_since), seconds(record.up_since))
        };
        runs.iter().map(run).collect()
    }

    #[test]
    fn an_outage_ends_two_minutes_after_the_home_is_up() {
        let runs = [(0, DOWN, FINE), (60, DOWN, OUTAGE), (120, UP, OUTAGE), (180, UP, FINE), (240, UP, FINE)];
        let after = [(Some(0), None), (Some(0), None), (Some(0), Some(120)), (Some(0), Some(120)), (None, Some(120))];
        assert_eq!(played(&runs), after);
    }

    #[test]
    fn a_short_up_belongs_to_the_outage_and_a_longer_one_ends_it() {
        let flapping = [(0, DOWN, FINE), (60, UP, OUTAGE), (120, DOWN, FINE), (180, UP, OUTAGE)];
        assert_eq!(played(&flapping)[2..], [(Some(0), None), (Some(0), Some(180))]);
        let again = [(0, DOWN, FINE), (60, UP, OUTAGE), (600, DOWN, FINE)];
        assert_eq!(played(&again)[2], (Some(600), None));
    }

    #[test]
    fn the_page_wins_over_a_record_of_an_outage_that_nobody_closed() {
        let stale = Record { down_since: Some(at(-90_000)), ..Record::default() };
        assert_eq!(finding(0, DOWN, FINE).record(&stale).down_since, Some(at(0)));
        assert_eq!(finding(0, DOWN, OUTAGE).record(&stale).down_since, stale.down_since);
    }

    #[test]
    fn a_record_from_the_future_is_no_record() {
        let wrong = Record { down_since: Some(at(9_000)), up_since: Some(at(9_000)), ..Record::default() };
        assert_eq!(finding(0, DOWN, OUTAGE).record(&wrong).down_since, Some(at(0)));
        let up = finding(0, UP, OUTAGE).record(&wrong);
        assert_eq!((up.down_since, up.up_since), (None, Some(at(0))));
    }

    #[test]
    fn what_is_unknown_changes_nothing() {
        let before = Record { down_since: Some(at(-60)), cause: Some("refused".into()), ..Record::default() };
        assert_eq!(finding(0, Verdict::Unknown(UnknownCause::Blind), OUTAGE).record(&before), before);
    }

    #[test]
    fn the_cause_is_that_of_the_last_run_and_goes_with_the_outage() {
        let mut record = finding(0, DOWN, FINE).record(&Record::default());
        record = finding(60, Verdict::Down(DownCause::Unreachable), OUTAGE).record(&record);
        assert_eq!(record.cause.as_deref(), Some("unreachable"));
        record = finding(120, UP, OUTAGE).record(&record);
        assert_eq!(record.cause.as_deref(), Some("unreachable"));
        record = finding(240, UP, FINE).record(&record);
        assert_eq!(record.cause, None);
    }

    #[test]
    fn the_last_proven_address_does_not_follow_chance() {
        let (v4, v6, new): (IpAddr, IpAddr, IpAddr) =
            ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let proven = |proven, addresses| Finding { addresses, proven, ..finding(0, UP, FINE) };
        let (both, moved) = ([v4, v6], [new, v6]);
        let known = Record { last_proven_address: Some(v4), up_since: Some(at(-9)), ..Record::default() };
        for (finding, address) in
            [(proven(Some(v6), &both), v4), (proven(Some(new), &moved), new), (proven(None, &moved), v4)]
        {
            assert_eq!(finding.record(&known).last_proven_address, Some(address));
            assert_eq!(finding.needs_record(Some(&known)), address != v4, "{finding:?}");
        }
    }

    #[test]
    fn what_a_newer_version_wrote_is_kept() {
        let newer = r#"{"down_since":"2027-01-15T08:00:00Z","outage_key":"x"}"#;
        let record: Record = serde_json::from_str(newer).unwrap();
        let after = finding(0, DOWN, OUTAGE).record(&record);
        assert_eq!(serde_json::to_value(&after).unwrap()["outage_key"], "x");
    }

    #[test]
    fn a_quiet_run_needs_no_record_once_there_is_one() {
        let quiet = Record { up_since: Some(at(-900)), ..Record::default() };
        let open = Record { down_since: Some(at(-60)), ..quiet.clone() };
        assert!(!finding(0, UP, FINE).needs_record(Some(&quiet)));
        assert!(finding(0, UP, FINE).needs_record(None), "a cold start");
        assert!(finding(0, UP, FINE).needs_record(Some(&open)), "an outage that is not over");
        assert!(finding(0, UP, OUTAGE).needs_record(Some(&quiet)));
        assert!(finding(0, DOWN, FINE).needs_record(Some(&quiet)));
    }
}

//! Outages as records keep them.

mod restarts;

use std::sync::OnceLock;

use shared::{proof::Running, statuspage::IncidentStatus};

use serde_json::Map;

use super::*;
use crate::{
    judge::verdict::{DegradedCause, DownCause, UnknownCause},
    plan::{Note, statuses::Statuses},
};

const UP: Verdict = Verdict::Up;
const DOWN: Verdict = Verdict::Down(DownCause::Refused);
const FINE: ComponentStatus = ComponentStatus::Operational;
const OUTAGE: ComponentStatus = ComponentStatus::MajorOutage;

static STATUSES: OnceLock<Statuses> = OnceLock::new();

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn page(status: ComponentStatus, updated: i64) -> Component {
    Component {
        id: "8kbf7d35c070".parse().unwrap(),
        name: "Home".into(),
        status: Some(status),
        updated_at: at(updated).to_string(),
    }
}

fn finding(second: i64, verdict: Verdict, page: &Component) -> Finding<'_> {
    Finding {
        at: at(second),
        verdict,
        page: Some(page),
        incident: None,
        addresses: &[],
        proven: None,
        start_times: None,
        began: None,
        statuses: STATUSES.get_or_init(Statuses::default),
        new_key: "new",
        resolve_after: Duration::from_mins(2),
    }
}

/// An incident whose key is this, about an outage since then; last written to at that second, when it came to the status.
fn incident(key: &str, down_since: Timestamp, updated: i64, status: IncidentStatus) -> OurIncident {
    OurIncident {
        id: "p31zjtct2jer".parse().unwrap(),
        status,
        note: Note { key: key.into(), down_since, cause: None, said: status, announced: true },
        components: Vec::new(),
        created_at: at(-300),
        updated_at: at(updated),
        updates: 1,
        metadata: Map::new(),
    }
}

/// The record after one more run.
fn next(record: &StateRecord, second: i64, verdict: Verdict, says: ComponentStatus) -> StateRecord {
    finding(second, verdict, &page(says, -9_000)).record(Some(record))
}

/// The records of several runs, each with second, verdict and page; as (down since, up since).
fn replayed(runs: &[(i64, Verdict, ComponentStatus)]) -> Vec<(Option<i64>, Option<i64>)> {
    let mut record = StateRecord::default();
    let seconds = |time: Option<Timestamp>| time.map(|time| time.as_second() - 1_800_000_000);
    let run = |(second, verdict, says): &(i64, Verdict, ComponentStatus)| {
        record = next(&record, *second, *verdict, *says);
        (seconds(record.down_since), seconds(record.up_since))
    };
    runs.iter().map(run).collect()
}

#[test]
fn an_outage_ends_two_minutes_after_the_home_is_up() {
    let runs = [(0, DOWN, FINE), (60, DOWN, OUTAGE), (120, UP, OUTAGE), (180, UP, FINE), (240, UP, FINE)];
    let after = [(Some(0), None), (Some(0), None), (Some(0), Some(120)), (Some(0), Some(120)), (None, Some(120))];
    assert_eq!(replayed(&runs), after);
}

/// Scheduler starts each minute's run at some second of it.
#[test]
fn runs_that_are_nearly_none_or_two_minutes_apart_see_one_outage_with_its_begin_and_its_end() {
    let runs =
        [(0, DOWN, FINE), (1, DOWN, OUTAGE), (119, DOWN, OUTAGE), (120, UP, OUTAGE), (238, UP, FINE), (240, UP, FINE)];
    let lasts = [(Some(0), None), (Some(0), None), (Some(0), None), (Some(0), Some(120)), (Some(0), Some(120))];
    assert_eq!(replayed(&runs), [&lasts[..], &[(None, Some(120))]].concat());
}

#[test]
fn a_short_up_belongs_to_the_outage_and_a_longer_one_ends_it() {
    let flapping = [(0, DOWN, FINE), (60, UP, OUTAGE), (120, DOWN, FINE), (180, UP, OUTAGE)];
    assert_eq!(replayed(&flapping)[2..], [(Some(0), None), (Some(0), Some(180))]);
    let late = [(0, DOWN, FINE), (60, UP, OUTAGE), (120, UP, FINE), (180, DOWN, FINE)];
    assert_eq!(replayed(&late)[3], (Some(0), None), "no run has seen it up for two minutes");
    let again = [(0, DOWN, FINE), (60, UP, OUTAGE), (180, UP, FINE), (240, DOWN, FINE)];
    assert_eq!(replayed(&again)[3], (Some(240), None));
    let far_apart = [(0, DOWN, FINE), (60, UP, OUTAGE), (9_000, DOWN, FINE)];
    assert_eq!(replayed(&far_apart)[2], (Some(9_000), None));
}

#[test]
fn a_home_that_is_degraded_is_up_as_far_as_an_outage_is_concerned() {
    let slow = Verdict::Degraded(DegradedCause::Slow);
    assert_eq!(replayed(&[(0, DOWN, FINE), (60, slow, OUTAGE), (180, slow, FINE)])[2], (None, Some(60)));
}

#[test]
fn a_page_set_to_operational_by_hand_does_not_end_an_outage_that_runs_see() {
    let mut record = StateRecord::default();
    for second in (0..=3_600).step_by(60) {
        record = next(&record, second, DOWN, FINE);
        assert_eq!((record.down_since, record.outage_key.as_deref()), (Some(at(0)), Some("new")));
    }
    assert_eq!(record.seen_down, Some(at(3_600)), "noted every ten minutes");
    assert_eq!(next(&record, 3_660, DOWN, FINE), record, "and written no more often");
}

#[test]
fn the_page_wins_over_an_outage_on_record_that_no_run_has_seen_for_long() {
    let stale = StateRecord { down_since: Some(at(-90_000)), seen_down: Some(at(-80_000)), ..StateRecord::default() };
    assert_eq!(next(&stale, 0, DOWN, FINE).down_since, Some(at(0)));
    assert_eq!(next(&stale, 0, DOWN, OUTAGE).down_since, stale.down_since);
}

#[test]
fn without_a_record_the_page_shows_since_when() {
    let (fine, out) = (page(FINE, -300), page(OUTAGE, -300));
    let first = finding(0, DOWN, &fine).record(None);
    assert_eq!((first.down_since, first.outage_key.as_deref()), (Some(at(0)), Some("new")));
    assert_eq!(finding(0, DOWN, &out).record(None).down_since, Some(at(-300)));
    let up = finding(0, UP, &out).record(None);
    assert_eq!((up.down_since, up.up_since), (None, Some(at(0))), "no incident is left to end");
}

#[test]
fn an_open_incident_knows_more_than_no_record_and_its_key_counts() {
    let fine = page(FINE, -60);
    let mut incident = incident("theirs", at(-600), -90, IncidentStatus::Monitoring);
    let up = |incident: &OurIncident, second, record: Option<&StateRecord>| {
        Finding { incident: Some(incident), ..finding(second, UP, &fine) }.record(record)
    };
    assert_eq!(up(&incident, 0, None).down_since, Some(at(-600)));
    assert_eq!(up(&incident, 60, None).down_since, None, "up for two minutes");
    incident.status = IncidentStatus::Investigating;
    let open = Finding { incident: Some(&incident), ..finding(0, DOWN, &fine) };
    let ours = StateRecord {
        down_since: Some(at(-500)),
        outage_key: Some("ours".into()),
        seen_down: Some(at(-9)),
        ..StateRecord::default()
    };
    assert_eq!(open.record(Some(&ours)).outage_key.as_deref(), Some("theirs"));
    assert!(open.needs_record(Some(&StateRecord::default())));
}

#[test]
fn a_record_of_another_time_does_not_win_over_the_page() {
    let stale = StateRecord { up_since: Some(at(-90_000)), ..StateRecord::default() };
    let out = page(OUTAGE, -300);
    assert_eq!(finding(0, DOWN, &out).record(Some(&stale)).down_since, Some(at(-300)));
    let shown = incident("theirs", at(-600), -90, IncidentStatus::Monitoring);
    let fine = page(FINE, -90);
    let earlier =
        StateRecord { down_since: Some(at(-9_000)), outage_key: Some("ours".into()), ..StateRecord::default() };
    for record in [stale, earlier] {
        let up = Finding { incident: Some(&shown), ..finding(0, UP, &fine) }.record(Some(&record));
        assert_eq!((up.down_since, up.up_since), (Some(at(-600)), Some(at(-90))), "from {record:?}");
    }
}

#[test]
fn a_record_that_saw_the_end_of_an_outage_wins_over_a_page_that_was_read_before() {
    let fine = page(FINE, -60);
    let incident = incident("k", at(-600), -60, IncidentStatus::Monitoring);
    // Another run has just resolved it, and written that down.
    let over = StateRecord { up_since: Some(at(-130)), ..StateRecord::default() };
    let overlapping = Finding { incident: Some(&incident), ..finding(0, UP, &fine) };
    assert_eq!(overlapping.record(Some(&over)), over);
}

#[test]
fn an_up_between_runs_far_apart_does_not_end_an_outage() {
    let mut record = next(&StateRecord::default(), 0, DOWN, FINE);
    record = next(&record, 60, UP, OUTAGE);
    let late = next(&record, 9_000, UP, FINE);
    assert_eq!((late.down_since, late.up_since), (Some(at(0)), Some(at(9_000))), "no run for hours");
    let hourly = next(&record, 3_660, UP, FINE);
    assert_eq!((hourly.down_since, hourly.up_since), (None, Some(at(60))), "a run an hour is a schedule");
    let unknown = next(&record, 120, Verdict::Unknown(UnknownCause::Blind), FINE);
    assert_eq!(next(&unknown, 180, UP, FINE).up_since, Some(at(180)), "it may have been down while we were blind");
    assert_eq!(next(&next(&record, 120, UP, FINE), 180, UP, FINE).down_since, None);
}

#[test]
fn the_page_shows_since_when_by_whatever_status_an_outage_has() {
    let partial: Statuses = "refused=partial_outage".parse().unwrap();
    let page = page(ComponentStatus::PartialOutage, -300);
    let shown = Finding { statuses: &partial, ..finding(0, DOWN, &page) };
    assert_eq!(shown.record(None).down_since, Some(at(-300)));
    assert_eq!(finding(0, DOWN, &page).record(None).down_since, Some(at(0)), "a status that says something else");
}

#[test]
fn a_home_that_is_up_keeps_its_record_while_another_keeps_their_incident_open() {
    let fine = page(FINE, -3_000);
    let open = incident("k", at(-4_000), -60, IncidentStatus::Identified);
    let up = StateRecord { up_since: Some(at(-3_600)), ..StateRecord::default() };
    let shared = Finding { incident: Some(&open), ..finding(0, UP, &fine) };
    assert_eq!(shared.record(Some(&up)), up);
}

#[test]
fn what_begins_under_maintenance_is_an_outage_once_the_maintenance_is_over() {
    let maintenance = ComponentStatus::UnderMaintenance;
    let runs = [(0, UP, FINE), (60, DOWN, maintenance), (3_600, DOWN, maintenance), (3_660, DOWN, FINE)];
    assert_eq!(replayed(&runs)[1..], [(None, None), (None, None), (Some(3_660), None)]);
    let during = [(0, DOWN, FINE), (60, DOWN, maintenance), (600, DOWN, FINE)];
    assert_eq!(replayed(&during)[2], (Some(0), None), "one that had begun before goes on");
}

#[test]
fn a_record_from_the_future_is_no_record() {
    let wrong = StateRecord { down_since: Some(at(9_000)), up_since: Some(at(9_000)), ..StateRecord::default() };
    assert_eq!(next(&wrong, 0, DOWN, OUTAGE).down_since, Some(at(0)));
    let up = next(&wrong, 0, UP, OUTAGE);
    assert_eq!((up.down_since, up.up_since), (None, Some(at(0))));
}

#[test]
fn what_is_unknown_changes_nothing() {
    let before = StateRecord { down_since: Some(at(-60)), cause: Some("refused".into()), ..StateRecord::default() };
    assert_eq!(next(&before, 0, Verdict::Unknown(UnknownCause::Blind), OUTAGE), before);
}

#[test]
fn the_cause_is_that_of_the_last_run_and_goes_with_the_outage() {
    let mut record = next(&StateRecord::default(), 0, DOWN, FINE);
    record = next(&record, 60, Verdict::Down(DownCause::Unreachable), OUTAGE);
    assert_eq!(record.cause.as_deref(), Some("unreachable"));
    record = next(&record, 120, UP, OUTAGE);
    assert_eq!(record.cause.as_deref(), Some("unreachable"));
    record = next(&record, 240, UP, FINE);
    assert_eq!((record.cause, record.outage_key, record.seen_down), (None, None, None));
}

#[test]
fn the_last_proven_address_does_not_follow_chance() {
    let (v4, v6, new): (IpAddr, IpAddr, IpAddr) =
        ("192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap(), "192.0.2.2".parse().unwrap());
    let fine = page(FINE, -60);
    let proof = |at| Proven { at, running: Running { up: 1, age: 1 } };
    let proven = |at: Option<IpAddr>, addresses| Finding { addresses, proven: at.map(proof), ..finding(0, UP, &fine) };
    let (both, moved) = ([v4, v6], [new, v6]);
    let known = StateRecord { last_proven_address: Some(v4), up_since: Some(at(-9)), ..StateRecord::default() };
    for (finding, address) in
        [(proven(Some(v6), &both), v4), (proven(Some(new), &moved), new), (proven(None, &moved), v4)]
    {
        assert_eq!(finding.record(Some(&known)).last_proven_address, Some(address));
        assert_eq!(finding.needs_record(Some(&known)), address != v4, "{finding:?}");
    }
}

#[test]
fn what_a_newer_version_wrote_is_kept() {
    let newer = r#"{"down_since":"2027-01-15T08:00:00Z","mood":"x"}"#;
    let record: StateRecord = serde_json::from_str(newer).unwrap();
    assert_eq!(serde_json::to_value(next(&record, 0, DOWN, OUTAGE)).unwrap()["mood"], "x");
}

#[test]
fn a_quiet_run_needs_no_record_once_there_is_one() {
    let quiet = StateRecord { up_since: Some(at(-900)), ..StateRecord::default() };
    let open = StateRecord { down_since: Some(at(-60)), ..quiet.clone() };
    let (fine, out) = (page(FINE, -900), page(OUTAGE, -900));
    assert!(!finding(0, UP, &fine).needs_record(Some(&quiet)));
    assert!(finding(0, UP, &fine).needs_record(None), "a cold start");
    assert!(finding(0, UP, &fine).needs_record(Some(&open)), "an outage that is not over");
    assert!(finding(0, UP, &out).needs_record(Some(&quiet)));
    assert!(finding(0, DOWN, &fine).needs_record(Some(&quiet)));
}

//! What the record keeps of boot and start times.

use super::*;

/// A run that finds the home up, with these uptimes in the proof.
fn proven(record: &StateRecord, second: i64, up: u64, age: u64) -> StateRecord {
    let fine = page(FINE, -9_000);
    let finding =
        Finding { start_times: StartTimes::of(Running { up, age }, at(second)), ..finding(second, UP, &fine) };
    let after = finding.record(Some(record));
    assert_eq!(
        finding.needs_record(Some(record)),
        after.start_times() != record.start_times() || record.down_since.is_some()
    );
    after
}

#[test]
fn what_the_last_run_saw_of_boot_and_start_is_kept_and_written_only_when_it_changes() {
    let first = proven(&StateRecord::default(), 0, 90_000, 50);
    assert_eq!(first.start_times(), StartTimes::of(Running { up: 90_000, age: 50 }, at(0)));
    // Rounded, late, and drifting by less than the tolerance.
    for (second, up, age) in [(60, 90_061, 110), (120, 90_119, 171), (180, 90_172, 222)] {
        assert_eq!(proven(&first, second, up, age), first, "{second}");
    }
    let updated = proven(&first, 240, 90_240, 10);
    assert_ne!(updated.start_times(), first.start_times());
    // Of two beacons that answer in turn the newest is kept.
    assert_eq!(proven(&updated, 300, 90_300, 350), updated);
    assert_eq!(proven(&updated, 300, 500_000, 400), updated);
    // The same one, by a clock that was set back.
    assert_ne!(proven(&updated, -3_000, 90_240, 10).start_times(), updated.start_times());
}

#[test]
fn what_was_before_an_outage_is_kept_until_it_is_over_and_its_incident_resolved() {
    let mut record = proven(&StateRecord::default(), 0, 90_000, 50);
    let before = record.start_times();
    record = next(&record, 60, DOWN, FINE);
    record = next(&record, 120, DOWN, OUTAGE);
    record = next(&record, 180, Verdict::Unknown(UnknownCause::Blind), OUTAGE);
    for second in [240, 300, 360] {
        record = proven(&record, second, 100, 90);
        assert_eq!(record.start_times(), before, "{second}");
    }
    assert_eq!(record.down_since, None);
    let open = incident("k", at(60), 360, IncidentStatus::Monitoring);
    let fine = page(FINE, -9_000);
    let start_times = StartTimes::of(Running { up: 160, age: 150 }, at(420));
    let unresolved = Finding { start_times, incident: Some(&open), ..finding(420, UP, &fine) };
    assert_eq!(unresolved.record(Some(&record)).start_times(), before, "its incident is still to be resolved");
    assert_eq!(proven(&record, 420, 160, 150).start_times(), start_times);
    let old: StateRecord =
        serde_json::from_str(r#"{"up_since":"2026-11-21T08:00:00Z","booted":"2026-11-21T08:00:00Z"}"#).unwrap();
    assert_eq!(old.start_times(), None);
}

//! What the record keeps of boot and start.

use super::*;

/// A run that finds the home up, with what its beacon says of itself.
fn proven(record: &Record, second: i64, up: u64, age: u64) -> Record {
    let fine = page(FINE, -9_000);
    let finding = Finding { began: Began::of(Running { up, age }, at(second)), ..finding(second, UP, &fine) };
    let after = finding.record(Some(record));
    assert_eq!(finding.needs_record(Some(record)), after.began() != record.began() || record.down_since.is_some());
    after
}

#[test]
fn what_the_last_run_saw_of_boot_and_start_is_kept_and_written_only_when_it_changes() {
    let first = proven(&Record::default(), 0, 90_000, 50);
    assert_eq!(first.began(), Began::of(Running { up: 90_000, age: 50 }, at(0)));
    // Rounded, late, and drifting by less than is worth a write.
    for (second, up, age) in [(60, 90_061, 110), (120, 90_119, 171), (180, 90_172, 222)] {
        assert_eq!(proven(&first, second, up, age), first, "{second}");
    }
    let updated = proven(&first, 240, 90_240, 10);
    assert_ne!(updated.began(), first.began());
    // Of two beacons that answer in turn the newest is kept.
    assert_eq!(proven(&updated, 300, 90_300, 350), updated);
    assert_eq!(proven(&updated, 300, 500_000, 400), updated);
    // The same one, by a clock that was set back.
    assert_ne!(proven(&updated, -3_000, 90_240, 10).began(), updated.began());
}

#[test]
fn what_was_before_an_outage_is_kept_until_it_is_over_and_told() {
    let mut record = proven(&Record::default(), 0, 90_000, 50);
    let before = record.began();
    record = next(&record, 60, DOWN, FINE);
    record = next(&record, 120, DOWN, OUTAGE);
    record = next(&record, 180, Verdict::Unknown(UnknownCause::Blind), OUTAGE);
    for second in [240, 300, 360] {
        record = proven(&record, second, 100, 90);
        assert_eq!(record.began(), before, "{second}");
    }
    assert_eq!(record.down_since, None);
    let open = incident("k", at(60), 360, IncidentStatus::Monitoring);
    let fine = page(FINE, -9_000);
    let began = Began::of(Running { up: 160, age: 150 }, at(420));
    let untold = Finding { began, incident: Some(&open), ..finding(420, UP, &fine) };
    assert_eq!(untold.record(Some(&record)).began(), before, "its end is still to be told");
    assert_eq!(proven(&record, 420, 160, 150).began(), began);
    let old: Record =
        serde_json::from_str(r#"{"up_since":"2026-11-21T08:00:00Z","booted":"2026-11-21T08:00:00Z"}"#).unwrap();
    assert_eq!(old.began(), None);
}

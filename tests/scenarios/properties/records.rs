//! What a prober remembers: any record is one that the next run reads rightly.

use std::{sync::LazyLock, time::Duration};

use jiff::Timestamp;
use lambda_prober::{
    judge::verdict::Verdict,
    kept::state::{Finding, StateRecord},
    plan::statuses::Statuses,
};
use proptest::prelude::*;
use shared::statuspage::{Component, ComponentStatus};

use super::parsers::anything;

const NOW: i64 = 1_800_000_000;

static STATUSES: LazyLock<Statuses> = LazyLock::new(Statuses::default);

fn time() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-100_000_i64..1_000).prop_map(|ago| Timestamp::from_second(NOW + ago).unwrap()))
}

fn record() -> impl Strategy<Value = StateRecord> {
    let text = prop::option::of("[a-z0-9_-]{1,20}");
    (time(), time(), time(), text.clone(), text, prop::option::of(any::<std::net::Ipv4Addr>())).prop_map(
        |(down_since, up_since, seen_down, outage_key, cause, address)| StateRecord {
            down_since,
            up_since,
            seen_down,
            outage_key,
            cause,
            last_proven_address: address.map(Into::into),
            booted: up_since,
            started: seen_down,
            ..StateRecord::default()
        },
    )
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop::sample::select(Verdict::all().collect::<Vec<_>>())
}

fn page(status: ComponentStatus) -> Component {
    Component {
        id: "8kbf7d35c070".parse().unwrap(),
        name: "Home".into(),
        status: Some(status),
        updated_at: Timestamp::from_second(NOW - 500).unwrap().to_string(),
    }
}

fn finding(verdict: Verdict, page: &Component, ago: i64) -> Finding<'_> {
    Finding {
        at: Timestamp::from_second(NOW + ago).unwrap(),
        verdict,
        page: Some(page),
        incident: None,
        addresses: &[],
        proven: None,
        start_times: None,
        began: None,
        statuses: &STATUSES,
        new_key: "new",
        resolve_after: Duration::from_mins(2),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn no_text_makes_a_reader_fall_over(json in anything()) {
        let _ = serde_json::from_value::<StateRecord>(json);
    }

    #[test]
    fn a_record_is_read_as_it_was_written(record in record()) {
        let text = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<StateRecord>(&text).unwrap(), record);
    }

    #[test]
    fn whatever_is_on_record_the_next_run_makes_sense_of_it(
        record in prop::option::of(record()), verdict in verdict(), status in prop::sample::select(ComponentStatus::ALL.to_vec()),
    ) {
        let page = page(status);
        let after = finding(verdict, &page, 0).record(record.as_ref());
        let now = Timestamp::from_second(NOW).unwrap();
        match verdict {
            // Under maintenance no outage begins.
            Verdict::Down(_) if status == ComponentStatus::UnderMaintenance && after.down_since.is_none() => {
                prop_assert!(after.up_since.is_none());
            }
            Verdict::Down(_) => {
                prop_assert!(after.down_since.is_some_and(|down| down <= now));
                prop_assert!(after.seen_down.is_some_and(|seen| seen <= now));
                prop_assert!(after.outage_key.is_some() && after.up_since.is_none() && after.cause.is_some());
            }
            Verdict::Up | Verdict::Degraded(_) => {
                prop_assert!(after.up_since.is_some_and(|up| up <= now));
                prop_assert!(after.down_since.is_some() || (after.outage_key.is_none() && after.cause.is_none()));
            }
            Verdict::Unknown(_) => {
                let outage = |record: &StateRecord| (record.down_since, record.outage_key.clone(), record.cause.clone());
                prop_assert!(record.is_none_or(|record| outage(&record) == outage(&after)));
            }
        }
    }

    #[test]
    fn a_run_that_is_repeated_changes_nothing_more(
        record in prop::option::of(record()), verdict in verdict(), status in prop::sample::select(ComponentStatus::ALL.to_vec()),
    ) {
        let page = page(status);
        let once = finding(verdict, &page, 0).record(record.as_ref());
        prop_assert_eq!(finding(verdict, &page, 0).record(Some(&once)), once);
    }

    #[test]
    fn an_outage_keeps_its_beginning_and_its_key_until_it_is_over(steps in prop::collection::vec((verdict(), 1_i64..110), 1..40)) {
        let page = page(ComponentStatus::MajorOutage);
        let (mut record, mut at, mut up_for, mut outage) = (None, 0, 0, None);
        for (verdict, step) in steps {
            at += step;
            let after = finding(verdict, &page, at).record(record.as_ref());
            match verdict {
                Verdict::Down(_) => {
                    let now = (after.down_since, after.outage_key.clone());
                    if let Some(before) = outage.take() {
                        prop_assert_eq!(&now, &before);
                    }
                    outage = Some(now);
                    up_for = 0;
                }
                Verdict::Up | Verdict::Degraded(_) => {
                    let since = after.up_since.unwrap();
                    up_for = at - (since.as_second() - NOW);
                    if up_for >= 120 {
                        prop_assert_eq!(after.down_since, None);
                        outage = None;
                    }
                }
                Verdict::Unknown(_) => (),
            }
            record = Some(after);
        }
        let _ = up_for;
    }
}

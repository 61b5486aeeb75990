//! Answers of a statuspage, and settings: nothing makes them fall over, and what is right is read as it was written.

use lambda_prober::{
    head::Reader,
    plan::OurIncident,
    statuses::Statuses,
    verdict::Verdict,
    witness::{Witness, Witnesses},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use shared::statuspage::{Component, ComponentStatus, Incidents, Listing};

/// Any JSON, with the names that matter among the others.
pub(crate) fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-21T04:30:00Z")),
        Just(json!("monitoring")),
        Just(json!("8kbf7d35c070")),
    ];
    let names = prop::sample::select(vec![
        "id",
        "status",
        "updated_at",
        "created_at",
        "metadata",
        "components",
        "incident_updates",
        "porchlight",
        "outage_key",
        "down_since",
        "up_since",
        "cause",
        "last_proven_address",
        "name",
        "other",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..6).prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, it)| (name.into(), it)).collect::<Map<_, _>>()
            )),
        ]
    })
}

fn status() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["investigating", "identified", "monitoring", "resolved", "scheduled", "on_fire"])
}

proptest! {
    #[test]
    fn no_answer_makes_a_reader_fall_over(answer in anything()) {
        let id = "8kbf7d35c070".parse().unwrap();
        if let Ok(listing) = serde_json::from_value::<Listing>(answer.clone()) {
            let _ = listing.component(&id);
        }
        let _ = serde_json::from_value::<Component>(answer.clone());
        if let Ok(Incidents(read)) = serde_json::from_value(answer) {
            for incident in read {
                let _ = OurIncident::read(&incident);
            }
        }
    }

    #[test]
    fn what_is_odd_in_a_list_does_not_hide_what_is_ours(odd in prop::collection::vec(anything(), 0..5), at in 0_usize..5,
        status in status(), key in "[a-z0-9-]{1,30}", seconds in 0_i64..4_000_000_000) {
        let time = jiff::Timestamp::from_second(seconds).unwrap().to_string();
        let ours = json!({"id": "p31zjtct2jer", "status": status, "created_at": time, "updated_at": time,
            "metadata": {"porchlight": {"outage_key": key, "down_since": time}}, "components": [{"id": "8kbf7d35c070"}]});
        let mut list = odd;
        list.insert(at.min(list.len()), ours);
        let Incidents(read) = serde_json::from_value(Value::from(list)).unwrap();
        let found: Vec<_> = read.iter().filter_map(OurIncident::read).filter(|it| it.note.key == key).collect();
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(found[0].is_open(), matches!(status, "investigating" | "identified" | "monitoring"));
        prop_assert!(found[0].names(&"8kbf7d35c070".parse().unwrap()));
    }

    #[test]
    fn a_head_is_read_alike_however_it_comes_in_pieces(
        begins in prop::sample::select(vec!["HTTP/1.1 200 OK\r\n", "http/1.0 404\n", "ICY 200 OK\r\n", "HTTP/1.1 100 x\r\n\r\n", ""]),
        lines in prop::collection::vec("[ \t]{0,2}[a-zA-Z:\u{0}-\u{20}\u{e9}]{0,12}(\r\n|\n|)", 0..12),
        rest: Vec<u8>, size in 1_usize..40,
    ) {
        let text = [begins.as_bytes(), lines.concat().as_bytes(), &rest].concat();
        let mut reader = Reader::new(|_| true);
        let whole = reader.take(&text).map(|head| head.or_else(|| reader.end()));
        let mut reader = Reader::new(|_| true);
        let mut pieces = text.chunks(size).map(|piece| reader.take(piece));
        let found = pieces.find(|read| !matches!(read, Ok(None))).unwrap_or(Ok(None));
        prop_assert_eq!(found.map(|head| head.or_else(|| reader.end())), whole);
    }

    #[test]
    fn no_setting_makes_its_reader_fall_over(text in ".{0,60}") {
        for error in [text.parse::<Witnesses>().err().map(|it| it.to_string()), text.parse::<Statuses>().err().map(|it| it.to_string())] {
            prop_assert!(error.is_none_or(|error| !error.is_empty()));
        }
    }

    #[test]
    fn a_witness_is_read_as_it_is_written(name in "[a-z][a-z0-9]{0,10}(\\.[a-z][a-z0-9]{0,5}){1,3}", v4 in any::<[u8; 4]>(),
        v6 in any::<[u16; 8]>(), port in 1_u16..) {
        let (v4, v6) = (std::net::Ipv4Addr::from(v4), std::net::Ipv6Addr::from(v6));
        prop_assume!(!name.ends_with("duckdns.org"));
        for text in [format!("{name}:{port}"), format!("{v4}:{port}"), format!("[{v6}]:{port}")] {
            let witness: Witness = text.parse().unwrap();
            prop_assert_eq!(witness.to_string(), text);
        }
    }

    #[test]
    fn a_table_of_statuses_says_what_was_written(chosen in prop::collection::btree_map(0_usize..10, 0_usize..4, 0..6)) {
        let causes: Vec<Verdict> = Verdict::all().filter(|it| it.cause().is_some() && !matches!(it, Verdict::Unknown(_))).collect();
        let allowed = ["operational", "degraded_performance", "partial_outage", "major_outage"];
        let pair = |(cause, status): (&usize, &usize)| format!("{}={}", causes[*cause].cause().unwrap(), allowed[*status]);
        let text = chosen.iter().map(pair).collect::<Vec<_>>().join(",");
        let statuses: Statuses = text.parse().unwrap();
        for (index, verdict) in causes.iter().enumerate() {
            let default = Statuses::default().of(*verdict);
            let expected = chosen.get(&index).map(|status| allowed[*status].parse::<ComponentStatus>().unwrap());
            prop_assert_eq!(statuses.of(*verdict), expected.or(default));
        }
    }
}

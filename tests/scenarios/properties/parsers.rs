//! Answers of a statuspage, and settings: nothing makes them fall over, and what is right is read as it was written.

use lambda_prober::{
    judge::{observation::NotHttp, verdict::Verdict},
    observe::{
        head::{Head, HeadReader, MAX_HEAD},
        witness::{Witness, Witnesses},
    },
    plan::{OurIncident, statuses::Statuses},
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

/// What may come from a port: parts of heads in any order, what other protocols say, and bytes of any kind, beyond what is
/// read at most, too.
fn answer() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "HTTP/1.1 200 OK",
        "http/1.0 404",
        "HTTP/1.1 100 x",
        "ICY 200 OK",
        "HTTP/",
        "SSH-2.0-x",
        "Server: x",
        "A:",
        ": b",
        "Porchlight-Proof: v1;up=1",
        " folded",
        "\t",
        "\r",
        "\n",
        "\r\n",
        "\r\n\r\n",
        "\n\n",
        "\x15",
        "\x03",
        "\x16\x03",
    ]);
    let part = prop_oneof![
        8 => known.prop_map(|text| text.as_bytes().to_vec()),
        3 => Just(b"\r\n".to_vec()),
        2 => prop::collection::vec(any::<u8>(), 0..12),
        1 => "[ -~]{0,20}".prop_map(String::into_bytes),
    ];
    // A long one now and then: what reads byte by byte takes its time.
    let filler = prop_oneof![30 => Just(0), 1 => MAX_HEAD - 60..MAX_HEAD + 20];
    (prop::bool::ANY, filler, any::<bool>(), prop::collection::vec(part, 0..24)).prop_map(
        |(begun, length, lines, parts)| {
            let begun: &[u8] = if begun { b"HTTP/1.1 200 OK\r\n" } else { b"" };
            let filler = if lines { b"\r\n".repeat(length / 2) } else { vec![b'x'; length] };
            [begun, &filler, &parts.concat()].concat()
        },
    )
}

/// What comes of those pieces, and then no more.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Option<Head>, NotHttp> {
    let mut reader = HeadReader::new(|_| true);
    let found = pieces.into_iter().map(|piece| reader.push(piece)).find(|read| !matches!(read, Ok(None)));
    found.unwrap_or(Ok(None)).map(|head| head.or_else(|| reader.end()))
}

proptest! {
    #[test]
    fn no_answer_makes_a_reader_fall_over(answer in anything()) {
        let id = "8kbf7d35c070".parse().unwrap();
        if let Ok(components) = serde_json::from_value(answer.clone()) {
            let listing = Listing::new(components, false);
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
    fn a_head_is_read_alike_however_it_comes_in_pieces(text in answer(), places: Vec<prop::sample::Index>) {
        let mut places: Vec<usize> = places.iter().map(|place| place.index(text.len() + 1)).collect();
        places.sort_unstable();
        let ends = places.iter().copied().chain([text.len()]);
        let pieces = [0].into_iter().chain(places.iter().copied()).zip(ends).map(|(from, to)| &text[from..to]);
        let whole = read([text.as_slice()]);
        prop_assert_eq!(&read(pieces), &whole, "in some pieces");
        prop_assert_eq!(&read(text.chunks(1)), &whole, "byte by byte");
        if let Ok(Some(head)) = whole {
            prop_assert!((101..1000).contains(&head.status) && head.fields.len() <= 32);
            prop_assert!(head.fields.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() <= MAX_HEAD);
        }
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
    fn a_table_of_statuses_says_what_was_written(chosen in prop::collection::btree_map(0_usize..12, 0_usize..4, 0..6)) {
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

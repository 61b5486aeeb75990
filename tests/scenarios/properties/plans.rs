//! Plans: carried out, they leave nothing to do; and no human's word is overwritten.

use std::{collections::HashSet, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use lambda_prober::{
    judge::verdict::Verdict,
    plan::{Call, Note, OurIncident, Rules, Subject, View, plan},
};
use proptest::prelude::*;
use serde_json::json;
use shared::{
    id::ComponentId,
    statuspage::{Component, ComponentStatus, IncidentChange, IncidentStatus},
};

const NOW: i64 = 1_800_000_000;

fn at(ago: i64) -> Timestamp {
    Timestamp::from_second(NOW - ago).unwrap()
}

fn id(number: usize) -> ComponentId {
    format!("{number:012}").parse().unwrap()
}

fn subject() -> impl Strategy<Value = (Verdict, i64, usize)> {
    (prop::sample::select(Verdict::all().collect::<Vec<_>>()), 0_i64..2_000, 0_usize..3)
}

fn subjects() -> impl Strategy<Value = Vec<Subject>> {
    let target = |(number, (verdict, ago, key)): (usize, (Verdict, i64, usize))| {
        let down = matches!(verdict, Verdict::Down(_));
        Subject {
            component: id(number),
            verdict,
            down_since: down.then(|| at(ago)),
            up_since: verdict.answers().then(|| at(ago)),
            outage_key: down.then(|| format!("key{key}")),
            started_before: None,
            started_now: None,
            homes_word: None,
        }
    };
    prop::collection::vec(subject(), 1..14).prop_map(move |parts| parts.into_iter().enumerate().map(target).collect())
}

/// An incident of ours: its number, state, key, and which components it names.
fn incident() -> impl Strategy<Value = (IncidentStatus, usize, Vec<usize>, usize, i64)> {
    let states = [
        IncidentStatus::Investigating,
        IncidentStatus::Identified,
        IncidentStatus::Monitoring,
        IncidentStatus::Resolved,
    ];
    (
        prop::sample::select(states.to_vec()),
        0_usize..3,
        prop::collection::vec(0_usize..14, 0..5),
        0_usize..4,
        0_i64..3_000,
    )
}

fn view() -> impl Strategy<Value = View> {
    let statuses = prop::collection::vec(prop::sample::select(ComponentStatus::ALL.to_vec()), 14);
    let maintained = prop::collection::hash_set(0_usize..14, 0..3);
    (statuses, prop::collection::vec(incident(), 0..4), maintained).prop_map(|(statuses, incidents, maintained)| View {
        components: statuses
            .into_iter()
            .enumerate()
            .map(|(number, status)| {
                let (name, updated_at) = (format!("Home {number}"), at(5_000).to_string());
                (id(number), Component { id: id(number), name, status: Some(status), updated_at })
            })
            .collect(),
        incidents: incidents.into_iter().enumerate().map(ours).collect(),
        incidents_known: true,
        maintained: maintained.into_iter().map(id).collect(),
        zone: TimeZone::UTC,
    })
}

fn ours(
    (number, (status, key, components, updates, ago)): (usize, (IncidentStatus, usize, Vec<usize>, usize, i64)),
) -> OurIncident {
    let said = if updates == 3 { IncidentStatus::Investigating } else { status };
    let note = Note { key: format!("key{key}"), down_since: at(ago + 400), cause: None, said, announced: updates != 2 };
    OurIncident {
        id: format!("p{number:011}").parse().unwrap(),
        status,
        note,
        components: components.into_iter().map(id).collect(),
        created_at: at(ago + 100),
        updated_at: at(ago),
        updates,
        metadata: serde_json::Map::new(),
    }
}

/// The page after a call.
fn carry_out(view: &mut View, call: &Call) {
    for (component, status) in call.sets() {
        view.components.get_mut(&component).expect("it is on the page").status = Some(status);
    }
    match call {
        Call::Set { .. } => (),
        Call::Open { change, .. } => {
            let number = view.incidents.len() + 100;
            view.incidents.push(read(change, number, 1));
        }
        Call::Change { incident, change } => {
            let place = view.incidents.iter().position(|it| it.id == *incident).expect("it is on the page");
            let before = view.incidents[place].clone();
            let after = read(change, 0, before.updates + 1);
            view.incidents[place] = OurIncident { id: before.id, created_at: before.created_at, ..after };
        }
        Call::Delete { incident } => view.incidents.retain(|it| it.id != *incident),
    }
}

fn read(change: &IncidentChange, number: usize, updates: usize) -> OurIncident {
    let components = change.component_ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
    let listed = json!({"id": format!("p{number:011}"), "status": change.status, "created_at": at(0).to_string(),
        "updated_at": at(0).to_string(), "metadata": change.metadata, "components": components,
        "incident_updates": vec![json!({}); updates]});
    OurIncident::read(&serde_json::from_value(listed).expect("an incident")).expect("ours")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_plan_that_is_carried_out_leaves_nothing_to_do(subjects in subjects(), view in view(), notify in any::<bool>()) {
        let rules = Rules { notify, ..Rules::default() };
        let mut page = view;
        // An incident that is resolved may leave another one to be updated; each round ends one, and there are few.
        for _ in 0..8 {
            let calls = plan(&subjects, &page, &rules, at(0));
            if calls.is_empty() {
                return Ok(());
            }
            for call in &calls {
                carry_out(&mut page, call);
            }
        }
        let left = plan(&subjects, &page, &rules, at(0));
        prop_assert!(left.is_empty(), "{left:#?}\n{page:#?}");
    }

    #[test]
    fn what_a_human_holds_and_what_is_unknown_is_never_set(subjects in subjects(), view in view()) {
        let calls = plan(&subjects, &view, &Rules::default(), at(0));
        let set: HashSet<ComponentId> = calls.iter().flat_map(|call| call.sets().into_keys()).collect();
        for subject in &subjects {
            let held = view.components[&subject.component].status == Some(ComponentStatus::UnderMaintenance);
            let unknown = matches!(subject.verdict, Verdict::Unknown(_));
            if held || unknown || view.maintained.contains(&subject.component) {
                prop_assert!(!set.contains(&subject.component), "{subject:?}: {calls:#?}");
            }
        }
        prop_assert!(set.iter().all(|id| subjects.iter().any(|subject| subject.component == *id)));
    }

    #[test]
    fn a_resolved_incident_is_never_touched_and_no_key_opened_twice(subjects in subjects(), view in view()) {
        let calls = plan(&subjects, &view, &Rules { incident_after: Some(Duration::from_mins(1)), ..Rules::default() }, at(0));
        for call in &calls {
            match call {
                Call::Change { incident, .. } | Call::Delete { incident } => {
                    prop_assert!(view.incidents.iter().any(|it| it.id == *incident && it.is_open()));
                }
                Call::Open { key, .. } => prop_assert!(view.incidents.iter().all(|it| it.is_ended() || it.note.key != *key)),
                Call::Set { .. } => (),
            }
        }
        let opened = calls.iter().filter(|call| matches!(call, Call::Open { .. })).count();
        prop_assert!(opened <= 1);
    }
}

//! Pages and verdicts, and the calls that they come to.

mod components;
mod incidents;
mod several;

use std::collections::{BTreeMap, HashSet};

use ComponentStatus::{DegradedPerformance, MajorOutage, Operational, PartialOutage, UnderMaintenance};
use jiff::Timestamp;
use serde_json::json;
use shared::{
    id::ComponentId,
    statuspage::{Component, ComponentStatus, Incident, IncidentChange, IncidentStatus},
};

use super::{Call, OurIncident, Rules, Subject, View, plan, zone};
use crate::judge::verdict::{DegradedCause, DownCause, UnknownCause, Verdict};

const SILENT: Verdict = Verdict::Down(DownCause::Unreachable);
const REFUSED: Verdict = Verdict::Down(DownCause::Refused);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn id(number: usize) -> ComponentId {
    format!("{number:012}").parse().unwrap()
}

/// A target that has been as it is since that second, in the outage `k`.
fn subject(number: usize, verdict: Verdict, since: i64) -> Subject {
    let down = matches!(verdict, Verdict::Down(_));
    Subject {
        component: id(number),
        verdict,
        down_since: down.then(|| at(since)),
        up_since: verdict.answers().then(|| at(since)),
        outage_key: down.then(|| "k".into()),
        started_before: None,
        started_now: None,
        homes_word: None,
    }
}

fn page(statuses: &[ComponentStatus]) -> View {
    let component = |(number, status): (usize, &ComponentStatus)| {
        let (name, updated_at) = (format!("Home {number}"), at(-60).to_string());
        (id(number), Component { id: id(number), name, status: Some(*status), updated_at })
    };
    View {
        components: statuses.iter().enumerate().map(component).collect(),
        incidents: Vec::new(),
        incidents_known: true,
        maintained: HashSet::new(),
        zone: zone(Some("Europe/Berlin")),
    }
}

/// An incident as it was left by a call, some seconds ago.
fn left(change: &IncidentChange, number: usize, second: i64) -> OurIncident {
    let ids = change.component_ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>();
    let shown = json!({"id": format!("p{number:011}"), "status": change.status, "created_at": at(second).to_string(),
        "updated_at": at(second).to_string(), "metadata": change.metadata, "components": ids, "incident_updates": [{}]});
    let incident: Incident = serde_json::from_value(shown).unwrap();
    OurIncident::read(&incident).expect("ours")
}

fn planned(subjects: &[Subject], view: &View) -> Vec<Call> {
    plan(subjects, view, &Rules::default(), at(0))
}

/// The only call, which is about an incident.
fn change(calls: &[Call]) -> &IncidentChange {
    let [Call::Open { change, .. } | Call::Change { change, .. }] = calls else { panic!("one call: {calls:#?}") };
    change
}

/// A page with an incident about home 0 that is in that state since then.
fn with_incident(status: ComponentStatus, state: IncidentStatus, since: i64) -> View {
    let mut view = page(&[status]);
    let opening = planned(&[subject(0, SILENT, -300)], &view);
    let opened = IncidentChange { status: state, ..change(&opening).clone() };
    view.incidents = vec![left(&opened, 1, since)];
    // What is resolved, a human resolved.
    if state != IncidentStatus::Resolved {
        view.incidents[0].note.said = state;
    }
    view
}

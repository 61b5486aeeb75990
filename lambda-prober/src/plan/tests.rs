//! Pages and verdicts, and the calls that they come to.

use std::collections::BTreeSet;

use serde_json::json;
use shared::statuspage::{Incident, IncidentStatus};

use super::*;
use crate::verdict::{DegradedCause, DownCause, UnknownCause};

const SILENT: Verdict = Verdict::Down(DownCause::Unreachable);
const REFUSED: Verdict = Verdict::Down(DownCause::Refused);
use ComponentStatus::{DegradedPerformance, MajorOutage, Operational, PartialOutage, UnderMaintenance};

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
        running: None,
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
    let told = json!({"id": format!("p{number:011}"), "status": change.status, "created_at": at(second).to_string(),
        "updated_at": at(second).to_string(), "metadata": change.metadata, "components": ids, "incident_updates": [{}]});
    let incident: Incident = serde_json::from_value(told).unwrap();
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

#[test]
fn a_component_follows_the_verdict_unless_a_human_or_ignorance_forbids_it() {
    for (verdict, status, to) in [
        (Verdict::Up, Operational, None),
        (Verdict::Up, MajorOutage, Some(Operational)),
        (Verdict::Up, PartialOutage, Some(Operational)),
        (Verdict::Up, UnderMaintenance, None),
        (Verdict::Degraded(DegradedCause::Slow), Operational, Some(DegradedPerformance)),
        (REFUSED, Operational, Some(MajorOutage)),
        (REFUSED, MajorOutage, None),
        (REFUSED, UnderMaintenance, None),
        (Verdict::Unknown(UnknownCause::Blind), Operational, None),
        (Verdict::Unknown(UnknownCause::NameService), MajorOutage, None),
    ] {
        let expected: Vec<_> = to.into_iter().map(|to| Call::Set { component: id(0), to }).collect();
        assert_eq!(planned(&[subject(0, verdict, -60)], &page(&[status])), expected, "{verdict:?} over {status:?}");
    }
}

#[test]
fn a_maintenance_under_way_that_names_the_component_is_a_humans_word() {
    let mut view = page(&[Operational, Operational]);
    view.maintained.insert(id(0));
    let calls = planned(&[subject(0, REFUSED, -900), subject(1, REFUSED, -60)], &view);
    assert_eq!(calls, [Call::Set { component: id(1), to: MajorOutage }]);
}

#[test]
fn an_outage_has_an_incident_once_it_has_lasted_and_its_component_is_in_the_same_call() {
    assert_eq!(planned(&[subject(0, SILENT, -299)], &page(&[MajorOutage])), []);
    let calls = planned(&[subject(0, SILENT, -300)], &page(&[Operational]));
    let opened = change(&calls);
    assert_eq!(opened.name.as_deref(), Some("Home 0 is not reachable"));
    assert_eq!(opened.body, "Not reachable since 08:55 CET. Nothing answers: the line or the power is cut.");
    assert_eq!((opened.status, opened.deliver_notifications), (IncidentStatus::Investigating, true));
    assert_eq!(opened.components, BTreeMap::from([(id(0), MajorOutage)]));
    assert_eq!(opened.metadata["porchlight"]["outage_key"], "k");
    let known = planned(&[subject(0, Verdict::Down(DownCause::Impostor), -300)], &page(&[MajorOutage]));
    assert_eq!(change(&known).status, IncidentStatus::Identified);
    assert!(change(&known).body.ends_with("If your address just changed, this clears within minutes."));
}

#[test]
fn incidents_can_be_left_out() {
    let never = Rules { incident_after: None, ..Rules::default() };
    let many: Vec<Subject> = (0..20).map(|number| subject(number, SILENT, -9_000)).collect();
    let calls = plan(&many, &page(&[Operational; 20]), &never, at(0));
    assert!(calls.iter().all(|call| matches!(call, Call::Set { .. })) && calls.len() == 20);
}

#[test]
fn an_incident_goes_its_way_from_the_cause_to_the_end() {
    use IncidentStatus::{Identified, Investigating, Monitoring, Resolved};
    let up = |since| subject(0, Verdict::Up, since);
    for (told, says, subject, expected) in [
        (Investigating, MajorOutage, subject(0, SILENT, -900), None),
        (Investigating, MajorOutage, subject(0, REFUSED, -900), Some((Identified, None))),
        (Investigating, MajorOutage, up(0), Some((Monitoring, Some(Operational)))),
        (Identified, MajorOutage, up(0), Some((Monitoring, Some(Operational)))),
        (Monitoring, Operational, up(-60), None),
        (Monitoring, Operational, up(-120), Some((Resolved, None))),
        (Identified, MajorOutage, up(-120), Some((Resolved, Some(Operational)))),
        (Monitoring, Operational, self::subject(0, SILENT, -900), Some((Investigating, Some(MajorOutage)))),
        (Monitoring, Operational, self::subject(0, Verdict::Unknown(UnknownCause::Blind), 0), None),
    ] {
        let calls = planned(&[subject], &with_incident(says, told, -60));
        let seen = (!calls.is_empty()).then(|| (change(&calls).status, change(&calls).components.get(&id(0)).copied()));
        assert_eq!(seen, expected, "{told:?}");
    }
}

#[test]
fn subscribers_hear_of_the_beginning_and_the_end_only() {
    use IncidentStatus::{Investigating, Monitoring};
    let notified =
        |subject, status, state| change(&planned(&[subject], &with_incident(status, state, -60))).deliver_notifications;
    assert!(!notified(subject(0, Verdict::Up, 0), MajorOutage, Investigating));
    assert!(!notified(subject(0, SILENT, -900), Operational, Monitoring));
    assert!(notified(subject(0, Verdict::Up, -120), Operational, Monitoring));
    let quiet = Rules { notify: false, ..Rules::default() };
    let opened = plan(&[subject(0, SILENT, -300)], &page(&[MajorOutage]), &quiet, at(0));
    assert!(!change(&opened).deliver_notifications);
}

#[test]
fn the_ending_tells_length_and_kind() {
    let mut recovered = subject(0, Verdict::Up, -120);
    let ending = |recovered: &Subject| {
        let calls =
            planned(std::slice::from_ref(recovered), &with_incident(Operational, IncidentStatus::Monitoring, -60));
        change(&calls).body.clone()
    };
    assert_eq!(ending(&recovered), "Reachable since 08:58 CET, after 3 minutes.");
    recovered.running = Some(Running { up: 200, age: 150 });
    assert!(
        ending(&recovered).ends_with("3 minutes. The machine at home was started meanwhile: a power cut, or a reboot.")
    );
}

#[test]
fn causes_that_alternate_are_told_once() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    let told = planned(&[subject(0, REFUSED, -900)], &view);
    view.incidents = vec![left(change(&told), 1, -60)];
    for verdict in [SILENT, REFUSED] {
        assert_eq!(planned(&[subject(0, verdict, -900)], &view), []);
    }
    assert_eq!(planned(&[subject(0, Verdict::Down(DownCause::Impostor), -900)], &view).len(), 1);
}

#[test]
fn an_incident_that_a_human_resolved_is_neither_reopened_nor_doubled() {
    let view = with_incident(Operational, IncidentStatus::Resolved, -60);
    let calls = planned(&[subject(0, SILENT, -900)], &view);
    assert_eq!(
        calls,
        [Call::Set { component: id(0), to: MajorOutage }],
        "the component is told the truth all the same"
    );
    let other = |since| Subject { outage_key: Some("other".into()), ..subject(0, SILENT, since) };
    let mut old = view.clone();
    old.incidents[0].updated_at = at(-1_081);
    assert!(matches!(&planned(&[other(-900)], &old)[..], [Call::Open { .. }]), "another outage has its own");
    let calls = planned(&[other(-900)], &view);
    assert!(matches!(calls[..], [Call::Set { .. }]), "the key was lost, but it was open during this outage: {calls:?}");
}

#[test]
fn an_outage_after_one_that_was_ended_has_its_own_incident_although_the_record_missed_the_end() {
    let ending =
        planned(&[subject(0, Verdict::Up, -320)], &with_incident(Operational, IncidentStatus::Monitoring, -400));
    let mut view = page(&[MajorOutage]);
    view.incidents = vec![left(change(&ending), 1, -310)];
    let again = planned(&[subject(0, SILENT, -900)], &view);
    assert!(change(&again).body.starts_with("Not reachable since 08:54"), "not since before that end: {again:?}");
    view.incidents[0].updated_at = at(-200);
    assert_eq!(planned(&[subject(0, SILENT, -900)], &view), [], "and it has not lasted yet");
    // A human has written a postmortem of the one before.
    view.incidents[0].status = IncidentStatus::Other;
    let another = Subject { outage_key: Some("another".into()), ..subject(0, SILENT, -300) };
    assert!(matches!(&planned(&[another], &view)[..], [Call::Open { .. }]));
}

#[test]
fn of_two_incidents_with_one_key_the_older_stays() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    let mut younger = view.incidents[0].clone();
    younger.id = "p00000000002".parse().unwrap();
    younger.created_at = at(-30);
    view.incidents.insert(0, younger);
    let calls = planned(&[subject(0, SILENT, -900)], &view);
    assert_eq!(calls, [Call::Delete { incident: "p00000000002".parse().unwrap() }]);
    view.incidents[0].updates = 2;
    let calls = planned(&[subject(0, SILENT, -900)], &view);
    assert_eq!(change(&calls).status, IncidentStatus::Resolved, "what somebody wrote there is kept");
    assert!(!change(&calls).deliver_notifications);
}

#[test]
fn two_incidents_about_one_home_are_doubles_whatever_their_keys() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    let mut younger = view.incidents[0].clone();
    younger.id = "p00000000002".parse().unwrap();
    younger.note.key = "of a run that began a second later".into();
    younger.created_at = at(-59);
    view.incidents.push(younger);
    let calls = planned(&[subject(0, SILENT, -900)], &view);
    assert_eq!(calls, [Call::Delete { incident: "p00000000002".parse().unwrap() }]);
}

#[test]
fn what_a_human_says_of_an_incident_stays_until_the_home_is_up() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Identified, -60);
    // "The router is on its way."
    view.incidents[0].status = IncidentStatus::Monitoring;
    for verdict in [SILENT, REFUSED, Verdict::Down(DownCause::Impostor)] {
        assert_eq!(planned(&[subject(0, verdict, -900)], &view), []);
    }
    let up = planned(&[subject(0, Verdict::Up, -120)], &view);
    assert_eq!(change(&up).status, IncidentStatus::Resolved);
}

#[test]
fn an_incident_does_not_end_while_one_of_its_homes_is_left_alone_or_unknown() {
    let both = [subject(0, SILENT, -900), subject(1, SILENT, -900)];
    let mut view = page(&[MajorOutage, Operational]);
    view.incidents = vec![left(change(&planned(&both, &view)), 1, -300)];
    let now = [subject(0, SILENT, -900), subject(1, Verdict::Up, -600)];
    view.maintained.insert(id(0));
    assert_eq!(planned(&now, &view), []);
    view.maintained.clear();
    let unknown = [subject(0, Verdict::Unknown(UnknownCause::Blind), 0), subject(1, Verdict::Up, -600)];
    assert_eq!(planned(&unknown, &view), []);
}

#[test]
fn what_others_noted_at_an_incident_stays() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    view.incidents[0].metadata.insert("other".into(), json!({"ticket": 7}));
    let calls = planned(&[subject(0, REFUSED, -900)], &view);
    assert_eq!(change(&calls).metadata["other"]["ticket"], 7);
}

#[test]
fn without_its_incidents_a_page_still_has_its_components() {
    let view = View { incidents_known: false, ..page(&[Operational]) };
    assert_eq!(planned(&[subject(0, SILENT, -900)], &view), [Call::Set { component: id(0), to: MajorOutage }]);
}

#[test]
fn many_homes_that_go_down_at_once_are_one_incident_at_once() {
    let many: Vec<Subject> = (0..200).map(|number| subject(number, SILENT, 0)).collect();
    let calls = planned(&many, &page(&[Operational; 200]));
    let opened = change(&calls);
    assert_eq!(opened.components.len(), 200);
    assert_eq!(opened.name.as_deref(), Some("Home 0, Home 1 and 198 more are not reachable"));

    assert!(!opened.deliver_notifications, "it may be over in a minute");

    let mut view = page(&[MajorOutage; 200]);
    view.incidents = vec![left(opened, 1, -60)];
    let lasting: Vec<Subject> = (0..200).map(|number| subject(number, SILENT, -300)).collect();
    let announced = planned(&lasting, &view);
    assert!(change(&announced).deliver_notifications && change(&announced).components.is_empty());
    view.incidents = vec![left(change(&announced), 1, -60)];
    assert_eq!(planned(&lasting, &view), []);
    let up: Vec<Subject> = (0..200).map(|number| subject(number, Verdict::Up, 0)).collect();
    let calls = planned(&up, &view);
    assert_eq!((change(&calls).status, change(&calls).components.len()), (IncidentStatus::Monitoring, 200));
    let mut half = up.clone();
    half[..100].clone_from_slice(&many[..100]);
    let calls = planned(&half, &view);
    assert_eq!((change(&calls).status, change(&calls).components.len()), (IncidentStatus::Investigating, 100));
    half[100].verdict = Verdict::Unknown(UnknownCause::Blind);
    assert!(planned(&[&many[..1], &up[1..3]].concat(), &view).len() == 2, "a few are set one by one");
}

#[test]
fn an_incident_about_several_ends_with_the_last_of_them() {
    let both = [subject(0, SILENT, -900), subject(1, SILENT, -900)];
    let mut view = page(&[MajorOutage; 2]);
    let opened = planned(&both, &view);
    view.incidents = vec![left(change(&opened), 1, -60)];
    let one_up = [subject(0, Verdict::Up, -600), subject(1, SILENT, -900)];
    assert_eq!(planned(&one_up, &view), [Call::Set { component: id(0), to: Operational }]);
    let one_unknown = [subject(0, Verdict::Up, -600), subject(1, Verdict::Unknown(UnknownCause::Blind), 0)];
    assert_eq!(planned(&one_unknown, &view), [Call::Set { component: id(0), to: Operational }]);
    let both_up = [subject(0, Verdict::Up, -600), subject(1, Verdict::Up, -120)];
    let ending = planned(&both_up, &view);
    assert_eq!(change(&ending).status, IncidentStatus::Resolved);
    let ids: BTreeSet<_> = change(&ending).component_ids.iter().cloned().collect();
    assert_eq!(ids, BTreeSet::from([id(0), id(1)]));
}

#[test]
fn a_page_that_says_what_it_should_needs_nothing() {
    let view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    assert_eq!(planned(&[subject(0, SILENT, -900)], &view), []);
    assert_eq!(planned(&[subject(0, Verdict::Up, -900)], &page(&[Operational])), []);
    let foreign = json!({"id": "p00000000009", "status": "investigating", "created_at": at(-9).to_string(),
        "updated_at": at(-9).to_string(), "metadata": {"other": {}}, "components": [{"id": id(0)}]});
    assert_eq!(OurIncident::read(&serde_json::from_value(foreign).unwrap()), None, "somebody else's is left alone");
}

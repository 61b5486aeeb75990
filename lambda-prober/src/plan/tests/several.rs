//! Several incidents about one home, and several homes in one incident.

use std::collections::BTreeSet;

use super::*;

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
    assert_eq!(change(&calls).status, IncidentStatus::Resolved, "what was written there is kept");
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

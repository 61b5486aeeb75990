//! The life of one incident.

use shared::{
    heartbeat::{Outage, OutageKind},
    proof::Running,
};

use super::*;
use crate::{judge::start_times::StartTimes, plan::HomesWord};

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
    for (state, says, subject, expected) in [
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
        let calls = planned(&[subject], &with_incident(says, state, -60));
        let seen = (!calls.is_empty()).then(|| (change(&calls).status, change(&calls).components.get(&id(0)).copied()));
        assert_eq!(seen, expected, "{state:?}");
    }
}

#[test]
fn subscribers_are_notified_of_the_beginning_and_the_end_only() {
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
fn the_ending_has_length_and_kind() {
    let mut recovered = subject(0, Verdict::Up, -120);
    let ending = |recovered: &Subject| {
        let calls =
            planned(std::slice::from_ref(recovered), &with_incident(Operational, IncidentStatus::Monitoring, -60));
        change(&calls).body.clone()
    };
    assert_eq!(ending(&recovered), "Reachable since 08:58 CET, after 3 minutes.");
    recovered.started_now = StartTimes::of(Running { up: 200, age: 150 }, at(0));
    assert_eq!(ending(&recovered), "Reachable since 08:58 CET, after 3 minutes.", "nothing is known of before");
    recovered.started_before = StartTimes::of(Running { up: 90_000, age: 80_000 }, at(-600));
    assert!(
        ending(&recovered).ends_with("3 minutes. The machine at home was started meanwhile: a power cut, or a reboot.")
    );
    let line = Outage { kind: OutageKind::Line, began: 320, ended: 130 };
    recovered.homes_word = HomesWord::of(line, at(0));
    assert!(
        ending(&recovered).ends_with("and the line behind it was not, from 08:54 CET on for 3 minutes."),
        "it knows more"
    );
}

#[test]
fn causes_that_alternate_are_published_once() {
    let mut view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    let known = planned(&[subject(0, REFUSED, -900)], &view);
    view.incidents = vec![left(change(&known), 1, -60)];
    for verdict in [SILENT, REFUSED] {
        assert_eq!(planned(&[subject(0, verdict, -900)], &view), []);
    }
    assert_eq!(planned(&[subject(0, Verdict::Down(DownCause::Impostor), -900)], &view).len(), 1);
}

#[test]
fn an_incident_that_a_human_resolved_is_neither_reopened_nor_doubled() {
    let view = with_incident(Operational, IncidentStatus::Resolved, -60);
    let calls = planned(&[subject(0, SILENT, -900)], &view);
    assert_eq!(calls, [Call::Set { component: id(0), to: MajorOutage }], "the component shows the truth all the same");
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

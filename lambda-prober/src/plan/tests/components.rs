//! What a component is set to, and when it is left alone.

use super::*;

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
fn without_its_incidents_a_page_still_has_its_components() {
    let view = View { incidents_known: false, ..page(&[Operational]) };
    assert_eq!(planned(&[subject(0, SILENT, -900)], &view), [Call::Set { component: id(0), to: MajorOutage }]);
}

#[test]
fn a_page_that_says_what_it_should_needs_nothing() {
    let view = with_incident(MajorOutage, IncidentStatus::Investigating, -60);
    assert_eq!(planned(&[subject(0, SILENT, -900)], &view), []);
    assert_eq!(planned(&[subject(0, Verdict::Up, -900)], &page(&[Operational])), []);
    let foreign = json!({"id": "p00000000009", "status": "investigating", "created_at": at(-9).to_string(),
        "updated_at": at(-9).to_string(), "metadata": {"other": {}}, "components": [{"id": id(0)}]});
    assert_eq!(
        OurIncident::read(&serde_json::from_value(foreign).unwrap()),
        None,
        "an incident of another client is left alone"
    );
}

//! That causes are told apart, by label, by sentence and in order.

use std::collections::HashSet;

use super::*;

#[test]
fn every_cause_has_a_label_and_a_sentence_of_its_own() {
    let all: Vec<Verdict> = Verdict::all().collect();
    assert_eq!(all.iter().map(|v| v.cause()).collect::<HashSet<_>>().len(), all.len());
    assert_eq!(all.iter().map(|v| v.sentence()).collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn a_verdict_is_found_by_its_labels() {
    for verdict in Verdict::all() {
        assert_eq!(Verdict::from_labels(verdict.label(), verdict.cause()), Some(verdict));
    }
    assert_eq!(Verdict::from_labels("up", Some("none")), Some(Verdict::Up));
    for (verdict, cause) in [("up", Some("slow")), ("down", None), ("down", Some("slow")), ("fine", None), ("", None)] {
        assert_eq!(Verdict::from_labels(verdict, cause), None, "{verdict} {cause:?}");
    }
}

#[test]
fn only_a_cause_that_is_not_known_may_be_of_a_later_version() {
    for (verdict, cause, may_be) in [
        ("down", "haunted", true),
        ("unknown", "not_asked_yet", true),
        ("down", "refused", false),
        ("down", "slow", false),
        ("down", NO_CAUSE, false),
        ("down", "", false),
        ("up", "haunted", false),
        ("fine", "haunted", false),
        ("down", "Haunted", false),
        ("down", "a;mac", false),
        ("down", "a_cause_that_is_longer_than_any_of", false),
    ] {
        assert_eq!(Verdict::may_be_later(verdict, cause), may_be, "{verdict} {cause}");
    }
}

#[test]
fn causes_are_ordered_from_the_most_specific() {
    assert!(DownCause::ALL.is_sorted() && DegradedCause::ALL.is_sorted());
}

//! Which link is broken first (pure): what comes of a broken link is not conclusive, and not a second failure.

use super::{
    finding::{Finding, Nature, Outcome},
    link::Link,
};

/// Sorts what was found into the order of the chain, and leaves as failed only what no other failure explains.
pub fn conclude(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.link);
    let failed: Vec<(Link, Nature)> = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Failed)
        .map(|finding| (finding.link, finding.nature))
        .collect();
    for finding in findings.iter_mut().filter(|finding| finding.outcome == Outcome::Failed) {
        let Some(cause) = first_broken(finding.link, &failed) else { continue };
        finding.outcome = Outcome::NotConclusive;
        finding.because_of = Some(cause);
        finding.next = Some(format!("mend {} first, and run this again", cause.title()));
    }
    findings
}

/// The first link of those that it needs, by whatever way, that has failed: a cause before a symptom.
fn first_broken(link: Link, failed: &[(Link, Nature)]) -> Option<Link> {
    let (mut needed, mut next) = (Vec::new(), link.needs().to_vec());
    while let Some(link) = next.pop() {
        if !needed.contains(&link) {
            needed.push(link);
            next.extend(link.needs());
        }
    }
    let mut broken: Vec<_> = failed.iter().filter(|(link, _)| needed.contains(link)).collect();
    broken.sort_by_key(|(link, nature)| (*nature == Nature::Symptom, *link));
    broken.first().map(|(link, _)| *link)
}

/// The first broken link: a cause, where there is one.
pub fn first(findings: &[Finding]) -> Option<&Finding> {
    let failed = || findings.iter().filter(|finding| finding.outcome == Outcome::Failed);
    failed().find(|finding| finding.nature == Nature::Cause).or_else(|| failed().next())
}

/// How many links are broken.
pub fn failures(findings: &[Finding]) -> usize {
    findings.iter().filter(|finding| finding.outcome == Outcome::Failed).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(link: Link) -> Finding {
        Finding::failed(link, "seen", "do")
    }

    fn outcome(findings: &[Finding], link: Link) -> (Outcome, Option<Link>) {
        let finding = findings.iter().find(|finding| finding.link == link).unwrap();
        (finding.outcome, finding.because_of)
    }

    #[test]
    fn what_comes_of_a_broken_link_is_not_a_second_failure() {
        let found =
            vec![failed(Link::Component), failed(Link::Page), Finding::ok(Link::Clock, "set"), failed(Link::Token)];
        let found = conclude(found);
        assert_eq!(
            found.iter().map(|finding| finding.link).collect::<Vec<_>>(),
            [Link::Clock, Link::Token, Link::Page, Link::Component]
        );
        assert_eq!(first(&found).map(|finding| finding.link), Some(Link::Token));
        assert_eq!(outcome(&found, Link::Page), (Outcome::NotConclusive, Some(Link::Token)));
        assert_eq!(outcome(&found, Link::Component), (Outcome::NotConclusive, Some(Link::Token)));
        assert_eq!(failures(&found), 1);
    }

    #[test]
    fn what_a_broken_link_has_nothing_to_do_with_stays_a_failure() {
        let found = conclude(vec![failed(Link::DuckDns), failed(Link::Notices)]);
        assert_eq!(failures(&found), 2);
        assert_eq!(first(&found).map(|finding| finding.link), Some(Link::DuckDns));
    }

    #[test]
    fn a_symptom_is_named_only_where_no_cause_is_known() {
        let runs = || Finding::symptom(Link::Runs, "no run", "look");
        let found = conclude(vec![runs(), failed(Link::Token)]);
        assert_eq!(outcome(&found, Link::Runs), (Outcome::NotConclusive, Some(Link::Token)));
        let found = conclude(vec![runs(), failed(Link::Notices)]);
        assert_eq!(first(&found).map(|finding| finding.link), Some(Link::Notices), "a cause goes before a symptom");
        assert_eq!(failures(&found), 2);
        assert_eq!(first(&conclude(vec![runs()])).map(|finding| finding.link), Some(Link::Runs));
        assert_eq!(first(&conclude(vec![Finding::ok(Link::Clock, "set")])), None);
    }
}

//! Which link is broken first (pure): what comes of a broken link is not conclusive, and not a second failure.

use super::{
    finding::{Finding, Nature, Outcome},
    link::Link,
};

/// Sorts what was found into the order of the chain, and leaves as failed only what no other failure explains. `is_wrong`: whether
/// a setting of that name is.
pub fn conclude(mut findings: Vec<Finding>, is_wrong: impl Fn(&str) -> bool) -> Vec<Finding> {
    findings.sort_by_key(|finding| finding.link);
    let failed: Vec<(Link, Nature)> = findings
        .iter()
        .filter(|finding| finding.outcome == Outcome::Failed)
        .map(|finding| (finding.link, finding.nature))
        .collect();
    for finding in findings.iter_mut().filter(|finding| finding.outcome == Outcome::Failed) {
        let Some(cause) = first_broken(finding, &failed, &is_wrong) else { continue };
        finding.outcome = Outcome::NotConclusive;
        finding.because_of = Some(cause);
        finding.next = Some(format!("mend {} first, and run this again", cause.title()));
    }
    findings
}

/// The first link of those that it needs, by whatever way, that has failed: a cause before a symptom. The settings are one of them
/// where one by which it, or what it needs, is looked at is wrong.
fn first_broken(finding: &Finding, failed: &[(Link, Nature)], is_wrong: &impl Fn(&str) -> bool) -> Option<Link> {
    let needed = finding.link.all_needs();
    let rests_on = |link: &Link| link.settings().iter().any(|name| is_wrong(name));
    let is_by_settings = finding.rests_on_settings && (rests_on(&finding.link) || needed.iter().any(rests_on));
    let is_needed = |link: Link| needed.contains(&link) || (link == Link::Settings && is_by_settings);
    let mut broken: Vec<_> = failed.iter().filter(|(link, _)| *link != finding.link && is_needed(*link)).collect();
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

    fn none(_: &str) -> bool {
        false
    }

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
        let found = conclude(found, none);
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
        let found = conclude(vec![failed(Link::DuckDns), failed(Link::Notices)], none);
        assert_eq!(failures(&found), 2);
        assert_eq!(first(&found).map(|finding| finding.link), Some(Link::DuckDns));
    }

    #[test]
    fn a_symptom_is_named_only_where_no_cause_is_known() {
        let runs = || Finding::symptom(Link::Runs, "no run", "look");
        let found = conclude(vec![runs(), failed(Link::Token)], none);
        assert_eq!(outcome(&found, Link::Runs), (Outcome::NotConclusive, Some(Link::Token)));
        let found = conclude(vec![runs(), failed(Link::Notices)], none);
        assert_eq!(first(&found).map(|finding| finding.link), Some(Link::Notices), "a cause goes before a symptom");
        assert_eq!(failures(&found), 2);
        assert_eq!(first(&conclude(vec![runs()], none)).map(|finding| finding.link), Some(Link::Runs));
        assert_eq!(first(&conclude(vec![Finding::ok(Link::Clock, "set")], none)), None);
    }

    #[test]
    fn a_setting_that_is_wrong_explains_what_is_looked_at_by_it_and_nothing_else() {
        let found = || vec![failed(Link::Settings), failed(Link::Beacon), failed(Link::Page), failed(Link::Component)];
        let by = |wrong: &'static str| conclude(found(), move |name: &str| name == wrong);
        let page = by("PAGE_ID");
        assert_eq!(outcome(&page, Link::Beacon), (Outcome::Failed, None), "a page's id hides no beacon");
        assert_eq!(outcome(&page, Link::Page), (Outcome::NotConclusive, Some(Link::Settings)));
        assert_eq!(outcome(&page, Link::Component).1, Some(Link::Settings), "what it needs rests on it");
        let other = by("PING_INTERVAL_SECONDS");
        assert_eq!(failures(&other), 3, "{other:?}");
        assert_eq!(outcome(&other, Link::Component).1, Some(Link::Page));
        assert_eq!(outcome(&by("PUBLIC_ADDR"), Link::Beacon).1, Some(Link::Settings));
        // What was seen whatever is set stays.
        let seen = failed(Link::Function).whatever_is_set();
        let found = conclude(vec![failed(Link::Settings), seen], |name: &str| name == "CANARY_URL");
        assert_eq!(outcome(&found, Link::Function), (Outcome::Failed, None));
    }
}

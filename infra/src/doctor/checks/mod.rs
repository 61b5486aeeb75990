//! One small function for each link (pure): from what was seen to how it is.

pub mod address;
pub mod alarms;
pub mod beacon;
pub mod cloud;
pub mod cluster;
pub mod drift;
pub mod function;
pub mod heartbeat;
pub mod homes;
pub mod inside;
pub mod jobs;
pub mod keeper;
pub mod machine;
pub mod metrics;
pub mod names;
pub mod notices;
pub mod outside;
pub mod page;
pub mod parameters;
pub mod provider;
pub mod receiver;
pub mod relay;
pub mod role;
pub mod runs;
pub mod schedule;

use super::{finding::Finding, link::Link, wrong::Wrong};

/// The settings: every sentence that is wrong with them, or where they were found. `several`: how many homes they name without
/// saying which is this one.
pub fn settings(wrong: &[Wrong], sources: &[String], several: usize) -> Finding {
    match (wrong, sources) {
        ([first, rest @ ..], _) => {
            let rest: Vec<&str> = rest.iter().map(|wrong| wrong.sentence.as_str()).collect();
            let more =
                if rest.is_empty() { String::new() } else { format!("; and {} more: {}", rest.len(), rest.join("; ")) };
            Finding::failed(Link::Settings, format!("{}{more}", first.sentence), first.next)
        }
        ([], []) => Finding::unknown(
            Link::Settings,
            "nothing is set: no file, no variable, and no folder of porchlight setup or up",
            "name the file that you deployed with: porchlight doctor --env prober.env",
        ),
        ([], _) if several > 0 => Finding::unknown(
            Link::Settings,
            format!("TARGETS names {several} homes, and nothing says which of them is looked at"),
            "name its component: COMPONENT_ID=… porchlight doctor",
        ),
        ([], sources) => Finding::ok(Link::Settings, format!("from {}", sources.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Outcome, *};

    #[test]
    fn settings_are_found_wrong_or_missing() {
        let outcome = |wrong: &[&str], sources: &[&str]| {
            let wrong: Vec<_> = wrong.iter().map(|one| Wrong::setting("PAGE_ID", *one)).collect();
            let sources: Vec<_> = sources.iter().map(|one| (*one).to_owned()).collect();
            settings(&wrong, &sources, 0)
        };
        assert_eq!(settings(&[], &["prober.env".to_owned()], 2).outcome, Outcome::NotConclusive);
        assert_eq!(outcome(&[], &["prober.env"]).outcome, Outcome::Ok);
        assert_eq!(outcome(&[], &[]).outcome, Outcome::NotConclusive);
        let failed = outcome(&["PAGE_ID is wrong", "DOMAIN is, too"], &["prober.env"]);
        assert_eq!(failed.outcome, Outcome::Failed);
        assert_eq!(failed.saw, "PAGE_ID is wrong; and 1 more: DOMAIN is, too");
        assert_eq!(failed.next.as_deref(), Some("correct that setting where it stands"));
        let gone = settings(&[Wrong::no_file("prober.env cannot be read")], &[], 0);
        assert!(gone.next.is_some_and(|next| next.starts_with("name the file that you deployed with")));
    }
}

//! A notice in words. Pure.

use std::time::Duration;

use jiff::Timestamp;
use notify::event::{Event, Stage, Subject};
use shared::id::ComponentId;

use super::record::Notice;
use crate::{
    judge::verdict::Verdict,
    plan::{length, these},
};

/// What a notice may say of a home.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) component: ComponentId,
    pub(super) name: String,
    /// What kind of outage it was, in a sentence, where that is known.
    pub(super) kind: Option<&'static str>,
}

/// The event that is sent.
pub(super) fn event(notice: &Notice, homes: &[Home]) -> Event {
    let time = |second| Timestamp::from_second(second).unwrap_or_default();
    let (since, at) = (time(notice.since), time(notice.at));
    let known: Vec<_> = notice.homes.iter().filter_map(|id| homes.iter().find(|home| home.component == *id)).collect();
    let mut names: Vec<_> = known.iter().map(|home| home.name.as_str()).collect();
    names.sort_unstable();
    let these = these(&names);
    let lasted = length(Duration::from_secs(notice.at.abs_diff(notice.since)));
    let cause = Verdict::of_cause(&notice.cause).map(Verdict::sentence).unwrap_or_default();
    let (title, text) = match notice.stage {
        Stage::Began => (format!("{these} down"), cause.to_owned()),
        Stage::Reminder => (format!("{these} still down"), format!("For {lasted} now. {cause}")),
        Stage::Ended => {
            let mut kinds = known.iter().map(|home| home.kind);
            let kind = kinds.next().flatten().filter(|first| kinds.all(|kind| kind == Some(*first)));
            let kind = kind.map(|kind| format!(" {kind}")).unwrap_or_default();
            (format!("{these} up again"), format!("After {lasted}.{kind} What it looked like: {cause}"))
        }
    };
    // The same for all stages of one outage of one home; those of many have no better name than the first.
    let first = notice.homes.iter().min().map(ToString::to_string).unwrap_or_default();
    let key = if notice.homes.len() == 1 { format!("home/{first}") } else { format!("homes/{first}") };
    Event {
        key,
        subject: Subject::Home,
        stage: notice.stage,
        since,
        at,
        title,
        text: text.trim_end().to_owned(),
        is_serious: true,
        ends: None,
        link: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(stage: Stage, homes: &[&str]) -> Notice {
        let homes = homes.iter().map(|home| home.parse().unwrap()).collect();
        Notice { stage, since: 0, at: 4200, homes, cause: "refused".into(), left: Vec::new(), claim: None }
    }

    fn homes() -> Vec<Home> {
        let home = |id: &str, name: &str| Home {
            component: id.parse().unwrap(),
            name: name.into(),
            kind: Some("The host booted."),
        };
        vec![home("8kbf7d35c070", "Home internet"), home("8kbf7d35c071", "Cabin"), home("8kbf7d35c072", "Garden")]
    }

    #[test]
    fn a_person_reads_which_homes_since_when_and_why() {
        let words = |stage, ids: &[&str]| {
            let event = event(&notice(stage, ids), &homes());
            (event.title, event.text)
        };
        let (title, text) = words(Stage::Began, &["8kbf7d35c070"]);
        assert_eq!(title, "Home internet is down");
        assert!(text.contains("port"), "{text}");
        let (title, text) = words(Stage::Ended, &["8kbf7d35c070"]);
        assert_eq!(title, "Home internet is up again");
        assert!(text.starts_with("After 1 hour 10 minutes. The host booted. What it looked like: "), "{text}");
        assert_eq!(words(Stage::Began, &["8kbf7d35c070", "8kbf7d35c071"]).0, "Cabin and Home internet are down");
        assert_eq!(
            words(Stage::Reminder, &["8kbf7d35c070", "8kbf7d35c071", "8kbf7d35c072"]).0,
            "Cabin, Garden and 1 more are still down"
        );
    }

    #[test]
    fn an_outage_has_one_thread() {
        let thread = |stage| event(&notice(stage, &["8kbf7d35c070"]), &homes()).thread();
        assert_eq!(thread(Stage::Began), thread(Stage::Ended));
    }
}

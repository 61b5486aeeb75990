//! A notice in words. Pure.

use std::time::Duration;

use jiff::Timestamp;
use notify::event::{Event, Stage, Subject};
use shared::id::ComponentId;

use super::record::Notice;
use crate::{
    judge::{start_times::StartTimes, verdict::Verdict},
    plan::{OutageKind, length, these},
};

/// What a notice may say of a home.
#[derive(Clone, Debug)]
pub(super) struct Home {
    pub(super) component: ComponentId,
    pub(super) name: String,
    /// When host and beacon started, before the outage and by now, where that is known.
    pub(super) started: Option<(StartTimes, StartTimes)>,
}

/// The event that is sent, by a run that began `now`.
pub(super) fn event(notice: &Notice, homes: &[Home], now: Timestamp) -> Event {
    let time = |second| Timestamp::from_second(second).unwrap_or_default();
    let (since, at) = (time(notice.since), time(notice.at));
    let known: Vec<_> = notice.homes.iter().filter_map(|id| homes.iter().find(|home| home.component == *id)).collect();
    let mut names: Vec<_> = known.iter().map(|home| home.name.as_str()).collect();
    names.sort_unstable();
    let these = these(&names);
    let until = if notice.ended == 0 { notice.at } else { notice.ended };
    let lasted = length(Duration::from_secs(until.abs_diff(notice.since)));
    // The next run does not know any more what was before.
    let is_of_this_run = now.as_second() == notice.at;
    let kind = |home: &&Home| {
        let (before, by_now) = home.started.filter(|_| is_of_this_run)?;
        OutageKind::of(before, by_now, at, since)
    };
    let cause = Verdict::of_cause(&notice.cause).map(Verdict::sentence).unwrap_or_default();
    let (title, text) = match notice.stage {
        Stage::Began if notice.count > 0 => (
            format!("{these} down again, and comes and goes"),
            format!(
                "It is outage number {} in a row. The next notice comes once it has been up for half an hour. {cause}",
                notice.count
            ),
        ),
        Stage::Began => (format!("{these} down"), cause.to_owned()),
        Stage::Reminder => (format!("{these} still down"), format!("For {lasted} now. {cause}")),
        Stage::Ended if notice.count > 0 => (
            format!("{these} up again"),
            format!("It came and went for {lasted}, down {} times in all. What it looked like: {cause}", notice.count),
        ),
        Stage::Ended => {
            let mut kinds = known.iter().map(kind);
            let kind = kinds.next().flatten().filter(|first| kinds.all(|kind| kind == Some(*first)));
            let kind = kind.map(|kind| format!(" {}", kind.sentence())).unwrap_or_default();
            (format!("{these} up again"), format!("After {lasted}.{kind} What it looked like: {cause}"))
        }
    };
    // The same for all stages of one outage. Of a group of homes that is over in parts, each part is about its own homes, and the
    // last one about the group.
    let first = notice.homes.iter().min().map(ToString::to_string).unwrap_or_default();
    let key = notice.group.as_ref().map_or_else(|| format!("home/{first}"), |group| format!("homes/{group}"));
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
        Notice {
            stage,
            since: 0,
            at: 4200,
            homes,
            cause: "refused".into(),
            ended: 0,
            count: 0,
            group: None,
            tries: 0,
            left: Vec::new(),
            claim: None,
        }
    }

    fn homes() -> Vec<Home> {
        let home = |id: &str, name: &str| Home { component: id.parse().unwrap(), name: name.into(), started: None };
        vec![home("8kbf7d35c070", "Home internet"), home("8kbf7d35c071", "Cabin"), home("8kbf7d35c072", "Garden")]
    }

    #[test]
    fn a_person_reads_which_homes_since_when_and_why() {
        let words = |stage, ids: &[&str]| {
            let event = event(&notice(stage, ids), &homes(), Timestamp::UNIX_EPOCH);
            (event.title, event.text)
        };
        let (title, text) = words(Stage::Began, &["8kbf7d35c070"]);
        assert_eq!(title, "Home internet is down");
        assert!(text.contains("port"), "{text}");
        let (title, text) = words(Stage::Ended, &["8kbf7d35c070"]);
        assert_eq!(title, "Home internet is up again");
        assert!(text.starts_with("After 1 hour 10 minutes. What it looked like: "), "{text}");
        assert_eq!(words(Stage::Began, &["8kbf7d35c070", "8kbf7d35c071"]).0, "Cabin and Home internet are down");
        assert_eq!(
            words(Stage::Reminder, &["8kbf7d35c070", "8kbf7d35c071", "8kbf7d35c072"]).0,
            "Cabin, Garden and 1 more are still down"
        );
    }

    #[test]
    fn a_group_of_homes_has_one_thread_that_ends_with_its_last_home() {
        let group: Option<ComponentId> = "8kbf7d35c070".parse().ok();
        let thread = |homes_of: &[&str], stage, group: &Option<ComponentId>| {
            let notice = Notice { group: group.clone(), ..notice(stage, homes_of) };
            event(&notice, &homes(), Timestamp::UNIX_EPOCH).thread()
        };
        let began = thread(&["8kbf7d35c070", "8kbf7d35c071"], Stage::Began, &group);
        assert_ne!(thread(&["8kbf7d35c070"], Stage::Ended, &None), began, "one of them is up");
        assert_eq!(thread(&["8kbf7d35c071"], Stage::Ended, &group), began, "the last one is");
    }

    #[test]
    fn what_comes_and_goes_says_how_often() {
        let words = |stage| {
            let notice = Notice { count: 7, ended: 4100, ..notice(stage, &["8kbf7d35c070"]) };
            let event = event(&notice, &homes(), Timestamp::UNIX_EPOCH);
            format!("{} | {}", event.title, event.text)
        };
        let began = "Home internet is down again, and comes and goes | It is outage number 7 in a row. ";
        assert!(words(Stage::Began).starts_with(began), "{}", words(Stage::Began));
        let ended = "Home internet is up again | It came and went for 1 hour 8 minutes, down 7 times in all. ";
        assert!(words(Stage::Ended).starts_with(ended), "{}", words(Stage::Ended));
    }

    #[test]
    fn its_length_is_that_of_the_page_and_its_kind_only_what_is_known() {
        let times = |second| {
            let time = Timestamp::from_second(second).unwrap();
            StartTimes { booted: time, started: time }
        };
        let started = Some((times(-9000), times(600)));
        let home = Home { component: "8kbf7d35c070".parse().unwrap(), name: "Home".into(), started };
        let ended = Notice { ended: 720, at: 840, ..notice(Stage::Ended, &["8kbf7d35c070"]) };
        let text = |now| event(&ended, std::slice::from_ref(&home), Timestamp::from_second(now).unwrap()).text;
        assert!(text(840).starts_with("After 12 minutes. The machine at home was started meanwhile"), "{}", text(840));
        assert!(text(900).starts_with("After 12 minutes. What it looked like"), "{}", text(900));
    }

    #[test]
    fn an_outage_has_one_thread() {
        let thread = |stage| event(&notice(stage, &["8kbf7d35c070"]), &homes(), Timestamp::UNIX_EPOCH).thread();
        assert_eq!(thread(Stage::Began), thread(Stage::Ended));
    }
}

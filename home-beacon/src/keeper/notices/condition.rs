//! What can be worth a notice, as it is now. Pure.

use jiff::{SignedDuration, Timestamp};
use notify::{
    event::{Event, Stage, Subject},
    rules::Now,
};

use super::track::Track;
use crate::keeper::length::length;

/// The longest text, in characters: what jobs say of their failures is in it.
const MAX_TEXT: usize = 300;

/// Something that is well, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Condition {
    /// What it is about, like `job/ping`.
    pub(in crate::keeper) key: String,
    pub(in crate::keeper) subject: Subject,
    pub(in crate::keeper) is_serious: bool,
    /// Who is to be given what had ended before they could be given that it began.
    pub(in crate::keeper) missed: Missed,
    pub(in crate::keeper) now: Now,
    /// Of when the newest is by which that is known: a notice that had to wait for the line is sent only if it holds anew.
    pub(in crate::keeper) seen_at: Timestamp,
    /// In words: what is wrong, more of it, and that it is over.
    pub(in crate::keeper) words: Words,
}

/// What becomes of a notice that something is over where nobody was given that it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) enum Missed {
    /// It is sent all the same: that it happened is worth knowing.
    Sent,
    /// It is sent unless a prober has seen the home down then: its notice says the same.
    SentUnlessSeen,
    /// It is not: it was a consequence of something else, or matters only while it lasts.
    Dropped,
}

impl Missed {
    /// As it is stored.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::SentUnlessSeen => "sent_unless_seen",
            Self::Dropped => "dropped",
        }
    }
}

/// A condition in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::keeper) struct Words {
    /// `Nothing comes from the job dns`
    pub(in crate::keeper) title: String,
    /// A sentence or two, while it lasts.
    pub(in crate::keeper) text: String,
    /// `The job dns reports again`
    pub(in crate::keeper) ended: String,
}

impl Condition {
    /// What is sent of it at that stage.
    pub(super) fn event(&self, track: &Track, stage: Stage, at: Timestamp) -> Event {
        let since = track.announced.unwrap_or(track.since);
        let until = if stage == Stage::Ended { track.ended.unwrap_or(at) } else { at };
        let lasted = length(until.duration_since(since).max(SignedDuration::ZERO));
        let Words { title, text, ended } = &self.words;
        let (title, text) = match stage {
            Stage::Began if track.flaps() => (
                format!("{title}, and comes and goes"),
                format!(
                    "It is the {} since {}; the next notice is once it has been well for half an hour. {text}",
                    times(track.begins),
                    clock(track.first)
                ),
            ),
            Stage::Began => (title.clone(), text.clone()),
            Stage::Reminder => (format!("Still: {title}"), format!("For {lasted} now. {text}")),
            Stage::Ended if track.flaps() => {
                (ended.clone(), format!("It came and went {} times in {lasted}.", track.begins))
            }
            Stage::Ended => (ended.clone(), format!("After {lasted}.")),
        };
        let text = text.trim_end().chars().take(MAX_TEXT).collect();
        let (key, subject, is_serious) = (self.key.clone(), self.subject, self.is_serious);
        Event { key, subject, stage, since, at, title, text, is_serious, ends: None, link: None }
    }
}

/// Whether a key is that of a mute, or below it: `job/ping` is below `job`, and everything below `all`.
pub(super) fn is_below(key: &str, mute: &str) -> bool {
    mute == "all" || key.strip_prefix(mute).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn times(count: u32) -> String {
    match (count % 100, count % 10) {
        (11..=13, _) => format!("{count}th time"),
        (_, 1) => format!("{count}st time"),
        (_, 2) => format!("{count}nd time"),
        (_, 3) => format!("{count}rd time"),
        _ => format!("{count}th time"),
    }
}

fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition() -> Condition {
        Condition {
            key: "job/dns".into(),
            subject: Subject::Job,
            is_serious: false,
            missed: Missed::Dropped,
            now: Now::Well,
            seen_at: Timestamp::UNIX_EPOCH,
            words: Words {
                title: "The job dns fails".into(),
                text: "Why: x.".into(),
                ended: "The job dns works again".into(),
            },
        }
    }

    fn track(begins: u32) -> Track {
        let at = |minute: i64| Timestamp::from_second(minute * 60).unwrap();
        Track { since: at(10), ended: Some(at(95)), announced: Some(at(10)), last: None, begins, first: at(1) }
    }

    #[test]
    fn a_person_reads_what_and_for_how_long() {
        let event = |begins, stage| {
            let event = condition().event(&track(begins), stage, Timestamp::from_second(100 * 60).unwrap());
            format!("{} | {}", event.title, event.text)
        };
        assert_eq!(event(1, Stage::Began), "The job dns fails | Why: x.");
        assert_eq!(event(1, Stage::Reminder), "Still: The job dns fails | For 1 h 30 min now. Why: x.");
        assert_eq!(event(1, Stage::Ended), "The job dns works again | After 1 h 25 min.");
        assert_eq!(event(9, Stage::Ended), "The job dns works again | It came and went 9 times in 1 h 25 min.");
        assert!(
            event(3, Stage::Began)
                .starts_with("The job dns fails, and comes and goes | It is the 3rd time since 00:01 UTC")
        );
    }

    #[test]
    fn a_mute_holds_for_a_key_and_all_below_it() {
        for (mute, holds) in [("job/dns", true), ("job", true), ("all", true), ("job/d", false), ("line", false)] {
            assert_eq!(is_below("job/dns", mute), holds, "{mute}");
        }
    }
}

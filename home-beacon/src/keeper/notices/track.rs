//! How far something has come that is worth a notice, and which notice is due. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use notify::{
    event::Stage,
    rules::{Now, Rules, Sent},
};

/// What has been well for so long, and begins again, is something new.
const CALM: SignedDuration = SignedDuration::from_mins(30);

/// What begins so often without having been calm comes and goes: from then on there is one notice, and one once it is calm.
const FLAPPING: u32 = 3;

/// Something that goes on, or has ended lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Track {
    /// Since when it lasts, or lasted.
    pub(super) since: Timestamp,
    /// When it ended.
    pub(super) ended: Option<Timestamp>,
    /// Since when it lasts by the notice that it began, where there was one that has no end yet.
    pub(super) announced: Option<Timestamp>,
    /// The last notice.
    pub(super) last: Option<Timestamp>,
    /// How often it has begun since it was last calm.
    pub(super) begins: u32,
    /// The first of these times.
    pub(super) first: Timestamp,
}

/// When notices are sent of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct When {
    pub(super) every: Option<Duration>,
    /// In quiet hours, or muted.
    pub(super) is_held_back: bool,
}

impl Track {
    fn begin(since: Timestamp) -> Self {
        Self { since, ended: None, announced: None, last: None, begins: 1, first: since }
    }

    /// Whether it comes and goes.
    pub(super) const fn flaps(&self) -> bool {
        self.begins >= FLAPPING
    }

    /// How it is now, by what is known of it; `None` where there is nothing to know of it any more.
    fn moved(before: Option<Self>, now: Now, at: Timestamp) -> Option<Self> {
        match (before, now) {
            (None, Now::Well) => None,
            (None, Now::Lasting(since)) => Some(Self::begin(since)),
            (Some(track), Now::Lasting(since)) => Some(match track.ended {
                None => track,
                Some(ended) if at.duration_since(ended) < CALM || track.announced.is_some() => {
                    Self { since, ended: None, begins: track.begins.saturating_add(1), ..track }
                }
                Some(_) => Self::begin(since),
            }),
            (Some(track), Now::Well) => match track.ended {
                None => Some(Self { ended: Some(at), ..track }),
                Some(ended) if at.duration_since(ended) >= CALM && track.announced.is_none() => None,
                Some(_) => Some(track),
            },
        }
    }

    fn due(&self, when: When, at: Timestamp) -> Option<Stage> {
        if when.is_held_back {
            return None;
        }
        let sent = match self.announced {
            Some(since) => Sent::Began { since, last: self.last.unwrap_or(since) },
            None => Sent::Nothing,
        };
        let now = match self.ended {
            Some(ended) if !self.flaps() || at.duration_since(ended) >= CALM => Now::Well,
            // Not even a reminder while it may be over.
            Some(_) => return None,
            None => Now::Lasting(self.since),
        };
        Rules { after: Duration::ZERO, every: when.every }.due(sent, now, at)
    }

    /// How it is now, and the notice that is due, as if that were sent.
    pub(super) fn step(before: Option<Self>, now: Now, when: When, at: Timestamp) -> (Option<Self>, Option<Stage>) {
        let Some(mut track) = Self::moved(before, now, at) else { return (None, None) };
        let stage = track.due(when, at);
        match stage {
            Some(Stage::Began) => (track.announced, track.last) = (Some(track.since), Some(at)),
            Some(Stage::Reminder) => track.last = Some(at),
            Some(Stage::Ended) => (track.announced, track.last) = (None, None),
            None => (),
        }
        // It was calm, so that what begins next is something new.
        let is_past = stage == Some(Stage::Ended) && track.flaps();
        ((!is_past).then_some(track), stage)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALWAYS: When = When { every: None, is_held_back: false };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    /// The minutes at which something is sent of what lasts in those spans; `held` are minutes in which nothing is.
    fn sent(lasts: &[(i64, i64)], held: std::ops::Range<i64>, until: i64) -> Vec<(i64, Stage, u32)> {
        let (mut track, mut sent) = (None, Vec::new());
        for minute in 0..until {
            let lasting = lasts.iter().find(|(from, to)| (*from..*to).contains(&minute));
            let now = lasting.map_or(Now::Well, |(from, _)| Now::Lasting(at(*from)));
            let when = When { is_held_back: held.contains(&minute), ..ALWAYS };
            let begins = track.as_ref().map_or(0, |track: &Track| track.begins);
            let (after, stage) = Track::step(track, now, when, at(minute));
            let begins = after.as_ref().map_or(begins, |after| after.begins);
            sent.extend(stage.map(|stage| (minute, stage, begins)));
            track = after;
        }
        sent
    }

    #[test]
    fn what_begins_and_ends_is_sent_once_each() {
        assert_eq!(sent(&[(10, 50)], 0..0, 200), [(10, Stage::Began, 1), (50, Stage::Ended, 1)]);
    }

    #[test]
    fn what_comes_and_goes_is_one_notice_with_a_count_and_one_once_it_is_calm() {
        let flapping: Vec<_> = (0..9).map(|number| (number * 10, number * 10 + 3)).collect();
        let expected = [
            (0, Stage::Began, 1),
            (3, Stage::Ended, 1),
            (10, Stage::Began, 2),
            (13, Stage::Ended, 2),
            (20, Stage::Began, 3),
            // 83 and half an hour.
            (113, Stage::Ended, 9),
        ];
        assert_eq!(sent(&flapping, 0..0, 300), expected);
        assert_eq!(sent(&[(0, 3), (40, 43)], 0..0, 300).last(), Some(&(43, Stage::Ended, 1)), "it was calm between");
    }

    #[test]
    fn what_begins_in_quiet_hours_is_sent_at_their_end_if_it_still_lasts() {
        assert_eq!(sent(&[(20, 70)], 10..60, 200), [(60, Stage::Began, 1), (70, Stage::Ended, 1)]);
        assert_eq!(sent(&[(20, 50)], 10..60, 200), []);
        assert_eq!(sent(&[(5, 30)], 10..60, 200), [(5, Stage::Began, 1), (60, Stage::Ended, 1)]);
    }

    #[test]
    fn a_reminder_comes_while_it_lasts() {
        let when = When { every: Some(Duration::from_hours(1)), is_held_back: false };
        let (track, _) = Track::step(None, Now::Lasting(at(0)), when, at(0));
        let (track, stage) = Track::step(track, Now::Lasting(at(0)), when, at(59));
        assert_eq!(stage, None);
        let (track, stage) = Track::step(track, Now::Lasting(at(0)), when, at(60));
        assert_eq!(stage, Some(Stage::Reminder));
        assert_eq!(Track::step(track, Now::Lasting(at(0)), when, at(61)).1, None);
    }

    proptest! {
        #[test]
        fn whatever_comes_and_goes_is_never_more_than_it_was_and_ends_as_often_as_it_begins(
            lengths in prop::collection::vec((1_i64..60, 1_i64..60), 0..40),
            held in 0_i64..500,
        ) {
            let mut from = 0;
            let lasts: Vec<_> = lengths.iter().map(|(well, lasts)| {
                let span = (from + well, from + well + lasts);
                from = span.1;
                span
            }).collect();
            let sent = sent(&lasts, held..held + 200, from.max(held + 200) + 100);
            let stages: Vec<_> = sent.iter().map(|(_, stage, _)| *stage).collect();
            prop_assert!(stages.chunks(2).all(|pair| pair == [Stage::Began, Stage::Ended]), "{stages:?}");
            prop_assert!(stages.len() / 2 <= lasts.len());
            for (minute, stage, _) in sent {
                let lasts = lasts.iter().any(|(from, to)| (*from..*to).contains(&minute));
                prop_assert!(lasts || stage == Stage::Ended);
                prop_assert!(!(held..held + 200).contains(&minute));
            }
        }
    }
}

//! Which stage of an event is due, from what was sent of it before. Pure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::event::Stage;

/// When to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long something lasts before it is worth a notice.
    pub after: Duration,
    /// How often to remind of what goes on; never without it.
    pub every: Option<Duration>,
}

/// How something is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    /// It goes on, since then.
    Lasting(Timestamp),
    /// It is not, or not any more.
    Well,
}

/// What was sent of something that lasted; nothing of what ended without a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sent {
    /// Nothing, or it was all about something that has ended.
    #[default]
    Nothing,
    /// That it began, and when something was sent of it last.
    Began {
        /// Since when it lasts.
        since: Timestamp,
        /// The last notice.
        last: Timestamp,
    },
}

impl Rules {
    /// The stage that is due now, if one is. What began with no notice ends with none; something new that begins before the end of
    /// the one before it was sent is the same to a person, and goes on.
    pub fn due(&self, sent: Sent, now: Now, at: Timestamp) -> Option<Stage> {
        let has_passed = |since: Timestamp, wait: Duration| {
            SignedDuration::try_from(wait).is_ok_and(|wait| at.duration_since(since) >= wait)
        };
        match (sent, now) {
            (Sent::Nothing, Now::Lasting(since)) => has_passed(since, self.after).then_some(Stage::Began),
            (Sent::Nothing, Now::Well) => None,
            (Sent::Began { last, .. }, Now::Lasting(_)) => {
                self.every.filter(|every| has_passed(last, *every)).map(|_| Stage::Reminder)
            }
            (Sent::Began { .. }, Now::Well) => Some(Stage::Ended),
        }
    }

    /// What was sent, once a stage has been.
    pub fn sent(before: Sent, stage: Stage, now: Now, at: Timestamp) -> Sent {
        match (stage, before, now) {
            (Stage::Ended, ..) | (_, Sent::Nothing, Now::Well) => Sent::Nothing,
            (_, Sent::Began { since, .. }, _) | (_, Sent::Nothing, Now::Lasting(since)) => {
                Sent::Began { since, last: at }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules { after: Duration::from_secs(120), every: Some(Duration::from_secs(3600)) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// The stages that are sent while something is down in those spans, looked at every minute.
    fn stages(down: &[(i64, i64)], rules: Rules, until: i64) -> Vec<(i64, Stage)> {
        let (mut sent, mut stages) = (Sent::Nothing, Vec::new());
        for second in (0..until).step_by(60) {
            let lasting = down.iter().find(|(from, to)| (*from..*to).contains(&second));
            let now = lasting.map_or(Now::Well, |(from, _)| Now::Lasting(at(*from)));
            if let Some(stage) = rules.due(sent, now, at(second)) {
                stages.push((second, stage));
                sent = Rules::sent(sent, stage, now, at(second));
            }
        }
        stages
    }

    #[test]
    fn what_lasts_is_sent_once_reminded_of_and_ended() {
        let expected = [(720, Stage::Began), (4320, Stage::Reminder), (7920, Stage::Reminder), (8040, Stage::Ended)];
        assert_eq!(stages(&[(600, 8000)], RULES, 20_000), expected);
        let silent = Rules { every: None, ..RULES };
        assert_eq!(stages(&[(600, 8000)], silent, 20_000), [(720, Stage::Began), (8040, Stage::Ended)]);
        assert_eq!(stages(&[(600, 700)], RULES, 20_000), [], "too short to be worth it");
    }

    #[test]
    fn a_clock_that_is_set_back_sends_nothing_again() {
        let sent = Sent::Began { since: at(600), last: at(9000) };
        assert_eq!(RULES.due(sent, Now::Lasting(at(600)), at(700)), None);
        assert_eq!(RULES.due(Sent::Nothing, Now::Lasting(at(900)), at(600)), None);
    }

    proptest! {
        #[test]
        fn there_is_one_end_for_each_begin_and_none_about_a_time_that_was_up(
            lengths in prop::collection::vec((1_i64..200, 1_i64..200), 0..20)
        ) {
            let mut from = 0;
            let down: Vec<_> = lengths.iter().map(|(up, lasts)| {
                let span = (from + up * 60, from + (up + lasts) * 60);
                from = span.1;
                span
            }).collect();
            let stages = stages(&down, RULES, from + 600);
            let of = |wanted| stages.iter().filter(|(_, stage)| *stage == wanted).count();
            let lasted = down.iter().filter(|(from, to)| to - from > 120).count();
            prop_assert_eq!((of(Stage::Began), of(Stage::Ended)), (lasted, lasted));
            for (second, stage) in &stages {
                let is_down = down.iter().any(|(from, to)| (*from..*to).contains(second));
                prop_assert_eq!(is_down, *stage != Stage::Ended, "{} {:?}", second, stage);
            }
        }
    }
}

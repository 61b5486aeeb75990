//! What was found, as conditions. Pure.

use jiff::{SignedDuration, Timestamp};
use notify::{event::Subject, rules::Now};

use crate::keeper::{
    length::length,
    notices::condition::{Condition, Missed, Words},
    relay::{Condition as RelayCondition, Report},
};

/// How long nobody may look: a prober looks each minute.
const MAX_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// How long a prober may take to find the home again once its line is back.
const FOUND_AGAIN: SignedDuration = SignedDuration::from_mins(6);

/// How long what is measured may wait for upstream.
const MAX_BACKLOG: SignedDuration = SignedDuration::from_hours(1);

/// How long no call may go well: one that fails while it catches up is nothing.
const MIN_UNWELL: SignedDuration = SignedDuration::from_mins(5);

/// How long a beacon may not answer: it may be on its way to another node.
const MAX_BEACON_SILENCE: SignedDuration = SignedDuration::from_mins(3);

/// Whether the database can be written and read; `failure` is why not.
pub(in crate::keeper) fn storage(failure: Option<&str>, now: Timestamp) -> Condition {
    let why = failure.map(|why| format!("{why}. What is measured meanwhile is refused, and jobs send it again."));
    Condition {
        key: "keeper/storage".into(),
        subject: Subject::Keeper,
        is_serious: true,
        missed: Missed::Sent,
        now: if failure.is_some() { Now::Lasting(now) } else { Now::Well },
        seen_at: now,
        words: Words {
            title: "The keeper's database cannot be written".into(),
            text: why.unwrap_or_default(),
            ended: "The keeper's database can be written again".into(),
        },
    }
}

/// Whether somebody looks at a component from outside; `None` while the keeper has not run for long enough to say.
pub(super) fn not_looked_at(
    id: &str,
    name: &str,
    age: SignedDuration,
    ran_for: SignedDuration,
    now: Timestamp,
) -> Option<Condition> {
    let is_recent = age <= MAX_PAUSE;
    if !is_recent && ran_for <= MAX_PAUSE {
        return None;
    }
    let since = now.checked_sub(age).unwrap_or(now);
    Some(Condition {
        key: format!("home/{id}/looks"),
        subject: Subject::Home,
        is_serious: true,
        // Where the line was down, the prober writes of that.
        missed: Missed::Dropped,
        now: if is_recent { Now::Well } else { Now::Lasting(since) },
        // A home that has another address is found again only once `dns` has run.
        seen_at: now.checked_sub(FOUND_AGAIN).unwrap_or(now),
        words: Words {
            title: format!("Nobody looks at {name} from outside any more"),
            text: format!(
                "The last look is {} old. While the home's own line works, the prober does not run, or does not reach it: an outage \
                 would go unnoticed.",
                length(age)
            ),
            ended: format!("{name} is looked at again"),
        },
    })
}

/// Whether what is measured arrives upstream; `oldest` is the time of the oldest point that waits, and `unwell_for` how long no call
/// has gone well.
pub(super) fn relay(report: &Report, oldest: Option<i64>, unwell_for: SignedDuration, now: Timestamp) -> Condition {
    let oldest = oldest.and_then(|second| Timestamp::from_second(second).ok());
    let is_old = oldest.is_some_and(|oldest| now.duration_since(oldest) > MAX_BACKLOG);
    let why = report.reason.clone().map(|why| format!(" Why: {}.", why.trim_end_matches('.'))).unwrap_or_default();
    let (lasting, title, text) = match report.condition {
        RelayCondition::Paused => (
            Some(now),
            "The public page refuses what the keeper sends",
            format!("Nothing is sent until somebody has mended that.{why}"),
        ),
        // While it catches up, all is well.
        RelayCondition::Trouble if is_old && unwell_for >= MIN_UNWELL => (
            oldest,
            "The public page has got nothing for an hour",
            format!("What is measured is kept, and sent once that is over.{why}"),
        ),
        _ => (None, "", String::new()),
    };
    Condition {
        key: "keeper/relay".into(),
        subject: Subject::Keeper,
        is_serious: false,
        missed: Missed::Dropped,
        now: lasting.map_or(Now::Well, Now::Lasting),
        // It has two minutes for its next call.
        seen_at: now.checked_sub(SignedDuration::from_mins(2)).unwrap_or(now),
        words: Words { title: title.into(), text, ended: "The public page gets what the keeper sends again".into() },
    }
}

/// Whether the beacon answers at home; `failing` is how long it has not, and why.
pub(super) fn beacon(failing: Option<(SignedDuration, String)>, now: Timestamp) -> Condition {
    let lasting = failing.filter(|(lasts, _)| *lasts >= MAX_BEACON_SILENCE);
    let why = lasting.as_ref().map(|(_, why)| why.trim_end_matches('.').to_owned()).unwrap_or_default();
    Condition {
        key: "home/beacon".into(),
        subject: Subject::Home,
        is_serious: false,
        missed: Missed::Sent,
        now: lasting.map_or(Now::Well, |(lasts, _)| Now::Lasting(now.checked_sub(lasts).unwrap_or(now))),
        seen_at: now,
        words: Words {
            title: "The beacon does not answer at home".into(),
            text: format!(
                "The keeper asks it each minute: {why}. From outside the home looks down, and the line is not why."
            ),
            ended: "The beacon answers at home again".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    #[test]
    fn ten_minutes_without_a_look_are_worth_a_notice_once_the_keeper_has_run_for_as_long() {
        let mins = SignedDuration::from_mins;
        let of = |age, ran| not_looked_at("8kbf7d35c070", "Home", mins(age), mins(ran), at(100)).map(|found| found.now);
        assert_eq!(of(10, 1), Some(Now::Well));
        assert_eq!(of(11, 10), None, "nobody could have reported a look");
        assert_eq!(of(11, 11), Some(Now::Lasting(at(89))));
    }

    #[test]
    fn a_relay_that_catches_up_is_well_and_one_that_is_refused_is_not() {
        let report = |condition| Report { condition, reason: Some("it answers 500.".into()), ..Report::default() };
        let old = Some(at(0).as_second());
        let mins = SignedDuration::from_mins;
        let of = |condition, oldest| relay(&report(condition), oldest, mins(5), at(61)).now;
        assert_eq!(relay(&report(RelayCondition::Trouble), old, mins(4), at(61)).now, Now::Well, "it may catch up");
        assert_eq!(of(RelayCondition::Starting, old), Now::Well, "nothing is known yet");
        assert_eq!(of(RelayCondition::Trouble, old), Now::Lasting(at(0)));
        assert_eq!(of(RelayCondition::Trouble, Some(at(1).as_second())), Now::Well);
        assert_eq!(of(RelayCondition::Well, old), Now::Well);
        assert_eq!(of(RelayCondition::Paused, None), Now::Lasting(at(61)));
        let text = relay(&report(RelayCondition::Trouble), old, mins(5), at(61)).words.text;
        assert_eq!(text, "What is measured is kept, and sent once that is over. Why: it answers 500.");
    }

    #[test]
    fn a_beacon_has_three_minutes() {
        let of = |lasts| beacon(Some((SignedDuration::from_mins(lasts), "refused.".into())), at(13)).now;
        assert_eq!((of(2), of(3)), (Now::Well, Now::Lasting(at(10))));
        assert_eq!(beacon(None, at(13)).now, Now::Well);
    }
}

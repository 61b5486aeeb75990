//! What is worth a notice of this home's heartbeats: only what a person has to mend. That the line is down the cloud says. Pure.

use jiff::{SignedDuration, Timestamp};
use notify::{event::Subject, rules::Now};

use crate::{
    heartbeat::rounds::Report,
    keeper::notices::condition::{Condition, Missed, Words},
};

/// How long none may be taken: a stack that is deployed anew takes minutes.
const PATIENCE: SignedDuration = SignedDuration::from_mins(10);

/// Whether heartbeats are refused, and whether another host sends them, too.
pub(super) fn found(report: &Report, now: Timestamp) -> [Condition; 2] {
    let lasts = |since: tokio::time::Instant| SignedDuration::try_from(since.elapsed()).unwrap_or_default();
    let failing = report.failing.as_ref().map(|(since, failure)| (lasts(*since), failure));
    let refused = failing.filter(|(lasts, failure)| *lasts >= PATIENCE && failure.fault.is_for_a_person());
    let since = refused.map(|(lasts, _)| now.checked_sub(lasts).unwrap_or(now));
    let why = refused.map(|(_, failure)| failure.to_string()).unwrap_or_default();
    let shared = report.is_shared.then_some(now);
    [
        condition(("keeper/heartbeat", true), since, now, (
            "This home's heartbeats are not taken",
            format!("The page will say that the home is down, though it is not. Why: {why}."),
            "This home's heartbeats are taken again",
        )),
        condition(("keeper/heartbeat/hosts", false), shared, now, (
            "Two hosts send heartbeats of this home",
            "They have the same key. As long as one of them runs, the home counts as up: stop the other one, or give it a key and a \
             component of its own."
                .into(),
            "One host sends heartbeats of this home again",
        )),
    ]
}

fn condition(
    (key, is_serious): (&str, bool),
    since: Option<Timestamp>,
    now: Timestamp,
    (title, text, ended): (&str, String, &str),
) -> Condition {
    Condition {
        key: key.into(),
        subject: Subject::Keeper,
        is_serious,
        missed: Missed::Dropped,
        now: since.map_or(Now::Well, Now::Lasting),
        seen_at: now,
        words: Words { title: title.into(), text, ended: ended.into() },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::message::HeartbeatFault;
    use tokio::time::{Instant, advance};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_person_has_to_mend_is_worth_a_notice_after_ten_minutes_and_a_line_that_is_down_is_none() {
        let now = Timestamp::from_second(100_000).unwrap();
        let begun = Instant::now();
        let of = |fault: HeartbeatFault| {
            let report = Report { failing: Some((begun, fault.into())), ..Report::default() };
            found(&report, now)[0].now
        };
        assert_eq!(of(HeartbeatFault::Refused), Now::Well);
        advance(Duration::from_secs(600)).await;
        assert_eq!(of(HeartbeatFault::Refused), Now::Lasting(Timestamp::from_second(99_400).unwrap()));
        assert_eq!((of(HeartbeatFault::Unreachable), of(HeartbeatFault::Silent)), (Now::Well, Now::Well));
        let shared = Report { is_shared: true, ..Report::default() };
        assert_eq!((found(&shared, now)[0].now, found(&shared, now)[1].now), (Now::Well, Now::Lasting(now)));
    }
}

//! Which notices a run makes and sends, and what the record is afterwards. Pure.

use jiff::Timestamp;
use notify::{
    event::Stage,
    rules::{Now, Rules, Sent},
};
use shared::id::ComponentId;

use super::record::{Claim, Notice, NoticeRecord, Outage};

/// After so long another run sends what a run has claimed: no run lasts as long.
const CLAIM_VALID_FOR: i64 = 70;

/// How long a channel may not take a notice until that is given up, in seconds.
const GIVE_UP_AFTER: i64 = 30 * 60;

/// How a home is, as this run has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HomeNow {
    /// Down, since then.
    Down(Timestamp),
    /// It answers, but its outage is not over yet.
    Recovering,
    /// It answers, and there is no outage.
    Well,
    /// This run cannot say.
    Unknown,
}

/// A home that this prober probes.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) component: ComponentId,
    pub(super) now: HomeNow,
    /// A human's maintenance covers it.
    pub(super) is_maintained: bool,
    /// The label of what is wrong.
    pub(super) cause: String,
}

/// What a run is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The record with this run's claims.
    pub(super) record: NoticeRecord,
    /// What this run sends, once the record is written.
    pub(super) mine: Vec<Notice>,
    /// What no run sends any more.
    pub(super) given_up: Vec<Notice>,
}

/// What a run knows besides the homes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    pub(super) id: &'a str,
    pub(super) at: Timestamp,
    pub(super) rules: Rules,
    /// The channels that want to know of homes.
    pub(super) channels: &'a [String],
}

/// Makes the notices that are due, and claims them with those that no run sends at present.
pub(super) fn plan(before: &NoticeRecord, seen: &[Seen], run: Run<'_>) -> Plan {
    let at = run.at.as_second();
    let mut record = before.clone();
    let (kept, given_up) = record.open.drain(..).partition(|notice| at - notice.at < GIVE_UP_AFTER);
    record.open = kept;
    end(&mut record, seen, run);
    begin(&mut record, seen, run);
    remind(&mut record, seen, run);
    let mut mine = Vec::new();
    for notice in &mut record.open {
        // One from the future is a clock's fault.
        let is_claimed = |claim: &Claim| claim.run != run.id && (at - claim.at).abs() < CLAIM_VALID_FOR;
        if !notice.claim.as_ref().is_some_and(is_claimed) {
            notice.claim = Some(Claim { run: run.id.to_owned(), at });
            mine.push(notice.clone());
        }
    }
    Plan { record, mine, given_up }
}

fn notice(stage: Stage, outage: &Outage, run: Run<'_>) -> Notice {
    let (homes, cause) = (outage.homes.clone(), outage.cause.clone());
    Notice {
        stage,
        since: outage.since,
        at: run.at.as_second(),
        homes,
        cause,
        left: run.channels.to_vec(),
        claim: None,
    }
}

/// Outages that are over. What was not sent yet of one that is over altogether is pointless.
fn end(record: &mut NoticeRecord, seen: &[Seen], run: Run<'_>) {
    let now = |home: &ComponentId| seen.iter().find(|seen| seen.component == *home).map(|seen| seen.now);
    for outage in &mut record.outages {
        let is_over = |home: &ComponentId| now(home) == Some(HomeNow::Well);
        let over: Vec<_> = outage.homes.extract_if(.., |home| is_over(home)).collect();
        // What is probed no more has no end that anybody sees.
        outage.homes.retain(|home| now(home).is_some());
        if over.is_empty() {
            continue;
        }
        record
            .open
            .retain(|notice| notice.stage == Stage::Ended || !notice.homes.iter().all(|home| over.contains(home)));
        let ended = Outage { homes: over, ..outage.clone() };
        record.open.push(notice(Stage::Ended, &ended, run));
    }
    record.outages.retain(|outage| !outage.homes.is_empty());
}

/// Outages that have lasted for long enough: all that are due now make one notice.
fn begin(record: &mut NoticeRecord, seen: &[Seen], run: Run<'_>) {
    let is_known = |home: &ComponentId| record.outages.iter().any(|outage| outage.homes.contains(home));
    let due: Vec<_> = seen
        .iter()
        .filter(|seen| !seen.is_maintained && !is_known(&seen.component))
        .filter_map(|seen| match seen.now {
            HomeNow::Down(since) => Some((seen, since)),
            _ => None,
        })
        .filter(|(_, since)| run.rules.due(Sent::Nothing, Now::Lasting(*since), run.at) == Some(Stage::Began))
        .collect();
    let Some((first, _)) = due.first() else { return };
    let since = due.iter().map(|(_, since)| since.as_second()).min().unwrap_or_default();
    let homes = due.iter().map(|(seen, _)| seen.component.clone()).collect();
    let outage = Outage { since, last: run.at.as_second(), homes, cause: first.cause.clone() };
    record.open.push(notice(Stage::Began, &outage, run));
    record.outages.push(outage);
}

fn remind(record: &mut NoticeRecord, seen: &[Seen], run: Run<'_>) {
    let is_down = |home: &ComponentId| {
        seen.iter().any(|seen| seen.component == *home && matches!(seen.now, HomeNow::Down(_)) && !seen.is_maintained)
    };
    for outage in &mut record.outages {
        let time = |second| Timestamp::from_second(second).unwrap_or(run.at);
        let sent = Sent::Began { since: time(outage.since), last: time(outage.last) };
        let down = outage.homes.iter().any(is_down);
        if down && run.rules.due(sent, Now::Lasting(time(outage.since)), run.at) == Some(Stage::Reminder) {
            outage.last = run.at.as_second();
            record.open.push(notice(Stage::Reminder, outage, run));
        }
    }
}

/// The record, as it is by now, with what became of this run's notices: `done` are those that need nothing more of each, in their
/// order. What another run has overwritten meanwhile is put back.
pub(super) fn confirmed(now: &NoticeRecord, mine: &[Notice], done: &[Vec<String>]) -> NoticeRecord {
    let mut record = now.clone();
    for (notice, done) in mine.iter().zip(done) {
        record.open.retain(|other| !other.is_same(notice));
        let left: Vec<_> = notice.left.iter().filter(|channel| !done.contains(channel)).cloned().collect();
        if !left.is_empty() {
            record.open.push(Notice { left, claim: None, ..notice.clone() });
        }
        let is_known = |home: &ComponentId| record.outages.iter().any(|outage| outage.homes.contains(home));
        match notice.stage {
            Stage::Ended => {
                // Not of one that has begun since.
                let ended = record.outages.iter_mut().filter(|outage| outage.since <= notice.at);
                ended.for_each(|outage| outage.homes.retain(|home| !notice.homes.contains(home)));
                record.outages.retain(|outage| !outage.homes.is_empty());
            }
            Stage::Began | Stage::Reminder if !notice.homes.iter().any(is_known) => {
                let (homes, cause) = (notice.homes.clone(), notice.cause.clone());
                record.outages.push(Outage { since: notice.since, last: notice.at, homes, cause });
            }
            Stage::Began | Stage::Reminder => (),
        }
    }
    record
}

/// Whether a run with nothing but these homes need not even read the record, which is empty as far as is known.
pub(super) fn is_quiet(seen: &[Seen], rules: Rules, at: Timestamp) -> bool {
    let due = |since| rules.due(Sent::Nothing, Now::Lasting(since), at).is_some();
    !seen.iter().any(|seen| !seen.is_maintained && matches!(seen.now, HomeNow::Down(since) if due(since)))
}

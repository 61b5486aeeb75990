//! Which notices a run makes and sends, and what the record is afterwards. Pure.

use jiff::Timestamp;
use notify::{
    event::Stage,
    rules::{Now, Rules, Sent},
};
use shared::id::ComponentId;

use super::record::{Claim, Lately, Notice, NoticeRecord, Outage};
use crate::{judge::verdict::Verdict, kept::state::StateRecord};

/// After so long another run sends what a run has claimed: no run lasts as long.
const CLAIM_VALID_FOR: i64 = 70;

/// How long a channel may not take a notice until that is given up, in seconds.
const GIVE_UP_AFTER: i64 = 30 * 60;

/// A home that was up for so long, in seconds, and falls again has an outage of its own.
const CALM: i64 = 30 * 60;

/// How many notices begin something in an hour: a flood of them is as good as none.
const MAX_AN_HOUR: i64 = 20;

/// The outage from which on a home comes and goes: of that there is one notice, and one once it has been up for long enough.
const FLAPPING: i64 = 3;

/// How long a home that is not among the targets keeps its outage: another prober may have it, with the same state.
const FORGET_AFTER: i64 = 30 * 24 * 3600;

/// How a home is, as this run has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeNow {
    /// Down, since then.
    Down(Timestamp),
    /// It answers, but its outage is not over yet.
    Recovering,
    /// It answers, and there is no outage.
    Well,
    /// This run cannot say.
    Unknown,
}

impl HomeNow {
    /// By what a run concluded, and the record as it leaves it; `None` where that had to be guessed.
    pub fn of(verdict: Verdict, record: Option<&StateRecord>) -> Self {
        let Some(record) = record else { return Self::Unknown };
        match (verdict, record.down_since) {
            (Verdict::Down(_), Some(since)) => Self::Down(since),
            // What is down without an outage is in a maintenance that is not over.
            (Verdict::Unknown(_), _) | (Verdict::Down(_), None) => Self::Unknown,
            (_, Some(_)) => Self::Recovering,
            (_, None) => Self::Well,
        }
    }
}

/// A home that this prober probes.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its component.
    pub component: ComponentId,
    /// How it is.
    pub now: HomeNow,
    /// Since when it answers.
    pub up_since: Option<Timestamp>,
    /// A human's maintenance covers it.
    pub is_maintained: bool,
    /// The label of what is wrong.
    pub cause: String,
}

/// What a run is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The record with this run's claims.
    pub record: NoticeRecord,
    /// What this run sends, once the record is written.
    pub mine: Vec<Notice>,
    /// What no run sends any more.
    pub given_up: Vec<Notice>,
}

/// What a run knows besides the homes.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// Its id.
    pub id: &'a str,
    /// When it began.
    pub at: Timestamp,
    /// When notices are due.
    pub rules: Rules,
    /// Whether nothing new is due now: what was made before goes on being sent.
    pub is_quiet: bool,
    /// The channels that want to know of homes.
    pub channels: &'a [String],
}

/// Makes the notices that are due, and claims them with those that no run sends at present.
pub fn plan(before: &NoticeRecord, seen: &[Seen], run: Run<'_>) -> Plan {
    let at = run.at.as_second();
    let mut record = before.clone();
    // What a run has claimed and not confirmed was perhaps never sent, however long ago.
    let is_wanted = |notice: &Notice| notice.claim.is_some() || at - notice.at < GIVE_UP_AFTER;
    let (kept, mut given_up): (Vec<_>, Vec<_>) = record.open.drain(..).partition(is_wanted);
    record.open = kept;
    if run.is_quiet {
        let is_up = |home: &ComponentId| seen.iter().any(|seen| seen.component == *home && seen.now == HomeNow::Well);
        for notice in record.open.iter_mut().filter(|notice| notice.stage != Stage::Ended) {
            notice.homes.retain(|home| !is_up(home));
        }
        record.open.retain(|notice| !notice.homes.is_empty());
    } else {
        end(&mut record, seen, run);
        // What is held back is one notice later: all homes that are down by then.
        if !record.is_full(at) {
            let before = record.open.len();
            begin(&mut record, seen, run);
            remind(&mut record, seen, run);
            record.count(record.open.len() - before, at);
        }
    }
    let mut mine = Vec::new();
    for notice in &mut record.open {
        // One from the future is a clock's fault.
        let is_claimed = |claim: &Claim| claim.run != run.id && (at - claim.at).abs() < CLAIM_VALID_FOR;
        if !notice.claim.as_ref().is_some_and(is_claimed) {
            notice.claim = Some(Claim { run: run.id.to_owned(), at });
            mine.push(notice.clone());
        }
    }
    // What does not fit is in no record, so it is not sent.
    let record = record.fitting();
    let (mine, too_many): (Vec<_>, Vec<_>) = mine.into_iter().partition(|notice| record.open.contains(notice));
    given_up.extend(too_many);
    Plan { record, mine, given_up }
}

fn notice(stage: Stage, outage: &Outage, run: Run<'_>) -> Notice {
    let (homes, cause) = (outage.homes.clone(), outage.cause.clone());
    let (since, at, left) = (outage.since, run.at.as_second(), run.channels.to_vec());
    let (count, group) = (outage.count, outage.group.clone());
    Notice { stage, since, at, homes, cause, ended: 0, count, group, tries: 0, left, claim: None }
}

/// Outages that are over. What was not sent yet of a home that is up again is pointless.
fn end(record: &mut NoticeRecord, seen: &[Seen], run: Run<'_>) {
    let (at, found) = (run.at.as_second(), |home: &ComponentId| seen.iter().find(|seen| seen.component == *home));
    for outage in &mut record.outages {
        follow(outage, found, at);
        let is_calm = outage.count == 0 || (outage.up > 0 && at - outage.up >= CALM);
        let is_over = |home: &ComponentId| is_calm && found(home).is_some_and(|seen| seen.now == HomeNow::Well);
        let over: Vec<_> = outage.homes.extract_if(.., |home| is_over(home)).collect();
        outage.homes.retain(|home| found(home).is_some() || at - outage.since < FORGET_AFTER);
        if over.is_empty() {
            continue;
        }
        for notice in record.open.iter_mut().filter(|notice| notice.stage != Stage::Ended) {
            notice.homes.retain(|home| !over.contains(home));
        }
        let up_since = over.iter().filter_map(|home| found(home)?.up_since).map(Timestamp::as_second).max();
        let ended = up_since.filter(|up| (outage.since..=at).contains(up)).unwrap_or(at);
        let ended = if outage.up > 0 { outage.up } else { ended };
        // What was calm begins anew.
        let is_new = |lately: &&mut Lately| ended - lately.ended < CALM && outage.count == 0;
        for home in &over {
            let before = record.lately.iter_mut().find(|lately| lately.home == *home);
            let count = before.filter(is_new).map_or(1, |lately| lately.count + 1);
            record.lately.retain(|lately| lately.home != *home);
            record.lately.push(Lately { home: home.clone(), ended, count });
        }
        // The group is over with its last home.
        let group = outage.group.clone().filter(|_| outage.homes.is_empty());
        let over = Outage { homes: over, group, ..outage.clone() };
        record.open.push(Notice { ended, ..notice(Stage::Ended, &over, run) });
    }
    record.open.retain(|notice| !notice.homes.is_empty());
    record.outages.retain(|outage| !outage.homes.is_empty());
    record.lately.retain(|lately| at - lately.ended < CALM);
}

/// Counts how often an outage that comes and goes has come.
fn follow<'a>(outage: &mut Outage, found: impl Fn(&ComponentId) -> Option<&'a Seen>, at: i64) {
    if outage.count == 0 {
        return;
    }
    let all = || outage.homes.iter().filter_map(&found);
    if all().all(|seen| seen.now == HomeNow::Well) {
        outage.up = if outage.up > 0 { outage.up } else { at };
    } else if outage.up > 0 && all().any(|seen| matches!(seen.now, HomeNow::Down(_))) {
        (outage.up, outage.count) = (0, outage.count + 1);
    }
}

/// Outages that have lasted for long enough: all that are due now make one notice, and those of homes that come and go another.
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
    let times = |home: &ComponentId| {
        let lately =
            record.lately.iter().find(|lately| lately.home == *home && run.at.as_second() - lately.ended < CALM);
        lately.map_or(1, |lately| lately.count + 1)
    };
    let (flapping, others): (Vec<_>, Vec<_>) =
        due.into_iter().partition(|(seen, _)| times(&seen.component) >= FLAPPING);
    let count = flapping.iter().map(|(seen, _)| times(&seen.component)).max().unwrap_or(0);
    for (due, count) in [(others, 0), (flapping, count)] {
        let Some((first, _)) = due.first() else { continue };
        let since = due.iter().map(|(_, since)| since.as_second()).min().unwrap_or_default();
        let homes: Vec<_> = due.iter().map(|(seen, _)| seen.component.clone()).collect();
        let group = homes.iter().min().cloned().filter(|_| homes.len() > 1);
        let outage = Outage { since, last: run.at.as_second(), homes, group, cause: first.cause.clone(), count, up: 0 };
        record.open.push(notice(Stage::Began, &outage, run));
        record.outages.push(outage);
    }
}

fn remind(record: &mut NoticeRecord, seen: &[Seen], run: Run<'_>) {
    let is_down = |home: &ComponentId| {
        seen.iter().any(|seen| seen.component == *home && matches!(seen.now, HomeNow::Down(_)) && !seen.is_maintained)
    };
    for outage in &mut record.outages {
        let time = |second| Timestamp::from_second(second).unwrap_or(run.at);
        let sent = Sent::Began { since: time(outage.since), last: time(outage.last) };
        let down = outage.up == 0 && outage.homes.iter().any(is_down);
        if down && run.rules.due(sent, Now::Lasting(time(outage.since)), run.at) == Some(Stage::Reminder) {
            outage.last = run.at.as_second();
            record.open.push(notice(Stage::Reminder, outage, run));
        }
    }
}

impl NoticeRecord {
    /// Whether so many notices began something in the last hour that the next ones wait.
    fn is_full(&self, at: i64) -> bool {
        (0..3600).contains(&(at - self.hour)) && self.made >= MAX_AN_HOUR
    }

    fn count(&mut self, made: usize, at: i64) {
        if made == 0 {
            return;
        }
        if !(0..3600).contains(&(at - self.hour)) {
            (self.hour, self.made) = (at, 0);
        }
        self.made += i64::try_from(made).unwrap_or(MAX_AN_HOUR);
    }
}

/// What became of a notice in a run, channel by channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// They have it, or will never take it.
    pub settled: Vec<String>,
    /// They may have it.
    pub unsure: Vec<String>,
}

/// The record, as it is by now, with what became of this run's notices, in their order. One that is not there any more was taken over,
/// or has become pointless.
pub fn confirmed(now: &NoticeRecord, mine: &[Notice], done: &[Done]) -> NoticeRecord {
    let mut record = now.clone();
    for (notice, done) in mine.iter().zip(done) {
        let Some(kept) = record.open.iter_mut().find(|kept| kept.is(notice)) else { continue };
        // Who may have it is sent it once more, and not each minute.
        let is_last = kept.tries > 0;
        kept.left.retain(|channel| !(done.settled.contains(channel) || (is_last && done.unsure.contains(channel))));
        kept.tries += 1;
        kept.claim = None;
    }
    record.open.retain(|notice| !notice.left.is_empty());
    record
}

/// Whether a run with nothing but these homes need not even read the record, which is empty as far as is known.
pub fn is_idle(seen: &[Seen], rules: Rules, at: Timestamp) -> bool {
    let due = |since| rules.due(Sent::Nothing, Now::Lasting(since), at).is_some();
    !seen.iter().any(|seen| !seen.is_maintained && matches!(seen.now, HomeNow::Down(since) if due(since)))
}

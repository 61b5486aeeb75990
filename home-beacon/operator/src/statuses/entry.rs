//! What one object is to be told, and what it was told. Pure: the time is handed in.

use std::time::Duration;

use checks::{cause::Cause, check::Kind, outcome::State as Outcome};
use home_beacon::checks::Finished;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    due::next_run,
    objects::Object,
    resolve::{Resolved, Said},
};

/// How often the time of the last run is written where nothing else has changed: each write is one on the cluster's disk.
pub(crate) const SELDOM: Duration = Duration::from_secs(300);

/// How long after a write that failed the next is tried.
const AGAIN: Duration = Duration::from_secs(10);

/// The longest text of a run in a status, in bytes.
const MAX_TEXT: usize = 512;

/// After how many of its intervals without an outcome a check is stale.
const STALE_AFTER: u32 = 3;

/// What changes with each run, and is written with something else, or seldom.
const WITH_EACH_RUN: [&str; 3] = ["lastRunTime", "nextRunTime", "text"];

/// An object.
#[derive(Debug)]
pub(super) struct Entry {
    /// Tells it from one of its name before it.
    pub(super) uid: String,
    generation: i64,
    state: State,
    notes: Vec<Said>,
    /// What the keeper does not take of it.
    refused: Option<String>,
    /// Until when nobody is written to about it.
    muted: Option<Timestamp>,
    ran: Option<Ran>,
    /// When a run began last that told how it is: what it depends on, too, is told by itself.
    reported_at: Option<Timestamp>,
    /// Since when an outcome is waited for.
    awaited: Timestamp,
    /// Whether it was stale by the program before this one, and nothing has come of it since.
    was_stale: bool,
    /// What it was told last, by this program or the one before it, and when.
    reported: Option<(Value, Timestamp)>,
    is_changed: bool,
    not_before: Option<Timestamp>,
}

/// What an object is.
#[derive(Debug)]
enum State {
    Wrong(Said),
    /// Right, and no check.
    Valid,
    /// A check that calls.
    Waits,
    /// A check that is run so often.
    Runs(Duration),
}

#[derive(Debug)]
struct Ran {
    outcome: String,
    text: String,
    at: String,
    /// Whether it came to nothing that says how it is.
    is_unknown: bool,
    next: Option<Timestamp>,
}

impl Entry {
    /// Of an object that is seen for the first time; nothing is known of it but what its status says.
    pub(super) fn new(object: &Object, now: Timestamp) -> Self {
        let text = |key: &str| object.status.get(key).and_then(Value::as_str).map(str::to_owned);
        let ran = || {
            Some(Ran {
                outcome: text("outcome")?,
                text: text("text")?,
                at: text("lastRunTime")?,
                is_unknown: text("outcome")? == Outcome::Unknown.label(),
                next: next_run(object),
            })
        };
        Self {
            uid: object.uid.clone(),
            generation: object.generation,
            state: State::Valid,
            notes: Vec::new(),
            refused: None,
            muted: text("mutedUntil").and_then(|until| until.parse().ok()),
            ran: ran(),
            reported_at: None,
            awaited: now,
            was_stale: says(&object.status, "Stale"),
            reported: object.status.is_object().then(|| (object.status.clone(), now)),
            is_changed: true,
            not_before: None,
        }
    }

    /// What it came to.
    pub(super) fn resolved(&mut self, generation: i64, outcome: Result<Option<&Resolved>, &Said>, now: Timestamp) {
        self.is_changed = true;
        if self.generation != generation
            && let Some(ran) = &mut self.ran
        {
            // When an edited one runs next is known when it has run.
            ran.next = None;
        }
        self.generation = generation;
        self.notes = outcome.ok().flatten().map(|resolved| resolved.notes.clone()).unwrap_or_default();
        let ran_before = matches!(self.state, State::Runs(_));
        self.state = match outcome {
            Err(said) => State::Wrong(said.clone()),
            Ok(None) => State::Valid,
            Ok(Some(resolved)) if matches!(resolved.check.kind, Kind::Passive(_)) => State::Waits,
            Ok(Some(resolved)) => State::Runs(resolved.check.every),
        };
        if !ran_before {
            self.awaited = now;
        }
    }

    /// A run of it has ended, after all its tries.
    pub(super) fn ran(&mut self, run: &Finished) {
        let text = run.outcome.text[..run.outcome.text.floor_char_boundary(MAX_TEXT)].to_owned();
        let outcome = run.outcome.state.label().to_owned();
        let is_unknown = run.outcome.state == Outcome::Unknown && run.outcome.cause != Some(Cause::Dependency);
        if !is_unknown {
            (self.reported_at, self.was_stale) = (Some(run.at), false);
        }
        self.ran = Some(Ran { outcome, text, at: seconds(run.at), is_unknown, next: run.next });
        self.is_changed = true;
    }

    /// What the keeper does not take of it, a sentence.
    pub(super) fn refused(&mut self, sentence: Option<&str>) {
        if self.refused.as_deref() != sentence {
            self.refused = sentence.map(str::to_owned);
            self.is_changed = true;
        }
    }

    /// Until when nobody is written to about it; `None` where that is not so.
    pub(super) fn muted(&mut self, until: Option<Timestamp>) {
        if self.muted != until {
            self.muted = until;
            self.is_changed = true;
        }
    }

    /// What is to be written now; `None` where it has been told all, or enough for now.
    pub(super) fn due(&mut self, now: Timestamp) -> Option<Value> {
        if self.not_before.is_some_and(|until| now < until) {
            return None;
        }
        let Some((reported, at)) = &self.reported else { return Some(self.status(now)) };
        let is_long_ago = now.duration_since(*at).unsigned_abs() >= SELDOM;
        if !(self.is_changed || is_long_ago || self.is_stale(now) != says(reported, "Stale")) {
            return None;
        }
        let status = self.status(now);
        let is_news = without(&status) != without(reported) || (is_long_ago && status != *reported);
        // What else there is waits until it is long ago.
        self.is_changed = false;
        is_news.then_some(status)
    }

    /// What it was told last.
    pub(super) fn before(&self) -> Option<&Value> {
        self.reported.as_ref().map(|(reported, _)| reported)
    }

    /// That was written, or could not be.
    pub(super) fn reported(&mut self, status: Value, is_written: bool, now: Timestamp) {
        if is_written {
            (self.reported, self.not_before) = (Some((status, now)), None);
        } else {
            self.is_changed = true;
            self.not_before = now.saturating_add(AGAIN).ok();
        }
    }

    /// Whether for three of its intervals nothing has come of it that says how it is.
    fn is_stale(&self, now: Timestamp) -> bool {
        let State::Runs(every) = self.state else { return false };
        let newest = self.reported_at.map_or(self.awaited, |at| at.max(self.awaited));
        self.was_stale || (now.duration_since(newest).unsigned_abs() > every * STALE_AFTER && now > newest)
    }

    /// Why it is stale, in a word and in a sentence; `None` where it is not.
    fn stale(&self, now: Timestamp) -> Option<(&'static str, String)> {
        let State::Runs(every) = self.state else { return None };
        let long = format!("for more than {STALE_AFTER} times {} s", every.as_secs());
        self.is_stale(now).then(|| match &self.ran {
            Some(ran) if ran.is_unknown => {
                ("Unknown", format!("its runs have come to nothing {long}; the newest said: {}", ran.text))
            }
            _ => (
                "NoOutcome",
                format!(
                    "nothing has come of it {long}: see the Jobs and the events of its namespace, and the operator's log"
                ),
            ),
        })
    }

    fn status(&self, now: Timestamp) -> Value {
        let mut status = json!({ "observedGeneration": self.generation, "conditions": self.conditions(now) });
        // What is not so any more is taken out.
        let was_muted = self.before().is_some_and(|reported| reported["mutedUntil"].is_string());
        if self.muted.is_some() || was_muted {
            status["mutedUntil"] = self.muted.map(|until| seconds(until).into()).unwrap_or_default();
        }
        if let Some(Ran { outcome, text, at, next, .. }) = &self.ran {
            status["outcome"] = outcome.as_str().into();
            status["text"] = text.as_str().into();
            status["lastRunTime"] = at.as_str().into();
            let next = next.filter(|_| matches!(self.state, State::Runs(_)));
            status["nextRunTime"] = next.map(|next| seconds(next).into()).unwrap_or_default();
        }
        status
    }

    fn conditions(&self, now: Timestamp) -> Vec<Value> {
        let ready = match &self.state {
            State::Wrong(said) => ("False", said.reason, said.message.clone()),
            State::Valid => ("True", "Valid", "it can be used".into()),
            State::Waits => ("True", "Waits", "it calls the keeper, and is not run here".into()),
            State::Runs(_) => ("True", "Runs", "it runs at its interval".into()),
        };
        let mut conditions = vec![("Ready", ready)];
        conditions.extend(self.notes.iter().map(|note| (note.reason, ("True", note.reason, note.message.clone()))));
        if let Some(sentence) = self.refused.as_ref().filter(|_| matches!(self.state, State::Runs(_) | State::Waits)) {
            conditions.push(("Registered", ("False", "KeeperRefuses", sentence.clone())));
        }
        if let Some((reason, message)) = self.stale(now) {
            conditions.push(("Stale", ("True", reason, message)));
        }
        conditions
            .into_iter()
            .map(|(kind, (status, reason, message))| {
                let since = self.since(kind, status).unwrap_or_else(|| seconds(now));
                json!({
                    "type": kind, "status": status, "reason": reason, "message": message,
                    "observedGeneration": self.generation, "lastTransitionTime": since,
                })
            })
            .collect()
    }

    /// Since when a condition has had that status, by what the object was told before.
    fn since(&self, kind: &str, status: &str) -> Option<String> {
        let (reported, _) = self.reported.as_ref()?;
        let conditions = reported.get("conditions")?.as_array()?;
        let same = conditions.iter().find(|it| it["type"] == kind && it["status"] == status)?;
        same["lastTransitionTime"].as_str().map(str::to_owned)
    }
}

/// Whether a status has a condition of that kind.
fn says(status: &Value, kind: &str) -> bool {
    status["conditions"].as_array().is_some_and(|all| all.iter().any(|condition| condition["type"] == kind))
}

fn without(status: &Value) -> Value {
    let mut status = status.clone();
    for key in WITH_EACH_RUN {
        status[key] = Value::Null;
    }
    // A mute that has gone is as one that never was; and each run may say otherwise why it came to nothing.
    status["mutedUntil"] = status["mutedUntil"].take();
    for stale in status["conditions"].as_array_mut().into_iter().flatten().filter(|it| it["type"] == "Stale") {
        stale["message"] = Value::Null;
    }
    status
}

fn seconds(at: Timestamp) -> String {
    format!("{at:.0}")
}

#[cfg(test)]
mod tests;

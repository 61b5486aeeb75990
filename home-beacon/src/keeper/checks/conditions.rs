//! What of a check is worth a notice, as it is now. Pure.

use checks::{cause::Cause, outcome::State};
use jiff::Timestamp;
use notify::{event::Subject, rules::Now};

use super::known::Known;
use crate::keeper::notices::condition::{Condition, Missed, Words};

/// What follows for notices; nothing where none are wanted, nothing is known yet, or what is known says nothing of the check itself.
pub(super) fn conditions(known: &Known) -> Vec<Condition> {
    let (Some(counts), Some(last)) = (known.standing.counts, &known.last) else { return Vec::new() };
    let notices = known.check.notices;
    if !notices.wanted || last.cause == Some(Cause::Dependency) {
        return Vec::new();
    }
    let since = known.standing.since.unwrap_or(last.at).timestamp();
    let title = &known.check.title;
    let is_due = known.standing.down_runs >= notices.after_failures.max(1);
    let down = match counts {
        State::Critical if is_due => Some(Now::Lasting(since)),
        State::Critical | State::Unknown => None,
        State::Ok | State::Warning => Some(Now::Well),
    };
    // While it is down, that says enough, and the warning before it is not over.
    let warned = match counts {
        State::Warning => Some(Now::Lasting(since)),
        State::Ok => Some(Now::Well),
        State::Critical | State::Unknown => None,
    };
    let condition = |key: String, now: Now, title: String, ended: String| Condition {
        key,
        subject: Subject::Check,
        is_serious: false,
        missed: Missed::Sent,
        now,
        seen_at: last.at.timestamp(),
        words: Words { title, text: words(last.cause, &last.text), ended },
    };
    let name = &known.check.name;
    let down = down.map(|now| condition(key(name), now, format!("{title} is down"), format!("{title} works again")));
    let warned = warned.filter(|_| notices.all_changes).map(|now| {
        condition(warning_key(name), now, format!("{title} has a warning"), format!("{title} is as it should be again"))
    });
    down.into_iter().chain(warned).collect()
}

/// Ends what was said of a check that is not there any more under that name.
pub(super) fn gone(known: &Known, ended: &str, at: Timestamp) -> [Condition; 3] {
    let name = &known.check.name;
    [key(name), warning_key(name), late_key(name)].map(|key| over(key, Subject::Check, ended, at))
}

/// Ends what was said of a program that runs no checks any more.
pub(super) fn gone_source(source: &str, at: Timestamp) -> Condition {
    over(silent_key(source), Subject::Job, &format!("The program {source} has no checks any more"), at)
}

/// That nothing of that key lasts any more.
pub(super) fn over(key: String, subject: Subject, ended: &str, at: Timestamp) -> Condition {
    let words = Words { ended: ended.into(), ..Words::default() };
    Condition { key, subject, is_serious: false, missed: Missed::Dropped, now: Now::Well, seen_at: at, words }
}

pub(super) fn silent_key(source: &str) -> String {
    format!("job/{source}/silent")
}

pub(super) fn key(name: &checks::check::CheckName) -> String {
    format!("check/{name}")
}

pub(super) fn warning_key(name: &checks::check::CheckName) -> String {
    format!("check/{name}/warning")
}

pub(super) fn late_key(name: &checks::check::CheckName) -> String {
    format!("check/{name}/late")
}

/// Cause and text in a sentence or two, each once.
fn words(cause: Option<Cause>, text: &str) -> String {
    let sentence = |text: &str| {
        let text = text.trim().trim_end_matches('.');
        let mut letters = text.chars();
        let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
        if text.is_empty() { String::new() } else { format!("{first}{}.", letters.as_str()) }
    };
    let (cause, text) = (cause.map(Cause::sentence).unwrap_or_default(), text.trim());
    if text.to_lowercase().contains(cause) {
        sentence(text)
    } else {
        format!("{} {}", sentence(cause), sentence(text)).trim_end().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_reads_why_once() {
        for (cause, text, expected) in [
            (
                Some(Cause::Refused),
                "nas.lan:80: connection refused",
                "The port is closed. Nas.lan:80: connection refused.",
            ),
            (Some(Cause::Refused), "The port is closed.", "The port is closed."),
            (Some(Cause::Late), "", "It has not called when it should have."),
            (None, "DISK CRITICAL", "DISK CRITICAL."),
        ] {
            assert_eq!(words(cause, text), expected);
        }
    }
}

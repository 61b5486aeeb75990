//! A report in words, for a person at a terminal.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
};

use jiff::{Timestamp, tz::TimeZone};
use shared::message;

use super::outcome::{PublishOutcome, Report, TargetReport};
use crate::{
    judge::{
        advice::advice,
        explain::{AnswerText, explain_attempt, failure_words, name_service_words},
        observation::{Attempt, Exchange, Resolution},
        verdict::Verdict,
    },
    mode::Mode,
    observe::Progress,
    plan::Call,
    target::Home,
};

/// A whole report: each attempt with its phases, the verdict in a sentence, and what became of the page.
#[derive(Debug)]
pub(crate) struct Explained<'a>(pub(crate) &'a Report);

/// One attempt in one line, as it ends.
struct EndedAttempt<'a> {
    home: &'a Home,
    /// From 1.
    number: usize,
    attempt: &'a Attempt,
}

impl fmt::Display for EndedAttempt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { home, number, attempt } = self;
        write!(f, "{}: attempt {number}: ", home.name)?;
        let name = match attempt.resolution {
            Resolution::NoSuchName { .. } => Some("the name does not exist"),
            Resolution::Failed { error, .. } => Some(name_service_words(error)),
            Resolution::Literal | Resolution::Resolved { .. } => None,
        };
        let outcome = |exchange: &Exchange| match &exchange.outcome {
            Ok(answer) => format!("{}: {}", exchange.address, AnswerText(answer)),
            Err(failure) => format!("{}: {}", exchange.address, failure_words(failure)),
        };
        if let Some(url) = home.addresses.iter().nth(attempt.place).filter(|_| home.addresses.are_several()) {
            write!(f, "{url}: ")?;
        }
        let parts = name.map(str::to_owned).into_iter().chain(attempt.exchanges.iter().map(outcome));
        f.write_str(&parts.collect::<Vec<_>>().join("; "))
    }
}

/// Prints attempts to stderr as they end, where that is a terminal: the person there waits up to half a minute for the
/// rest. `None` elsewhere.
pub fn progress() -> Option<Progress> {
    let print: Progress = |home, number, attempt| {
        // A closed stderr is no reason to stop.
        let _ = writeln!(io::stderr(), "{}", EndedAttempt { home, number, attempt });
    };
    io::stderr().is_terminal().then_some(print)
}

/// What became of incidents, each in one line of its own.
#[derive(Debug)]
pub struct IncidentLines<'a>(pub &'a Report);

impl fmt::Display for IncidentLines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about_incidents = self.0.calls.iter().filter(|(_, call)| !matches!(call, Call::Set { .. }));
        let verb = if self.0.mode == Mode::DryRun { "would " } else { "" };
        about_incidents.into_iter().try_for_each(|(_, call)| writeln!(f, "          {verb}{}", CallText(call)))
    }
}

/// One target in one line, with the time of the run in this machine's time zone.
#[derive(Debug)]
pub struct OneLine<'a> {
    /// When the run began.
    pub at: Timestamp,
    /// The target.
    pub target: &'a TargetReport,
}

/// One target in one line.
#[derive(Debug)]
pub(crate) struct Summary<'a>(pub(crate) &'a TargetReport);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0.targets {
            explain_home(f, &report.target.home, &report.attempts, report.verdict)?;
            writeln!(f, "  page: {}", page_words(report))?;
            explain_state(f, report)?;
        }
        let verb = if self.0.mode == Mode::DryRun { "would call" } else { "called" };
        self.0.calls.iter().try_for_each(|(page, call)| writeln!(f, "{verb} page {page}: {}", CallText(call)))
    }
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, target: report } = self;
        let at = at.to_zoned(TimeZone::system());
        write!(f, "{}  {}", at.strftime("%H:%M:%S"), Summary(report))
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(report) = self;
        let (verdict, page) = (verdict_words(report.verdict), page_words(report));
        write!(f, "{}: {verdict}; page: {page}", report.target.home.name)?;
        let mut differing = report.target.home.differing(&report.attempts, report.verdict);
        differing.try_for_each(|(url, it)| write!(f, "; but at {url} {}", it.words()))
    }
}

pub(super) fn explain_home(
    f: &mut fmt::Formatter<'_>,
    home: &Home,
    attempts: &[Attempt],
    verdict: Verdict,
) -> fmt::Result {
    writeln!(f, "{}  {}", home.name, home.addresses)?;
    for (index, attempt) in attempts.iter().enumerate() {
        let number = index / home.addresses.count() + 1;
        write!(f, "  attempt {number} at {:.1} s: ", attempt.started.as_secs_f64())?;
        if let Some(url) = home.addresses.iter().nth(attempt.place).filter(|_| home.addresses.are_several()) {
            write!(f, "{url}: ")?;
        }
        explain_attempt(f, attempt)?;
    }
    writeln!(f, "  {}: {}", verdict_words(verdict), verdict.sentence())?;
    let mut differing = home.differing(attempts, verdict);
    differing.try_for_each(|(url, it)| writeln!(f, "  but not at {url}: {}", it.words()))?;
    advice(attempts).map_or(Ok(()), |advice| writeln!(f, "  {advice}"))?;
    message::cause(verdict).map_or(Ok(()), |entry| writeln!(f, "  more: {}", entry.link()))
}

fn verdict_words(verdict: Verdict) -> String {
    match verdict.cause() {
        Some(cause) => format!("{} ({cause})", verdict.label()),
        None => verdict.label().to_owned(),
    }
}

fn page_words(report: &TargetReport) -> String {
    let before = report.before.map_or("no known status".into(), |status| status.to_string());
    let after = report.status.map_or("unchanged".into(), |status| status.to_string());
    let words = match &report.outcome {
        PublishOutcome::Agrees => format!("says {before}, as it should"),
        PublishOutcome::Changed => format!("changed from {before} to {after}"),
        PublishOutcome::AlreadyChanged => {
            format!("says {after}, as it should; another client changed it from {before}")
        }
        PublishOutcome::WouldChange => format!("would change from {before} to {after} (dry run, nothing written)"),
        PublishOutcome::Maintenance => "under maintenance, which is not overwritten".into(),
        PublishOutcome::Unknown => format!("says {before}; nothing is known, so it stays"),
        PublishOutcome::LeftToNextRun => "another client changed it during this run; left to the next run".into(),
        PublishOutcome::Failed(error) if report.status.is_none() => format!("says {before}, and stays so: {error}"),
        PublishOutcome::Failed(error) => format!("not as it should be: {error}"),
    };
    match &report.warning {
        Some(warning) if !words.contains(warning) => format!("{words}; but {warning}"),
        _ => words,
    }
}

fn explain_state(f: &mut fmt::Formatter<'_>, report: &TargetReport) -> fmt::Result {
    let at = |time: Timestamp| time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %Z");
    match &report.state {
        None => Ok(()),
        Some(Err(error)) => writeln!(f, "  state: {error}"),
        Some(Ok(record)) => match (record.down_since, record.up_since) {
            (Some(down), Some(up)) => writeln!(f, "  state: down since {}, up again since {}", at(down), at(up)),
            (Some(down), None) => writeln!(f, "  state: down since {}", at(down)),
            (None, Some(up)) => writeln!(f, "  state: up since {}", at(up)),
            (None, None) => Ok(()),
        },
    }
}

/// A call in words.
struct CallText<'a>(&'a Call);

impl fmt::Display for CallText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.0 {
            Call::Set { component, to } => return write!(f, "set component {component} to {to}"),
            Call::Delete { incident } => {
                return write!(f, "delete incident {incident}, which is about the same outage as an older one");
            }
            Call::Open { change, .. } => {
                write!(f, "open an incident")?;
                change
            }
            Call::Change { incident, change } => {
                write!(f, "change incident {incident} to {}", change.status)?;
                change
            }
        };
        let mut sets = change.components.iter();
        sets.try_for_each(|(component, to)| write!(f, ", set component {component} to {to}"))?;
        write!(f, ": {}", change.body)
    }
}

//! A report in words, for a person at a terminal.

mod attempt;

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
};

use jiff::{Timestamp, tz::TimeZone};

use self::attempt::{Whose, explain_attempt, failure_words, trouble_words};
use crate::{
    advice::advice,
    mode::Mode,
    observation::{Attempt, Exchange, Resolution},
    observe::Progress,
    plan::Call,
    report::{Outcome, Report, TargetReport},
    seen::Looked,
    target::Home,
    verdict::Verdict,
};

/// Shows a whole report: each attempt with its phases, the verdict in a sentence, and what came of the page.
#[derive(Debug)]
pub struct Explained<'a>(pub &'a Report);

/// Shows one attempt in one line as it ends, for a person who waits: what is to come is told by [`Explained`].
#[derive(Debug)]
pub struct Ended<'a> {
    pub home: &'a Home,
    /// From 1.
    pub number: usize,
    pub attempt: &'a Attempt,
}

impl fmt::Display for Ended<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { home, number, attempt } = self;
        write!(f, "{}: attempt {number}: ", home.name)?;
        let name = match attempt.resolution {
            Resolution::NoSuchName { .. } => Some("the name does not exist"),
            Resolution::Trouble { trouble, .. } => Some(trouble_words(trouble)),
            Resolution::Literal | Resolution::Resolved { .. } => None,
        };
        let outcome = |exchange: &Exchange| match &exchange.outcome {
            Ok(answer) => format!("{}: HTTP {}{}", exchange.address, answer.status, Whose(answer.identity)),
            Err(failure) => format!("{}: {}", exchange.address, failure_words(failure)),
        };
        let parts = name.map(str::to_owned).into_iter().chain(attempt.exchanges.iter().map(outcome));
        f.write_str(&parts.collect::<Vec<_>>().join("; "))
    }
}

/// Tells of attempts on stderr where a person is there to read it, who waits up to half a minute for the rest; elsewhere not.
pub fn progress() -> Option<Progress> {
    let tell: Progress = |home, number, attempt| {
        // Nobody is left to tell when stderr is gone.
        let _ = writeln!(io::stderr(), "{}", Ended { home, number, attempt });
    };
    io::stderr().is_terminal().then_some(tell)
}

/// Shows what became of incidents, each in one line of its own.
#[derive(Debug)]
pub struct Incidents<'a>(pub &'a Report);

impl fmt::Display for Incidents<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about_incidents = self.0.calls.iter().filter(|(_, call)| !matches!(call, Call::Set { .. }));
        let verb = if self.0.mode == Mode::DryRun { "would " } else { "" };
        about_incidents.into_iter().try_for_each(|(_, call)| writeln!(f, "          {verb}{}", Called(call)))
    }
}

/// Shows one target in one line, with the time of the run as this machine's clock on the wall has it.
#[derive(Debug)]
pub struct OneLine<'a> {
    pub at: Timestamp,
    pub target: &'a TargetReport,
}

/// Shows one target in one line.
#[derive(Debug)]
pub struct Summary<'a>(pub &'a TargetReport);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0.targets {
            explain_home(f, &report.target.home, &report.attempts, report.verdict)?;
            writeln!(f, "  page: {}", page_words(report))?;
            explain_state(f, report)?;
        }
        let verb = if self.0.mode == Mode::DryRun { "would call" } else { "called" };
        self.0.calls.iter().try_for_each(|(page, call)| writeln!(f, "{verb} page {page}: {}", Called(call)))
    }
}

impl fmt::Display for Looked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        explain_home(f, &self.home, &self.attempts, self.verdict)
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
        write!(f, "{}: {verdict}; page: {page}", report.target.home.name)
    }
}

fn explain_home(f: &mut fmt::Formatter<'_>, home: &Home, attempts: &[Attempt], verdict: Verdict) -> fmt::Result {
    writeln!(f, "{}  {}", home.name, home.url)?;
    for (index, attempt) in attempts.iter().enumerate() {
        write!(f, "  attempt {} at {:.1} s: ", index + 1, attempt.started.as_secs_f64())?;
        explain_attempt(f, attempt)?;
    }
    writeln!(f, "  {}: {}", verdict_words(verdict), verdict.sentence())?;
    advice(attempts).map_or(Ok(()), |advice| writeln!(f, "  {advice}"))
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
        Outcome::Agrees => format!("says {before}, as it should"),
        Outcome::Changed => format!("changed from {before} to {after}"),
        Outcome::AlreadyChanged => format!("says {after}, as it should; somebody else changed it from {before}"),
        Outcome::WouldChange => format!("would change from {before} to {after} (dry run, nothing written)"),
        Outcome::Maintenance => "under maintenance, which is a person's word and stays".into(),
        Outcome::Unknown => format!("says {before}; nothing is known, so it stays"),
        Outcome::LeftToNextRun => "somebody changed it during this run; left to the next run".into(),
        Outcome::Failed(error) if report.status.is_none() => format!("says {before}, and stays so: {error}"),
        Outcome::Failed(error) => format!("not as it should be: {error}"),
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
struct Called<'a>(&'a Call);

impl fmt::Display for Called<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let change = match self.0 {
            Call::Set { component, to } => return write!(f, "set component {component} to {to}"),
            Call::Delete { incident } => {
                return write!(f, "delete incident {incident}, which tells the same outage as an older one");
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

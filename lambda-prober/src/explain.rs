//! A report in words, for a person at a terminal.

use std::{fmt, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    observation::{Attempt, Exchange, Failure, NameTrouble, Resolution},
    report::{Outcome, Report, TargetReport},
    verdict::Verdict,
};

/// Shows a whole report: each attempt with its phases, the verdict in a sentence, and what came of the page.
#[derive(Debug)]
pub struct Explained<'a>(pub &'a Report);

/// Shows one target in one line, with the time of the run as this machine's clock on the wall has it.
#[derive(Debug)]
pub struct OneLine<'a> {
    pub at: Timestamp,
    pub target: &'a TargetReport,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0.targets {
            writeln!(f, "{}  {}", report.target.name, report.target.url)?;
            for (index, attempt) in report.attempts.iter().enumerate() {
                write!(f, "  attempt {} at {:.1} s: ", index + 1, attempt.started.as_secs_f64())?;
                explain_attempt(f, attempt)?;
            }
            let verdict = report.verdict;
            writeln!(f, "  {}: {}", verdict_words(verdict), verdict.sentence())?;
            writeln!(f, "  page: {}", page_words(report))?;
        }
        Ok(())
    }
}

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, target: report } = self;
        let at = at.to_zoned(TimeZone::system());
        let (verdict, page) = (verdict_words(report.verdict), page_words(report));
        write!(f, "{}  {}: {verdict}; page: {page}", at.strftime("%H:%M:%S"), report.target.name)
    }
}

fn verdict_words(verdict: Verdict) -> String {
    match verdict.cause() {
        Some(cause) => format!("{} ({cause})", verdict.label()),
        None => verdict.label().to_owned(),
    }
}

fn page_words(report: &TargetReport) -> String {
    let before = report.before.map_or("no known status".into(), |status| status.to_string());
    let after = report.verdict.status().map_or("unchanged".into(), |status| status.to_string());
    match &report.outcome {
        Outcome::Agrees => format!("says {before}, as it should"),
        Outcome::Changed => format!("changed from {before} to {after}"),
        Outcome::AlreadyChanged => format!("says {after}, as it should; somebody else changed it from {before}"),
        Outcome::WouldChange => format!("would change from {before} to {after} (dry run, nothing written)"),
        Outcome::Maintenance => "under maintenance, which is a person's word and stays".into(),
        Outcome::Unknown => format!("says {before}; nothing is known, so it stays"),
        Outcome::LeftToNextRun => "somebody changed it during this run; left to the next run".into(),
        Outcome::Failed(error) => format!("not as it should be: {error}"),
    }
}

fn explain_attempt(f: &mut fmt::Formatter<'_>, attempt: &Attempt) -> fmt::Result {
    match attempt.resolution {
        Resolution::Literal => (),
        Resolution::Resolved { took, trouble: None } => write!(f, "resolved in {}", Took(took))?,
        Resolution::Resolved { took, trouble: Some((family, trouble)) } => {
            write!(f, "resolved in {}, but for {family}: {}", Took(took), trouble_words(trouble))?;
        }
        Resolution::NoSuchName { took } => write!(f, "the name does not exist ({})", Took(took))?,
        Resolution::Trouble { took, trouble } => write!(f, "{} ({})", trouble_words(trouble), Took(took))?,
    }
    writeln!(f)?;
    attempt.exchanges.iter().try_for_each(|exchange| explain_exchange(f, exchange))
}

fn trouble_words(trouble: NameTrouble) -> &'static str {
    match trouble {
        NameTrouble::Timeout => "the name service did not answer",
        NameTrouble::Error => "the name service answered with an error",
        NameTrouble::Empty => "the name service knows no address of the name",
    }
}

fn explain_exchange(f: &mut fmt::Formatter<'_>, exchange: &Exchange) -> fmt::Result {
    write!(f, "    {}", exchange.address)?;
    let phases = exchange.phases;
    for (name, took) in [("connect", phases.connect), ("TLS", phases.tls), ("answer", phases.answer)] {
        if let Some(took) = took {
            write!(f, "  {name} {}", Took(took))?;
        }
    }
    match &exchange.outcome {
        Ok(answer) => writeln!(f, ": HTTP {}", answer.status),
        Err(Failure::Refused) => writeln!(f, ": refused"),
        Err(Failure::Reset) => writeln!(f, ": broken off"),
        Err(Failure::NotHttp) => writeln!(f, ": answered, but not in HTTP"),
        Err(Failure::Tls(detail)) => writeln!(f, ": no secure connection ({detail})"),
        Err(Failure::TimedOut) => writeln!(f, ": no answer in time"),
        Err(Failure::Unreachable) => writeln!(f, ": unreachable"),
        Err(Failure::Local(detail)) => writeln!(f, ": could not try ({detail})"),
    }
}

struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3)
    }
}

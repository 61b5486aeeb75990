//! Attempts in words: each phase with its time, what an answer told of itself, and why there was none.

use std::{fmt, time::Duration};

use crate::{
    head::NotHttp,
    identity::{Identity, WhichKey},
    observation::{Attempt, Exchange, Failure, NameTrouble, Origin, Resolution, Statement},
};

pub(super) fn explain_attempt(f: &mut fmt::Formatter<'_>, attempt: &Attempt) -> fmt::Result {
    match attempt.resolution {
        Resolution::Literal => write!(f, "the address is given")?,
        Resolution::Resolved { took, trouble: None } => write!(f, "resolved in {}", Took(took))?,
        Resolution::Resolved { took, trouble: Some((family, trouble)) } => {
            write!(f, "resolved in {}, but for {family}: {}", Took(took), trouble_words(trouble))?;
        }
        Resolution::NoSuchName { took } => write!(f, "the name does not exist ({})", Took(took))?,
        Resolution::Trouble { took, trouble } => write!(f, "{} ({})", trouble_words(trouble), Took(took))?,
    }
    writeln!(f)?;
    attempt.exchanges.iter().try_for_each(|exchange| explain_exchange(f, exchange))?;
    let statements = attempt.testimony.iter().flat_map(|testimony| &testimony.0);
    statements.into_iter().try_for_each(|statement| explain_statement(f, statement))
}

fn explain_statement(f: &mut fmt::Formatter<'_>, statement: &Statement) -> fmt::Result {
    write!(f, "    witness {}", statement.witness)?;
    if let Some(address) = statement.address.filter(|address| address.to_string() != statement.witness) {
        write!(f, " ({address})")?;
    }
    match &statement.outcome {
        Ok(took) => writeln!(f, ": reached in {}", Took(*took)),
        Err(failure) => writeln!(f, ": {}", failure_words(failure)),
    }
}

pub(super) fn trouble_words(trouble: NameTrouble) -> &'static str {
    match trouble {
        NameTrouble::Timeout => "the name service did not answer",
        NameTrouble::Error => "the name service answered with an error",
        NameTrouble::Empty => "the name service knows no address of the name",
    }
}

fn explain_exchange(f: &mut fmt::Formatter<'_>, exchange: &Exchange) -> fmt::Result {
    let last = if exchange.origin == Origin::LastProven { " (where it last proved itself)" } else { "" };
    write!(f, "    {}{last}", exchange.address)?;
    let phases = exchange.phases;
    for (name, took) in
        [("connect", phases.connect), ("TLS", phases.tls), ("answer", phases.answer), ("proof", phases.proof)]
    {
        if let Some(took) = took {
            write!(f, "  {name} {}", Took(took))?;
        }
    }
    if let Some(complaint) = &exchange.certificate {
        write!(f, "  ({complaint})")?;
    }
    match &exchange.outcome {
        Ok(answer) => {
            write!(f, ": HTTP {}{}", answer.status, Whose(answer.identity))?;
            match answer.marks.told() {
                told if told.is_empty() => writeln!(f),
                told => writeln!(f, "  ({told})"),
            }
        }
        Err(failure) => writeln!(f, ": {}", failure_words(failure)),
    }
}

pub(super) fn failure_words(failure: &Failure) -> String {
    match failure {
        Failure::Refused => "refused".into(),
        Failure::Reset => "broken off".into(),
        Failure::NotHttp(NotHttp::Tls) => "answered, but in TLS: ask by https://".into(),
        Failure::NotHttp(NotHttp::Unknown) => "answered, but not in HTTP".into(),
        Failure::Tls(detail) => format!("no secure connection ({detail})"),
        Failure::TimedOut => "no answer in time".into(),
        Failure::Unreachable => "unreachable".into(),
        Failure::Local(detail) => format!("could not try ({detail})"),
    }
}

pub(super) struct Whose(pub(super) Identity);

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Identity::NotAsked => Ok(()),
            Identity::Proven { running, with } => {
                let old = if with == WhichKey::Old { " with the old key" } else { "" };
                write!(f, ", proven{old} (host up {}, beacon {})", For(running.up), For(running.age))
            }
            Identity::Foreign => f.write_str(", a proof that does not fit"),
            Identity::Absent => f.write_str(", no proof"),
            Identity::Unchecked => f.write_str(", and the key to check it with is not known"),
        }
    }
}

/// Whole seconds in the two largest units: `3d 4h`, `12s`.
struct For(u64);

impl fmt::Display for For {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, hours, minutes, seconds) = (self.0 / 86400, self.0 / 3600 % 24, self.0 / 60 % 60, self.0 % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds}s"),
            (0, 0, _) => write!(f, "{minutes}m {seconds}s"),
            (0, _, _) => write!(f, "{hours}h {minutes}m"),
            _ => write!(f, "{days}d {hours}h"),
        }
    }
}

struct Took(Duration);

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3)
    }
}

//! Attempts in words: each phase with its duration, what an answer said of its sender, and why there was none.

use std::{fmt, time::Duration};

use shared::names::Family;

use super::{
    identity::{Identity, WhichKey},
    observation::{Answer, Attempt, Exchange, Failure, NameServiceError, NotHttp, Origin, Resolution, WitnessResult},
};

pub(crate) fn explain_attempt(f: &mut fmt::Formatter<'_>, attempt: &Attempt) -> fmt::Result {
    match attempt.resolution {
        Resolution::Literal => write!(f, "the address is given")?,
        Resolution::Resolved { took, failed: None } => write!(f, "resolved in {}", Millis(took))?,
        Resolution::Resolved { took, failed: Some((family, error)) } => {
            write!(f, "resolved in {}, but for {}: {}", Millis(took), name_of(family), name_service_words(error))?;
        }
        Resolution::NoSuchName { took } => write!(f, "the name does not exist ({})", Millis(took))?,
        Resolution::Failed { took, error } => write!(f, "{} ({})", name_service_words(error), Millis(took))?,
    }
    writeln!(f)?;
    attempt.exchanges.iter().try_for_each(|exchange| explain_exchange(f, exchange))?;
    let results = attempt.witnesses.iter().flat_map(|evidence| &evidence.0);
    results.into_iter().try_for_each(|result| explain_witness(f, result))
}

fn explain_witness(f: &mut fmt::Formatter<'_>, result: &WitnessResult) -> fmt::Result {
    write!(f, "    witness {}", result.witness)?;
    if let Some(address) = result.address.filter(|address| address.to_string() != result.witness) {
        write!(f, " ({address})")?;
    }
    match &result.outcome {
        Ok(took) => writeln!(f, ": reached in {}", Millis(*took)),
        Err(failure) => writeln!(f, ": {}", failure_words(failure)),
    }
}

/// The name of a family of addresses.
const fn name_of(family: Family) -> &'static str {
    match family {
        Family::V4 => "IPv4",
        Family::V6 => "IPv6",
    }
}

pub(crate) fn name_service_words(error: NameServiceError) -> &'static str {
    match error {
        NameServiceError::Timeout => "the name service did not answer",
        NameServiceError::Error => "the name service answered with an error",
        NameServiceError::Empty => "the name service knows no address of the name",
    }
}

fn explain_exchange(f: &mut fmt::Formatter<'_>, exchange: &Exchange) -> fmt::Result {
    let last = if exchange.origin == Origin::LastProven { " (where it last proved itself)" } else { "" };
    write!(f, "    {}{last}", exchange.address)?;
    let phases = exchange.phases;
    let entered = [
        ("connect", phases.connect),
        ("TLS", phases.tls),
        ("answer", phases.answer),
        ("body", phases.body),
        ("proof", phases.proof),
    ];
    for (name, took) in entered {
        if let Some(took) = took {
            write!(f, "  {name} {}", Millis(took))?;
        }
    }
    if let Some(error) = &exchange.certificate {
        write!(f, "  ({error})")?;
    }
    match &exchange.outcome {
        Ok(answer) => {
            write!(f, ": {}", AnswerText(answer))?;
            match answer.headers.describe() {
                text if text.is_empty() => writeln!(f),
                text => writeln!(f, "  ({text})"),
            }
        }
        Err(failure) => writeln!(f, ": {}", failure_words(failure)),
    }
}

/// An answer in words: its status, who sent it, and what of it is not as expected.
pub(crate) struct AnswerText<'a>(pub(crate) &'a Answer);

impl fmt::Display for AnswerText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Answer { status, identity, unmet, .. } = self.0;
        write!(f, "HTTP {status}{}", IdentityText(*identity))?;
        unmet.as_ref().map_or(Ok(()), |unmet| write!(f, ", not as expected: {}", unmet.text))
    }
}

pub(crate) fn failure_words(failure: &Failure) -> String {
    match failure {
        Failure::Refused => "refused".into(),
        Failure::Reset => "reset".into(),
        Failure::NotHttp(NotHttp::Tls) => "answered, but in TLS: use https://".into(),
        Failure::NotHttp(NotHttp::Unknown) => "answered, but not in HTTP".into(),
        Failure::Tls(detail) => format!("no secure connection ({detail})"),
        Failure::TimedOut => "no answer in time".into(),
        Failure::Unreachable => "unreachable".into(),
        Failure::Local(detail) => format!("could not try ({detail})"),
    }
}

/// Who sent an answer, as a continuation of `HTTP 200`.
struct IdentityText(Identity);

impl fmt::Display for IdentityText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Identity::NotAsked => Ok(()),
            Identity::Proven { running, with } => {
                let old = if with == WhichKey::Old { " with the old key" } else { "" };
                write!(f, ", proven{old} (host up {}, beacon {})", Uptime(running.up), Uptime(running.age))
            }
            Identity::Foreign => f.write_str(", a proof that does not fit"),
            Identity::Absent => f.write_str(", no proof"),
            Identity::Unchecked => f.write_str(", and the key to check it with could not be read"),
        }
    }
}

/// Whole seconds in the two largest units: `3d 4h`, `12s`.
struct Uptime(u64);

impl fmt::Display for Uptime {
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

struct Millis(Duration);

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.0.as_secs_f64() * 1e3)
    }
}

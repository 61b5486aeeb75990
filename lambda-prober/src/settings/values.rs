//! What the values of settings may be.

use std::time::Duration;

use shared::settings::duration;

/// How short a cycle may be: over a slow line, deadlines for less would call a slow home down.
const SHORTEST_CYCLE: Duration = Duration::from_secs(15);

/// A shorter outage is over before anybody could have read of it.
const SHORTEST_INCIDENT: Duration = Duration::from_mins(1);

/// How long a phase of a connection takes at most, so that nothing slower is ever seen.
const SLOWEST: Duration = Duration::from_secs(4);

/// The longest that an outage may be held open after its end.
const LONGEST_HOLD: Duration = Duration::from_hours(1);

/// How long an outage lasts before an incident tells it; `None` is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentAfter(pub Option<Duration>);

pub(super) fn attempts(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(attempts @ 2..=5) => Ok(attempts),
        _ => Err("a run takes 2 to 5 attempts".into()),
    }
}

pub(super) fn cycle(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < SHORTEST_CYCLE { Err("a cycle takes 15s or longer".into()) } else { Ok(every) }
}

pub(super) fn degraded_above(text: &str) -> Result<Duration, String> {
    let above = duration(text)?;
    if above > SLOWEST { Err("no connection is waited for longer than 4s".into()) } else { Ok(above) }
}

pub(super) fn incident_after(text: &str) -> Result<IncidentAfter, String> {
    if text == "never" {
        return Ok(IncidentAfter(None));
    }
    let after = duration(text)?;
    if after < SHORTEST_INCIDENT {
        return Err("an incident tells an outage of 1m or longer; `never` opens none".into());
    }
    Ok(IncidentAfter(Some(after)))
}

pub(super) fn resolve_after(text: &str) -> Result<Duration, String> {
    let after = duration(text)?;
    if after > LONGEST_HOLD { Err("an outage is held open for 1h at most".into()) } else { Ok(after) }
}

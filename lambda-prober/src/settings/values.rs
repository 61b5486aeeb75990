//! The limits of settings' values.

use std::{env, time::Duration};

use notify::quiet::Quiet;
use shared::{look::Location, settings::duration};

/// The shortest interval of runs: with shorter deadlines a home on a slow line would be down.
const MIN_INTERVAL: Duration = Duration::from_secs(15);

/// A shorter outage would be over before its incident is read.
const MIN_INCIDENT_AFTER: Duration = Duration::from_mins(1);

/// The deadline of a phase of a connection: nothing slower is ever seen.
const MAX_DEGRADED_ABOVE: Duration = Duration::from_secs(4);

/// How long an outage may be held open after its end.
const MAX_RESOLVE_AFTER: Duration = Duration::from_hours(1);

/// How long an outage lasts before an incident is opened; `None` is never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentAfter(pub Option<Duration>);

/// How late a notice may be by choice.
const MAX_NOTIFY_AFTER: Duration = Duration::from_hours(1);

/// How long an outage lasts before a notice is sent of it.
///
/// # Errors
/// When it is no duration, or too long.
pub fn notify_after(text: &str) -> Result<Duration, String> {
    let after = duration(text)?;
    if after > MAX_NOTIFY_AFTER { Err("a notice is sent after 1h at most".into()) } else { Ok(after) }
}

/// When no notice is sent. A function's clock is in no time zone of its owner's.
///
/// # Errors
/// When they are none, or without a time zone.
pub(super) fn notify_quiet(text: &str) -> Result<Quiet, String> {
    let quiet: Quiet = text.parse()?;
    if quiet.has_zone() { Ok(quiet) } else { Err(format!("name the time zone, too, as in `{text} Europe/Berlin`")) }
}

/// The name of one of AWS's regions.
///
/// # Errors
/// When it cannot be one.
pub(super) fn region(text: &str) -> Result<String, String> {
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if text.len() <= 32 && text.split('-').count() >= 3 && text.split('-').all(fits) {
        Ok(text.to_owned())
    } else {
        Err("a region is written like eu-central-1".into())
    }
}

/// Whether this is a Lambda function.
pub(super) fn is_a_function() -> bool {
    env::var_os("AWS_LAMBDA_RUNTIME_API").is_some_and(|api| !api.is_empty())
}

/// Where a prober is that was given no name: in the function's region.
pub(super) fn default_location() -> Location {
    location_of(is_a_function().then(|| env::var("AWS_REGION").ok()).flatten().as_deref())
}

fn location_of(region: Option<&str>) -> Location {
    region.and_then(|region| region.parse().ok()).unwrap_or_else(Location::local)
}

/// The most attempts of a run.
///
/// # Errors
/// When it is no number from 2 to 5.
pub fn attempts(text: &str) -> Result<u8, String> {
    match text.parse() {
        Ok(attempts @ 2..=5) => Ok(attempts),
        _ => Err("a run takes 2 to 5 attempts".into()),
    }
}

/// How often a home is probed.
///
/// # Errors
/// When it is no duration, or a shorter one than a run takes.
pub fn interval(text: &str) -> Result<Duration, String> {
    let interval = duration(text)?;
    if interval < MIN_INTERVAL { Err("the interval is 15s or longer".into()) } else { Ok(interval) }
}

/// How long a connection may take until a home is degraded.
///
/// # Errors
/// When it is no duration, or a longer one than a connection has.
pub fn degraded_above(text: &str) -> Result<Duration, String> {
    let above = duration(text)?;
    if above > MAX_DEGRADED_ABOVE { Err("a connection has 4s at most".into()) } else { Ok(above) }
}

pub(super) fn incident_after(text: &str) -> Result<IncidentAfter, String> {
    if text == "never" {
        return Ok(IncidentAfter(None));
    }
    let after = duration(text)?;
    if after < MIN_INCIDENT_AFTER {
        return Err("an outage lasts 1m or longer before an incident is opened; `never` opens none".into());
    }
    Ok(IncidentAfter(Some(after)))
}

pub(super) fn resolve_after(text: &str) -> Result<Duration, String> {
    let after = duration(text)?;
    if after > MAX_RESOLVE_AFTER { Err("an outage is held open for 1h at most".into()) } else { Ok(after) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_where_its_region_is() {
        for (region, location) in [
            (Some("eu-central-1"), "eu-central-1"),
            (Some("ap-southeast-1"), "ap-southeast-1"),
            (Some("a-region-of-many-words-1"), "local"),
            (Some(""), "local"),
            (None, "local"),
        ] {
            assert_eq!(location_of(region).as_str(), location);
        }
    }
}

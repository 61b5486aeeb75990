//! The values of the keeper's settings, as people write them.

use std::time::Duration;

use shared::settings::duration;

use crate::keeper::db::check_address;

/// Longer, a value says nothing of the line as it is now.
const MAX_HOLD: Duration = Duration::from_hours(24);

pub(super) fn hold(text: &str) -> Result<Duration, String> {
    if text == "0" || text == "0s" {
        return Ok(Duration::ZERO);
    }
    let hold = duration(text)?;
    if hold > MAX_HOLD { Err("a value is held for 24h at most".into()) } else { Ok(hold) }
}

pub(super) fn promised(text: &str) -> Result<f64, String> {
    let wrong = || "a contract promises from 0.1 to 100000 Mbit/s, like 250 or 2.5".to_owned();
    let promised: f64 = text.parse().map_err(|_| wrong())?;
    if (0.1..=100_000.0).contains(&promised) { Ok(promised) } else { Err(wrong()) }
}

pub(super) fn database(text: &str) -> Result<String, String> {
    match check_address(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

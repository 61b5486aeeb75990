//! How long a service asks its clients to wait.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is believed.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// What a limit that names no end means: limits here are counted by the minute.
const DEFAULT_WAIT: Duration = Duration::from_mins(1);

/// The wait that an answer asks for, if it does. One that says only that a limit is used up (429, and 420 as statuspage.io has
/// it) asks for a minute.
pub fn wait_asked(status: u16, fields: &HeaderMap) -> Option<Duration> {
    let text = |name| fields.get(name).and_then(|value| value.to_str().ok());
    // Both dates of one answer are by one clock; ours may be wrong.
    let their_now = text(DATE).and_then(date);
    let limited = matches!(status, 420 | 429).then_some(DEFAULT_WAIT);
    let asked = text(RETRY_AFTER).and_then(|text| retry_after(text, their_now.unwrap_or_else(Timestamp::now)));
    match (asked, limited) {
        // A date that has passed by our clock alone may be our clock's fault.
        (Some(Duration::ZERO), Some(limited)) if their_now.is_none() && text(RETRY_AFTER).and_then(date).is_some() => {
            Some(limited)
        }
        (asked, limited) => asked.or(limited),
    }
}

/// `Retry-After`: seconds, or a date in one of its three forms (RFC 9110, sections 5.6.7 and 10.2.3); the wait as of `now`.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let wait = match text.trim().parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // A date that has passed means now.
        Err(_) => Duration::try_from(date(text)?.duration_since(now)).unwrap_or_default(),
    };
    Some(wait.min(MAX_WAIT))
}

fn date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let http = httpdate::parse_http_date(text).ok().and_then(|time| Timestamp::try_from(time).ok());
    // Some write an offset, as in letters.
    http.or_else(|| rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-21T04:30:00Z".parse().unwrap();
        for (text, seconds) in [
            ("3000", Some(3000)),
            (" 0 ", Some(0)),
            ("Sat, 21 Nov 2026 04:31:00 GMT", Some(60)),
            ("Sat, 21 Nov 2026 04:29:00 GMT", Some(0)),
            ("Sat, 21 Nov 2026 05:31:00 +0100", Some(60)),
            ("Saturday, 21-Nov-26 04:31:00 GMT", Some(60)),
            ("Sat Nov 21 04:31:00 2026", Some(60)),
            ("99999999999", Some(86_400)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now).map(|wait| wait.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn a_limit_without_an_end_is_a_minute_and_a_date_is_read_by_the_clock_that_wrote_it() {
        let wait = |status, fields: &[(HeaderName, &str)]| {
            let fields = fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            wait_asked(status, &fields.collect()).map(|wait| wait.as_secs())
        };
        assert_eq!((wait(420, &[]), wait(429, &[]), wait(503, &[])), (Some(60), Some(60), None));
        assert_eq!(wait(429, &[(RETRY_AFTER, "soon")]), Some(60));
        assert_eq!(wait(503, &[(RETRY_AFTER, "7")]), Some(7));
        assert_eq!(wait(429, &[(RETRY_AFTER, "Sat, 21 Nov 2020 04:31:00 GMT")]), Some(60), "our clock may be ahead");
        let both = [(DATE, "Tue, 01 Jan 2036 00:00:00 GMT"), (RETRY_AFTER, "Tue, 01 Jan 2036 00:00:42 GMT")];
        assert_eq!(wait(429, &both), Some(42));
    }
}

//! For how long a certificate is valid yet.

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::{cause::Cause, check::CertificateAges};

/// Whether a certificate that is valid until `ends` is so for long enough.
///
/// # Errors
/// When it is not: a warning, or critical.
pub fn judge_certificate(ends: Timestamp, now: Timestamp, ages: CertificateAges) -> Result<(), Finding> {
    let left = ends.duration_since(now);
    let is_less = |than: Option<std::time::Duration>| {
        than.is_some_and(|than| SignedDuration::try_from(than).is_ok_and(|than| left < than))
    };
    let finding = Finding::new(Cause::CertificateEnds, certificate_sentence(left));
    if is_less(ages.critical) {
        return Err(finding.critical());
    }
    if is_less(ages.warning) { Err(finding) } else { Ok(()) }
}

/// How long a certificate is valid yet: `the certificate ends in 3 days`.
pub fn certificate_sentence(left: SignedDuration) -> String {
    let amount = amount(left.unsigned_abs().as_secs());
    if left.is_negative() {
        format!("the certificate ended {amount} ago: renew it")
    } else {
        format!("the certificate ends in {amount}")
    }
}

fn amount(seconds: u64) -> String {
    let (number, unit) = match seconds / 3600 {
        0 => (seconds / 60, "minute"),
        hours @ 1..48 => (hours, "hour"),
        hours => (hours / 24, "day"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::outcome::State;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn less_than_wished_for_is_a_warning_or_critical() {
        let now: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        let ages = CertificateAges { warning: Some(14 * DAY), critical: Some(3 * DAY) };
        for (ends, state, text) in [
            ("2026-12-14T12:00:00Z", None, ""),
            ("2026-12-13T12:00:00Z", None, ""),
            ("2026-12-13T11:59:59Z", Some(State::Warning), "the certificate ends in 13 days"),
            ("2026-12-02T12:00:00Z", Some(State::Warning), "the certificate ends in 3 days"),
            ("2026-12-02T11:00:00Z", Some(State::Critical), "the certificate ends in 2 days"),
            ("2026-11-30T13:00:00Z", Some(State::Critical), "the certificate ends in 25 hours"),
            ("2026-11-29T13:00:00Z", Some(State::Critical), "the certificate ends in 1 hour"),
            ("2026-11-29T12:30:00Z", Some(State::Critical), "the certificate ends in 30 minutes"),
            ("2026-11-20T12:00:00Z", Some(State::Critical), "the certificate ended 9 days ago: renew it"),
        ] {
            let judged = judge_certificate(ends.parse().unwrap(), now, ages);
            let finding = state.map(|state| Finding { state, cause: Cause::CertificateEnds, text: text.into() });
            assert_eq!(judged.err(), finding, "{ends}");
        }
        assert_eq!(judge_certificate(now, now, CertificateAges::default()), Ok(()));
    }
}

//! What the echoes of a run come to.

use std::{net::IpAddr, time::Duration};

use crate::{
    cause::Cause,
    check::IcmpCheck,
    icmp::{Samples, Why, loss, summary},
    outcome::{Outcome, State},
    performance::Figure,
};

/// The outcome of samples; `why` one was lost, where that is known.
pub(super) fn judge(check: &IcmpCheck, address: IpAddr, samples: &Samples, why: Option<&Why>) -> Outcome {
    let lost = loss(samples);
    let average = summary(samples).map(|summary| Duration::from_secs_f64(summary.average / 1e3));
    let host =
        if check.host.parse::<IpAddr>().is_ok() { check.host.clone() } else { format!("{} ({address})", check.host) };
    let because = why.map(|why| format!(" ({why})")).unwrap_or_default();
    let text = match summary(samples) {
        Some(summary) => format!("{host}: {summary}, {lost:.0} % lost{because}"),
        None => format!("{host}: none of {} answers came{because}", samples.len()),
    };
    let mut outcome = match grievance(check, lost, average, why) {
        Some((state, cause)) => Outcome { state, ..Outcome::because(cause, text) },
        None => Outcome::ok(text),
    };
    outcome.figures = figures(check, lost, average);
    outcome
}

/// What is wrong, the worst first.
fn grievance(check: &IcmpCheck, lost: f64, average: Option<Duration>, why: Option<&Why>) -> Option<(State, Cause)> {
    let Some(average) = average else {
        return Some((State::Critical, if why.is_some() { Cause::Unreachable } else { Cause::TimedOut }));
    };
    let loses = |limit: Option<f64>| limit.is_some_and(|limit| lost > limit);
    let lags = |limit: Option<Duration>| limit.is_some_and(|limit| average > limit);
    [
        (loses(check.loss_critical), State::Critical, Cause::Loss),
        (lags(check.rtt_critical), State::Critical, Cause::Slow),
        (loses(check.loss_warning), State::Warning, Cause::Loss),
        (lags(check.rtt_warning), State::Warning, Cause::Slow),
    ]
    .into_iter()
    .find_map(|(holds, state, cause)| holds.then_some((state, cause)))
}

/// By the names that ping plugins have for them: `rta` in seconds, unknown where nothing came back, and `pl` in percent.
fn figures(check: &IcmpCheck, lost: f64, average: Option<Duration>) -> Vec<Figure> {
    let seconds = |limit: Option<Duration>| limit.map(|limit| limit.as_secs_f64().to_string());
    let percent = |limit: Option<f64>| limit.map(|limit| limit.to_string());
    let rta = Figure {
        value: average.map(|average| average.as_secs_f64()),
        unit: if average.is_some() { "s".into() } else { String::new() },
        warning: seconds(check.rtt_warning),
        critical: seconds(check.rtt_critical),
        min: Some(0.0),
        ..Figure::new("rta", 0.0, "s")
    };
    let pl = Figure {
        warning: percent(check.loss_warning),
        critical: percent(check.loss_critical),
        min: Some(0.0),
        max: Some(100.0),
        ..Figure::new("pl", lost, "%")
    };
    vec![rta, pl]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icmp::IcmpError;

    fn check() -> IcmpCheck {
        IcmpCheck {
            host: "192.0.2.1".into(),
            count: 4,
            loss_warning: Some(20.0),
            loss_critical: Some(60.0),
            rtt_warning: Some(Duration::from_millis(100)),
            rtt_critical: Some(Duration::from_millis(500)),
        }
    }

    /// Of samples in milliseconds.
    fn outcome(times: [Option<u64>; 4], why: Option<&Why>) -> Outcome {
        judge(&check(), [192, 0, 2, 1].into(), &times.map(|time| time.map(Duration::from_millis)), why)
    }

    #[test]
    fn the_worst_of_loss_and_round_trips_is_the_state() {
        use State::{Critical, Ok, Warning};
        for (times, state, cause) in [
            ([Some(1), Some(1), Some(1), Some(1)], Ok, None),
            ([Some(100), Some(100), Some(100), Some(100)], Ok, None),
            ([Some(101), Some(101), Some(101), Some(101)], Warning, Some(Cause::Slow)),
            ([Some(501), Some(501), Some(501), None], Critical, Some(Cause::Slow)),
            ([Some(1), Some(1), Some(1), None], Warning, Some(Cause::Loss)),
            ([Some(101), Some(101), Some(101), None], Warning, Some(Cause::Loss)),
            ([Some(501), None, None, None], Critical, Some(Cause::Loss)),
            ([None, None, None, None], Critical, Some(Cause::TimedOut)),
        ] {
            let outcome = outcome(times, None);
            assert_eq!((outcome.state, outcome.cause), (state, cause), "{times:?}");
        }
    }

    #[test]
    fn what_a_router_said_is_the_cause_and_in_the_text() {
        let by = Some([192, 0, 2, 9].into());
        let why = Why::Reported(IcmpError { by, what: "that host cannot be reached", kind: 3, code: 1, after: None });
        let outcome = outcome([None; 4], Some(&why));
        assert_eq!((outcome.state, outcome.cause), (State::Critical, Some(Cause::Unreachable)));
        assert_eq!(
            outcome.text,
            "192.0.2.1: none of 4 answers came (192.0.2.9 says: that host cannot be reached, ICMP type 3 code 1)"
        );
    }

    #[test]
    fn the_figures_are_in_base_units_with_their_limits() {
        let written = |outcome: Outcome| outcome.figures.iter().map(Figure::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(
            written(outcome([Some(10), Some(30), None, Some(20)], None)),
            "rta=0.02s;0.1;0.5;0 pl=25%;20;60;0;100"
        );
        assert_eq!(written(outcome([None; 4], None)), "rta=U;0.1;0.5;0 pl=100%;20;60;0;100");
    }

    #[test]
    fn without_limits_only_a_host_that_never_answers_is_down() {
        let free =
            IcmpCheck { loss_warning: None, loss_critical: None, rtt_warning: None, rtt_critical: None, ..check() };
        let one = [None, None, None, Some(Duration::from_secs(2))];
        assert_eq!(judge(&free, [192, 0, 2, 1].into(), &one, None).state, State::Ok);
        assert_eq!(judge(&free, [192, 0, 2, 1].into(), &[None; 4], None).state, State::Critical);
    }
}

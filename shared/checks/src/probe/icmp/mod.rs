//! Echoes to a host: how many are lost, and how long they take.
//!
//! - `judge`: what samples come to; pure

mod judge;

use std::{io, net::IpAddr, time::Duration};

use futures_util::future::join_all;
use shared::names::{Names, Reply, Search, describe};
use tokio::time::{Instant, sleep_until};

use crate::{
    cause::Cause,
    check::IcmpCheck,
    icmp::{Echo, Sample, Why},
    outcome::Outcome,
};

/// From one echo to the next, where the deadline leaves that time.
const SPACING: Duration = Duration::from_millis(200);

/// How long an echo may take; one that takes longer is lost.
const SAMPLE_TIMEOUT: Duration = Duration::from_secs(2);

/// What the deadline keeps for putting the outcome together, where it is not short.
const MARGIN: Duration = Duration::from_millis(50);

/// Sends as many echoes as the check says, and waits for their answers until the deadline at the most.
pub async fn run(check: &IcmpCheck, until: Instant) -> Outcome {
    let start = Instant::now();
    let mut outcome = match check.host.parse::<IpAddr>() {
        Ok(address) => echoes(check, address.to_canonical(), until).await,
        Err(_) => named(check, until).await,
    };
    outcome.took = start.elapsed();
    outcome
}

async fn named(check: &IcmpCheck, until: Instant) -> Outcome {
    let start = Instant::now();
    // A third of the time is the echoes', whatever the name takes.
    let resolved_by = until - until.saturating_duration_since(start) / 3;
    let replies =
        Names::of_this_machine().replies(&check.host, None, Search::of_target(&check.host), resolved_by).await;
    let took = start.elapsed();
    let address = replies.iter().flat_map(Reply::addresses).next();
    let mut outcome = match address {
        Some(address) => echoes(check, *address, until).await,
        None => Outcome::because(why_nameless(&replies), describe(&check.host, &replies)),
    };
    outcome.phases.resolve = Some(took);
    outcome
}

/// Only what every server denies does not exist; all else says something of the name service alone.
fn why_nameless(replies: &[Reply]) -> Cause {
    if replies.iter().any(|reply| matches!(reply, Reply::Failed(_))) { Cause::NameService } else { Cause::Name }
}

async fn echoes(check: &IcmpCheck, address: IpAddr, until: Instant) -> Outcome {
    let echo = match Echo::open(address) {
        Ok(echo) => echo,
        Err(error) => return Outcome::because(Cause::Local, not_allowed(&error)),
    };
    let start = Instant::now();
    let left = until.saturating_duration_since(start);
    let end = until - MARGIN.min(left / 10);
    // All are sent in the first half, so that the last one has as much time as the first needed.
    let spacing = SPACING.min(left / 2 / u32::from(check.count.max(1)));
    let samples = (0..check.count.max(1)).map(|index| {
        let echo = &echo;
        async move {
            sleep_until(start + spacing * u32::from(index)).await;
            let timeout = end.saturating_duration_since(Instant::now()).min(SAMPLE_TIMEOUT);
            echo.sample(index.into(), timeout).await
        }
    });
    match taken(join_all(samples).await) {
        Ok((samples, why)) => judge::judge(check, address, &samples, why.as_ref()),
        Err(error) => Outcome::because(Cause::Local, format!("nothing could be sent to {address} ({error})")),
    }
}

/// The samples, and why the first was lost of which that is known.
///
/// # Errors
/// When none could be sent, and that says nothing of the line.
fn taken(sent: Vec<io::Result<Sample>>) -> io::Result<(Vec<Option<Duration>>, Option<Why>)> {
    let (mut samples, mut why, mut fault) = (Vec::with_capacity(sent.len()), None, None);
    for sample in sent {
        samples.push(match sample {
            Ok(Sample::Answered(time)) => Some(time),
            Ok(Sample::Lost(reported)) => {
                why = why.or(reported);
                None
            }
            // What could not be sent never arrived either.
            Err(error) => {
                fault.get_or_insert(error);
                None
            }
        });
    }
    match fault {
        Some(fault) if why.is_none() && samples.iter().all(Option::is_none) => Err(fault),
        _ => Ok((samples, why)),
    }
}

fn not_allowed(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::PermissionDenied {
        "this process may send no ICMP: let its group into the sysctl net.ipv4.ping_group_range, or check a port of the host by tcp"
            .into()
    } else {
        format!("ICMP cannot be sent ({error})")
    }
}

#[cfg(test)]
mod tests {
    use shared::names::LookupError;

    use super::*;
    use crate::icmp::IcmpError;

    #[test]
    fn a_name_is_wrong_only_where_no_server_failed() {
        let failed = Reply::Failed(LookupError::Silent);
        for (replies, cause) in [
            (vec![Reply::NoSuchName, Reply::NoSuchName], Cause::Name),
            (vec![Reply::NoAddress, Reply::NoAddress], Cause::Name),
            (vec![Reply::NoSuchName, failed.clone()], Cause::NameService),
            (vec![failed.clone(), failed], Cause::NameService),
        ] {
            assert_eq!(why_nameless(&replies), cause, "{replies:?}");
        }
    }

    #[test]
    fn what_could_not_be_sent_is_lost_where_something_is_known_of_the_line() {
        let denied = || Err(io::ErrorKind::PermissionDenied.into());
        assert!(taken(vec![denied(), denied()]).is_err());
        let time = Duration::from_millis(3);
        let (samples, why) = taken(vec![denied(), Ok(Sample::Answered(time))]).unwrap();
        assert_eq!((samples, why), (vec![None, Some(time)], None));
        let reported =
            || Why::Reported(IcmpError { by: None, what: "no route to that network", kind: 3, code: 0, after: None });
        let (samples, why) = taken(vec![Ok(Sample::Lost(Some(reported()))), denied()]).unwrap();
        assert_eq!((samples, why), (vec![None, None], Some(reported())));
    }

    #[test]
    fn who_may_send_no_icmp_is_advised() {
        let text = not_allowed(&io::ErrorKind::PermissionDenied.into());
        assert!(text.contains("net.ipv4.ping_group_range"), "{text}");
        assert!(not_allowed(&io::ErrorKind::OutOfMemory.into()).starts_with("ICMP cannot be sent"));
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_is_asked_of_nobody() {
        let check = IcmpCheck {
            host: "no name".into(),
            count: 3,
            loss_warning: None,
            loss_critical: None,
            rtt_warning: None,
            rtt_critical: None,
        };
        let outcome = run(&check, Instant::now() + Duration::from_secs(5)).await;
        assert_eq!(outcome.cause, Some(Cause::Name), "{outcome:?}");
        assert!(outcome.phases.resolve.is_some() && outcome.took >= outcome.phases.resolve.unwrap());
    }
}

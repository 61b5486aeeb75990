//! Checks of kind `icmp` over real sockets, in a network of the test's own: each outcome, and its figures.

use std::time::Duration;

use checks::{
    cause::Cause,
    check::IcmpCheck,
    outcome::{Outcome, State},
    performance::Figure,
    probe::icmp,
};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use tests::{namespace::Namespace, skip::skip};
use tokio::time::Instant;

/// A network of the test's own, in which its thread is from now on, and what its packets meet there.
async fn inside(test: &str, rules: &[&[&str]]) -> Option<Namespace> {
    let Some(namespace) = Namespace::new(test).await else {
        skip(&format!("echoes::{test}"), "a network namespace takes root, ip and nft");
        return None;
    };
    namespace.run(&["nft", "add", "table", "inet", "t"]).await;
    namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
    for rule in rules {
        namespace.run(&[&["nft", "add", "rule", "inet", "t", "in"], *rule].concat()).await;
    }
    namespace.enter();
    Some(namespace)
}

fn check(host: &str) -> IcmpCheck {
    IcmpCheck {
        host: host.to_owned(),
        count: 4,
        loss_warning: Some(20.0),
        loss_critical: Some(60.0),
        rtt_warning: Some(Duration::from_secs(1)),
        rtt_critical: None,
    }
}

/// The outcome within `time`, which it keeps.
async fn within(time: Duration, check: IcmpCheck) -> Outcome {
    let start = Instant::now();
    let outcome = icmp::run(&check, start + time).await;
    assert!(outcome.took <= start.elapsed() && start.elapsed() < time + Duration::from_millis(200), "{outcome:?}");
    outcome
}

fn figures(outcome: &Outcome) -> Vec<String> {
    outcome.figures.iter().map(Figure::to_string).collect()
}

const SECONDS: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_host_that_answers_has_a_round_trip_in_seconds_and_no_loss() {
    let Some(_namespace) = inside("answers", &[]).await else { return };
    for (host, text) in [("127.0.0.1", "127.0.0.1: "), ("::1", "::1: "), ("localhost", "localhost (")] {
        let outcome = within(SECONDS, check(host)).await;
        assert_eq!((outcome.state, outcome.cause), (State::Ok, None), "{outcome:?}");
        assert!(outcome.text.starts_with(text) && outcome.text.ends_with(", 0 % lost"), "{outcome:?}");
        let rta = &outcome.figures[0];
        assert!(rta.unit == "s" && rta.value.is_some_and(|rta| rta > 0.0 && rta < 0.1), "{outcome:?}");
        assert_eq!(figures(&outcome)[1], "pl=0%;20;60;0;100");
        assert_eq!(outcome.phases.resolve.is_some(), host == "localhost", "{outcome:?}");
        // Four of them, 200 ms apart.
        assert!(outcome.took > Duration::from_millis(600) && outcome.took < Duration::from_secs(2), "{outcome:?}");
    }
    // Where there is less time, they are closer together.
    let hurried = within(Duration::from_millis(400), check("127.0.0.1")).await;
    assert_eq!(hurried.state, State::Ok, "{hurried:?}");
}

#[tokio::test]
async fn echoes_that_are_lost_count_and_all_of_them_are_a_host_that_is_down() {
    let request = ["icmp", "type", "echo-request"];
    let half = [&["ip", "daddr", "127.0.0.2"], &request[..], &["numgen", "inc", "mod", "2", "0", "drop"]].concat();
    let most =
        [&["ip", "daddr", "127.0.0.3"], &request[..], &["numgen", "inc", "mod", "4", "!=", "0", "drop"]].concat();
    let all = [&["ip", "daddr", "127.0.0.4"], &request[..], &["drop"]].concat();
    let Some(_namespace) = inside("lost", &[&half, &most, &all]).await else { return };
    for (host, state, cause, loss) in [
        ("127.0.0.2", State::Warning, Cause::Loss, "pl=50%;20;60;0;100"),
        ("127.0.0.3", State::Critical, Cause::Loss, "pl=75%;20;60;0;100"),
        ("127.0.0.4", State::Critical, Cause::TimedOut, "pl=100%;20;60;0;100"),
    ] {
        let outcome = within(SECONDS, check(host)).await;
        assert_eq!((outcome.state, outcome.cause), (state, Some(cause)), "{outcome:?}");
        assert_eq!(figures(&outcome)[1], loss, "{outcome:?}");
    }
    let lost = within(Duration::from_millis(500), check("127.0.0.4")).await;
    assert_eq!((lost.cause, lost.text.as_str()), (Some(Cause::TimedOut), "127.0.0.4: none of 4 answers came"));
    assert_eq!(figures(&lost)[0], "rta=U;1;;0");
}

#[tokio::test]
async fn what_a_router_or_this_machine_says_is_the_cause() {
    let reject = ["ip", "daddr", "127.0.0.5", "reject", "with", "icmp", "type", "host-unreachable"];
    let Some(_namespace) = inside("rejected", &[&reject]).await else { return };
    let start = Instant::now();
    let rejected = within(SECONDS, check("127.0.0.5")).await;
    assert_eq!((rejected.state, rejected.cause), (State::Critical, Some(Cause::Unreachable)), "{rejected:?}");
    assert!(rejected.text.contains("127.0.0.5 says: that host cannot be reached"), "{rejected:?}");
    // It is not waited for what will not come.
    assert!(start.elapsed() < Duration::from_secs(2), "{rejected:?}");
    let no_route = within(SECONDS, check("192.0.2.1")).await;
    assert_eq!((no_route.state, no_route.cause), (State::Critical, Some(Cause::Unreachable)), "{no_route:?}");
}

#[tokio::test]
async fn a_process_that_may_send_none_says_what_to_do_and_the_host_is_not_down() {
    let Some(_namespace) = inside("denied", &[]).await else { return };
    let mut ours = capabilities(None).expect("a thread has some");
    ours.effective.remove(CapabilitySet::NET_RAW);
    ours.permitted.remove(CapabilitySet::NET_RAW);
    set_capabilities(None, ours).expect("they may be given up");
    let outcome = within(SECONDS, check("127.0.0.1")).await;
    assert_eq!((outcome.state, outcome.cause), (State::Unknown, Some(Cause::Local)), "{outcome:?}");
    assert!(outcome.text.contains("net.ipv4.ping_group_range"), "{outcome:?}");
}

//! A home that answers, but not as it should.

use serde_json::Value;
use tests::{front::Front, keeper::Keeper, prober::prober_command};

use super::world::{KEY, World};

#[tokio::test]
async fn a_home_that_takes_long_to_be_reached_is_degraded() {
    let Some(world) = World::new("slow").await else { return };
    // Every first packet is lost, and sent again after 1 s.
    world.rule("tcp dport 8080 tcp flags syn numgen inc mod 2 0 drop").await;
    world.keeper.set_status("operational").await;
    let mut command = world.command("home");
    command.env("DEGRADED_ABOVE", "500ms");
    let run = world.run(&command).await;
    assert_eq!((run.target["verdict"].as_str(), run.target["cause"].as_str()), (Some("degraded"), Some("slow")));
    assert_eq!(run.target["attempts"].as_array().map(Vec::len), Some(3), "every attempt is slow: {:#}", run.report);
    assert_eq!(world.keeper.status().await, "degraded_performance");
    // The status of a cause is a setting.
    command.env("STATUSES", "slow=operational");
    world.run(&command).await;
    assert_eq!(world.keeper.status().await, "operational");
}

/// Probes a beacon behind a certificate that this machine trusts or not.
async fn behind_tls(key: bool, trusted: bool) -> (String, String, String) {
    let (keeper, beacon) = (Keeper::start().await, tests::beacon::Beacon::with_key("127.0.0.1:0", KEY).await);
    keeper.set_status("partial_outage").await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let front = Front::open(beacon.public, folder.path()).await;
    let mut command = prober_command(&front.url(), &keeper.api());
    if key {
        command.env("BEACON_KEY", KEY);
    }
    if trusted {
        command.env("SSL_CERT_FILE", &front.authority);
    }
    let run = tests::prober::probe_with(command).await;
    let text = |name: &str| run.target[name].as_str().unwrap_or_default().to_owned();
    if !trusted {
        let exchanges = run.target["attempts"][0]["exchanges"].as_array().expect("exchanges");
        let complains = |exchange: &Value| {
            exchange["certificate"]
                .as_str()
                .is_some_and(|it| it.starts_with("the certificate is of an issuer that is not trusted"))
        };
        assert!(exchanges.iter().any(complains), "{exchanges:#?}");
    }
    (text("verdict"), text("cause"), keeper.status().await)
}

#[tokio::test]
async fn a_proof_under_a_certificate_that_is_not_valid_is_degraded() {
    let seen = behind_tls(true, false).await;
    assert_eq!(seen, ("degraded".into(), "certificate".into(), "degraded_performance".into()));
}

#[tokio::test]
async fn without_a_key_a_certificate_that_is_not_valid_is_down() {
    assert_eq!(behind_tls(false, false).await, ("down".into(), "tls".into(), "major_outage".into()));
}

#[tokio::test]
async fn a_certificate_that_is_valid_is_up() {
    for key in [true, false] {
        assert_eq!(behind_tls(key, true).await, ("up".into(), String::new(), "operational".into()));
    }
}

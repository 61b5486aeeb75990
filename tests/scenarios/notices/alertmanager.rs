//! The real Alertmanager: an alert lasts as long as we say, and not as long as it thinks.

use std::time::Duration;

use jiff::Timestamp;
use notify::{
    channel::Channel,
    event::{Event, Stage, Subject},
    send::Sender,
};
use serde_json::Value;
use tests::{
    notices::{Reply, Service},
    process::{Process, command, file, own_address},
    skip::{program, skip},
};
use tokio::time::{Instant, sleep};

/// After so long without a word Alertmanager itself resolves an alert that has no end; it is 5 minutes by default.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);

fn event(stage: Stage, since: Timestamp) -> Event {
    Event {
        key: "home/8kbf7d35c070".into(),
        subject: Subject::Home,
        stage,
        since,
        at: Timestamp::now(),
        title: "Home internet is down".into(),
        text: "Nothing answers there.".into(),
        is_serious: true,
        ends: None,
        link: Some("https://status.example.com/".parse().expect("an address")),
    }
}

/// The alerts that the receiver was sent, each with its status.
fn received(service: &Service) -> Vec<(String, Value)> {
    let posted = service.posted();
    let alerts = posted.iter().flat_map(|posted| posted.json()["alerts"].as_array().cloned().unwrap_or_default());
    alerts.map(|alert| (alert["status"].as_str().unwrap_or_default().to_owned(), alert)).collect()
}

#[tokio::test]
async fn an_alert_stands_until_the_outage_is_over() {
    let Some(alertmanager) = program("prometheus-alertmanager") else {
        return skip("the real Alertmanager", "prometheus-alertmanager is missing; tests/run installs it");
    };
    let receiver = Service::start(|_, _| Reply::text(200, "")).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = format!(
        "global: {{resolve_timeout: {}s}}\nroute: {{receiver: us, group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}\n\
         receivers: [{{name: us, webhook_configs: [{{url: '{}', send_resolved: true}}]}}]\n",
        RESOLVE_TIMEOUT.as_secs(),
        receiver.url
    );
    let config = file(folder.path(), "alertmanager.yml", &config);
    let address = format!("{}:9093", own_address());
    let mut server = command(alertmanager);
    server.arg(format!("--config.file={config}")).arg(format!("--storage.path={}", folder.path().display()));
    server.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
    let server = Process::start(server);

    let channel =
        Channel::read(&format!("alertmanager+http://{address}?label.team=home")).expect("a channel").remove(0);
    let sender = Sender::new().expect("TLS");
    let since = Timestamp::now() - jiff::SignedDuration::from_mins(2);
    let sent =
        async |stage| sender.send(&channel, &event(stage, since), Instant::now() + Duration::from_secs(20)).await;
    // It may not listen yet, which passes.
    sent(Stage::Began).await.unwrap_or_else(|error| panic!("{error}: {:?}", server.lines()));
    let until = Instant::now() + Duration::from_secs(20);
    while received(&receiver).is_empty() {
        assert!(Instant::now() < until, "{:?}", server.lines());
        sleep(Duration::from_millis(50)).await;
    }
    let (status, alert) = received(&receiver).remove(0);
    assert_eq!(
        (status.as_str(), &alert["labels"]["team"], &alert["labels"]["severity"]),
        ("firing", &"home".into(), &"critical".into())
    );
    assert_eq!(
        (&alert["annotations"]["summary"], &alert["generatorURL"]),
        (&"Home internet is down".into(), &"https://status.example.com/".into())
    );

    let starts: Timestamp = alert["startsAt"].as_str().and_then(|at| at.parse().ok()).expect("a time");
    assert_eq!(starts.as_second(), since.as_second());

    // It goes on for longer than Alertmanager would wait by itself.
    sleep(2 * RESOLVE_TIMEOUT).await;
    assert!(received(&receiver).iter().all(|(status, _)| status == "firing"), "{:#?}", received(&receiver));
    sent(Stage::Ended).await.expect("it is taken");
    while received(&receiver).iter().all(|(status, _)| status != "resolved") {
        assert!(Instant::now() < until, "{:#?}", received(&receiver));
        sleep(Duration::from_millis(50)).await;
    }
    let fingerprints: Vec<_> = received(&receiver).iter().map(|(_, alert)| alert["fingerprint"].clone()).collect();
    assert!(fingerprints.iter().all(|fingerprint| fingerprint == &fingerprints[0]), "one alert: {fingerprints:?}");
}

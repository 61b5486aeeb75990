//! The real Alertmanager: an alert lasts as long as we say, and not as long as it thinks.

use std::time::Duration;

use jiff::Timestamp;
use notify::{
    channel::Channel,
    event::{Event, Stage, Subject},
    send::Sender,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    keeper::Keeper,
    notices::{Reply, Service},
    process::{Process, command, file, own_address},
    skip::{program, skip},
};
use tokio::time::{Instant, sleep};

use super::keeper::{dns, failing};

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

/// A real one, and what it sends on.
struct Real {
    server: Process,
    address: String,
    receiver: Service,
    _folder: TempDir,
}

impl Real {
    /// `None` where it is missing, which is said.
    async fn start() -> Option<Self> {
        let Some(alertmanager) = program("prometheus-alertmanager") else {
            skip("the real Alertmanager", "prometheus-alertmanager is missing; tests/run installs it");
            return None;
        };
        let receiver = Service::start(|_, _| Reply::text(200, "")).await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = format!(
            "global: {{resolve_timeout: {}s}}\n\
             route: {{receiver: us, group_wait: 100ms, group_interval: 500ms, repeat_interval: 1h}}\n\
             receivers: [{{name: us, webhook_configs: [{{url: '{}', send_resolved: true}}]}}]\n",
            RESOLVE_TIMEOUT.as_secs(),
            receiver.url
        );
        let config = file(folder.path(), "alertmanager.yml", &config);
        let address = format!("{}:9093", own_address());
        let mut server = command(alertmanager);
        server.arg(format!("--config.file={config}")).arg(format!("--storage.path={}", folder.path().display()));
        server.arg(format!("--web.listen-address={address}")).arg("--cluster.listen-address=");
        Some(Self { server: Process::start(server), address, receiver, _folder: folder })
    }

    /// Waits until it has sent on what is so.
    async fn until(&self, is_so: impl Fn(&[(String, Value)]) -> bool) {
        let until = Instant::now() + Duration::from_secs(40);
        while !is_so(&received(&self.receiver)) {
            assert!(Instant::now() < until, "{:#?} {:?}", received(&self.receiver), self.server.lines());
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_resolved(received: &[(String, Value)]) -> bool {
    received.iter().any(|(status, _)| status == "resolved")
}

#[tokio::test]
async fn what_a_keeper_writes_to_it_stands_until_the_keeper_says_that_it_is_over() {
    let Some(real) = Real::start().await else { return };
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", format!("alertmanager+http://{}", real.address));
    })
    .await;
    failing(&keeper).await;
    real.until(|received| !received.is_empty()).await;
    let (_, alert) = received(&real.receiver).remove(0);
    assert_eq!(alert["annotations"]["summary"], "The job dns fails");
    sleep(2 * RESOLVE_TIMEOUT).await;
    assert!(!is_resolved(&received(&real.receiver)), "{:#?}", received(&real.receiver));
    dns(&keeper, 0, json!({ "value": 1.0 })).await;
    real.until(is_resolved).await;
}

#[tokio::test]
async fn an_alert_stands_until_the_outage_is_over() {
    let Some(real) = Real::start().await else { return };
    let Real { server, address, receiver, .. } = &real;
    let channel =
        Channel::read(&format!("alertmanager+http://{address}?label.team=home")).expect("a channel").remove(0);
    let sender = Sender::new().expect("TLS");
    let since = Timestamp::now() - jiff::SignedDuration::from_mins(2);
    let sent =
        async |stage| sender.send(&channel, &event(stage, since), Instant::now() + Duration::from_secs(20)).await;
    // It may not listen yet, which passes.
    sent(Stage::Began).await.unwrap_or_else(|error| panic!("{error}: {:?}", server.lines()));
    real.until(|received| !received.is_empty()).await;
    let (status, alert) = received(receiver).remove(0);
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
    assert!(received(receiver).iter().all(|(status, _)| status == "firing"), "{:#?}", received(receiver));
    sent(Stage::Ended).await.expect("it is taken");
    real.until(is_resolved).await;
    let fingerprints: Vec<_> = received(receiver).iter().map(|(_, alert)| alert["fingerprint"].clone()).collect();
    assert!(fingerprints.iter().all(|fingerprint| fingerprint == &fingerprints[0]), "one alert: {fingerprints:?}");
}

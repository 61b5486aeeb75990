//! What every example is to stand: a program that hangs, one that dies, a restart of all, another image.

use std::cell::RefCell;

use reqwest::Method;
use serde_json::{Value, json};

use super::composed::Composed;

/// A latency that no ping of a test measures.
const MEASURED: f64 = 1234.5;

impl Composed {
    /// Calls the keeper's own API where the reader is.
    pub(crate) async fn keeper(&self, method: Method, path: &str, body: Option<Value>) -> String {
        let (token, url) = (self.keeper_token().await, format!("http://127.0.0.1:8030{path}"));
        let authorization = format!("Authorization: OAuth {token}");
        let body = body.map(|body| body.to_string());
        let mut words = vec!["-X", method.as_str(), "-H", &authorization];
        if let Some(body) = &body {
            words.extend(["-H", "Content-Type: application/json", "-d", body]);
        }
        words.push(&url);
        self.curl(&words).await.stdout
    }

    /// Waits until the keeper's own API says this.
    pub(crate) async fn keeper_says(&self, path: &str, expected: &str) {
        let last = RefCell::new(String::new());
        let says = async || {
            last.replace(self.keeper(Method::GET, path, None).await);
            last.borrow().contains(expected)
        };
        self.until(&|| format!("{path} says {expected}, but {}", last.borrow()), says).await;
    }

    /// Stores a measurement, as a job does.
    pub(crate) async fn measures(&self) {
        let reading = json!({"metric": "latency_idle", "at": jiff::Timestamp::now().to_string(), "value": MEASURED});
        let stored = self.keeper(Method::POST, "/porchlight/v1/readings", Some(json!({"readings": [reading]}))).await;
        assert!(stored.contains("stored"), "{stored}");
        self.has_measured().await;
    }

    /// That measurement is still there.
    pub(crate) async fn has_measured(&self) {
        let path = "/porchlight/v1/series?metric=latency_idle&step=1h";
        self.keeper_says(path, &format!("\"value\":{MEASURED}")).await;
    }

    /// A program that hangs is seen by its health check, and not restarted for it; one that dies is.
    pub(crate) async fn falls_ill_and_recovers(&self, service: &str) {
        let container = self.container(service);
        self.until(&"it is well", async || self.health(service).await.0).await;
        self.podman(&["kill", "--signal", "STOP", &container]).await;
        let (well, said) = self.health(service).await;
        assert!(!well && said.contains("does not answer: no answer in time"), "{said}");
        let state = self.of_container(service, "{{.State.Status}} {{.RestartCount}}").await;
        assert_eq!(state, "running 0", "podman restarts nothing for its health");
        self.podman(&["kill", "--signal", "CONT", &container]).await;
        self.until(&"it is well again", async || self.health(service).await.0).await;

        let pid: i32 = self.of_container(service, "{{.State.Pid}}").await.parse().expect("a number");
        let pid = rustix::process::Pid::from_raw(pid).expect("it runs");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it may be killed");
        self.until(&"it is started again", async || {
            self.of_container(service, "{{.State.Status}} {{.RestartCount}}").await == "running 1"
        })
        .await;
        self.until(&"it is well again", async || self.health(service).await.0).await;
    }

    /// All of it, by the reader's command.
    pub(crate) async fn restarts(&self, service: &str) {
        let began = self.of_container(service, "{{.State.StartedAt}}").await;
        let ended = self.shell("docker compose restart", "").await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_ne!(self.of_container(service, "{{.State.StartedAt}}").await, began);
        self.has_measured().await;
    }

    /// The name of the image that is newer.
    pub(crate) fn next_image(&self) -> String {
        format!("localhost/porchlight-tests/next:{}", self.project())
    }

    /// The same programs in another image.
    pub(crate) async fn updates(&mut self, services: &[&str]) {
        let (next, container) = (self.next_image(), self.container(services[0]));
        self.podman(&["commit", "--quiet", "--format", "docker", "--change", "LABEL next=true", &container, &next])
            .await;
        self.set("PORCHLIGHT_IMAGE", next.as_str());
        let ended = self.shell("docker compose up -d", "").await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let image = self.podman(&["image", "inspect", "--format", "{{.Id}}", &next]).await;
        for service in services {
            assert_eq!(self.of_container(service, "{{.Image}}").await, image, "{service}");
        }
        self.has_measured().await;
    }

    /// The README's last commands leave nothing that runs, and what was measured.
    pub(crate) async fn stops(&self) {
        self.follow("Stop", "", "").await;
        let label = format!("label=com.docker.compose.project={}", self.project());
        assert_eq!(self.podman(&["ps", "--all", "--quiet", "--filter", &label]).await, "");
        let kept = self.podman(&["volume", "ls", "--quiet", "--filter", &label]).await;
        assert!(!kept.is_empty(), "{kept}");
    }
}

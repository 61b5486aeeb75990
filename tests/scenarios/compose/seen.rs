//! What is seen of a reader's containers: by podman, by their health checks, and by curl.

use std::time::Duration;

use tests::process::{Ended, run};
use tokio::time::{Instant, sleep};

use super::composed::{Composed, LIMIT, Tool};

impl Composed {
    /// A call of podman that succeeds; what it printed.
    pub(crate) async fn podman(&self, words: &[&str]) -> String {
        let mut podman = self.beside("podman");
        podman.args(words);
        let ended = run(podman, LIMIT).await;
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        ended.stdout.trim().to_owned()
    }

    /// A service's container.
    pub(crate) fn container(&self, service: &str) -> String {
        match self.tool {
            Tool::PodmanCompose => format!("{}_{service}_1", self.project()),
            Tool::DockerCompose => format!("{}-{service}-1", self.project()),
        }
    }

    /// What podman knows of a service's container.
    pub(crate) async fn of_container(&self, service: &str, format: &str) -> String {
        self.podman(&["inspect", "--format", format, &self.container(service)]).await
    }

    /// What a service has printed.
    pub(crate) async fn logs(&self, service: &str) -> String {
        self.podman(&["logs", &self.container(service)]).await
    }

    /// Removes what there is of the project, however it is.
    pub(crate) fn remove(&self) {
        let (label, image) = (format!("label=com.docker.compose.project={}", self.project()), self.next_image());
        let podman = |words: &[&str]| {
            let output = self.beside("podman").args(words).as_std_mut().output();
            output.is_ok_and(|output| output.status.success() && output.stdout.is_empty())
        };
        // One that fails again and again is sometimes just being started.
        for _ in 0..5 {
            if podman(&["ps", "--all", "--quiet", "--filter", &label]) {
                break;
            }
            podman(&["rm", "--force", "--time", "0", "--volumes", "--filter", &label]);
        }
        podman(&["volume", "prune", "--force", "--filter", &label]);
        podman(&["image", "rm", "--force", "--ignore", &image]);
    }

    /// A run of a service's health check: whether it is well, and what the check said.
    pub(crate) async fn health(&self, service: &str) -> (bool, String) {
        let mut check = self.beside("podman");
        check.args(["healthcheck", "run", &self.container(service)]);
        let ended = run(check, LIMIT).await;
        (ended.code == Some(0), self.of_container(service, "{{json .State.Health}}").await)
    }

    /// curl in the reader's network, with the keeper's token.
    pub(crate) async fn curl(&self, words: &[&str]) -> Ended {
        let mut curl = self.beside("curl");
        curl.args(["-s", "-m", "2"]).args(words);
        run(curl, LIMIT).await
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &impl Said, is: impl AsyncFn() -> bool) {
        // A job's first measurement may take its whole deadline where nothing can be reached, and then some to be seen here.
        let end = Instant::now() + 2 * LIMIT;
        while !is().await {
            assert!(Instant::now() < end, "never: {}", what.said());
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// What is waited for, as it is told where it never comes.
pub(crate) trait Said {
    fn said(&self) -> String;
}

impl Said for &str {
    fn said(&self) -> String {
        (*self).to_owned()
    }
}

impl<F: Fn() -> String> Said for F {
    fn said(&self) -> String {
        self()
    }
}

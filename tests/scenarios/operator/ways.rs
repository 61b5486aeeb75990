//! The ways that a run can go, each with what keeper and object tell of it.

use std::time::Duration;

use check_runner::message;
use checks::{
    cause::Cause,
    outcome::{Outcome, State},
};
use serde_json::{Value, json};
use tests::{
    checks::known,
    kubernetes::{ended_with, terminated},
};
use tokio::time::{Instant, sleep};

use super::world::{CHECKS, NAMESPACE, World, bash, check};

/// How long all of them may take: what may pass by itself is waited for, for a minute.
const LIMIT: Duration = Duration::from_secs(150);

/// A way that a run can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It says that all is well.
    Fine,
    /// It warns.
    Warns,
    /// It says that something is down.
    Fails,
    /// It needs more memory than it may have.
    OutOfMemory,
    /// It needs too much memory once it has said what it had to say.
    SaidAndOutOfMemory,
    /// Its pod is ended at its deadline.
    PastDeadline,
    /// It cannot be started in its image.
    CannotStart,
    /// Its message is none of ours.
    Garbage,
    /// It ends without a word.
    Silent,
    /// Its pod is thrown off its node.
    Evicted,
    /// Its node is lost.
    NodeLost,
    /// Its pod fails, and nobody says why.
    FailsForNoReason,
    /// Its image is not there, and may not be pulled.
    NoImage,
    /// Its image cannot be pulled.
    ImagePullFails,
    /// A Secret that it names is not there.
    NoSecret,
    /// The packages that it needs cannot be installed.
    NoPackages,
    /// No node takes its pod.
    NoNode,
    /// No pod is made for it.
    NoPod,
    /// Its Job fails, and has no pod any more.
    JobFails,
    /// Somebody deletes its Job.
    JobDeleted,
}

impl Way {
    const ALL: [Self; 20] = [
        Self::Fine,
        Self::Warns,
        Self::Fails,
        Self::OutOfMemory,
        Self::SaidAndOutOfMemory,
        Self::PastDeadline,
        Self::CannotStart,
        Self::Garbage,
        Self::Silent,
        Self::Evicted,
        Self::NodeLost,
        Self::FailsForNoReason,
        Self::NoImage,
        Self::ImagePullFails,
        Self::NoSecret,
        Self::NoPackages,
        Self::NoNode,
        Self::NoPod,
        Self::JobFails,
        Self::JobDeleted,
    ];

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    /// What is told: the state, and a part of the text.
    const fn reported_as(self) -> (State, &'static str) {
        match self {
            Self::Fine => (State::Ok, "all is well"),
            Self::Warns => (State::Warning, "DISK low|free=12"),
            Self::Fails => (State::Critical, "DISK full"),
            Self::OutOfMemory => (State::Unknown, "it needed more memory than it may have, and was ended (OOMKilled)"),
            Self::SaidAndOutOfMemory => (State::Ok, "said in time"),
            Self::PastDeadline => (State::Unknown, "its pod did not end in time, and was ended (DeadlineExceeded)"),
            Self::CannotStart => {
                (State::Unknown, "could not be started (StartError, exit code 128): exec: bash: not found")
            }
            Self::Garbage => (State::Unknown, "ended without a result (Error, exit code 3): half a mess"),
            Self::Silent => (State::Unknown, "ended without a result (Error, exit code 1)"),
            Self::Evicted => (State::Unknown, "its pod failed (Evicted): the node was low on memory"),
            Self::NodeLost => (State::Unknown, "its pod failed (NodeLost)"),
            Self::FailsForNoReason => (State::Unknown, "its pod failed, for no reason that Kubernetes names"),
            Self::NoImage => (State::Unknown, "install does not start (ErrImageNeverPull): not present"),
            Self::ImagePullFails => (State::Unknown, "check does not start (ImagePullBackOff): back-off pulling"),
            Self::NoSecret => (State::Unknown, "check does not start (CreateContainerConfigError): secret \"nas\""),
            Self::NoPackages => (State::Unknown, "requirements failed (Error, exit code 1): no such package"),
            Self::NoNode => (State::Unknown, "no node takes its pod: 0/3 nodes are available"),
            Self::NoPod => (State::Unknown, "no pod was made for its Job: a quota"),
            Self::JobFails => (State::Unknown, "its Job failed: FailedCreate: exceeded quota"),
            Self::JobDeleted => (State::Unknown, "its Job was deleted before it had ended"),
        }
    }

    /// The statuses of its pod, one after the other.
    fn pod(self) -> Vec<Value> {
        let last = match self {
            Self::Fine => ended_with(&message::write(&Outcome::ok("all is well"))),
            Self::Warns => {
                let said = Outcome { state: State::Warning, ..Outcome::because(Cause::Reported, "DISK low|free=12") };
                ended_with(&message::write(&said))
            }
            Self::Fails => ended_with(&message::write(&Outcome::because(Cause::Reported, "DISK full"))),
            Self::OutOfMemory => terminated(&json!({"reason": "OOMKilled", "exitCode": 137})),
            Self::SaidAndOutOfMemory => {
                let said = message::write(&Outcome::ok("said in time"));
                terminated(&json!({"reason": "OOMKilled", "exitCode": 137, "message": said}))
            }
            Self::PastDeadline => {
                let mut status = terminated(&json!({"reason": "Error", "exitCode": 137, "message": "so far"}));
                status["reason"] = "DeadlineExceeded".into();
                status
            }
            Self::CannotStart => {
                terminated(&json!({"reason": "StartError", "exitCode": 128, "message": "exec: bash: not found"}))
            }
            Self::Garbage => terminated(&json!({"reason": "Error", "exitCode": 3, "message": "half a mess"})),
            Self::Silent => terminated(&json!({"reason": "Error", "exitCode": 1})),
            Self::Evicted => {
                json!({"phase": "Failed", "reason": "Evicted", "message": "the node was low on memory"})
            }
            Self::NodeLost => json!({"phase": "Failed", "reason": "NodeLost"}),
            Self::FailsForNoReason => json!({"phase": "Failed"}),
            Self::NoImage => waiting("install", "ErrImageNeverPull", "not present"),
            Self::ImagePullFails => waiting("check", "ImagePullBackOff", "back-off pulling"),
            Self::NoSecret => waiting("check", "CreateContainerConfigError", "secret \"nas\" not found"),
            Self::NoPackages => {
                let end = json!({"terminated": {"reason": "Error", "exitCode": 1, "message": "no such package"}});
                json!({"phase": "Pending", "initContainerStatuses": [container("requirements", &end)]})
            }
            Self::NoNode => {
                let message = "0/3 nodes are available";
                json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": message}]})
            }
            Self::NoPod | Self::JobFails => return Vec::new(),
            Self::JobDeleted => json!({"phase": "Running"}),
        };
        vec![json!({"phase": "Pending"}), last]
    }
}

fn container(name: &str, state: &Value) -> Value {
    json!({"name": name, "state": state, "ready": false, "restartCount": 0, "image": "i", "imageID": ""})
}

fn waiting(name: &str, reason: &str, message: &str) -> Value {
    let state = json!({"waiting": {"reason": reason, "message": message}});
    let of = if name == "check" { "containerStatuses" } else { "initContainerStatuses" };
    json!({"phase": "Pending", of: [container(name, &state)]})
}

/// Of which way a Job is.
fn way_of(job: &Value) -> Option<Way> {
    let name = job["metadata"]["annotations"]["porchlight.dev/check-name"].as_str()?;
    Way::ALL.into_iter().find(|way| way.name() == name)
}

/// Does what no kubelet does, to the Jobs that are there.
fn interfere(world: &World) {
    for mut job in world.kubernetes.all("batch/jobs") {
        match way_of(&job) {
            Some(Way::JobFails) if job["status"].is_null() => {
                job["status"] = json!({"conditions": [
                    {"type": "Failed", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"},
                ]});
                world.kubernetes.apply(job);
            }
            Some(Way::JobDeleted) => {
                let name = job["metadata"]["name"].as_str().unwrap_or_default();
                let pods = world.kubernetes.all("/pods");
                let is_its = |pod: &&Value| pod["metadata"]["labels"]["batch.kubernetes.io/job-name"] == name;
                // By somebody, once it runs.
                if pods.iter().find(is_its).is_some_and(|pod| pod["status"]["phase"] == "Running") {
                    world.kubernetes.delete("batch/jobs", NAMESPACE, name);
                }
            }
            _ => (),
        }
    }
}

#[tokio::test]
async fn every_way_that_a_run_can_go_is_told_by_keeper_and_object() {
    let world = World::start(|kubernetes| {
        kubernetes.run_jobs_by(|job| way_of(job).map(Way::pod).unwrap_or_default());
    })
    .await;
    for way in Way::ALL {
        let spec = json!({"every": "1h", "timeout": "20s", "retries": 0, "fail_after": 1, "script": bash()});
        world.kubernetes.apply(check(&way.name(), &spec));
    }
    let until = Instant::now() + LIMIT;
    for way in Way::ALL {
        let (state, text) = way.reported_as();
        loop {
            interfere(&world);
            let run = known(&world.keeper, &way.name()).await["last_run"].clone();
            let status = world.kubernetes.get(CHECKS, NAMESPACE, &way.name()).unwrap_or_default()["status"].clone();
            if run.is_object() && status["outcome"].is_string() {
                let says = |said: &Value| said.as_str().is_some_and(|said| said.contains(text));
                assert_eq!((&run["state"], says(&run["text"])), (&json!(state.label()), true), "{way:?}: {run}");
                assert_eq!(
                    (&status["outcome"], says(&status["text"])),
                    (&json!(state.label()), true),
                    "{way:?}: {status}"
                );
                break;
            }
            assert!(Instant::now() < until, "nothing is told of {way:?}: {run} {status}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

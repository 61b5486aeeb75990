//! What has become of a run, by its Job and its pod. Pure.
//!
//! What a pod that ends says is in its termination message. Everything else is an outcome too: *unknown*, with what Kubernetes says of
//! it. A pod whose image is not there, or whose settings are wrong, waits for ever, and its Job never fails by itself (seen with
//! Kubernetes 1.36); so what waits has a deadline here.

use std::time::Duration;

use check_runner::message;
use checks::{cause::Cause, outcome::Outcome};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{ContainerStateTerminated, ContainerStatus, Pod},
};

/// How long a reason that may pass by itself is waited for: a pull that is tried again, a node that is to come.
const MAY_PASS: Duration = Duration::from_secs(60);

/// Why a container waits that will not start, however long one waits.
const HOPELESS: [&str; 6] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerRequestError",
    "RunContainerError",
];

/// Why one waits that may start yet.
const PASSING: [&str; 3] = ["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"];

/// What is known of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// It goes on; why it does not get on, where that is known.
    Waiting(Option<String>),
    /// This came of it.
    Ended(Box<Outcome>),
}

impl Progress {
    fn unknown(text: impl Into<String>) -> Self {
        Self::Ended(Box::new(Outcome::because(Cause::NotStarted, text)))
    }
}

/// What a Job and the newest of its pods come to, so long after the Job was made.
pub fn progress(job: &Job, pod: Option<&Pod>, age: Duration) -> Progress {
    if let Some(pod) = pod {
        match of_pod(pod, age) {
            Progress::Waiting(why) if is_failed(job).is_none() => return Progress::Waiting(why),
            Progress::Waiting(_) => (),
            ended @ Progress::Ended(_) => return ended,
        }
    }
    match is_failed(job) {
        // The pod went before anybody saw how it ended.
        Some(why) => Progress::unknown(format!("its Job failed: {why}")),
        None if pod.is_none() && age > MAY_PASS => Progress::unknown(
            "no pod was made for its Job: a quota, or a rule of the namespace, may forbid it; see kubectl describe job",
        ),
        None => Progress::Waiting(None),
    }
}

fn is_failed(job: &Job) -> Option<String> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let failed = conditions.iter().find(|it| it.type_ == "Failed" && it.status == "True")?;
    let said =
        [failed.reason.as_deref(), failed.message.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
    Some(if said.is_empty() { "for no reason that it names".into() } else { said })
}

fn of_pod(pod: &Pod, age: Duration) -> Progress {
    let Some(status) = &pod.status else { return Progress::Waiting(None) };
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    let check = containers.iter().find(|container| container.name == "check");
    if let Some(terminated) = check.and_then(terminated) {
        return Progress::Ended(Box::new(of_check(terminated, status.reason.as_deref())));
    }
    // The node says nothing more of it, or it was thrown out before it ran.
    if let Some(reason) = status.reason.as_deref().filter(|_| status.phase.as_deref() == Some("Failed")) {
        let message = status.message.as_deref().map(|message| format!(": {message}")).unwrap_or_default();
        return Progress::unknown(format!("its pod failed ({reason}){message}"));
    }
    let before = status.init_container_statuses.as_deref().unwrap_or_default();
    if let Some((name, terminated)) =
        before.iter().find_map(|it| Some((&it.name, terminated(it).filter(|end| end.exit_code != 0)?)))
    {
        return Progress::unknown(format!("its container {name} failed{}", how(terminated)));
    }
    let waiting = before.iter().chain(containers).find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        let reason = waiting.reason.as_deref()?;
        Some((reason, waiting.message.as_deref().unwrap_or_default(), container))
    });
    if let Some((reason, message, container)) = waiting {
        let why = format!("its container {} does not start ({reason}): {message}", container.name);
        let is_over = HOPELESS.contains(&reason) || (PASSING.contains(&reason) && age > MAY_PASS);
        return if is_over { Progress::unknown(why) } else { Progress::Waiting(Some(why)) };
    }
    if let Some(why) = unscheduled(pod) {
        return if age > MAY_PASS { Progress::unknown(why) } else { Progress::Waiting(Some(why)) };
    }
    if status.phase.as_deref() == Some("Failed") {
        return Progress::unknown("its pod failed, for no reason that Kubernetes names");
    }
    Progress::Waiting(None)
}

fn unscheduled(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions.iter().find(|it| it.type_ == "PodScheduled" && it.status == "False")?;
    Some(format!(
        "no node takes its pod: {}",
        scheduled.message.as_deref().unwrap_or("for no reason that Kubernetes names")
    ))
}

fn terminated(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref()
}

/// Of the container that ran the script. A message of ours is what came of it, however the container ended after that.
fn of_check(terminated: &ContainerStateTerminated, pod: Option<&str>) -> Outcome {
    if let Some(outcome) = terminated.message.as_deref().and_then(message::read) {
        return outcome;
    }
    let killed = match (terminated.reason.as_deref(), pod) {
        (Some("OOMKilled"), _) => Some("it needed more memory than it may have, and was ended (OOMKilled)".to_owned()),
        (_, Some("DeadlineExceeded")) => {
            Some("its pod did not end in time, and was ended (DeadlineExceeded)".to_owned())
        }
        (_, Some(reason)) => Some(format!("its pod was ended ({reason})")),
        (Some("StartError" | "ContainerCannotRun"), None) => {
            Some(format!("it could not be started{}", how(terminated)))
        }
        _ => None,
    };
    let text = killed.unwrap_or_else(|| format!("it ended without a result{}", how(terminated)));
    Outcome::because(Cause::NotStarted, text)
}

fn how(terminated: &ContainerStateTerminated) -> String {
    let reason = terminated.reason.as_deref().unwrap_or("for no reason that Kubernetes names");
    let message = terminated.message.as_deref().map(str::trim).filter(|message| !message.is_empty());
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    format!(" ({reason}, exit code {}){message}", terminated.exit_code)
}

#[cfg(test)]
mod tests {
    use checks::outcome::State;
    use serde_json::{Value, json};

    use super::*;

    fn job(status: &Value) -> Job {
        serde_json::from_value(json!({"metadata": {"name": "j"}, "status": status})).unwrap()
    }

    fn pod(status: &Value) -> Pod {
        serde_json::from_value(json!({"metadata": {"name": "p"}, "status": status})).unwrap()
    }

    fn ended(state: &Value) -> Value {
        json!({"phase": "Failed", "containerStatuses": [status("check", &json!({"terminated": state}))]})
    }

    fn status(name: &str, state: &Value) -> Value {
        json!({"name": name, "state": state, "ready": false, "restartCount": 0, "image": "i", "imageID": ""})
    }

    const YOUNG: Duration = Duration::from_secs(5);
    const OLD: Duration = Duration::from_secs(61);

    #[test]
    fn what_the_script_said_counts_however_its_container_ended_after_that() {
        let said = message::write(&Outcome::ok("fine"));
        for (reason, code) in [("Completed", 0), ("Error", 1), ("OOMKilled", 137)] {
            let pod = pod(&ended(&json!({"reason": reason, "exitCode": code, "message": said})));
            let Progress::Ended(outcome) = progress(&job(&json!({})), Some(&pod), YOUNG) else { panic!("it ended") };
            assert_eq!((outcome.state, outcome.text.as_str()), (State::Ok, "fine"));
        }
    }

    /// Each way in which a run comes to nothing, with what is said of it.
    #[test]
    fn every_way_to_fail_is_unknown_and_says_why() {
        let waiting = |name: &str, reason: &str| {
            let container = status(name, &json!({"waiting": {"reason": reason, "message": "m"}}));
            json!({"phase": "Pending", "initContainerStatuses": [container]})
        };
        let failed = json!({"terminated": {"reason": "Error", "exitCode": 1, "message": "no such package"}});
        let requirements = json!({"phase": "Pending", "initContainerStatuses": [status("requirements", &failed)]});
        let cases = [
            (ended(&json!({"reason": "OOMKilled", "exitCode": 137})), YOUNG, "more memory than it may have"),
            (
                ended(&json!({"reason": "StartError", "exitCode": 128, "message": "exec: bash: not found"})),
                YOUNG,
                "(StartError, exit code 128): exec: bash: not found",
            ),
            (
                ended(&json!({"reason": "Error", "exitCode": 1, "message": "half a mess"})),
                YOUNG,
                "ended without a result (Error, exit code 1): half a mess",
            ),
            (
                json!({"phase": "Failed", "reason": "Evicted", "message": "low on disk"}),
                YOUNG,
                "(Evicted): low on disk",
            ),
            (json!({"phase": "Failed", "reason": "NodeLost"}), YOUNG, "(NodeLost)"),
            (json!({"phase": "Failed"}), YOUNG, "for no reason"),
            (waiting("install", "ErrImageNeverPull"), YOUNG, "install does not start (ErrImageNeverPull): m"),
            (waiting("check", "CreateContainerConfigError"), YOUNG, "(CreateContainerConfigError)"),
            (waiting("check", "ImagePullBackOff"), OLD, "(ImagePullBackOff)"),
            (
                json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/1 nodes"}]}),
                OLD,
                "no node takes its pod: 0/1 nodes",
            ),
            (requirements, YOUNG, "requirements failed (Error, exit code 1): no such package"),
        ];
        for (status, age, said) in cases {
            let Progress::Ended(outcome) = progress(&job(&json!({})), Some(&pod(&status)), age) else {
                panic!("{said}")
            };
            assert_eq!((outcome.state, outcome.cause), (State::Unknown, Some(Cause::NotStarted)), "{said}");
            assert!(outcome.text.contains(said), "{}", outcome.text);
        }
        let mut late = ended(&json!({"reason": "Error", "exitCode": 137}));
        late["reason"] = "DeadlineExceeded".into();
        let Progress::Ended(outcome) = progress(&job(&json!({})), Some(&pod(&late)), YOUNG) else { panic!("it ended") };
        assert!(outcome.text.contains("did not end in time"), "{}", outcome.text);
    }

    #[test]
    fn what_may_pass_is_waited_for_and_a_job_without_a_pod_is_not_for_ever() {
        let waiting = |reason: &str| {
            let container = status("check", &json!({"waiting": {"reason": reason, "message": "m"}}));
            json!({"phase": "Pending", "containerStatuses": [container]})
        };
        let pulling = waiting("ErrImagePull");
        assert!(matches!(progress(&job(&json!({})), Some(&pod(&pulling)), YOUNG), Progress::Waiting(Some(_))));
        let creating = waiting("PodInitializing");
        assert!(matches!(progress(&job(&json!({})), Some(&pod(&creating)), OLD), Progress::Waiting(_)));
        assert_eq!(progress(&job(&json!({})), None, YOUNG), Progress::Waiting(None));
        assert!(matches!(progress(&job(&json!({})), None, OLD), Progress::Ended(_)));
        let failed = json!({"conditions": [{"type": "Failed", "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]});
        let Progress::Ended(outcome) = progress(&job(&failed), None, YOUNG) else { panic!("it ended") };
        assert!(outcome.text.contains("FailedCreate: exceeded quota"), "{}", outcome.text);
    }
}

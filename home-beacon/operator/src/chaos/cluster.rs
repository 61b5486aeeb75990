//! An API server with a kubelet, as far as runs go.

use std::{
    collections::BTreeMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use check_runner::message;
use checks::{cause::Cause, outcome::Outcome};
use http::{Request, Response};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::{Client, ResourceExt, client::Body};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::sleep};

use super::{CHECKS, Made, moment};
use crate::{
    job::RUN,
    objects::{Key, Object, ObjectKind},
    resolve::World,
};

/// What a watch sees.
pub(super) enum Seen {
    Job(Box<Job>),
    NoJob(String),
    Pod(Box<Pod>),
    NoPod(String),
}

#[derive(Clone)]
pub(super) struct Cluster(Arc<Mutex<State>>);

struct State {
    random: fastrand::Rng,
    jobs: BTreeMap<String, Job>,
    /// By the names of their Jobs.
    pods: BTreeMap<String, Pod>,
    statuses: BTreeMap<String, Value>,
    made: Made,
    wrong: Vec<String>,
    watch: Option<mpsc::UnboundedSender<Seen>>,
}

impl State {
    fn publish(&self, seen: Seen) {
        if let Some(watch) = &self.watch {
            let _ = watch.send(seen);
        }
    }

    fn put_pod(&mut self, job: &Job, status: &Value) {
        let name = job.name_any();
        let template = json!(job.spec.as_ref().unwrap().template.metadata);
        let mut metadata = template;
        metadata["name"] = format!("{name}-abcde").into();
        metadata["namespace"] = "checks".into();
        metadata["labels"]["batch.kubernetes.io/job-name"] = name.as_str().into();
        let pod: Pod = serde_json::from_value(json!({"metadata": metadata, "status": status})).unwrap();
        self.pods.insert(name, pod.clone());
        self.publish(Seen::Pod(Box::new(pod)));
        let check = check_of(job);
        let runs = |pod: &&Pod| {
            pod.status.as_ref().and_then(|it| it.phase.as_deref()).is_some_and(|it| it == "Running" || it == "Pending")
        };
        let its = |pod: &&Pod| pod.annotations().get("porchlight.dev/check-name") == Some(&check);
        if self.pods.values().filter(runs).filter(its).count() > 1 {
            self.wrong.push(format!("{check}: two pods at once"));
        }
    }
}

fn check_of(job: &Job) -> String {
    job.annotations().get("porchlight.dev/check-name").cloned().unwrap()
}

impl Cluster {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        let (jobs, pods, statuses, made) = <_>::default();
        Self(Arc::new(Mutex::new(State { random, jobs, pods, statuses, made, wrong: Vec::new(), watch: None })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn pause(&self, seconds: f64) -> Duration {
        moment(&mut self.state().random, seconds)
    }

    /// All that is there, and what changes from now on; who watched before sees nothing more.
    pub(super) fn watch(&self) -> (Vec<Seen>, mpsc::UnboundedReceiver<Seen>) {
        let mut state = self.state();
        let (watch, changes) = mpsc::unbounded_channel();
        state.watch = Some(watch);
        let jobs = state.jobs.values().map(|job| Seen::Job(Box::new(job.clone())));
        let pods = state.pods.values().map(|pod| Seen::Pod(Box::new(pod.clone())));
        (jobs.chain(pods).collect(), changes)
    }

    /// The objects of all checks.
    pub(super) fn world(&self) -> World {
        let state = self.state();
        let object = |(name, every): (&str, i64)| {
            let key = Key { kind: ObjectKind::Check, namespace: "checks".into(), name: name.into() };
            let retries = if name == "tried-again" { 2 } else { 0 };
            let spec = json!({
                "every": format!("{every}s"), "timeout": format!("{}s", (every - 1).min(20)), "retries": retries,
                "script": {"language": "Bash", "content": "echo fine"},
            });
            let status = state.statuses.get(name).cloned().unwrap_or_default();
            let uid = format!("{:08x}-0000-4000-8000-000000000000", u64::from(name.as_bytes()[0]) + name.len() as u64);
            (key.clone(), Object { key, uid, generation: 1, created: None, spec, status })
        };
        World { objects: CHECKS.into_iter().map(object).collect(), ..World::default() }
    }

    pub(super) fn made(&self) -> Made {
        self.state().made.clone()
    }

    pub(super) fn wrong(&self) -> Vec<String> {
        self.state().wrong.clone()
    }

    /// A client of an operator, whose calls end when it is killed.
    pub(super) fn client(&self, is_alive: Arc<AtomicBool>) -> Client {
        let cluster = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let (cluster, is_alive) = (cluster.clone(), Arc::clone(&is_alive));
            async move {
                if !is_alive.load(Ordering::Relaxed) {
                    return Err(io::Error::other("it was killed"));
                }
                // What is on its way arrives, whoever waits for the answer.
                let calling = tokio::spawn(async move { cluster.answer(request).await });
                let (code, body) = calling.await.map_err(io::Error::other)?;
                Ok(Response::builder().status(code).body(Body::from(body.to_string().into_bytes())).unwrap())
            }
        });
        Client::new(service, "checks")
    }

    async fn answer(&self, request: Request<Body>) -> (u16, Value) {
        let (method, path) = (request.method().as_str().to_owned(), request.uri().path().to_owned());
        let body = request.into_body().collect_bytes().await.unwrap_or_default();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        sleep(self.pause(0.5)).await;
        let name = path.trim_end_matches("/status").rsplit('/').next().unwrap_or_default().to_owned();
        let answer = match method.as_str() {
            "POST" if path.ends_with("/jobs") => self.make(body),
            "DELETE" if path.contains("/jobs/") => self.remove(&name),
            "PATCH" if path.ends_with("/status") => {
                merge(self.state().statuses.entry(name.clone()).or_default(), &body["status"]);
                (200, json!({"apiVersion": "porchlight.dev/v1alpha1", "kind": "Check", "metadata": {"name": name}}))
            }
            _ => refused(404, "NotFound"),
        };
        sleep(self.pause(0.5)).await;
        let is_lost = self.state().random.u8(..20) == 0;
        if is_lost { refused(504, "Timeout") } else { answer }
    }

    fn make(&self, body: Value) -> (u16, Value) {
        let job: Job = serde_json::from_value(body).unwrap();
        let mut state = self.state();
        if state.jobs.contains_key(&job.name_any()) {
            return refused(409, "AlreadyExists");
        }
        let run = job.annotations().get(RUN).and_then(|run| run.parse().ok()).unwrap();
        state.made.entry(check_of(&job)).or_default().insert(run);
        state.jobs.insert(job.name_any(), job.clone());
        state.publish(Seen::Job(Box::new(job.clone())));
        drop(state);
        let (cluster, made) = (self.clone(), json!(job));
        tokio::spawn(async move { cluster.run(&job, run).await });
        (201, made)
    }

    /// What a kubelet does with it.
    async fn run(&self, job: &Job, run: i64) {
        let said = Outcome::ok(format!("run of {} {run}", check_of(job)));
        let (fails, is_killed) = {
            let mut state = self.state();
            (state.random.u8(..4) == 0, state.random.u8(..10) == 0)
        };
        let said = if fails { Outcome::because(Cause::Reported, said.text) } else { said };
        let end = json!({"exitCode": 0, "reason": "Completed", "message": message::write(&said)});
        let end = if is_killed { json!({"exitCode": 137, "reason": "OOMKilled"}) } else { end };
        let over = json!({"phase": if is_killed { "Failed" } else { "Succeeded" }, "containerStatuses": [{
            "name": "check", "ready": false, "restartCount": 0, "image": "i", "imageID": "", "state": {"terminated": end},
        }]});
        for status in [json!({"phase": "Pending"}), json!({"phase": "Running"}), over] {
            sleep(self.pause(1.5)).await;
            let mut state = self.state();
            if !state.jobs.contains_key(&job.name_any()) {
                return;
            }
            state.put_pod(job, &status);
        }
    }

    /// Removes a Job; its pod goes when it has ended, which it is given time for.
    fn remove(&self, name: &str) -> (u16, Value) {
        let mut state = self.state();
        if state.jobs.remove(name).is_none() {
            return refused(404, "NotFound");
        }
        state.publish(Seen::NoJob(name.to_owned()));
        drop(state);
        let (cluster, name) = (self.clone(), name.to_owned());
        tokio::spawn(async move {
            sleep(cluster.pause(5.0)).await;
            let mut state = cluster.state();
            if state.pods.remove(&name).is_some() {
                state.publish(Seen::NoPod(format!("{name}-abcde")));
            }
        });
        (200, json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}))
    }
}

fn refused(code: u16, reason: &str) -> (u16, Value) {
    let status = json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "message": reason, "reason": reason, "code": code,
    });
    (code, status)
}

/// A merge patch of what has no objects in it.
fn merge(into: &mut Value, patch: &Value) {
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch.as_object().into_iter().flatten() {
        into[key] = value.clone();
    }
}

//! A stand-in for an API server of Kubernetes: the calls that the operator makes, over HTTP, with resource versions, watches, merge
//! patches, status subresources and conflicts as the real one has them; and a kubelet that does with each Job what a scenario says.
//!
//! Sources: Kubernetes' documentation, "Kubernetes API Concepts" (watches, 410 Gone, bookmarks) and the reference of batch/v1 and
//! core/v1, read 2026-11.
//!
//! - `store`: the objects and what has happened to them; `schema`: statuses against their definitions
//! - `http`: requests; `answers`: how they are answered; `patches`: changes of a part
//! - `expand`: what a kubelet makes of `$(NAME)` and `$$`

mod answers;
mod expand;
mod http;
mod patches;
mod schema;
mod store;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{net::TcpListener, process::Command, sync::watch, time::sleep};

use self::{schema::Schemas, store::Store};
use crate::process::own_address;

/// What the operator's service account would send.
const TOKEN: &str = "a-service-account";

/// How long the pod of a Job that was removed is still there.
const COLLECTED_AFTER: Duration = Duration::from_millis(400);

/// What becomes of a Job, as a kubelet has it, its variables filled in: the statuses of its pod, one after the other.
pub type Kubelet = dyn Fn(&Value) -> Vec<Value> + Send + Sync;

/// The API server.
#[derive(Clone)]
pub struct Kubernetes {
    /// Where it answers.
    pub url: String,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kubernetes").field("url", &self.url).finish_non_exhaustive()
    }
}

struct Shared {
    store: Mutex<Store>,
    /// The newest version, for whoever watches; and how often watches were closed.
    version: watch::Sender<(u64, u64)>,
    kubelet: Mutex<Arc<Kubelet>>,
    faults: Mutex<Faults>,
    schemas: Mutex<Schemas>,
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// How long it takes to answer.
    pub late: Duration,
    /// How many creations are made, and answered by an error all the same.
    pub lost_answers: u32,
    /// How many requests are answered by 429.
    pub busy: u32,
    /// What is listed later than all else, and by how much.
    pub slow: Option<(&'static str, Duration)>,
    /// The object whose status is written when nobody waits for it any more.
    pub stuck: Option<&'static str>,
    /// The namespace in which nothing is allowed.
    pub forbidden: Option<&'static str>,
}

impl Kubernetes {
    /// One without objects, whose kubelet lets every pod wait.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let listener = TcpListener::bind((own_address(), 0)).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (version, _) = watch::channel((1, 0));
        let kubelet: Arc<Kubelet> = Arc::new(|_| Vec::new());
        let shared = Shared {
            store: Mutex::default(),
            version,
            kubelet: Mutex::new(kubelet),
            faults: Mutex::default(),
            schemas: Mutex::default(),
        };
        let server = Self { url, shared: Arc::new(shared) };
        tokio::spawn(http::serve(listener, server.clone()));
        server
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.shared.store.lock().expect("nobody panics with it")
    }

    /// Has a program find it, as one in a pod would.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn lead(&self, command: &mut Command, folder: &Path) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": self.url}}],
            "users": [{"name": "operator", "user": {"token": TOKEN}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "operator", "namespace": "porchlight"}}],
        });
        let file = folder.join("kubeconfig");
        fs::write(&file, config.to_string()).expect("the folder is ours");
        command.env("KUBECONFIG", file);
    }

    /// Takes these definitions: from now on no status is taken that theirs does not know.
    ///
    /// # Panics
    /// Never.
    pub fn define(&self, definitions: &[Value]) {
        *self.shared.schemas.lock().expect("nobody panics with it") = Schemas::of(definitions);
    }

    /// Has each Job that is made from now on come to this.
    ///
    /// # Panics
    /// Never.
    pub fn run_jobs_by(&self, kubelet: impl Fn(&Value) -> Vec<Value> + Send + Sync + 'static) {
        *self.shared.kubelet.lock().expect("nobody panics with it") = Arc::new(kubelet);
    }

    /// Has this be wrong with it.
    ///
    /// # Panics
    /// Never.
    pub fn has(&self, faults: Faults) {
        *self.shared.faults.lock().expect("nobody panics with it") = faults;
    }

    /// Closes every watch.
    pub fn close_watches(&self) {
        self.shared.version.send_modify(|(_, closed)| *closed += 1);
    }

    /// Forgets what has happened, so that who watches from before is told that it is gone.
    pub fn forget(&self) {
        self.store().forget();
        self.close_watches();
    }

    /// Has it be as after a backup of all that is there was restored: it counts its versions anew.
    pub fn restore(&self) {
        self.store().restore();
        self.shared.version.send_modify(|(newest, closed)| (*newest, *closed) = (0, *closed + 1));
    }

    /// Makes an object, or has the one of its name be like that: `kubectl apply`.
    ///
    /// # Panics
    /// When it is no object.
    pub fn apply(&self, object: Value) {
        self.store().apply(object);
        self.changed();
    }

    /// Makes all objects of a file.
    ///
    /// # Panics
    /// When one of them is none.
    pub fn apply_file(&self, yaml: &str) {
        for document in yaml.split("---\n") {
            self.apply(serde_saphyr::from_str(document).expect("YAML"));
        }
    }

    /// Removes an object.
    pub fn delete(&self, collection: &str, namespace: &str, name: &str) {
        self.remove(collection, namespace, name);
    }

    /// Removes an object; of a Job its pod goes later, as a garbage collector has it.
    fn remove(&self, collection: &str, namespace: &str, name: &str) -> Option<Value> {
        let gone = self.store().delete(collection, namespace, name);
        self.changed();
        if collection == "batch/jobs" && gone.is_some() {
            let (server, namespace, pod) = (self.clone(), namespace.to_owned(), format!("{name}-abcde"));
            tokio::spawn(async move {
                sleep(COLLECTED_AFTER).await;
                server.store().delete("/pods", &namespace, &pod);
                server.changed();
            });
        }
        gone
    }

    /// An object as it is now.
    pub fn get(&self, collection: &str, namespace: &str, name: &str) -> Option<Value> {
        self.store().get(collection, namespace, name)
    }

    /// The names of all objects of a collection, those included that have gone: each that was ever made, in order.
    pub fn ever_made(&self, collection: &str) -> Vec<Value> {
        self.store().ever_made(collection)
    }

    /// All objects of a collection as they are now.
    pub fn all(&self, collection: &str) -> Vec<Value> {
        self.store().all(collection)
    }

    /// Each kind of call that was made: verb, group, resource.
    pub fn calls(&self) -> Vec<(String, String)> {
        self.store().calls().into_keys().collect()
    }

    /// How often each kind of call was made.
    pub fn counts(&self) -> BTreeMap<(String, String), u64> {
        self.store().calls()
    }

    fn changed(&self) {
        let version = self.store().version();
        self.shared.version.send_modify(|(newest, _)| *newest = version);
    }

    /// Does with a new Job what the scenario says.
    fn begin(&self, job: Value) {
        let server = self.clone();
        let kubelet = Arc::clone(&self.shared.kubelet.lock().expect("nobody panics with it"));
        tokio::spawn(async move {
            let statuses = kubelet(&expand::expanded(&job));
            let meta = &job["metadata"];
            let name = meta["name"].as_str().unwrap_or_default().to_owned();
            let mut labels = job["spec"]["template"]["metadata"]["labels"].clone();
            labels["batch.kubernetes.io/job-name"] = name.as_str().into();
            let annotations = job["spec"]["template"]["metadata"]["annotations"].clone();
            for status in statuses {
                sleep(Duration::from_millis(30)).await;
                // A Job that was removed takes its pod with it.
                let namespace = meta["namespace"].as_str().unwrap_or_default();
                if server.get("batch/jobs", namespace, &name).is_none() {
                    return;
                }
                server.apply(json!({
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": {
                        "name": format!("{name}-abcde"), "namespace": namespace, "labels": labels, "annotations": annotations,
                    },
                    "spec": job["spec"]["template"]["spec"], "status": status,
                }));
            }
        });
    }
}

/// The status of a pod whose script left that message.
pub fn ended_with(message: &str) -> Value {
    terminated(&json!({"reason": "Completed", "exitCode": 0, "message": message}))
}

/// The status of a pod whose container ended like that.
pub fn terminated(state: &Value) -> Value {
    let phase = if state["exitCode"] == 0 { "Succeeded" } else { "Failed" };
    json!({"phase": phase, "containerStatuses": [{
        "name": "check", "ready": false, "restartCount": 0, "image": "i", "imageID": "", "state": {"terminated": state},
    }]})
}

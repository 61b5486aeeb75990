//! All objects as they are now, by watches: one task owns what is known of them, and says what follows when something has changed.

use std::{collections::BTreeSet, fmt, pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, stream::SelectAll};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret as KubeSecret},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::DynamicObject,
    runtime::{WatchStreamExt, watcher, watcher::Event},
};
use shared::secret::Secret;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{
    objects::{Key, Object, ObjectKind},
    resolve::{FOR_CHECKS, World},
    runs::{Runs, selector},
};

/// How long what changes is collected: `kubectl apply` of a folder is one change.
const SETTLE: Duration = Duration::from_millis(150);

/// How often all is resolved anew although nothing has changed: a mute has an end.
const AGAIN: Duration = Duration::from_secs(60);

/// What a watch is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Objects(ObjectKind),
    Secrets,
    Jobs,
    Pods,
}

/// What a watch has seen.
enum Seen {
    Object(Box<Object>),
    Secret(Box<KubeSecret>),
    Job(Box<Job>),
    Pod(Box<Pod>),
}

/// What has changed, by the name of the object.
enum Change {
    /// All of them follow.
    Begins,
    Is(String, Seen),
    Goes(String),
    /// There are no others.
    Ends,
}

/// Something that a watch says: its number, and what.
type Said = (usize, Result<Change, watcher::Error>);
type Changes = Pin<Box<dyn Stream<Item = Said> + Send>>;

/// One watch.
struct Watch {
    of: Of,
    namespace: String,
    /// Those that have been listed, while it lists.
    listed: Option<BTreeSet<String>>,
    /// Those that are there.
    known: BTreeSet<String>,
    /// Whether it has listed all of them once.
    is_whole: bool,
    /// What is wrong with it, as it was said.
    wrong: Option<String>,
}

/// Watches these namespaces until nobody wants to know any more. A world comes when all has been listed once, and whenever something
/// has changed. Jobs and pods go to `runs`.
pub(crate) async fn watch(client: Client, namespaces: Vec<String>, runs: Runs, worlds: mpsc::Sender<World>) {
    let mut watched = Watched { world: World::default(), runs, watches: Vec::new() };
    let mut changes: SelectAll<Changes> = SelectAll::new();
    for namespace in &namespaces {
        let kinds = ObjectKind::ALL.map(Of::Objects).into_iter();
        for of in kinds.chain([Of::Secrets, Of::Jobs, Of::Pods]) {
            changes.push(stream(watched.watches.len(), of, namespace, &client));
            watched.watches.push(Watch {
                of,
                namespace: namespace.clone(),
                listed: None,
                known: BTreeSet::new(),
                is_whole: false,
                wrong: None,
            });
        }
    }
    let mut due = None;
    let mut again = Instant::now() + AGAIN;
    loop {
        let next = due.unwrap_or(again);
        tokio::select! {
            Some((index, said)) = changes.next() => {
                let is_news = match said {
                    Ok(change) => watched.take(index, change),
                    Err(error) => watched.watches[index].complain(&error),
                };
                if is_news && due.is_none() {
                    due = Some(Instant::now() + SETTLE);
                }
            }
            () = sleep_until(next) => {
                (due, again) = (None, Instant::now() + AGAIN);
                // Half of what is there would look as if the rest had been deleted.
                if watched.watches.iter().all(|watch| watch.is_whole) && worlds.send(watched.world.clone()).await.is_err() {
                    return;
                }
            }
            () = worlds.closed() => return,
        }
    }
}

fn stream(index: usize, of: Of, namespace: &str, client: &Client) -> Changes {
    let ours = || watcher::Config::default().labels(&selector());
    match of {
        Of::Objects(kind) => {
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &kind.resource());
            changes(index, watcher(api, watcher::Config::default()), move |object| {
                Object::of(kind, object).map(|object| Seen::Object(Box::new(object)))
            })
        }
        Of::Secrets => {
            let labelled = watcher::Config::default().labels(&format!("{FOR_CHECKS}=true"));
            let api = Api::<KubeSecret>::namespaced(client.clone(), namespace);
            changes(index, watcher(api, labelled), |secret| Some(Seen::Secret(Box::new(secret))))
        }
        Of::Jobs => {
            let api = Api::<Job>::namespaced(client.clone(), namespace);
            changes(index, watcher(api, ours()), |job| Some(Seen::Job(Box::new(job))))
        }
        Of::Pods => {
            let api = Api::<Pod>::namespaced(client.clone(), namespace);
            changes(index, watcher(api, ours()), |pod| Some(Seen::Pod(Box::new(pod))))
        }
    }
}

/// What a watch sees, in words that are the same for all.
fn changes<K: Resource + Clone + fmt::Debug + Send + 'static>(
    index: usize,
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send + 'static,
    seen: impl Fn(K) -> Option<Seen> + Send + 'static,
) -> Changes {
    let change = move |event: Event<K>| match event {
        Event::Init => Some(Change::Begins),
        Event::InitDone => Some(Change::Ends),
        Event::InitApply(object) | Event::Apply(object) => {
            let name = object.name_any();
            seen(object).map(|seen| Change::Is(name, seen))
        }
        Event::Delete(object) => Some(Change::Goes(object.name_any())),
    };
    let said = events.default_backoff().filter_map(move |event| {
        let said = event.map(&change).transpose().map(|said| (index, said));
        std::future::ready(said)
    });
    Box::pin(said)
}

impl Watch {
    /// Says once what is wrong with it; never news of objects.
    fn complain(&mut self, error: &watcher::Error) -> bool {
        let why = error.to_string();
        if self.wrong.as_ref() != Some(&why) {
            tracing::warn!(of = ?self.of, namespace = self.namespace, "a watch fails, and is tried again: {why}");
            self.wrong = Some(why);
        }
        false
    }
}

struct Watched {
    world: World,
    runs: Runs,
    watches: Vec<Watch>,
}

impl Watched {
    /// Takes what a watch says; whether the world may be another one by it.
    fn take(&mut self, index: usize, change: Change) -> bool {
        let watch = &mut self.watches[index];
        if !matches!(change, Change::Begins) {
            // Whoever begins to list anew has not been answered yet.
            watch.wrong = None;
        }
        match change {
            Change::Begins => {
                watch.listed = Some(BTreeSet::new());
                false
            }
            Change::Is(name, seen) => {
                watch.known.insert(name.clone());
                if let Some(listed) = &mut watch.listed {
                    listed.insert(name.clone());
                }
                let namespace = watch.namespace.clone();
                self.put(namespace, name, seen)
            }
            Change::Goes(name) => {
                watch.known.remove(&name);
                let (of, namespace) = (watch.of, watch.namespace.clone());
                self.remove(of, &namespace, &name)
            }
            Change::Ends => {
                let listed = watch.listed.take().unwrap_or_default();
                let gone: Vec<String> = watch.known.difference(&listed).cloned().collect();
                let (of, namespace, was_whole) = (watch.of, watch.namespace.clone(), watch.is_whole);
                (watch.known, watch.is_whole) = (listed, true);
                let gone = gone.iter().filter(|name| self.remove(of, &namespace, name)).count();
                gone > 0 || !was_whole
            }
        }
    }

    fn put(&mut self, namespace: String, name: String, seen: Seen) -> bool {
        match seen {
            Seen::Object(object) => {
                let before = self.world.objects.get(&object.key);
                // What was written to its status is no news.
                let is_same = before.is_some_and(|before| (&before.spec, &before.uid) == (&object.spec, &object.uid));
                self.world.objects.insert(object.key.clone(), *object);
                !is_same
            }
            Seen::Secret(secret) => {
                let data = secret.data.unwrap_or_default().into_iter();
                let text = |(key, value): (String, k8s_openapi::ByteString)| {
                    Some((key, Secret::new(String::from_utf8(value.0).ok()?)))
                };
                self.world.secrets.insert((namespace, name), data.filter_map(text).collect());
                true
            }
            Seen::Job(job) => {
                self.runs.saw_job(*job);
                false
            }
            Seen::Pod(pod) => {
                self.runs.saw_pod(*pod);
                false
            }
        }
    }

    fn remove(&mut self, of: Of, namespace: &str, name: &str) -> bool {
        match of {
            Of::Objects(kind) => {
                let key = Key { kind, namespace: namespace.to_owned(), name: name.to_owned() };
                self.world.objects.remove(&key).is_some()
            }
            Of::Secrets => self.world.secrets.remove(&(namespace.to_owned(), name.to_owned())).is_some(),
            Of::Jobs => {
                self.runs.lost_job(namespace, name);
                false
            }
            Of::Pods => {
                self.runs.lost_pod(namespace, name);
                false
            }
        }
    }
}

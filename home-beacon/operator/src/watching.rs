//! All objects as they are now, by watches: one task owns what is known of them, and says what follows when something has changed.
//!
//! - `changes`: what watches see; `order`: whether there is anything that they cannot see

mod changes;
mod order;

use std::{collections::BTreeSet, time::Duration};

use futures_util::{StreamExt, stream::SelectAll};
use kube::{Client, runtime::watcher};
use shared::secret::Secret;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use self::{
    changes::{Change, Changes, Of, Seen, changes_of},
    order::{Order, versions},
};
use crate::{
    health::{Health, Lists},
    objects::{Key, ObjectKind},
    resolve::World,
    runs::Runs,
};

/// How long what changes is collected: `kubectl apply` of a folder is one change.
const SETTLE: Duration = Duration::from_millis(150);

/// How often all is resolved anew although nothing has changed: a mute has an end.
const AGAIN: Duration = Duration::from_secs(60);

/// How long each namespace is waited for at the start: one that cannot be listed then holds up none of the others.
const TOGETHER: Duration = Duration::from_secs(10);

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

/// Watches these namespaces until nobody wants to know any more. A world comes when all has been listed once, or what could be within
/// a moment, and whenever something has changed. Jobs and pods go to `runs`.
pub(crate) async fn watch(
    client: Client,
    namespaces: Vec<String>,
    runs: Runs,
    worlds: mpsc::Sender<World>,
    health: Health,
) {
    let mut watched = Watched { world: World::default(), runs, watches: Watch::all(&namespaces) };
    let mut changes = watched.changes(&client);
    let (mut versions, mut order) = (versions(client.clone(), namespaces.clone()), Order::default());
    let (mut due, together) = (None, Instant::now() + TOGETHER);
    let mut again = together;
    let (mut said, mut lists) = (BTreeSet::new(), None);
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
                let now = watched.lists(&namespaces);
                if lists.as_ref() != Some(&now) {
                    health.lists(now.clone());
                    lists = Some(now);
                }
            }
            Some(version) = versions.next() => {
                if order.goes_back(&version) {
                    tracing::warn!(version, "the API server counts its versions anew, as after a backup was restored: listing all");
                    changes = watched.changes(&client);
                }
            }
            () = sleep_until(next) => {
                let now = Instant::now();
                (due, again) = (None, if now < together { together } else { now + AGAIN });
                let unlisted = watched.unlisted();
                if !unlisted.is_empty() && now < together {
                    continue;
                }
                if said != unlisted {
                    log(&unlisted);
                    said.clone_from(&unlisted);
                }
                if watched.lists(&namespaces).is_any_listed && worlds.send(watched.without(unlisted)).await.is_err() {
                    return;
                }
            }
            () = worlds.closed() => return,
        }
    }
}

impl Watch {
    /// All that there are to be.
    fn all(namespaces: &[String]) -> Vec<Self> {
        let kinds = || ObjectKind::ALL.map(Of::Objects).into_iter().chain([Of::Secrets, Of::Jobs, Of::Pods]);
        let of = |namespace: &String, of| {
            let (namespace, known) = (namespace.clone(), BTreeSet::new());
            Self { of, namespace, listed: None, known, is_whole: false, wrong: None }
        };
        namespaces.iter().flat_map(|namespace| kinds().map(move |kind| of(namespace, kind))).collect()
    }

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

fn log(unlisted: &BTreeSet<String>) {
    if unlisted.is_empty() {
        tracing::info!("all namespaces are listed");
        return;
    }
    let namespaces = unlisted.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    tracing::error!(
        namespaces,
        "these cannot be listed, so their checks do not run, and those of the others do: see what may be listed there"
    );
}

impl Watched {
    /// What changes from now on, behind lists of all that there is.
    fn changes(&self, client: &Client) -> SelectAll<Changes> {
        let watches = self.watches.iter().enumerate();
        watches.map(|(index, watch)| changes_of(index, watch.of, &watch.namespace, client)).collect()
    }

    /// The namespaces of which not everything has been listed yet.
    fn unlisted(&self) -> BTreeSet<String> {
        self.watches.iter().filter(|watch| !watch.is_whole).map(|watch| watch.namespace.clone()).collect()
    }

    fn lists(&self, namespaces: &[String]) -> Lists {
        let unlisted = self.unlisted();
        let is_any_listed = namespaces.iter().any(|namespace| !unlisted.contains(namespace));
        Lists { unlisted, failing: self.watches.iter().filter(|watch| watch.wrong.is_some()).count(), is_any_listed }
    }

    /// What is known but for these namespaces: half of what is there would look as if the rest had been deleted.
    fn without(&self, unlisted: BTreeSet<String>) -> World {
        let World { objects, secrets, .. } = &self.world;
        let objects = objects.iter().filter(|(key, _)| !unlisted.contains(&key.namespace));
        let objects = objects.map(|(key, object)| (key.clone(), object.clone())).collect();
        let secrets = secrets.iter().filter(|((namespace, _), _)| !unlisted.contains(namespace));
        let secrets = secrets.map(|(place, values)| (place.clone(), values.clone())).collect();
        World { objects, secrets, unlisted }
    }

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

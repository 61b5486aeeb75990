//! What watches see, in words that are the same for all.

use std::{fmt, pin::Pin, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Pod, Secret as KubeSecret},
};
use kube::{
    Api, Client, Resource, ResourceExt,
    core::DynamicObject,
    runtime::{watcher, watcher::Event},
};
use shared::backoff::{Backoff, Jitter};
use tokio::time::{Instant, sleep};

use crate::{
    objects::{Object, ObjectKind},
    resolve::FOR_CHECKS,
    runs::selector,
};

/// The pauses of a watch that fails.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(800), Duration::from_secs(60), Jitter::Equal);

/// A watch that has not failed for so long begins with short pauses again: one that sees nothing says nothing.
const FORGIVEN: Duration = Duration::from_secs(300);

/// What a watch is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Objects(ObjectKind),
    Secrets,
    Jobs,
    Pods,
}

/// What a watch has seen.
pub(super) enum Seen {
    Object(Box<Object>),
    Secret(Box<KubeSecret>),
    Job(Box<Job>),
    Pod(Box<Pod>),
}

/// What has changed, by the name of the object.
pub(super) enum Change {
    /// All of them follow.
    Begins,
    Is(String, Seen),
    Goes(String),
    /// There are no others.
    Ends,
}

/// Something that a watch says: its number, and what.
pub(super) type Said = (usize, Result<Change, watcher::Error>);
pub(super) type Changes = Pin<Box<dyn Stream<Item = Said> + Send>>;

/// What changes of that, from its first list on; never ends by itself.
pub(super) fn changes_of(index: usize, of: Of, namespace: &str, client: &Client) -> Changes {
    let ours = || watcher::Config::default().labels(&selector());
    match of {
        Of::Objects(kind) => {
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &kind.resource());
            all_changes(index, watcher(api, watcher::Config::default()), move |object| {
                Object::of(kind, object).map(|object| Seen::Object(Box::new(object)))
            })
        }
        Of::Secrets => {
            let labelled = watcher::Config::default().labels(&format!("{FOR_CHECKS}=true"));
            let api = Api::<KubeSecret>::namespaced(client.clone(), namespace);
            all_changes(index, watcher(api, labelled), |secret| Some(Seen::Secret(Box::new(secret))))
        }
        Of::Jobs => {
            let api = Api::<Job>::namespaced(client.clone(), namespace);
            all_changes(index, watcher(api, ours()), |job| Some(Seen::Job(Box::new(job))))
        }
        Of::Pods => {
            let api = Api::<Pod>::namespaced(client.clone(), namespace);
            all_changes(index, watcher(api, ours()), |pod| Some(Seen::Pod(Box::new(pod))))
        }
    }
}

/// What a watch sees, in words that are the same for all.
fn all_changes<K: Resource + Clone + fmt::Debug + Send + 'static>(
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
    let said = patient(events).filter_map(move |event| {
        let said = event.map(&change).transpose().map(|said| (index, said));
        std::future::ready(said)
    });
    Box::pin(said)
}

/// Pauses behind each error: longer and longer, until the server has answered. Who begins to list anew has not been answered yet.
fn patient<K>(
    events: impl Stream<Item = watcher::Result<Event<K>>> + Send,
) -> impl Stream<Item = watcher::Result<Event<K>>> + Send
where
    K: Send,
{
    let first = (Box::pin(events), 0, None::<(Instant, Duration)>);
    stream::unfold(first, |(mut events, mut failures, failed)| async move {
        if let Some((_, pause)) = failed.filter(|(at, pause)| at.elapsed() < *pause) {
            sleep(pause).await;
        }
        let event = events.next().await?;
        let failed = match &event {
            Err(_) => {
                if failed.is_some_and(|(at, _)| at.elapsed() > FORGIVEN) {
                    failures = 0;
                }
                failures += 1;
                Some((Instant::now(), BACKOFF.pause(failures - 1, fastrand::f64())))
            }
            Ok(Event::Init) => failed,
            Ok(_) => {
                failures = 0;
                failed
            }
        };
        Some((event, (events, failures, failed)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long it takes until so many of these have come, which come whenever they are asked for.
    async fn took(events: Vec<watcher::Result<Event<Pod>>>) -> Duration {
        let began = Instant::now();
        let count = patient(stream::iter(events)).count().await;
        assert!(count > 0);
        began.elapsed()
    }

    fn failing(times: usize) -> Vec<watcher::Result<Event<Pod>>> {
        (0..times).flat_map(|_| [Ok(Event::Init), Err(watcher::Error::NoResourceVersion)]).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_that_goes_on_failing_is_tried_more_and_more_seldom() {
        // 0.8, 1.6, … 51.2 s and 60 s, or half of each.
        let took_ten = took(failing(10)).await;
        assert!(took_ten >= Duration::from_secs(110), "{took_ten:?}");
        let mut answered = failing(4);
        answered.push(Ok(Event::InitDone));
        answered.extend(failing(4));
        let took_in_two = took(answered).await;
        assert!(took_in_two <= Duration::from_secs(30), "{took_in_two:?}");
    }
}

//! Whether the versions of an API server go on from where they were. Those of a cluster that was restored from a backup do not: it
//! counts them anew from the backup's on, and who watches from a version that is still to come hears nothing until it has come, however
//! much changes. So a small list is asked for now and then, and where it is of an older version than one before, all is listed anew:
//! what a list says is so, whatever version was known.

use std::{pin::Pin, time::Duration};

use futures_util::{Stream, stream};
use kube::{Api, Client, api::ListParams, core::DynamicObject};
use tokio::time::{sleep, timeout};

use crate::objects::ObjectKind;

/// How often a version is asked for.
const EVERY: Duration = Duration::from_secs(30);

/// How long that may take.
const CALL: Duration = Duration::from_secs(15);

/// Versions as lists name them, one after the other.
pub(super) type Versions = Pin<Box<dyn Stream<Item = String> + Send>>;

/// The newest version that a list was of.
#[derive(Debug, Default)]
pub(super) struct Order {
    newest: Option<u64>,
}

impl Order {
    /// Takes the version of a list, which counts from now on; whether it is older than one before.
    pub(super) fn goes_back(&mut self, version: &str) -> bool {
        // Kubernetes promises since 1.35 that they are numbers that grow; where one is none, nothing follows from it.
        let Ok(version) = version.parse::<u64>() else { return false };
        let goes_back = self.newest.is_some_and(|newest| version < newest);
        self.newest = Some(version);
        goes_back
    }
}

/// The versions of these namespaces, in turns; never ends. One that cannot be listed says nothing.
pub(super) fn versions(client: Client, namespaces: Vec<String>) -> Versions {
    let from = (client, namespaces, 0_usize);
    Box::pin(stream::unfold(from, |(client, namespaces, mut turn)| async move {
        loop {
            if turn > 0 {
                sleep(EVERY).await;
            }
            let namespace = namespaces.get(turn % namespaces.len().max(1))?;
            turn += 1;
            // The newest, and not what a cache has: no version is named.
            let api = Api::<DynamicObject>::namespaced_with(client.clone(), namespace, &ObjectKind::Check.resource());
            let listed = timeout(CALL, api.list(&ListParams::default().limit(1))).await;
            if let Ok(Ok(listed)) = listed
                && let Some(version) = listed.metadata.resource_version
            {
                return Some((version, (client, namespaces, turn)));
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_is_older_than_one_before_is_seen_once_and_counts_from_then_on() {
        let mut order = Order::default();
        let seen = ["900", "900", "1000", "17", "30", "", "x", "29", "2000"].map(|version| order.goes_back(version));
        assert_eq!(seen, [false, false, false, true, false, false, false, true, false]);
    }
}

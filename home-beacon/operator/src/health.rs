//! What the operator says of itself: whether it is ready, and its metrics.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use home_beacon::checks::{Monitored, Totals};
use shared::metrics::{Number, Snapshot};

/// What is known of the operator. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Health(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    totals: Arc<Totals>,
    now: Mutex<Now>,
    jobs_made: AtomicU64,
    statuses_written: AtomicU64,
    statuses_failed: AtomicU64,
}

#[derive(Clone, Debug, Default)]
struct Now {
    leads: bool,
    lists: Option<Lists>,
    objects: Objects,
}

/// How what is listed and watched is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lists {
    /// The namespaces of which not everything could be listed.
    pub(crate) unlisted: BTreeSet<String>,
    /// How many watches do not work now.
    pub(crate) failing: usize,
    /// Whether the checks of any namespace are known.
    pub(crate) is_any_listed: bool,
}

/// How many objects there are.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Objects {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
}

impl Health {
    /// The counts of runs.
    pub(crate) fn totals(&self) -> Arc<Totals> {
        Arc::clone(&self.0.totals)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It leads from now on.
    pub(crate) fn leads(&self) {
        self.now().leads = true;
    }

    pub(crate) fn lists(&self, lists: Lists) {
        self.now().lists = Some(lists);
    }

    pub(crate) fn objects(&self, objects: Objects) {
        self.now().objects = objects;
    }

    pub(crate) fn made_job(&self) {
        self.0.jobs_made.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn wrote_status(&self, is_written: bool) {
        let counter = if is_written { &self.0.statuses_written } else { &self.0.statuses_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Monitored for Health {
    fn metrics(&self) -> Snapshot {
        let now = self.now().clone();
        let lists = now.lists.unwrap_or_default();
        let mut snapshot = self.0.totals.of_runs();
        let read = |counter: &AtomicU64| Number::from(counter.load(Ordering::Relaxed));
        snapshot.gauge("operator_leads", "Whether this operator runs the checks, and not another one.", now.leads);
        let objects = [("right", now.objects.right), ("wrong", now.objects.wrong)];
        let objects = objects.map(|(state, count)| (state.to_owned(), Number::from(count)));
        let help = "Objects of checks, scripts and channels; what is wrong with one says its status.";
        snapshot.labelled_gauge("operator_objects", help, "state", objects);
        let help = "Whether a namespace cannot be listed, so that its checks do not run.";
        let unlisted = lists.unlisted.into_iter().map(|namespace| (namespace, Number::from(true)));
        snapshot.labelled_gauge("operator_namespace_unlisted", help, "namespace", unlisted);
        let help = "Watches of the API server that do not work now, and are tried again.";
        snapshot.gauge("operator_watches_failing", help, lists.failing);
        snapshot.counter("operator_jobs_made", "Jobs that were made.", read(&self.0.jobs_made));
        let written = [("written", &self.0.statuses_written), ("failed", &self.0.statuses_failed)];
        let written = written.map(|(outcome, count)| ([outcome.to_owned()], read(count)));
        snapshot.counters("operator_status_writes", "Writes of statuses of objects.", ["outcome"], written);
        snapshot
    }

    fn ready(&self) -> Result<String, String> {
        let now = self.now();
        if !now.leads {
            return Ok("another operator leads, and this one waits".into());
        }
        match &now.lists {
            Some(lists) if lists.is_any_listed && lists.unlisted.is_empty() => Ok("ok".into()),
            Some(lists) if lists.is_any_listed => {
                let names = lists.unlisted.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                Ok(format!("these namespaces cannot be listed, and their checks do not run: {names}"))
            }
            _ => Err("no namespace has been listed as a whole yet: see the log".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::metrics::Format;

    use super::*;

    #[test]
    fn it_is_ready_while_it_waits_and_when_any_namespace_is_listed() {
        let health = Health::default();
        assert!(health.ready().is_ok_and(|said| said.contains("waits")));
        health.leads();
        assert!(health.ready().is_err());
        let unlisted = BTreeSet::from(["closed".to_owned()]);
        health.lists(Lists { unlisted: unlisted.clone(), failing: 7, is_any_listed: false });
        assert!(health.ready().is_err());
        health.lists(Lists { unlisted, failing: 7, is_any_listed: true });
        assert!(health.ready().is_ok_and(|said| said.ends_with(": closed")));
        let written = health.metrics().written(Format::accepted([]));
        for line in [
            "porchlight_operator_leads 1",
            "porchlight_operator_namespace_unlisted{namespace=\"closed\"} 1",
            "porchlight_operator_watches_failing 7",
        ] {
            assert!(written.contains(line), "{written}");
        }
    }
}

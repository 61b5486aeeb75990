//! Jobs that have nothing more to say are removed, with their pods.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use kube::{Api, api::DeleteParams};
use tokio::time::{Instant, sleep, timeout};

use super::{
    AGAIN, CALL, Runs,
    known::{Place, Taken, place},
};

/// How often a removal is tried.
const REMOVALS: u32 = 30;

/// How long removals may take once the program is asked to end.
const SETTLE: Duration = Duration::from_secs(5);

impl Runs {
    pub(super) fn remove_all(&self, places: impl IntoIterator<Item = Place>) {
        for place in places {
            self.remove(place);
        }
    }

    /// Removes a Job with its pod, in a task of its own; Kubernetes does it after an hour where this cannot.
    fn remove(&self, place: Place) {
        let runs = self.clone();
        let mut known = self.known();
        if known.jobs.contains_key(&place) {
            // Of one that has gone nobody would be told, and the mark would stay for ever.
            known.taken.insert(place.clone(), Taken::Over);
        }
        if !known.removing.insert(place.clone()) {
            return;
        }
        drop(known);
        tokio::spawn(async move {
            let jobs: Api<Job> = Api::namespaced(runs.client.clone(), &place.0);
            for _ in 0..REMOVALS {
                match timeout(CALL, jobs.delete(&place.1, &DeleteParams::background())).await {
                    Ok(Ok(_)) => break,
                    Ok(Err(kube::Error::Api(status))) if status.code == 404 => break,
                    _ => sleep(AGAIN).await,
                }
            }
            runs.known().removing.remove(&place);
        });
    }

    /// Removes a Job whose pod may still run although nobody waits for it; the next run waits until it has gone.
    pub(super) fn end_what_goes_on(&self, job: &Job) {
        let goes_on = self.known().goes_on(job);
        if goes_on {
            self.remove(place(job));
        }
    }

    /// Removes what runs of scripts before these are left.
    pub(super) fn remove_of_other_scripts(&self) {
        let others = self.known().of_other_scripts();
        self.remove_all(others);
    }

    /// Waits until what is being removed is, for a moment.
    pub(crate) async fn settle(&self) {
        let until = Instant::now() + SETTLE;
        while !self.known().removing.is_empty() && Instant::now() < until {
            sleep(Duration::from_millis(50)).await;
        }
    }
}

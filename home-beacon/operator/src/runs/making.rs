//! The Job of a run: made once, whatever calls that takes.

use std::time::Duration;

use checks::{cause::Cause, check::Check, outcome::Outcome};
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, ResourceExt, api::PostParams};
use tokio::time::{Instant, sleep, timeout};

use super::{
    AGAIN, CALL, Runs,
    known::{Place, Scripted, place},
};
use crate::job::{Run, manifest};

impl Runs {
    /// The Job of this run: the one that is there, or a new one.
    pub(super) async fn begin(
        &self,
        check: &Check,
        scripted: &Scripted,
        asked_at: Timestamp,
        until: Instant,
    ) -> Result<Job, Outcome> {
        if let Some(left) = self.take_left(scripted) {
            return Ok(left);
        }
        let run = Run {
            check: check.name.as_str(),
            uid: &scripted.uid,
            namespace: &scripted.namespace,
            moment: asked_at.as_second(),
            timeout: check.timeout,
        };
        let job: Job = serde_json::from_value(manifest(&run, &scripted.run, &self.surroundings))
            .map_err(|error| Outcome::because(Cause::Local, format!("its Job cannot be written: {error}")))?;
        self.known().taken.insert(place(&job));
        let made = self.create(&job, &scripted.namespace, until).await;
        if made.is_err() {
            // Where it was made all the same, and only the answer was lost, the next run waits for it.
            self.known().taken.remove(&place(&job));
        }
        made
    }

    /// The Job of a process before this one, which is waited for by nobody else from now on. Of several, the newest says how it is;
    /// what others came to is long ago, and is in the log alone.
    fn take_left(&self, scripted: &Scripted) -> Option<Job> {
        let mut known = self.known();
        let job = known.job_of(scripted)?;
        known.taken.insert(place(&job));
        let older = known.left(scripted);
        let older: Vec<Place> = older.iter().filter(|left| !known.goes_on(left)).map(place).collect();
        drop(known);
        if !older.is_empty() {
            let (check, runs) = (job.annotations().get("porchlight.dev/check-name").cloned(), older.len());
            tracing::warn!(check, runs, "runs have ended while no operator was there; only the newest one is told");
        }
        self.remove_all(older);
        Some(job)
    }

    /// Has the API server make it, whatever calls that takes.
    async fn create(&self, job: &Job, namespace: &str, until: Instant) -> Result<Job, Outcome> {
        let jobs: Api<Job> = Api::namespaced(self.client.clone(), namespace);
        let mut pause = Duration::from_millis(250);
        loop {
            if !self.leadership.holds() {
                // Another one makes it.
                return Err(Outcome::because(Cause::Local, "this operator leads no more: another one runs it"));
            }
            let made = timeout(CALL, jobs.create(&PostParams::default(), job)).await;
            let said = match made {
                Ok(Ok(made)) => {
                    self.health.made_job();
                    self.saw_job(made.clone());
                    return Ok(made);
                }
                // Made already, by a call whose answer was lost, or by another one of this program.
                Ok(Err(kube::Error::Api(status))) if status.code == 409 && status.reason == "AlreadyExists" => {
                    return Ok(job.clone());
                }
                Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 403 | 404 | 422) => {
                    let text = format!("its Job cannot be made in {namespace}: {}", status.message);
                    return Err(Outcome::because(Cause::NotStarted, text));
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("no answer within {} s", CALL.as_secs()),
            };
            if Instant::now() + pause >= until {
                let text = format!("its Job could not be made: the API server: {said}");
                return Err(Outcome::because(Cause::NotStarted, text));
            }
            sleep(pause).await;
            pause = (pause * 2).min(AGAIN);
        }
    }
}

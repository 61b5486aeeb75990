//! The Job of a run: made once, whatever calls that takes.

use std::time::Duration;

use checks::{cause::Cause, check::Check, outcome::Outcome};
use home_beacon::checks::Turn;
use k8s_openapi::api::batch::v1::Job;
use kube::{Api, api::PostParams};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    AGAIN, CALL, LOOK, Runs,
    known::{Place, Scripted, place},
    left::Waited,
};
use crate::job::{Run, manifest};

/// What of an object goes on.
struct Beside {
    /// A Job of its script as it is, that nobody waits for.
    left: Option<Job>,
    /// All that may run, and whether it is there and nobody has a use for it.
    others: Vec<(Place, bool)>,
}

impl Runs {
    /// The Job of this try: a new one, or one that was left meanwhile.
    pub(super) async fn begin(
        &self,
        check: &Check,
        scripted: &Scripted,
        turn: Turn,
        until: Instant,
    ) -> Result<(Job, Waited), Outcome> {
        if let Some(left) = self.until_alone(scripted, until).await? {
            return Ok(left);
        }
        let run = Run {
            check: check.name.as_str(),
            uid: &scripted.uid,
            namespace: &scripted.namespace,
            moment: (self.clock)().as_second(),
            began: turn.at.as_millisecond(),
            timeout: check.timeout,
        };
        let job: Job = serde_json::from_value(manifest(&run, &scripted.run, &self.surroundings))
            .map_err(|error| Outcome::because(Cause::Local, format!("its Job cannot be written: {error}")))?;
        // Where it was made all the same, and only the answer was lost, the next run waits for it.
        let waited = Waited::of(self, vec![place(&job)]);
        Ok((self.create(&job, &scripted.namespace, until).await?, waited))
    }

    /// Waits until no pod of that object runs any more: the run of a check that was edited may go on. Where it is of the script as it
    /// is, it is the one that is wanted; of another script, it is ended.
    async fn until_alone(&self, scripted: &Scripted, until: Instant) -> Result<Option<(Job, Waited)>, Outcome> {
        let mut seen = self.seen.subscribe();
        loop {
            let Beside { left, others } = self.beside(scripted);
            if let Some(left) = left {
                let waited = Waited::of(self, vec![place(&left)]);
                return Ok(Some((left, waited)));
            }
            let Some(((_, job), _)) = others.first() else { return Ok(None) };
            self.remove_all(others.iter().filter(|(_, is_strange)| *is_strange).map(|(place, _)| place.clone()));
            let next = until.min(Instant::now() + LOOK);
            if timeout_at(next, seen.changed()).await.is_err() && Instant::now() >= until {
                let text = format!("its run before has not ended, and there is to be one at a time: see the Job {job}");
                return Err(Outcome::because(Cause::NotStarted, text));
            }
        }
    }

    /// What of that object goes on.
    fn beside(&self, scripted: &Scripted) -> Beside {
        let known = self.known();
        let left = known.left(scripted).into_iter().find(|job| known.goes_on(job));
        let is_strange = |place: &Place| known.jobs.contains_key(place) && !known.taken.contains_key(place);
        let others = known.going_on(&scripted.uid, (self.clock)()).into_iter();
        Beside { left, others: others.map(|place| (place.clone(), is_strange(&place))).collect() }
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
                    self.was_made(made.clone());
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

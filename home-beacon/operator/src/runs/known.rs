//! What is known of Jobs and their pods.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use checks::check::CheckName;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::ResourceExt;

use crate::{
    job::{MOMENT, RUN, SCRIPT, UID},
    pods::{Progress, progress},
    resolve::script::ScriptRun,
};

/// A namespace, and a name in it.
pub(super) type Place = (String, String);

/// How far the clocks of the keeper and of this program may be apart: a run that the keeper knows is not told again for that.
const CLOCKS: SignedDuration = SignedDuration::from_secs(1);

/// How long after a pod was to be gone it counts as gone: of a node that is lost nobody says so.
const GONE: SignedDuration = SignedDuration::from_secs(30);

/// Whether a Job is one that is still to be waited for: no other one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// A run waits for it.
    Waited,
    /// Nobody needs to, any more.
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    /// How each check with a script runs.
    pub(super) scripts: HashMap<CheckName, Scripted>,
    /// By namespace and name.
    pub(super) jobs: HashMap<Place, Job>,
    /// The newest pod of each Job, which may have gone before it.
    pub(super) pods: HashMap<Place, Pod>,
    /// The Jobs that this process waits for, or has, until they are gone.
    pub(super) taken: HashMap<Place, Taken>,
    /// Those whose outcome is on its way to the keeper, with when the run began.
    pub(super) ended: HashMap<CheckName, Vec<(Timestamp, Place)>>,
    /// Those that are being removed.
    pub(super) removing: HashSet<Place>,
}

/// A check with a script.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    /// Of the object.
    pub(crate) uid: String,
    /// Where its Jobs are made.
    pub(crate) namespace: String,
    /// How it runs.
    pub(crate) run: ScriptRun,
}

impl Known {
    /// The Jobs of that object, and of its script as it is.
    fn of<'a>(&'a self, scripted: &'a Scripted) -> impl Iterator<Item = &'a Job> {
        let script = scripted.run.fingerprint();
        self.jobs.values().filter(move |job| {
            job.annotations().get(UID) == Some(&scripted.uid)
                && job.annotations().get(SCRIPT) == Some(&script)
                && job.namespace().as_deref() == Some(&scripted.namespace)
                && job.metadata.deletion_timestamp.is_none()
        })
    }

    /// Those of them that nobody has waited for yet: of a process before this one, or of a run that was given up.
    pub(super) fn left(&self, scripted: &Scripted) -> Vec<Job> {
        self.of(scripted).filter(|job| !self.taken.contains_key(&place(*job))).cloned().collect()
    }

    /// Whether any of them is to be told of yet, and whether or not it is waited for.
    pub(super) fn is_untold(&self, scripted: &Scripted) -> bool {
        self.of(scripted).any(|job| self.taken.get(&place(job)) != Some(&Taken::Over))
    }

    /// The Jobs that nobody has waited for, of scripts that are others by now: what they come to says nothing of these.
    pub(super) fn of_other_scripts(&self) -> Vec<Place> {
        let scripts: HashMap<&str, String> =
            self.scripts.values().map(|scripted| (scripted.uid.as_str(), scripted.run.fingerprint())).collect();
        let is_other = |job: &&Job| {
            let script = job.annotations().get(UID).and_then(|uid| scripts.get(uid.as_str()));
            script.is_some_and(|script| job.annotations().get(SCRIPT) != Some(script))
                && !self.taken.contains_key(&place(*job))
        };
        self.jobs.values().filter(is_other).map(place).collect()
    }

    /// Whether a Job is there whose pod may still run.
    pub(super) fn goes_on(&self, job: &Job) -> bool {
        let Some(known) = self.jobs.get(&place(job)) else { return false };
        let conditions = known.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let has_ended = |kind: &str| conditions.iter().any(|it| it.type_ == kind && it.status == "True");
        !has_ended("Complete") && !has_ended("Failed") && !self.pods.get(&place(job)).is_some_and(has_stopped)
    }

    /// The Jobs of that object whose pods may still run, of whatever script, and those that have gone before their pods.
    pub(super) fn going_on(&self, uid: &str, now: Timestamp) -> Vec<Place> {
        let jobs = self.jobs.values().filter(|job| job.annotations().get(UID).is_some_and(|it| it == uid));
        let jobs = jobs.filter(|job| self.goes_on(job)).map(place);
        let is_its = |pod: &Pod| pod.annotations().get(UID).is_some_and(|it| it == uid);
        let runs = |pod: &Pod| is_its(pod) && !has_stopped(pod) && !is_given_up(pod, now);
        let pods = self.pods.iter().filter(|(place, pod)| !self.jobs.contains_key(*place) && runs(pod));
        jobs.chain(pods.map(|(place, _)| place.clone())).collect()
    }

    /// The Jobs of a process before this one whose outcome the keeper has: it knows a run that began then.
    pub(super) fn kept_before(&self, scripted: &Scripted, ran_at: Timestamp) -> Vec<Place> {
        let latest = ran_at.saturating_add(CLOCKS).unwrap_or(ran_at);
        let is_kept = |job: &&Job| {
            job.annotations().get(UID) == Some(&scripted.uid)
                && !self.taken.contains_key(&place(*job))
                && began(job).is_some_and(|began| began <= latest)
        };
        self.jobs.values().filter(is_kept).map(place).collect()
    }

    pub(super) fn now(&self, job: &Job, age: Duration) -> Option<Progress> {
        let known = self.jobs.get(&place(job))?;
        Some(progress(known, self.pods.get(&place(job)), age))
    }
}

/// When the run began that a Job is a try of.
pub(super) fn began(job: &Job) -> Option<Timestamp> {
    let number = |name: &str| job.annotations().get(name)?.parse::<i64>().ok();
    number(RUN).and_then(|millis| Timestamp::from_millisecond(millis).ok()).or_else(|| moment(job))
}

/// When a Job was made, by the clock of who made it.
pub(super) fn moment(job: &Job) -> Option<Timestamp> {
    job.annotations().get(MOMENT)?.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())
}

/// Whether nothing in a pod runs any more.
fn has_stopped(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// Whether a pod was to be gone long ago.
fn is_given_up(pod: &Pod, now: Timestamp) -> bool {
    let gone = pod.metadata.deletion_timestamp.as_ref();
    gone.is_some_and(|gone| now.duration_since(gone.0) > GONE)
}

pub(super) fn place<K: ResourceExt>(object: &K) -> Place {
    (object.namespace().unwrap_or_default(), object.name_any())
}

pub(super) fn job_of(pod: &Pod) -> Option<Place> {
    let name = pod.labels().get("batch.kubernetes.io/job-name").or_else(|| pod.labels().get("job-name"))?;
    Some((pod.namespace()?, name.clone()))
}

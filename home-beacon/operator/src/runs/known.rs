//! What is known of Jobs and their pods.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use checks::check::CheckName;
use jiff::Timestamp;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::ResourceExt;

use crate::{
    job::{MOMENT, SCRIPT, UID},
    pods::{Progress, progress},
    resolve::script::ScriptRun,
};

/// A namespace, and a name in it.
pub(super) type Place = (String, String);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// How each check with a script runs.
    pub(super) scripts: HashMap<CheckName, Scripted>,
    /// By namespace and name.
    pub(super) jobs: HashMap<Place, Job>,
    /// The newest pod of each Job.
    pub(super) pods: HashMap<Place, Pod>,
    /// The Jobs that this process has waited for, until they are gone: none of them is a run that is still to be waited for.
    pub(super) taken: HashSet<Place>,
    /// Those whose outcome is on its way to the keeper, with when they were begun.
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
    /// The newest Job of that object, and of its script as it is, that nobody has waited for yet: of a process before this one.
    pub(super) fn job_of(&self, scripted: &Scripted) -> Option<Job> {
        self.left(scripted).into_iter().max_by_key(ResourceExt::creation_timestamp)
    }

    /// All of these.
    pub(super) fn left(&self, scripted: &Scripted) -> Vec<Job> {
        let script = scripted.run.fingerprint();
        let is_its = |job: &&Job| {
            job.annotations().get(UID) == Some(&scripted.uid)
                && job.annotations().get(SCRIPT) == Some(&script)
                && job.namespace().as_deref() == Some(&scripted.namespace)
                && job.metadata.deletion_timestamp.is_none()
                && !self.taken.contains(&place(*job))
        };
        self.jobs.values().filter(is_its).cloned().collect()
    }

    /// The Jobs that nobody has waited for, of scripts that are others by now: what they come to says nothing of these.
    pub(super) fn of_other_scripts(&self) -> Vec<Place> {
        let scripts: HashMap<&str, String> =
            self.scripts.values().map(|scripted| (scripted.uid.as_str(), scripted.run.fingerprint())).collect();
        let is_other = |job: &&Job| {
            let script = job.annotations().get(UID).and_then(|uid| scripts.get(uid.as_str()));
            script.is_some_and(|script| job.annotations().get(SCRIPT) != Some(script))
                && !self.taken.contains(&place(*job))
        };
        self.jobs.values().filter(is_other).map(place).collect()
    }

    /// Whether a Job is there whose pod may still run.
    pub(super) fn goes_on(&self, job: &Job) -> bool {
        let Some(known) = self.jobs.get(&place(job)) else { return false };
        let conditions = known.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let has_ended = |kind: &str| conditions.iter().any(|it| it.type_ == kind && it.status == "True");
        let phase = self.pods.get(&place(job)).and_then(|pod| pod.status.as_ref()?.phase.as_deref());
        !has_ended("Complete") && !has_ended("Failed") && !matches!(phase, Some("Succeeded" | "Failed"))
    }

    /// The Jobs of a process before this one whose outcome the keeper has: of a run that began then, and could last so long.
    pub(super) fn kept_before(&self, scripted: &Scripted, ran_at: Timestamp, timeout: Duration) -> Vec<Place> {
        let latest = ran_at.as_second() + i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX / 2) + 1;
        let is_kept = |job: &&Job| {
            let moment = job.annotations().get(MOMENT).and_then(|moment| moment.parse::<i64>().ok());
            job.annotations().get(UID) == Some(&scripted.uid)
                && !self.taken.contains(&place(*job))
                && moment.is_some_and(|moment| moment <= latest)
        };
        self.jobs.values().filter(is_kept).map(place).collect()
    }

    pub(super) fn now(&self, job: &Job, age: Duration) -> Option<Progress> {
        let known = self.jobs.get(&place(job))?;
        Some(progress(known, self.pods.get(&place(job)), age))
    }
}

pub(super) fn place<K: ResourceExt>(object: &K) -> Place {
    (object.namespace().unwrap_or_default(), object.name_any())
}

pub(super) fn job_of(pod: &Pod) -> Option<Place> {
    let name = pod.labels().get("batch.kubernetes.io/job-name").or_else(|| pod.labels().get("job-name"))?;
    Some((pod.namespace()?, name.clone()))
}

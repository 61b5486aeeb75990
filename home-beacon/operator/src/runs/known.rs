//! What is known of Jobs and their pods.

use std::{collections::HashMap, time::Duration};

use checks::check::CheckName;
use k8s_openapi::api::{batch::v1::Job, core::v1::Pod};
use kube::ResourceExt;

use crate::{
    job::UID,
    pods::{Progress, progress},
    resolve::script::ScriptRun,
};

#[derive(Debug, Default)]
pub(super) struct Known {
    /// How each check with a script runs.
    pub(super) scripts: HashMap<CheckName, Scripted>,
    /// By namespace and name.
    pub(super) jobs: HashMap<(String, String), Job>,
    /// The newest pod of each Job.
    pub(super) pods: HashMap<(String, String), Pod>,
    /// The Jobs whose outcome is on its way to the keeper.
    pub(super) ended: HashMap<CheckName, (String, String)>,
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
    /// The newest Job of that object.
    pub(super) fn job_of(&self, scripted: &Scripted) -> Option<Job> {
        let is_its = |job: &&Job| {
            job.annotations().get(UID) == Some(&scripted.uid) && job.namespace().as_deref() == Some(&scripted.namespace)
        };
        let taken: Vec<_> = self.ended.values().collect();
        self.jobs
            .values()
            .filter(is_its)
            .filter(|job| !taken.contains(&&place(*job)))
            .max_by_key(|job| job.creation_timestamp())
            .cloned()
    }

    pub(super) fn is_of_a_check(&self, job: &Job) -> bool {
        let uid = job.annotations().get(UID);
        self.scripts.values().any(|scripted| Some(&scripted.uid) == uid)
    }

    pub(super) fn now(&self, job: &Job, age: Duration) -> Option<Progress> {
        let known = self.jobs.get(&place(job))?;
        Some(progress(known, self.pods.get(&place(job)), age))
    }
}

pub(super) fn place<K: ResourceExt>(object: &K) -> (String, String) {
    (object.namespace().unwrap_or_default(), object.name_any())
}

pub(super) fn job_of(pod: &Pod) -> Option<(String, String)> {
    let name = pod.labels().get("batch.kubernetes.io/job-name").or_else(|| pod.labels().get("job-name"))?;
    Some((pod.namespace()?, name.clone()))
}

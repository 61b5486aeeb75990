//! Applies a plan: what it is about is read again right before the writes, and again before every further try, because
//! a try whose answer was lost may have been carried out. What is then left to do is planned anew.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    statuspage::{Client, Component, Incidents, Which},
};
use tokio::time::Instant;

use super::{
    access::Access,
    page::{listings, ours},
};
use crate::{
    mode::Mode,
    plan::{
        Call, Rules, Subject, View, plan,
        recheck::{Recheck, SkipReason, skipped},
        zone,
    },
};

/// Why a change failed: the run has used up its calls.
const TOO_MANY: &str = "there are more changes than a run may make calls for; the next run continues";

/// Up to this many components are read again one by one.
const MAX_SINGLE_READS: usize = 3;

/// Among how many of the latest incidents one that a human resolved is searched.
const RECENT_INCIDENTS: usize = 20;

/// What became of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    Written,
    /// Another client had done it.
    AlreadyDone,
    /// It would be written, were this not a dry run.
    WouldWrite,
    /// A maintenance in progress names it.
    Maintained,
    /// Another client changed it meanwhile; left to the next run.
    LeftToNextRun,
    /// The text is for people.
    Failed(String),
}

impl Applied {
    /// Whether this run does nothing more about the component.
    const fn is_skipped(&self) -> bool {
        matches!(self, Self::LeftToNextRun | Self::Maintained | Self::Failed(_))
    }
}

/// What became of a page: its components that were concerned, and the calls that were made or, in a dry run, would be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Published {
    pub(crate) components: HashMap<ComponentId, Applied>,
    pub(crate) calls: Vec<Call>,
}

/// What is planned and applied for one page in a run.
#[derive(Debug)]
pub(crate) struct Publication<'run> {
    pub(crate) access: &'run Access<'run>,
    pub(crate) page: &'run PageId,
    pub(crate) subjects: &'run [Subject],
    pub(crate) rules: &'run Rules,
    pub(crate) mode: Mode,
    pub(crate) at: Timestamp,
    /// The page when the run decided.
    pub(crate) decided_on: View,
}

/// How far the publication has come, over all tries.
#[derive(Debug, Default)]
struct PublishProgress {
    components: HashMap<ComponentId, Applied>,
    calls: Vec<Call>,
    /// The last error of a call, in a sentence.
    last_error: Option<String>,
}

impl Publication<'_> {
    /// Plans and applies until the page says what it should, or `until` has come.
    pub(crate) async fn publish(&self, until: Instant) -> Published {
        let planned = plan(self.subjects, &self.decided_on, self.rules, self.at);
        if planned.is_empty() {
            return Published::default();
        }
        let progress = Mutex::default();
        let tries = self.access.call(until, |client| {
            let one = Try { publication: self, client, progress: &progress };
            let planned = &planned;
            async move { one.apply(planned).await }
        });
        let failure = tries.await.err().map(|error| self.access.describe(&error));
        let PublishProgress { mut components, calls, .. } =
            progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        for call in &planned {
            let concerned = if failure.is_some() { call.about() } else { call.sets().into_keys().collect() };
            for component in concerned {
                let unsettled = failure.clone().map_or(Applied::AlreadyDone, Applied::Failed);
                components.entry(component).or_insert(unsettled);
            }
        }
        Published { components, calls }
    }
}

/// One try: the page is read again, planned anew, and changed.
struct Try<'a> {
    publication: &'a Publication<'a>,
    client: Client,
    progress: &'a Mutex<PublishProgress>,
}

impl Try<'_> {
    async fn apply(&self, planned: &[Call]) -> Result<(), ApiError> {
        let Publication { subjects, rules, at, mode, .. } = self.publication;
        let mut view = self.read_again(planned).await?;
        self.skip_changed(planned, &view);
        // All subjects stay in the plan: an incident depends on all of them, not only on those that are left to be done.
        view.maintained
            .extend(self.progress().components.iter().filter(|(_, it)| it.is_skipped()).map(|(id, _)| id.clone()));
        let calls = plan(subjects, &view, rules, *at);
        if *mode == Mode::DryRun {
            let mut progress = self.progress();
            let would = calls.iter().flat_map(Call::sets).map(|(component, _)| (component, Applied::WouldWrite));
            progress.components.extend(would);
            progress.calls = calls;
            return Ok(());
        }
        let mut opened = false;
        for call in calls {
            opened |= matches!(call, Call::Open { .. });
            let refused = self.make(call).await?;
            // Without its incident, a component still shows the truth.
            for (component, to) in refused.iter().flat_map(Call::sets) {
                if view.components.get(&component).is_some_and(|it| it.status != Some(to)) {
                    self.make(Call::Set { component, to }).await?;
                }
            }
        }
        if opened {
            // Another run may have opened one at the same time.
            let incidents = ours(&self.counted(self.client.incidents(self.publication.page, Which::Unresolved)).await?);
            let merges = plan(&[], &View { incidents, ..view }, rules, *at);
            for call in merges {
                self.make(call).await?;
            }
        }
        Ok(())
    }

    /// Reads again what the calls are about; last what a human is likeliest to change.
    async fn read_again(&self, planned: &[Call]) -> Result<View, ApiError> {
        let Publication { page, decided_on, .. } = self.publication;
        let mut view = decided_on.clone();
        let again = Recheck::before(planned);
        view.maintained = self.maintained().await?;
        if again.incidents {
            view.zone = self.zone().await?;
        }
        view.components.extend(self.components(&again.components).await?);
        if again.incidents {
            view.incidents = ours(&self.counted(self.client.incidents(page, Which::Unresolved)).await?);
        }
        if again.needs_recent(&view.incidents) {
            let recent = ours(&self.counted(self.client.incidents(page, Which::Recent(RECENT_INCIDENTS))).await?);
            let new = recent.into_iter().filter(|it| !view.incidents.iter().any(|known| known.id == it.id));
            view.incidents.extend(new.collect::<Vec<_>>());
        }
        Ok(view)
    }

    /// The page's time zone. A text in UTC is better than none.
    async fn zone(&self) -> Result<TimeZone, ApiError> {
        match self.counted(self.client.page(self.publication.page)).await {
            Ok(page) => Ok(zone(page.time_zone.as_deref())),
            Err(ApiError::Permanent(_)) => Ok(zone(None)),
            Err(error) => Err(error),
        }
    }

    async fn components(&self, concerned: &BTreeSet<ComponentId>) -> Result<Vec<(ComponentId, Component)>, ApiError> {
        let page = self.publication.page;
        let mut read = Vec::with_capacity(concerned.len());
        if concerned.len() <= MAX_SINGLE_READS {
            for id in concerned {
                read.push((id.clone(), self.counted(self.client.component(page, id)).await?));
            }
        } else {
            let wanted: Vec<_> = concerned.iter().collect();
            let listings = self.counted(listings(self.client.clone(), page, &wanted)).await?;
            self.publication.access.count(listings.len() - 1);
            let found = |id: &&ComponentId| listings.iter().find_map(|listing| listing.component(id)?.ok());
            read.extend(concerned.iter().filter_map(|id| Some((id.clone(), found(&id)?))));
        }
        Ok(read)
    }

    /// The components that a maintenance in progress names. An API without this call has none: a component that a human
    /// set to maintenance is respected all the same.
    async fn maintained(&self) -> Result<HashSet<ComponentId>, ApiError> {
        match self.counted(self.client.incidents::<Incidents>(self.publication.page, Which::ActiveMaintenance)).await {
            Ok(Incidents(active)) => {
                Ok(active.into_iter().flat_map(|it| it.components).map(|affected| affected.id).collect())
            }
            Err(ApiError::Permanent(error)) => {
                tracing::warn!(%error, "cannot read whether a maintenance is in progress");
                Ok(HashSet::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Marks the components that another client changed since the run decided.
    fn skip_changed(&self, planned: &[Call], view: &View) {
        let mut progress = self.progress();
        for (component, reason) in skipped(planned, &self.publication.decided_on, view) {
            let settled = match reason {
                SkipReason::Changed => Applied::LeftToNextRun,
                SkipReason::Maintained => Applied::Maintained,
            };
            progress.components.entry(component).or_insert(settled);
        }
    }

    /// Makes one call. A call that is refused does not keep the others from being made; it is returned then.
    async fn make(&self, call: Call) -> Result<Option<Call>, ApiError> {
        let page = self.publication.page;
        if !self.publication.access.may_call() {
            let error = self.progress().last_error.clone();
            self.settle(&call, &Applied::Failed(error.unwrap_or_else(|| TOO_MANY.into())));
            return Ok(None);
        }
        let made = match &call {
            Call::Set { component, to } => self.counted(self.client.set_status(page, component, *to)).await.map(drop),
            Call::Open { change, .. } => self.counted(self.client.open_incident(page, change)).await.map(drop),
            Call::Change { incident, change } => {
                self.counted(self.client.change_incident(page, incident, change)).await.map(drop)
            }
            Call::Delete { incident } => match self.counted(self.client.delete_incident(page, incident)).await {
                // Another run has deleted it.
                Err(ApiError::Permanent(error)) if error.status == 404 => Ok(()),
                deleted => deleted,
            },
        };
        match made {
            Ok(()) => {
                self.settle(&call, &Applied::Written);
                self.progress().calls.push(call);
                Ok(None)
            }
            Err(error @ ApiError::Permanent(_)) => {
                let text = self.publication.access.describe(&error);
                for id in call.about() {
                    self.progress().components.insert(id, Applied::Failed(text.clone()));
                }
                Ok(Some(call))
            }
            Err(error) => Err(error),
        }
    }

    fn settle(&self, call: &Call, applied: &Applied) {
        let mut progress = self.progress();
        let failed = matches!(applied, Applied::Failed(_));
        for component in if failed { call.about() } else { call.sets().into_keys().collect() } {
            progress.components.entry(component).or_insert_with(|| applied.clone());
        }
    }

    async fn counted<T>(&self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        self.publication.access.count(1);
        call.await.inspect_err(|error| self.progress().last_error = Some(self.publication.access.describe(error)))
    }

    fn progress(&self) -> MutexGuard<'_, PublishProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Carries a plan out, carefully: what it is about is read again immediately before the writes, and again before every further
//! try, because a try whose answer was lost may have been obeyed. What is then left to do is planned anew.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{Timestamp, tz::TimeZone};
use shared::{
    api::ApiError,
    id::{ComponentId, PageId},
    statuspage::{Client, Component, Incidents},
};
use tokio::time::Instant;

use crate::{
    access::Access,
    mode::Mode,
    page::{listings, ours},
    plan::{Call, Rules, Subject, View, plan, zone},
    second_look::{Hold, SecondLook, held},
};

/// Why a change is left for the next run.
const TOO_MANY: &str = "there are more changes than a run may make calls for; the next run goes on";

/// Up to so many components are read again one by one.
const ONE_BY_ONE: usize = 3;

/// Our last incidents among which one that a human resolved is looked for.
const RECENT: usize = 20;

/// What came of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    Written,
    /// Somebody else had done it.
    AlreadyDone,
    /// It would be written, in a dry run.
    Would,
    /// A maintenance that is under way names it.
    Maintained,
    /// Somebody changed it meanwhile; left to the next run.
    Left,
    /// For people.
    Failed(String),
}

impl Applied {
    /// Whether this run does nothing more about the component.
    const fn is_left_alone(&self) -> bool {
        matches!(self, Self::Left | Self::Maintained | Self::Failed(_))
    }
}

/// What came of a page: its components that were concerned, and the calls that were made or, in a dry run, would be.
#[derive(Clone, Debug, Default)]
pub struct Published {
    pub components: HashMap<ComponentId, Applied>,
    pub calls: Vec<Call>,
}

/// What a run is to make of one page.
#[derive(Debug)]
pub struct Publication<'run> {
    pub access: &'run Access<'run>,
    pub page: &'run PageId,
    pub subjects: &'run [Subject],
    pub rules: &'run Rules,
    pub mode: Mode,
    pub at: Timestamp,
    /// The page when the run decided.
    pub seen: View,
}

/// How far the publication has come, over all tries.
#[derive(Debug, Default)]
struct Progress {
    components: HashMap<ComponentId, Applied>,
    calls: Vec<Call>,
    /// The last passing trouble.
    trouble: Option<String>,
}

impl Publication<'_> {
    pub async fn publish(&self, until: Instant) -> Published {
        let planned = plan(self.subjects, &self.seen, self.rules, self.at);
        if planned.is_empty() {
            return Published::default();
        }
        let progress = Mutex::default();
        let rounds = self.access.call(until, |client| {
            let round = Round { publication: self, client, progress: &progress };
            let planned = &planned;
            async move { round.play(planned).await }
        });
        let failure = rounds.await.err().map(|error| self.access.told(&error));
        let Progress { mut components, calls, .. } = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
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

/// One try.
struct Round<'a> {
    publication: &'a Publication<'a>,
    client: Client,
    progress: &'a Mutex<Progress>,
}

impl Round<'_> {
    async fn play(&self, planned: &[Call]) -> Result<(), ApiError> {
        let Publication { subjects, rules, at, mode, .. } = self.publication;
        let mut view = self.look_again(planned).await?;
        self.leave_what_moved(planned, &view);
        // All subjects stay in the plan: an incident must not be judged by those alone that are left to be done.
        view.maintained
            .extend(self.progress().components.iter().filter(|(_, it)| it.is_left_alone()).map(|(id, _)| id.clone()));
        let calls = plan(subjects, &view, rules, *at);
        if *mode == Mode::DryRun {
            let mut progress = self.progress();
            let would = calls.iter().flat_map(Call::sets).map(|(component, _)| (component, Applied::Would));
            progress.components.extend(would);
            progress.calls = calls;
            return Ok(());
        }
        let mut opened = false;
        for call in calls {
            opened |= matches!(call, Call::Open { .. });
            let refused = self.make(call).await?;
            // Without its incident, a component still says what is true.
            for (component, to) in refused.iter().flat_map(Call::sets) {
                if view.components.get(&component).is_some_and(|it| it.status != Some(to)) {
                    self.make(Call::Set { component, to }).await?;
                }
            }
        }
        if opened {
            // Another run may have opened one at the same time.
            let incidents = ours(&self.counted(self.client.unresolved(self.publication.page)).await?);
            let doubles = plan(&[], &View { incidents, ..view }, rules, *at);
            for call in doubles {
                self.make(call).await?;
            }
        }
        Ok(())
    }

    /// Reads again what the calls are about; last what a human is likeliest to change.
    async fn look_again(&self, planned: &[Call]) -> Result<View, ApiError> {
        let Publication { page, seen, .. } = self.publication;
        let mut view = seen.clone();
        let again = SecondLook::before(planned);
        view.maintained = self.maintained().await?;
        if again.incidents {
            view.zone = self.zone().await?;
        }
        view.components.extend(self.components(&again.components).await?);
        if again.incidents {
            view.incidents = ours(&self.counted(self.client.unresolved(page)).await?);
        }
        if again.recent(&view.incidents) {
            let recent = ours(&self.counted(self.client.recent(page, RECENT)).await?);
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
        if concerned.len() <= ONE_BY_ONE {
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

    /// The components that a maintenance under way names. A page that cannot tell has none: what a human set the component
    /// itself to is respected all the same.
    async fn maintained(&self) -> Result<HashSet<ComponentId>, ApiError> {
        match self.counted(self.client.active_maintenance(self.publication.page)).await {
            Ok(Incidents(active)) => {
                Ok(active.into_iter().flat_map(|it| it.components).map(|affected| affected.id).collect())
            }
            Err(ApiError::Permanent(error)) => {
                tracing::warn!(%error, "whether a maintenance is under way is not known");
                Ok(HashSet::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Settles what somebody else changed since the run decided.
    fn leave_what_moved(&self, planned: &[Call], view: &View) {
        let mut progress = self.progress();
        for (component, hold) in held(planned, &self.publication.seen, view) {
            let settled = match hold {
                Hold::Moved => Applied::Left,
                Hold::Maintained => Applied::Maintained,
            };
            progress.components.entry(component).or_insert(settled);
        }
    }

    /// Makes one call. What is wrong with it alone does not keep the others from being made; the call is returned then.
    async fn make(&self, call: Call) -> Result<Option<Call>, ApiError> {
        let page = self.publication.page;
        if !self.publication.access.may_call() {
            let trouble = self.progress().trouble.clone();
            self.settle(&call, &Applied::Failed(trouble.unwrap_or_else(|| TOO_MANY.into())));
            return Ok(None);
        }
        let made = match &call {
            Call::Set { component, to } => self.counted(self.client.set_status(page, component, *to)).await.map(drop),
            Call::Open { change, .. } => self.counted(self.client.open_incident(page, change)).await.map(drop),
            Call::Change { incident, change } => {
                self.counted(self.client.change_incident(page, incident, change)).await.map(drop)
            }
            Call::Delete { incident } => match self.counted(self.client.delete_incident(page, incident)).await {
                // Another run was faster.
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
                let told = self.publication.access.told(&error);
                for id in call.about() {
                    self.progress().components.insert(id, Applied::Failed(told.clone()));
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
        call.await.inspect_err(|error| self.progress().trouble = Some(self.publication.access.told(error)))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

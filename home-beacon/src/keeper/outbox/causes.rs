//! What upstream is to be told of outages that are over: why it was down, as seen from home. They wait in memory; after a restart they
//! are concluded anew, and upstream itself says which it has been told already.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::id::IncidentId;

use super::Outbox;

/// How often upstream is told of one, and how long the first pause is; each further one is twice as long.
const MAX_TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_mins(2);

/// The most that are remembered: of more, those of the least ids are forgotten.
const MAX_CAUSES: usize = 100;

/// Why it was down, for one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Cause {
    pub(in crate::keeper) incident: IncidentId,
    /// The text of the update.
    pub(in crate::keeper) text: String,
}

#[derive(Debug)]
struct Waiting {
    text: String,
    tries: u32,
    not_before: Duration,
}

/// By incident; those that upstream was told of stay, so that they do not wait again. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Causes(Arc<Mutex<BTreeMap<IncidentId, Waiting>>>);

impl Causes {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<IncidentId, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// Whether upstream was told of that incident, or is to be.
    pub(in crate::keeper) fn knows_cause(&self, incident: &IncidentId) -> bool {
        self.causes.lock().contains_key(incident)
    }

    /// Has upstream be told of an incident, once.
    pub(in crate::keeper) fn queue_cause(&self, Cause { incident, text }: Cause) {
        let mut causes = self.causes.lock();
        causes.entry(incident).or_insert(Waiting { text, tries: 0, not_before: Duration::ZERO });
        while causes.len() > MAX_CAUSES {
            causes.pop_first();
        }
        drop(causes);
        self.wake();
    }

    /// Upstream is not to be told of that incident: nothing is known of it here.
    pub(in crate::keeper) fn leave_cause(&self, incident: &IncidentId) {
        self.queue_cause(Cause { incident: incident.clone(), text: String::new() });
        self.cause_is_done(incident);
    }

    /// The next one to be told, at that uptime of the host; it counts as tried.
    pub(in crate::keeper) fn next_cause(&self, now: Duration) -> Option<Cause> {
        let mut causes = self.causes.lock();
        let is_due = |waiting: &Waiting| waiting.tries < MAX_TRIES && waiting.not_before <= now;
        let (incident, waiting) = causes.iter_mut().find(|(_, waiting)| is_due(waiting))?;
        waiting.not_before = now + FIRST_PAUSE * 2_u32.pow(waiting.tries);
        waiting.tries += 1;
        Some(Cause { incident: incident.clone(), text: waiting.text.clone() })
    }

    /// Upstream has been told, or is not to be.
    pub(in crate::keeper) fn cause_is_done(&self, incident: &IncidentId) {
        if let Some(waiting) = self.causes.lock().get_mut(incident) {
            waiting.tries = MAX_TRIES;
        }
    }
}

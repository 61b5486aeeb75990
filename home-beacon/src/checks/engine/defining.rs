//! What an engine runs from now on.

use std::{collections::HashMap, sync::Arc};

use checks::{
    check::{CheckName, Kind},
    file::change::{is_as, renames},
};
use tokio::time::Instant;

use super::{
    super::{
        defined::{Defined, Definitions, left_of},
        dependencies::Known,
        schedule::Id,
        trial::Try,
    },
    Engine, Entry,
};

impl<P: Try> Engine<P> {
    /// Takes that list in the place of the one before. What has not changed keeps its place; what has keeps its state.
    pub(super) fn define(&mut self, Definitions { defined: new, list }: Definitions) {
        self.results.follow(list);
        let now = Instant::now();
        let mut before: HashMap<CheckName, Id> = std::mem::take(&mut self.ids);
        let renames = renames(
            |name| before.contains_key(name),
            new.iter().map(|defined| (&defined.check.name, defined.check.was.as_ref())),
        );
        let formers: HashMap<CheckName, CheckName> = renames.into_iter().map(|it| (it.to, it.from)).collect();
        // What calls the keeper by itself is not run here.
        let active = new.into_iter().filter(|defined| !matches!(defined.check.kind, Kind::Passive(_)));
        for Defined { check, standing, ran_at, is_due } in active {
            let former = before.remove(formers.get(&check.name).unwrap_or(&check.name));
            if let Some(id) = former
                && self.known.get(&id).is_some_and(|entry| is_as(&entry.check, &check))
            {
                self.ids.insert(check.name, id);
                continue;
            }
            self.last_id += 1;
            let id = Id(self.last_id);
            if let Some(old) = former {
                self.schedule.replace(old, id, check.every, now, || self.random.f64());
                if is_due {
                    // Its run goes on, and is told by the check as it is now.
                    self.schedule.bring_forward(id, now);
                }
            } else {
                self.schedule.add(id, check.every, now, || self.random.f64());
                if let Some(left) = ran_at.and_then(|at| left_of(check.every, at, (self.clock)())) {
                    self.schedule.put_off(id, now + left);
                }
                if is_due {
                    self.schedule.bring_forward(id, now);
                }
            }
            let known = former.and_then(|id| self.forget(id)).map(|entry| entry.known);
            let known = known.unwrap_or_else(|| Known { standing, ..Known::default() });
            self.ids.insert(check.name.clone(), id);
            self.known.insert(id, Entry { check: Arc::new(check), known });
        }
        for id in before.into_values() {
            self.forget(id);
        }
        self.totals.defined(self.known.len());
    }

    fn forget(&mut self, id: Id) -> Option<Entry> {
        self.schedule.remove(id);
        // Nobody wants to know what comes of it any more.
        self.running.values().filter(|(of, _)| *of == id).for_each(|(_, run)| run.abort());
        self.held.retain(|held| held.ended.id != id);
        self.known.remove(&id)
    }
}

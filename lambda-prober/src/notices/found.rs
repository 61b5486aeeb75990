//! What a run found of its homes, as far as notices go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::{
    plan::{HomeNow, Seen},
    texts::Home,
};
use crate::{
    kept::state::PreparedRecords,
    publish::apply::{Applied, Published},
    run::TargetState,
};

/// What a run found, as far as notices go.
#[derive(Debug)]
pub(crate) struct Found {
    pub(super) at: Timestamp,
    pub(super) seen: Vec<Seen>,
    pub(super) homes: Vec<Home>,
}

impl Found {
    /// Of the targets, with the records as this run leaves them.
    pub(crate) fn new(states: &[TargetState<'_>], prepared: &PreparedRecords, at: Timestamp) -> Self {
        let (mut seen, mut homes) = (Vec::new(), Vec::new());
        for state in states {
            let component: ComponentId = state.target.component.clone();
            let record = prepared.record(&component);
            let known = (!prepared.is_guessed(&component)).then_some(&record);
            let now = HomeNow::of(state.verdict, known);
            let shown = state.component.as_ref().ok().and_then(|component| component.status);
            let cause = state.verdict.cause().unwrap_or_default().to_owned();
            let is_maintained = shown == Some(ComponentStatus::UnderMaintenance);
            let up_since = record.up_since;
            seen.push(Seen { component: component.clone(), now, up_since, is_maintained, cause });
            let started = record.start_times().zip(state.start_times(at));
            // As the page calls it, where that was read.
            let named = state.component.as_ref().ok().map(|component| &component.name);
            let name = named.filter(|name| !name.is_empty()).unwrap_or(&state.target.home.name).clone();
            homes.push(Home { component, name, started });
        }
        Self { at, seen, homes }
    }

    /// Takes up which components nobody wants to be written to about: as if somebody worked on them.
    pub(crate) fn note_muted(&mut self, muted: &[ComponentId]) {
        for seen in &mut self.seen {
            seen.is_maintained |= muted.contains(&seen.component);
        }
    }

    /// Takes up which components were left alone because a maintenance in progress names them.
    pub(crate) fn note_maintenance(&mut self, published: &BTreeMap<PageId, Published>) {
        for seen in &mut self.seen {
            let mut all = published.values().filter_map(|published| published.components.get(&seen.component));
            seen.is_maintained |= all.any(|applied| matches!(applied, Applied::Maintained));
        }
    }
}

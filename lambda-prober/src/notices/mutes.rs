//! What its owner does not want to be written to about. Keepers say it in their answers to looks; where one cannot be asked, what it
//! said last holds until its time.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::Deserialize;
use shared::id::ComponentId;

/// A component whose owner is not to be written to.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Muted {
    component_id: ComponentId,
    until: Timestamp,
}

/// What a keeper has answered.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    /// The components that it was asked about.
    pub(crate) about: Vec<ComponentId>,
    pub(crate) muted: Vec<Muted>,
}

/// What was answered so far.
#[derive(Debug, Default)]
pub(crate) struct Mutes(Mutex<BTreeMap<ComponentId, Timestamp>>);

impl Mutes {
    pub(crate) fn note(&self, answers: Vec<Answered>) {
        let mut mutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for Answered { about, muted } in answers {
            mutes.retain(|component, _| !about.contains(component));
            let asked = muted.into_iter().filter(|muted| about.contains(&muted.component_id));
            mutes.extend(asked.map(|muted| (muted.component_id, muted.until)));
        }
    }

    /// Those that hold then.
    pub(crate) fn at(&self, at: Timestamp) -> Vec<ComponentId> {
        let mutes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mutes.iter().filter(|(_, until)| **until > at).map(|(component, _)| component.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_keeper_said_holds_until_it_says_otherwise_or_its_time_has_come() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let home: ComponentId = "8kbf7d35c070".parse().unwrap();
        let answer = |muted: Vec<Muted>| vec![Answered { about: vec![home.clone()], muted }];
        let mutes = Mutes::default();
        mutes.note(answer(vec![Muted { component_id: home.clone(), until: at(600) }]));
        mutes.note(Vec::new());
        assert_eq!((mutes.at(at(599)), mutes.at(at(600))), (vec![home.clone()], vec![]), "a run without an answer");
        mutes.note(answer(Vec::new()));
        assert_eq!(mutes.at(at(1)), []);
    }
}

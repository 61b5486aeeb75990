//! What is known of each place from which a component is looked at, found by the component: there may be ten thousand of them.

use std::collections::HashMap;

use shared::{
    id::ComponentId,
    look::{Location, Vantage},
};

use super::{
    Now,
    shown::Looked,
    span::{Change, MAX_PAUSE, Track},
};

/// A clock that went back by more than this, in milliseconds, was stepped.
const STEP: i64 = 500;

/// From where a component is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) component: ComponentId,
    pub(super) location: Location,
    pub(super) vantage: Vantage,
}

/// What is known of a place.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) track: Track,
    /// When somebody looked last, in milliseconds since 1970.
    pub(super) looked: Option<i64>,
    /// The same, where this process received it.
    pub(super) receipt: Option<Receipt>,
    /// Whether the clock has gone back since it was written, so that its age is not known.
    is_ahead: bool,
}

/// How old a look was when it was received, and the host's uptime then, in milliseconds: the age that no step of the clock on
/// the wall makes younger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Receipt {
    age: i64,
    uptime: i64,
}

/// All places. A component has few, which are one list.
#[derive(Debug, Default)]
pub(super) struct KnownPlaces(HashMap<ComponentId, Vec<(Place, Known)>>);

impl Known {
    /// As the disk has it, at a time in milliseconds since 1970.
    pub(super) fn on_disk(track: Track, looked: Option<i64>, now: i64) -> Self {
        Self { track, looked, receipt: None, is_ahead: looked > Some(now) }
    }

    /// The age of the newest look, in milliseconds; `None` where it lies ahead of the clock.
    fn age(&self, now: Now) -> Option<i64> {
        let by_wall = now.wall - self.looked?;
        match self.receipt {
            Some(receipt) => Some(by_wall.max(receipt.age + now.uptime - receipt.uptime)),
            None => Some(by_wall).filter(|age| *age >= 0 && !self.is_ahead),
        }
    }

    pub(super) fn looked(&self, place: &Place, now: Option<Now>) -> Looked {
        let age = now.and_then(|now| Some((now, self.age(now)?)));
        let newest = age.and_then(|(now, age)| Some((now.wall - age, self.track.newest_seen()?)));
        // A look whose verdict is still to come follows at once on what the one before it saw.
        let seen = newest.filter(|(looked, seen)| looked - seen.ended <= MAX_PAUSE).and_then(|(_, seen)| seen.seen);
        let newest = age.map(|(now, age)| (now.wall, age));
        let is_tried = self.track.newest().is_some_and(|span| !span.is_looked());
        Looked::new(self.looked.is_some(), newest, place.location.clone(), seen, self.track.pause())
            .tried_since(is_tried)
    }

    /// After a step back of the clock, the time of the newest look as the clock has it now: a process that comes after this one
    /// knows only that.
    pub(super) fn settle(&mut self, now: Now) -> Vec<Change> {
        let (Some(looked), Some(receipt)) = (self.looked, self.receipt) else { return Vec::new() };
        let at = now.wall - (receipt.age + now.uptime - receipt.uptime);
        if looked - at <= STEP {
            return Vec::new();
        }
        self.looked = Some(at);
        self.track.cut(at)
    }

    /// Somebody looked at that time, which was not known.
    pub(super) fn receive(&mut self, at: i64, now: Now) {
        let receipt = Receipt { age: (now.wall - at).max(0), uptime: now.uptime };
        // A look that comes late is not the newest; after a step back of the clock its time alone does not show that.
        if self.age(now).is_none_or(|age| receipt.age < age) {
            (self.receipt, self.looked, self.is_ahead) = (Some(receipt), Some(at), false);
        }
    }
}

impl KnownPlaces {
    pub(super) fn of(&self, component: &ComponentId) -> impl Iterator<Item = (&Place, &Known)> {
        self.0.get(component).into_iter().flatten().map(|(place, known)| (place, known))
    }

    pub(super) fn get(&self, place: &Place) -> Option<&Known> {
        self.of(&place.component).find(|(other, _)| *other == place).map(|(_, known)| known)
    }

    pub(super) fn get_mut(&mut self, place: &Place) -> Option<&mut Known> {
        let all = self.0.get_mut(&place.component)?;
        all.iter_mut().find(|(other, _)| other == place).map(|(_, known)| known)
    }

    /// What is known of a place; nothing yet of one that is new.
    pub(super) fn get_or_new(&mut self, place: &Place) -> &mut Known {
        let all = self.0.entry(place.component.clone()).or_default();
        let index = all.iter().position(|(other, _)| other == place).unwrap_or_else(|| {
            all.push((place.clone(), Known::default()));
            all.len() - 1
        });
        &mut all[index].1
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Place, &mut Known)> {
        self.0.values_mut().flatten().map(|(place, known)| (&*place, known))
    }
}

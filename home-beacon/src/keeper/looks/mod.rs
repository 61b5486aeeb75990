//! Looks: when somebody looked at a component, from where, and what they saw (see [`shared::look`]). The newest state is in
//! memory; what changed of it waits for the next transaction that is written anyway.
//!
//! - `span`: looks that follow each other with the same verdict are one row; pure
//! - `known`: what is known of each place from which a component is looked at; `places`: all that is known
//! - `store`: the rows; `carried`: how changes of them get to the disk
//! - `posted`: what probers put here; [`beacon`]: what the beacon reports; `checked`: what checks find
//! - `past`: what was seen of a time that is past
//! - [`shown`]: what follows for the page; pure

pub mod beacon;
mod carried;
pub(super) mod checked;
mod known;
pub(super) mod past;
mod places;
pub mod posted;
pub mod shown;
mod span;
mod store;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use shared::{
    id::ComponentId,
    look::Vantage,
    verdict::{UnknownCause, Verdict},
};

use self::{places::Places, shown::Looked, span::MAX_PAUSE};

/// What is known of looks. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Looks(Arc<Mutex<Places>>);

/// What a trusted clock shows, and the host's uptime, which no step changes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) wall: i64,
    pub(super) uptime: i64,
}

impl Now {
    pub(super) fn new(wall: Timestamp, uptime: Duration) -> Self {
        Self { wall: wall.as_millisecond(), uptime: i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX) }
    }
}

impl Looks {
    fn lock(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the component was looked at last from outside; nothing is known while the clock cannot be trusted.
    pub(super) fn at(&self, component: &ComponentId, now: Option<Now>) -> Looked {
        let places = self.lock();
        let outside = places.of(component).filter(|(place, _)| place.vantage == Vantage::Outside);
        outside.map(|(place, known)| known.looked(place, now)).fold(Looked::default(), Looked::or_newer)
    }

    /// The same for each place from which it is looked at, by their names.
    pub(super) fn by_place(&self, component: &ComponentId, now: Option<Now>) -> Vec<Looked> {
        let places = self.lock();
        let outside = places.of(component).filter(|(place, _)| place.vantage == Vantage::Outside);
        let mut looked: Vec<_> = outside.map(|(place, known)| (&place.location, known.looked(place, now))).collect();
        looked.sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
        looked.into_iter().map(|(_, looked)| looked).collect()
    }

    /// Whether somebody looks at the component from outside, and puts that it fails down to the outage of what it depends on.
    pub(super) fn is_excused(&self, component: &ComponentId, now: Now) -> bool {
        let places = self.lock();
        let outside = places.of(component).filter(|(place, _)| place.vantage == Vantage::Outside);
        let excused = Some(Verdict::Unknown(UnknownCause::Dependency));
        let mut newest = outside.filter_map(|(_, known)| known.track.newest());
        newest.any(|span| span.seen == excused && now.wall - span.ended <= MAX_PAUSE)
    }
}

#[cfg(test)]
mod tests;

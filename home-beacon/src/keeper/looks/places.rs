//! What is known of each place from which a component is looked at, and which rows wait to be written.

use std::collections::HashMap;

use shared::{
    id::ComponentId,
    look::{BeaconLook, Location, Vantage},
    verdict::Verdict,
};

use super::{
    Now,
    checked::CHECKS,
    known::{Known, KnownPlaces, Place},
    posted::MAX_AGE,
    span::{Added, Change, MAX_PAUSE, Span},
};
use crate::keeper::KeeperError;

/// From how many places a component may be looked at.
pub(super) const MAX_PLACES: usize = 32;

/// How many rows may wait for the disk; beyond that what was seen earliest is lost.
const MAX_UNSAVED: usize = 2048;

/// A row: a place, and when the span began.
pub(super) type RowKey = (Place, i64);

/// The newest signed look of a prober that a beacon has reported, in milliseconds by the prober's clock; and the one on disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) at: i64,
    pub(super) saved: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Places {
    pub(super) known: KnownPlaces,
    /// What beacons have reported.
    pub(super) marks: HashMap<(ComponentId, Location), Mark>,
    /// Rows that differ from those on the disk.
    pub(super) unsaved: HashMap<RowKey, Unsaved>,
    /// How far apart the looks of checks may be now, in milliseconds, by their component.
    pauses: HashMap<ComponentId, i64>,
}

/// What a row is to be, or that it is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unsaved {
    pub(super) span: Option<Span>,
    /// Whether the disk has none.
    pub(super) is_new: bool,
}

impl Places {
    pub(super) fn of(&self, component: &ComponentId) -> impl Iterator<Item = (&Place, &Known)> {
        self.known.of(component)
    }

    /// How far apart the looks of checks at a component may be now, in milliseconds, for the time between them to count as looked at.
    pub(super) fn pause(&self, component: &ComponentId) -> i64 {
        self.pauses.get(component).copied().unwrap_or(MAX_PAUSE)
    }

    /// # Errors
    /// When the component is looked at from too many places for another one.
    pub(super) fn check_room(&self, place: &Place) -> Result<(), KeeperError> {
        if self.known.get(place).is_some() || self.of(&place.component).count() < MAX_PLACES {
            return Ok(());
        }
        Err(KeeperError::Invalid(format!(
            "location: component {} is looked at from {MAX_PLACES} places already, and {} is another one",
            place.component, place.location
        )))
    }

    /// A prober's own word about the run at that time; `None` where this version does not know it. Whether a verdict began that is
    /// another one than before.
    pub(super) fn add_posted(&mut self, place: &Place, at: i64, verdict: Option<Verdict>, now: Now) -> bool {
        if place.vantage == Vantage::Inside {
            let outside = Place { vantage: Vantage::Outside, ..place.clone() };
            self.forget_pending(&outside, at);
        }
        self.make_room(place, at, now);
        self.add(place, Span::at(at, verdict), now)
    }

    /// A signed request that reached the beacon, and what the run before it had concluded. One that was reported before adds
    /// nothing, whatever the clock shows by now.
    pub(super) fn add_signed(&mut self, component: &ComponentId, look: &BeaconLook, now: Now) -> bool {
        let place = self.signed_place(component, &look.location);
        let (signed, mark) = (look.at.saturating_mul(1000), self.mark(&place));
        let oldest = now.wall.saturating_sub(MAX_AGE);
        // A prober whose clock was years ahead once must not lock out the ones after it.
        let is_stray =
            mark > Some(now.wall + MAX_PAUSE) && signed.saturating_sub(now.wall).saturating_abs() <= MAX_PAUSE;
        if (mark >= Some(signed) && !is_stray) || signed < oldest || self.check_room(&place).is_err() {
            return false;
        }
        self.raise_mark(&place, signed);
        // By a clock that is ahead of ours, the look is of now, and the run before it as much earlier.
        let at = signed.min(now.wall);
        let since = look.last.and_then(|last| {
            let since = last.since.checked_mul(1000)?.checked_sub(signed - at)?;
            Some(Span { began: since.max(oldest), ..Span::at(at - 1, Some(last.verdict)) })
        });
        self.make_room(&place, at, now);
        let before = since.filter(|before| before.began <= before.ended);
        let has_turned = before.is_some_and(|before| self.add(&place, before, now));
        self.add(&place, Span::at(at, None), now) || has_turned
    }

    /// The newest look of a prober that the beacon has reported, by the prober's clock.
    fn mark(&self, place: &Place) -> Option<i64> {
        let mark = self.marks.get(&(place.component.clone(), place.location.clone())).map(|mark| mark.at);
        mark.max(self.newest(place))
    }

    fn raise_mark(&mut self, place: &Place, at: i64) {
        let mark = self.marks.entry((place.component.clone(), place.location.clone()));
        let mark = mark.or_insert(Mark { at, saved: None });
        mark.at = mark.at.max(at);
    }

    fn newest(&self, place: &Place) -> Option<i64> {
        let newest = |vantage| {
            let known = self.known.get(&Place { vantage, ..place.clone() })?;
            known.track.newest().map(|span| span.ended)
        };
        newest(Vantage::Inside).max(newest(Vantage::Outside))
    }

    /// The marks that the rows do not show, and that the disk does not have.
    pub(super) fn unsaved_marks(&self) -> Vec<(ComponentId, Location, i64)> {
        let is_unsaved = |(key, mark): &(&(ComponentId, Location), &Mark)| {
            let place = Place { component: key.0.clone(), location: key.1.clone(), vantage: Vantage::Outside };
            mark.saved != Some(mark.at) && Some(mark.at) > self.newest(&place)
        };
        let unsaved = self.marks.iter().filter(is_unsaved);
        unsaved.map(|((component, location), mark)| (component.clone(), location.clone(), mark.at)).collect()
    }

    /// Where a clock that was ahead has spoken of times to come, a look of now would be nothing new. What is taken back reaches
    /// so far that it does not count as a look of now.
    pub(super) fn make_room(&mut self, place: &Place, at: i64, now: Now) {
        let known = self.known.get_or_new(place);
        let is_live = now.wall - at < MAX_PAUSE;
        if is_live && known.track.newest().is_some_and(|newest| newest.ended > now.wall) {
            let newest = known.track.newest().map_or(i64::MIN, |newest| newest.ended);
            let changes = known.track.cut(now.wall - MAX_PAUSE - 1);
            known.looked = known.track.looked();
            self.raise_mark(place, newest);
            self.note(place, changes);
        }
    }

    /// A place that is inside by what its prober puts here is inside for what it signs, too.
    fn signed_place(&self, component: &ComponentId, location: &Location) -> Place {
        let place = |vantage| Place { component: component.clone(), location: location.clone(), vantage };
        let newest =
            |place: &Place| self.known.get(place).and_then(|known| known.track.newest()).map(|span| span.ended);
        let (inside, outside) = (place(Vantage::Inside), place(Vantage::Outside));
        if newest(&inside).is_some_and(|inside| Some(inside) >= newest(&outside)) { inside } else { outside }
    }

    pub(super) fn add(&mut self, place: &Place, span: Span, now: Now) -> bool {
        let known = self.known.get_or_new(place);
        let Added { is_news, has_turned, changes } = known.track.add(span);
        // What the run before concluded is no newer look.
        if is_news && span.is_looked() && known.track.looked() >= Some(span.ended) {
            known.receive(span.ended, now);
        }
        self.note(place, changes);
        has_turned
    }

    /// Has looks of checks be so far apart from now on. What was seen before keeps its own pace, but where the new one is faster it does
    /// not hold for longer than until the next look is due.
    pub(super) fn set_pauses(&mut self, pauses: HashMap<ComponentId, i64>, now: Option<Now>) {
        self.pauses = pauses;
        let Some(now) = now else { return };
        let mut hurried = Vec::new();
        for (place, known) in self.known.iter_mut().filter(|(place, _)| place.location.as_str() == CHECKS) {
            let Some(pause) = self.pauses.get(&place.component) else { continue };
            let changes = known.track.hurry(*pause, now.wall);
            if !changes.is_empty() {
                hurried.push((place.clone(), changes));
            }
        }
        for (place, changes) in hurried {
            self.note(&place, changes);
        }
    }

    /// See [`Known::settle`].
    pub(super) fn settle(&mut self, now: Now) {
        let mut settled = Vec::new();
        for (place, known) in self.known.iter_mut() {
            let newest = known.track.newest().map_or(i64::MIN, |newest| newest.ended);
            let changes = known.settle(now);
            if !changes.is_empty() {
                settled.push((place.clone(), newest, changes));
            }
        }
        for (place, newest, changes) in settled {
            self.raise_mark(&place, newest);
            self.note(&place, changes);
        }
    }

    fn forget_pending(&mut self, place: &Place, at: i64) {
        let Some(known) = self.known.get_mut(place) else { return };
        let changes = known.track.forget_pending(at);
        if !changes.is_empty() {
            known.looked = known.track.looked();
            known.receipt = None;
            self.note(place, changes);
        }
    }

    fn note(&mut self, place: &Place, changes: Vec<Change>) {
        for Change { began, span, is_new } in changes {
            let key = (place.clone(), began);
            // One that waits is as new as it was.
            let is_new = self.unsaved.get(&key).map_or(is_new, |waiting| waiting.is_new);
            if span.is_none() && is_new {
                self.unsaved.remove(&key);
            } else {
                self.unsaved.insert(key, Unsaved { span, is_new });
            }
        }
        while self.unsaved.len() > MAX_UNSAVED {
            let earliest = self.unsaved.keys().min_by_key(|(_, began)| *began).cloned();
            if let Some(earliest) = earliest {
                self.unsaved.remove(&earliest);
            }
        }
    }
}

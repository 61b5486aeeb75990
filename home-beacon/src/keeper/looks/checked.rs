//! Looks of checks: a run of one is a look at its component, without a verdict: what it came to is the component's status. One that
//! could not be checked ends what the one before it said.

use std::collections::HashMap;

use checks::outcome::State;
use shared::{
    id::ComponentId,
    look::{Location, Vantage},
    verdict::{UnknownCause, Verdict},
};

use super::{Looks, Now, known::Place, span::Span};
use crate::keeper::checks::results::Ran;

/// From where checks look, whatever program runs them.
pub(in crate::keeper) const CHECKS: &str = "checks";

impl Looks {
    /// Takes the runs of checks; they are written with the next transaction. `now` is the time by a clock that can be trusted.
    pub(in crate::keeper) fn take_checks(&self, ran: &[Ran], now: Now) {
        let Ok(location) = CHECKS.parse::<Location>() else { return };
        let mut places = self.lock();
        for Ran { component, at, state, .. } in ran {
            let Some(component) = component else { continue };
            let place = Place { component: component.clone(), location: location.clone(), vantage: Vantage::Outside };
            let seen = (*state == State::Unknown).then_some(Verdict::Unknown(UnknownCause::Blind));
            let at = at.as_millisecond();
            if places.check_room(&place).is_ok() {
                places.make_room(&place, at, now);
                let pause = places.pause(&place.component);
                places.add(&place, Span { pause, ..Span::at(at, seen) }, now);
            }
        }
    }

    /// How far apart looks of checks at these components may be from `now` on, in milliseconds; at all others a prober's looks are
    /// expected.
    pub(in crate::keeper) fn set_pauses(&self, pauses: HashMap<ComponentId, i64>, now: Option<Now>) {
        self.lock().set_pauses(pauses, now);
    }
}

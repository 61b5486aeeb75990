//! Two probers at different locations: a home that one of them sees is not down because the way from the other one is.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::id::ComponentId;

use super::verdict::{UnknownCause, Verdict};

/// For how long what the other location saw says how it is now: a run a minute, and one that was missed.
const FRESH: Duration = Duration::from_secs(150);

/// What a prober at one location saw in its last run, as the other one reads it. 200 homes fit into the 4 KB of a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When the run began.
    pub at: Timestamp,
    /// The homes that answered.
    pub up: Vec<ComponentId>,
}

impl Sighting {
    /// What a run that began then saw of each home.
    pub fn of<'a>(at: Timestamp, seen: impl IntoIterator<Item = (&'a ComponentId, Verdict)>) -> Self {
        let up = seen.into_iter().filter(|(_, verdict)| verdict.answers()).map(|(component, _)| component.clone());
        Self { at, up: up.collect() }
    }

    /// Whether it says that the home was up about then.
    fn has_seen(&self, component: &ComponentId, at: Timestamp) -> bool {
        at.duration_since(self.at).unsigned_abs() <= FRESH && self.up.contains(component)
    }
}

/// The verdict on a home, with regard to what the other location saw: it is down where both that can tell say so. One that has
/// not looked for minutes, or could not tell, has no say.
pub fn with_other_location(verdict: Verdict, home: &ComponentId, other: Option<&Sighting>, at: Timestamp) -> Verdict {
    match verdict {
        Verdict::Down(_) if other.is_some_and(|other| other.has_seen(home, at)) => {
            Verdict::Unknown(UnknownCause::OtherLocation)
        }
        verdict => verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::verdict::{DegradedCause, DownCause};

    const DOWN: Verdict = Verdict::Down(DownCause::Unreachable);
    const SEEN: Verdict = Verdict::Unknown(UnknownCause::OtherLocation);

    fn id(last: u8) -> ComponentId {
        format!("8kbf7d35c07{last}").parse().unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_home_that_the_other_location_sees_is_not_down() {
        let slow = Verdict::Degraded(DegradedCause::Slow);
        let blind = Verdict::Unknown(UnknownCause::Blind);
        let homes = [id(0), id(1), id(2), id(3)];
        let other = Sighting::of(at(0), homes.iter().zip([Verdict::Up, slow, DOWN, blind]));
        let concluded = homes.each_ref().map(|home| with_other_location(DOWN, home, Some(&other), at(60)));
        assert_eq!(concluded, [SEEN, SEEN, DOWN, DOWN], "who is blind there has no say");
        assert_eq!(with_other_location(DOWN, &id(4), Some(&other), at(60)), DOWN, "it does not look at that one");
        for verdict in [Verdict::Up, slow, blind] {
            assert_eq!(with_other_location(verdict, &id(0), Some(&other), at(60)), verdict);
        }
    }

    #[test]
    fn one_that_has_not_looked_for_minutes_has_no_say() {
        let other = Sighting::of(at(0), [(&id(0), Verdict::Up)]);
        for (second, concluded) in [(-30, SEEN), (150, SEEN), (151, DOWN), (-151, DOWN), (3600, DOWN)] {
            assert_eq!(with_other_location(DOWN, &id(0), Some(&other), at(second)), concluded, "{second}");
        }
        assert_eq!(with_other_location(DOWN, &id(0), None, at(0)), DOWN);
    }

    #[test]
    fn two_hundred_homes_fit_into_a_parameter() {
        let homes: Vec<ComponentId> = (0..200).map(|n| format!("8kbf7d35c{n:03}").parse().unwrap()).collect();
        let all = Sighting::of(at(0), homes.iter().map(|home| (home, Verdict::Up)));
        let written = serde_json::to_string(&all).unwrap();
        assert!(written.len() <= 4096, "{} bytes", written.len());
        assert_eq!(serde_json::from_str::<Sighting>(&written).unwrap(), all);
    }
}

//! What follows from looks for the page and `/api/v2`. Pure.

use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::{look::Location, statuspage::ComponentStatus, verdict::Verdict};

use crate::keeper::{db::Moment, status::Sight};

/// When a component was looked at last from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    ever: bool,
    newest: Option<Newest>,
}

/// The newest look.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Newest {
    /// In milliseconds since 1970, and how long ago that is.
    at: i64,
    age: i64,
    location: Location,
    /// What it saw; where that is not known yet, what the one before it saw.
    seen: Option<Verdict>,
    /// For how long a look holds, in milliseconds.
    pause: i64,
    /// Whether somebody has tried since, who could not tell.
    is_tried: bool,
}

impl Looked {
    /// `newest` is the time now, and how old the newest look is, in milliseconds; `pause` is for how long it holds.
    pub(in crate::keeper) fn new(
        ever: bool,
        newest: Option<(i64, i64)>,
        location: Location,
        seen: Option<Verdict>,
        pause: i64,
    ) -> Self {
        let newest = newest.map(|(now, age)| Newest { at: now - age, age, location, seen, pause, is_tried: false });
        Self { ever, newest }
    }

    /// The same, where somebody has tried since, who could not tell.
    pub(super) fn tried_since(mut self, is_tried: bool) -> Self {
        self.newest.iter_mut().for_each(|newest| newest.is_tried = is_tried);
        self
    }

    /// Whether somebody has tried since the newest look, who could not tell.
    pub fn is_tried_since(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.is_tried)
    }

    /// Of two places, the one that looked last; what the other saw lately, as long as it is not known what this one did.
    pub(super) fn or_newer(self, other: Self) -> Self {
        let ever = self.ever || other.ever;
        let (newest, older) = match (self.newest, other.newest) {
            (Some(one), Some(other)) if one.age <= other.age => (Some(one), Some(other)),
            (one, Some(other)) => (Some(other), one),
            (one, None) => (one, None),
        };
        let lately = older.filter(|older| older.age <= older.pause).and_then(|older| older.seen);
        Self { ever, newest: newest.map(|newest| Newest { seen: newest.seen.or(lately), ..newest }) }
    }

    /// When that was.
    pub fn at(&self) -> Option<Moment> {
        self.newest.as_ref().and_then(|newest| Moment::try_from(newest.at).ok())
    }

    /// How long ago that is.
    pub fn age(&self) -> Option<SignedDuration> {
        self.newest.as_ref().map(|newest| SignedDuration::from_millis(newest.age))
    }

    /// Where the prober is.
    pub fn location(&self) -> Option<&Location> {
        self.newest.as_ref().map(|newest| &newest.location)
    }

    /// Whether that is recent enough for what is said of the component to hold now.
    pub fn is_recent(&self) -> bool {
        self.newest.as_ref().is_some_and(|newest| newest.age <= newest.pause)
    }

    /// What is wrong by the newest look, in a sentence.
    pub fn trouble(&self) -> Option<&'static str> {
        let seen = self.newest.as_ref().filter(|_| self.is_recent())?.seen?;
        matches!(seen, Verdict::Degraded(_) | Verdict::Down(_)).then(|| seen.sentence())
    }

    /// What to show of a component with that status: who has just seen it down does not read that it works, while the page has
    /// not been changed yet, or cannot be.
    pub fn corrected(&self, status: Option<ComponentStatus>) -> Option<ComponentStatus> {
        let seen = self.newest.as_ref().filter(|_| self.is_recent()).and_then(|newest| newest.seen);
        match (status, seen) {
            (Some(ComponentStatus::Operational), Some(Verdict::Down(_))) => Some(ComponentStatus::MajorOutage),
            _ => status,
        }
    }

    /// What to call a component that nobody works on any more: one that was down when it was seen last, however long ago that is,
    /// is not called up.
    pub fn after_maintenance(&self) -> ComponentStatus {
        match self.newest.as_ref().and_then(|newest| newest.seen) {
            Some(Verdict::Down(_)) => ComponentStatus::MajorOutage,
            Some(Verdict::Up | Verdict::Degraded(_) | Verdict::Unknown(_)) | None => ComponentStatus::Operational,
        }
    }

    /// Whether the component's status is somebody's word of now, where somebody is expected to look.
    pub fn sight(&self, is_expected: bool) -> Sight {
        match (is_expected, self.is_recent(), self.ever) {
            (false, ..) => Sight::NotExpected,
            (true, true, _) => Sight::Current,
            (true, false, true) => Sight::NotSince(self.at()),
            (true, false, false) => Sight::Never,
        }
    }

    /// As `/api/v2` reports it beside a component's status.
    pub(in crate::keeper) fn public(&self) -> Value {
        json!({ "looked_at": self.at(), "looked_at_age_seconds": self.age().map(|age| age.as_secs()) })
    }
}

#[cfg(test)]
mod tests {
    use shared::verdict::{DownCause, UnknownCause};

    use super::{super::span::MAX_PAUSE, *};

    const NOW: i64 = 1_764_331_200_000;

    fn looked(age: i64, seen: Option<Verdict>) -> Looked {
        Looked::new(true, Some((NOW, age)), "eu-central-1".parse().unwrap(), seen, MAX_PAUSE)
    }

    #[test]
    fn a_look_holds_for_five_minutes() {
        assert_eq!(looked(300_000, None).sight(true), Sight::Current);
        let since = Some(Moment::try_from(NOW - 300_001).unwrap());
        assert_eq!(looked(300_001, None).sight(true), Sight::NotSince(since));
        assert_eq!(Looked::default().sight(true), Sight::Never);
        assert_eq!(Looked { ever: true, newest: None }.sight(true), Sight::NotSince(None));
        assert_eq!(Looked::default().sight(false), Sight::NotExpected, "nobody is expected to look");
    }

    #[test]
    fn a_home_that_was_just_seen_down_is_not_shown_as_working() {
        let (works, down) = (Some(ComponentStatus::Operational), Some(Verdict::Down(DownCause::Refused)));
        assert_eq!(looked(1000, down).corrected(works), Some(ComponentStatus::MajorOutage));
        let maintenance = Some(ComponentStatus::UnderMaintenance);
        assert_eq!(looked(1000, down).corrected(maintenance), maintenance, "a person's word stays");
        assert_eq!(looked(300_001, down).corrected(works), works, "and that is shown grey");
        assert_eq!(looked(1000, Some(Verdict::Up)).corrected(works), works);
    }

    #[test]
    fn of_two_places_the_one_counts_that_looked_last() {
        let newer = looked(1000, Some(Verdict::Up));
        assert_eq!(looked(9000, None).or_newer(newer.clone()), newer);
        assert_eq!(newer.clone().or_newer(looked(9000, None)), newer);
        assert_eq!(Looked::default().or_newer(newer.clone()), newer);
        let down = Some(Verdict::Down(DownCause::Refused));
        let waits = looked(1000, None).or_newer(looked(9000, down));
        assert_eq!(waits, looked(1000, down), "it is not known yet what the newer one saw");
        assert_eq!(looked(300_001, down).or_newer(looked(1000, None)), looked(1000, None));
    }

    #[test]
    fn only_what_is_wrong_now_is_reported_in_a_sentence() {
        let down = Some(Verdict::Down(DownCause::Refused));
        assert_eq!(looked(0, down).trouble(), Some(Verdict::Down(DownCause::Refused).sentence()));
        for other in [looked(300_001, down), looked(0, None), looked(0, Some(Verdict::Up))] {
            assert_eq!(other.trouble(), None);
        }
        assert_eq!(looked(0, Some(Verdict::Unknown(UnknownCause::Blind))).trouble(), None);
    }

    #[test]
    fn the_public_api_reports_time_and_age_or_nothing() {
        let reported = json!({"looked_at": "2025-11-28T11:59:18.500Z", "looked_at_age_seconds": 41});
        assert_eq!(looked(41_500, None).public(), reported);
        assert_eq!(Looked::default().public(), json!({"looked_at": null, "looked_at_age_seconds": null}));
    }
}

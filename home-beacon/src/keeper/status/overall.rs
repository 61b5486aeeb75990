//! What a page as a whole says: the worst of its components, in the words of statuspage.io. What nobody has looked at lately
//! claims nothing.

use jiff::{Timestamp, tz::TimeZone};
use shared::statuspage::{ComponentStatus, Impact};

use crate::keeper::db::Moment;

/// How people read a time.
const TIME: &str = "%-d %b %Y, %H:%M:%S %Z";

/// Whether a component's status is somebody's word of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Nobody is expected to look: it is set by hand, or by this home.
    NotExpected,
    /// Somebody has looked lately.
    Current,
    /// Nobody has looked since, as far as that is known.
    NotSince(Option<Moment>),
    /// Nobody has ever looked.
    Never,
}

/// `status` in `/api/v2`. The API has no indicator for knowing nothing, so that is said in the description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Overall {
    pub(in crate::keeper) indicator: Impact,
    words: Words,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Words {
    Known(&'static str),
    NoStatus,
    /// Of some components, though not of all.
    PartlyNotLookedAt,
    NotSince(Option<Moment>),
    Never,
}

impl Sight {
    /// Whether what is said of the component holds now.
    pub(in crate::keeper) fn is_current(self) -> bool {
        matches!(self, Self::NotExpected | Self::Current)
    }

    /// In words; `None` where there is nothing to say.
    pub(in crate::keeper) fn words(self, zone: &TimeZone) -> Option<String> {
        match self {
            Self::NotExpected | Self::Current => None,
            Self::NotSince(Some(since)) => Some(format!("Not looked at since {}", in_words(since.timestamp(), zone))),
            Self::NotSince(None) => Some("Not looked at lately".into()),
            Self::Never => Some("Nobody has looked yet".into()),
        }
    }
}

impl Overall {
    /// Whether anything is known, so that it has a colour.
    pub(in crate::keeper) fn is_known(self) -> bool {
        matches!(self.words, Words::Known(_))
    }

    /// In words, with times in that zone.
    pub(in crate::keeper) fn description(self, zone: &TimeZone) -> String {
        let sight = match self.words {
            Words::Known(words) => return words.into(),
            Words::NoStatus => return "No Status Known".into(),
            Words::PartlyNotLookedAt => return "Not Everything Is Looked At".into(),
            Words::NotSince(since) => Sight::NotSince(since),
            Words::Never => Sight::Never,
        };
        sight.words(zone).unwrap_or_default()
    }
}

/// A time as people read it.
pub(in crate::keeper) fn in_words(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone()).strftime(TIME).to_string()
}

/// Of all components: the status of each, and whether it is a word of now.
pub(in crate::keeper) fn overall(components: &[(Option<ComponentStatus>, Sight)]) -> Overall {
    let current = components.iter().filter(|(_, sight)| sight.is_current());
    let worst = current.filter_map(|(status, _)| *status).max();
    let unseen: Vec<Sight> = components.iter().map(|(_, sight)| *sight).filter(|it| !it.is_current()).collect();
    let (indicator, words) = match worst {
        Some(ComponentStatus::UnderMaintenance) => (Impact::Maintenance, Words::Known("Service Under Maintenance")),
        Some(ComponentStatus::DegradedPerformance) => (Impact::Minor, Words::Known("Partially Degraded Service")),
        Some(ComponentStatus::PartialOutage) => (Impact::Major, Words::Known("Partial System Outage")),
        Some(ComponentStatus::MajorOutage) => (Impact::Critical, Words::Known("Major System Outage")),
        Some(ComponentStatus::Operational) if unseen.is_empty() => {
            (Impact::None, Words::Known("All Systems Operational"))
        }
        None if unseen.is_empty() => (Impact::None, Words::NoStatus),
        Some(ComponentStatus::Operational) | None => (Impact::None, not_looked_at(components, &unseen)),
    };
    Overall { indicator, words }
}

fn not_looked_at(components: &[(Option<ComponentStatus>, Sight)], unseen: &[Sight]) -> Words {
    if components.iter().any(|(_, sight)| *sight == Sight::Current) {
        return Words::PartlyNotLookedAt;
    }
    if unseen.iter().all(|sight| *sight == Sight::Never) {
        return Words::Never;
    }
    // Since then nobody has looked at any of them.
    let since = |sight: &Sight| if let Sight::NotSince(since) = sight { *since } else { None };
    Words::NotSince(unseen.iter().filter_map(since).max())
}

#[cfg(test)]
mod tests {
    use ComponentStatus::{MajorOutage, Operational, UnderMaintenance};

    use super::*;

    fn at(minute: i64) -> Moment {
        Moment::try_from(1_764_331_200_000 + minute * 60_000).unwrap()
    }

    fn says(components: &[(Option<ComponentStatus>, Sight)]) -> (&'static str, String) {
        let overall = overall(components);
        (overall.indicator.as_str(), overall.description(&TimeZone::UTC))
    }

    #[test]
    fn a_page_claims_up_only_where_everything_is_looked_at() {
        let (up, down) = (Some(Operational), Some(MajorOutage));
        let (seen, never) = (Sight::Current, Sight::Never);
        let since = |minute| Sight::NotSince(Some(at(minute)));
        for (components, indicator, description) in [
            (vec![(up, seen), (up, seen)], "none", "All Systems Operational"),
            (vec![(up, seen), (up, never)], "none", "Not Everything Is Looked At"),
            (vec![(up, seen), (up, since(3))], "none", "Not Everything Is Looked At"),
            (vec![(up, Sight::NotExpected), (up, never)], "none", "Nobody has looked yet"),
            (vec![(up, Sight::NotExpected)], "none", "All Systems Operational"),
            (vec![(up, never), (down, never)], "none", "Nobody has looked yet"),
            (vec![(up, since(3))], "none", "Not looked at since 28 Nov 2025, 12:03:00 UTC"),
            (vec![(down, since(3))], "none", "Not looked at since 28 Nov 2025, 12:03:00 UTC"),
            (
                vec![(up, since(1)), (up, since(3)), (up, never)],
                "none",
                "Not looked at since 28 Nov 2025, 12:03:00 UTC",
            ),
            (vec![(up, Sight::NotSince(None))], "none", "Not looked at lately"),
            (vec![(up, never), (down, seen)], "critical", "Major System Outage"),
            (vec![(Some(UnderMaintenance), seen), (up, never)], "maintenance", "Service Under Maintenance"),
            (vec![(None, seen)], "none", "No Status Known"),
            (vec![(None, never)], "none", "Nobody has looked yet"),
            (vec![], "none", "No Status Known"),
        ] {
            assert_eq!(says(&components), (indicator, description.to_owned()), "{components:?}");
        }
    }

    #[test]
    fn only_what_is_known_has_a_colour() {
        assert!(overall(&[(Some(MajorOutage), Sight::Current)]).is_known());
        for sight in [Sight::Never, Sight::NotSince(None)] {
            assert!(!overall(&[(Some(Operational), sight)]).is_known());
        }
    }
}

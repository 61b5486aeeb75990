//! The API's closed sets of values: component status, incident status, impact. Their wire form, order and rank are here alone.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a page can say of a component, the mildest first. The API's sixth value, the empty one, is an absent status here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    /// It works.
    Operational,
    /// A person works on it.
    UnderMaintenance,
    /// It works, but slowly or in part.
    DegradedPerformance,
    /// Some of it does not work.
    PartialOutage,
    /// It does not work.
    MajorOutage,
}

/// Where an incident stands: a realtime one (the first four) or maintenance (the next four), each in the order of its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// It is known that something is wrong.
    Investigating,
    /// It is known what.
    Identified,
    /// It is over, as far as is known.
    Monitoring,
    /// It is over.
    Resolved,
    /// Maintenance is planned.
    Scheduled,
    /// Maintenance is under way.
    InProgress,
    /// Maintenance is done, and its result is being checked.
    Verifying,
    /// Maintenance is over.
    Completed,
    /// A postmortem, or a value that this version does not know.
    #[serde(other)]
    Other,
}

/// How bad an incident is, the mildest first; also the indicator of a page as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nothing is affected.
    None,
    /// It is planned.
    Maintenance,
    /// A component is slower, or works in part.
    Minor,
    /// Some of a component does not work.
    Major,
    /// A component does not work.
    Critical,
}

/// A text that is no component status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a status is one of operational, under_maintenance, degraded_performance, partial_outage, major_outage")]
pub struct UnknownStatus;

/// A text that is no incident status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an incident's status is one of investigating, identified, monitoring, resolved, scheduled, in_progress, verifying, completed"
)]
pub struct UnknownIncidentStatus;

/// A text that is no impact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an impact is one of none, maintenance, minor, major, critical")]
pub struct UnknownImpact;

impl ComponentStatus {
    /// All of them, in the order in which the API lists them, which is that of their severity.
    pub const ALL: [Self; 5] =
        [Self::Operational, Self::UnderMaintenance, Self::DegradedPerformance, Self::PartialOutage, Self::MajorOutage];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::UnderMaintenance => "under_maintenance",
            Self::DegradedPerformance => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
        }
    }

    /// The impact of an incident in which a component takes this status. Maintenance has none of its own: it is the incident
    /// that is planned or not.
    pub const fn impact(self) -> Impact {
        match self {
            Self::Operational | Self::UnderMaintenance => Impact::None,
            Self::DegradedPerformance => Impact::Minor,
            Self::PartialOutage => Impact::Major,
            Self::MajorOutage => Impact::Critical,
        }
    }
}

impl IncidentStatus {
    /// All that the API takes, realtime ones first.
    pub const ALL: [Self; 8] = [
        Self::Investigating,
        Self::Identified,
        Self::Monitoring,
        Self::Resolved,
        Self::Scheduled,
        Self::InProgress,
        Self::Verifying,
        Self::Completed,
    ];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Verifying => "verifying",
            Self::Completed => "completed",
            Self::Other => "other",
        }
    }

    /// Whether a realtime incident goes on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Investigating | Self::Identified | Self::Monitoring)
    }

    /// Whether it is maintenance, over or not.
    pub const fn is_maintenance(self) -> bool {
        matches!(self, Self::Scheduled | Self::InProgress | Self::Verifying | Self::Completed)
    }

    /// Whether it is over, of whichever kind.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Resolved | Self::Completed)
    }
}

impl Impact {
    /// All of them, the mildest first.
    pub const ALL: [Self; 5] = [Self::None, Self::Maintenance, Self::Minor, Self::Major, Self::Critical];

    /// As the API writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Maintenance => "maintenance",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for ComponentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for IncidentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ComponentStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

impl FromStr for IncidentStatus {
    type Err = UnknownIncidentStatus;

    fn from_str(text: &str) -> Result<Self, UnknownIncidentStatus> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UnknownIncidentStatus)
    }
}

impl FromStr for Impact {
    type Err = UnknownImpact;

    fn from_str(text: &str) -> Result<Self, UnknownImpact> {
        Self::ALL.into_iter().find(|impact| impact.as_str() == text).ok_or(UnknownImpact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wire form by serde and by `as_str` are one.
    #[test]
    fn each_value_is_written_and_read_in_one_way() {
        for status in ComponentStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for status in IncidentStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
            assert_eq!(serde_json::from_value::<IncidentStatus>(status.as_str().into()).unwrap(), status);
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for impact in Impact::ALL {
            assert_eq!(serde_json::to_value(impact).unwrap(), impact.as_str());
            assert_eq!(impact.as_str().parse(), Ok(impact));
        }
        assert_eq!("postmortem".parse::<IncidentStatus>(), Err(UnknownIncidentStatus));
        assert!(ComponentStatus::ALL.is_sorted() && Impact::ALL.is_sorted());
    }

    #[test]
    fn every_incident_is_realtime_or_maintenance_and_one_of_each_kind_is_its_end() {
        for status in IncidentStatus::ALL {
            let realtime = status.is_open() || status == IncidentStatus::Resolved;
            assert_ne!(realtime, status.is_maintenance(), "{status}");
            assert!(!(status.is_open() && status.is_over()), "{status}");
        }
        assert_eq!(IncidentStatus::ALL.into_iter().filter(|status| status.is_over()).count(), 2);
    }
}

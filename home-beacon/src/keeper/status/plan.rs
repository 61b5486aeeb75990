//! What a maintenance does by itself, and when. Pure.

use serde::Serialize;
use shared::statuspage::IncidentStatus;

use super::IncidentTimes;
use crate::keeper::{
    KeeperError,
    db::{FromRow, Moment, Row, StorageError},
};

/// What a maintenance does by itself, under the API's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
pub struct Plan {
    /// Whether it begins by itself, at `scheduled_for`.
    #[serde(rename = "scheduled_auto_in_progress")]
    pub begins: bool,
    /// Whether it ends by itself, at `scheduled_until`, if it is under way then.
    #[serde(rename = "scheduled_auto_completed")]
    pub ends: bool,
    /// Whether its components are under maintenance from when it begins by itself.
    #[serde(rename = "auto_transition_to_maintenance_state")]
    pub to_maintenance: bool,
    /// Whether its components are operational from when it ends by itself.
    #[serde(rename = "auto_transition_to_operational_state")]
    pub to_operational: bool,
    /// Whether subscribers are notified when it begins by itself.
    #[serde(rename = "auto_transition_deliver_notifications_at_start")]
    pub notify_at_start: bool,
    /// Whether subscribers are notified when it ends by itself.
    #[serde(rename = "auto_transition_deliver_notifications_at_end")]
    pub notify_at_end: bool,
    /// Whether subscribers are to be reminded before it.
    #[serde(rename = "scheduled_remind_prior")]
    pub remind_prior: bool,
    /// When they were. Nobody is yet.
    #[serde(rename = "scheduled_reminded_at")]
    pub reminded_at: Option<Moment>,
}

/// What to change of a plan; absent fields stay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PlanPatch {
    /// As in [`Plan`].
    pub begins: Option<bool>,
    /// As in [`Plan`].
    pub ends: Option<bool>,
    /// As in [`Plan`].
    pub to_maintenance: Option<bool>,
    /// As in [`Plan`].
    pub to_operational: Option<bool>,
    /// As in [`Plan`].
    pub notify_at_start: Option<bool>,
    /// As in [`Plan`].
    pub notify_at_end: Option<bool>,
    /// As in [`Plan`].
    pub remind_prior: Option<bool>,
}

/// What a maintenance does by itself next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    End,
}

impl Step {
    /// The status that it comes to.
    pub(super) const fn status(self) -> IncidentStatus {
        match self {
            Self::Begin => IncidentStatus::InProgress,
            Self::End => IncidentStatus::Completed,
        }
    }

    /// What visitors read.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Begin => "The scheduled maintenance is under way.",
            Self::End => "The scheduled maintenance is completed.",
        }
    }
}

impl PlanPatch {
    /// Changes the plan; whether anything was asked for.
    pub(super) fn apply(self, plan: &mut Plan) -> bool {
        for (wanted, field) in [
            (self.begins, &mut plan.begins),
            (self.ends, &mut plan.ends),
            (self.to_maintenance, &mut plan.to_maintenance),
            (self.to_operational, &mut plan.to_operational),
            (self.notify_at_start, &mut plan.notify_at_start),
            (self.notify_at_end, &mut plan.notify_at_end),
            (self.remind_prior, &mut plan.remind_prior),
        ] {
            *field = wanted.unwrap_or(*field);
        }
        self != Self::default()
    }
}

impl Plan {
    /// # Errors
    /// When it needs a time that the incident does not have.
    pub(super) fn check(&self, times: &IncidentTimes) -> Result<(), KeeperError> {
        let wanted = [
            (self.begins, "scheduled_auto_in_progress"),
            (self.ends, "scheduled_auto_completed"),
            (self.to_maintenance, "auto_transition_to_maintenance_state"),
            (self.to_operational, "auto_transition_to_operational_state"),
            (self.notify_at_start, "auto_transition_deliver_notifications_at_start"),
            (self.notify_at_end, "auto_transition_deliver_notifications_at_end"),
            (self.remind_prior, "scheduled_remind_prior"),
        ];
        if let Some((_, name)) = wanted.iter().find(|(wanted, _)| *wanted && times.scheduled_for.is_none()) {
            return Err(KeeperError::Invalid(format!("{name}: is of a maintenance: send scheduled_for, too")));
        }
        if self.ends && times.scheduled_until.is_none() {
            let what = "scheduled_auto_completed: it is not known when it ends by itself: send scheduled_until, too";
            return Err(KeeperError::Invalid(what.into()));
        }
        Ok(())
    }

    /// What it does next, and when that is due.
    pub(super) fn next(&self, status: IncidentStatus, times: &IncidentTimes) -> Option<(Step, Moment)> {
        match status {
            IncidentStatus::Scheduled if self.begins => times.scheduled_for.map(|at| (Step::Begin, at)),
            IncidentStatus::InProgress | IncidentStatus::Verifying if self.ends => {
                times.scheduled_until.map(|at| (Step::End, at))
            }
            _ => None,
        }
    }
}

impl FromRow for Plan {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let flag = |name| {
            let flag: Option<bool> = row.get_or_default(name)?;
            Ok::<_, StorageError>(flag.unwrap_or_default())
        };
        Ok(Self {
            begins: flag("auto_in_progress")?,
            ends: flag("auto_completed")?,
            to_maintenance: flag("to_maintenance")?,
            to_operational: flag("to_operational")?,
            notify_at_start: flag("notify_at_start")?,
            notify_at_end: flag("notify_at_end")?,
            remind_prior: flag("remind_prior")?,
            reminded_at: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Moment {
        Moment::try_from(1_795_867_200_000 + minute * 60_000).unwrap()
    }

    fn times(begin: Option<i64>, end: Option<i64>) -> IncidentTimes {
        IncidentTimes {
            scheduled_for: begin.map(at),
            scheduled_until: end.map(at),
            started_at: at(0),
            monitoring_at: None,
            resolved_at: None,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    #[test]
    fn a_maintenance_begins_from_planned_alone_and_ends_from_under_way() {
        use IncidentStatus::{Completed, InProgress, Scheduled, Verifying};
        let both = Plan { begins: true, ends: true, ..Plan::default() };
        let times = times(Some(10), Some(20));
        for (status, expected) in [
            (Scheduled, Some((Step::Begin, at(10)))),
            (InProgress, Some((Step::End, at(20)))),
            (Verifying, Some((Step::End, at(20)))),
            (Completed, None),
        ] {
            assert_eq!(both.next(status, &times), expected, "{status}");
            assert_eq!(Plan::default().next(status, &times), None, "{status}");
        }
        assert_eq!(Plan { ends: true, ..Plan::default() }.next(Scheduled, &times), None, "it has not begun");
    }

    #[test]
    fn a_plan_needs_its_times() {
        let ends = Plan { ends: true, ..Plan::default() };
        let wrong = |plan: Plan, times| plan.check(&times).unwrap_err().to_string();
        assert!(wrong(ends, times(None, None)).contains("scheduled_auto_completed: is of a maintenance"));
        assert!(wrong(ends, times(Some(1), None)).contains("send scheduled_until, too"));
        let reminds = Plan { remind_prior: true, ..Plan::default() };
        assert!(wrong(reminds, times(None, None)).contains("scheduled_remind_prior: is of a maintenance"));
        assert!(ends.check(&times(Some(1), Some(2))).is_ok());
        assert!(Plan::default().check(&times(None, None)).is_ok());
    }

    #[test]
    fn only_what_is_said_is_changed() {
        let mut plan = Plan { begins: true, ends: true, ..Plan::default() };
        assert!(!PlanPatch::default().apply(&mut plan));
        assert!(PlanPatch { ends: Some(false), to_operational: Some(true), ..PlanPatch::default() }.apply(&mut plan));
        assert_eq!(plan, Plan { begins: true, to_operational: true, ..Plan::default() });
    }
}

//! From a verdict and the page as read to the one change it needs, or the reason for none. Pure.

use shared::statuspage::{Component, ComponentStatus};

use crate::verdict::Verdict;

/// What is to be done about one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Nothing(Reason),
    Change(Change),
}

/// Why nothing is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The page says so already.
    Agrees,
    /// A human put the component under maintenance.
    Held,
    /// The verdict is unknown.
    Unknown,
}

/// A write, and what it was decided upon: if that has moved when the write is due, the decision is void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seen: Component,
    pub to: ComponentStatus,
}

pub fn plan(verdict: Verdict, seen: &Component) -> Step {
    let Some(to) = verdict.status() else {
        return Step::Nothing(Reason::Unknown);
    };
    match seen.status {
        Some(ComponentStatus::UnderMaintenance) => Step::Nothing(Reason::Held),
        Some(status) if status == to => Step::Nothing(Reason::Agrees),
        _ => Step::Change(Change { seen: seen.clone(), to }),
    }
}

/// What a second read says about a planned change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Still {
    Due,
    /// Somebody else did it meanwhile: another run, or an earlier try of this one whose answer was lost.
    Done,
    /// Somebody changed the component meanwhile: the next run decides anew.
    Moved,
}

impl Change {
    pub fn still(&self, now: &Component) -> Still {
        if now.status == Some(self.to) {
            Still::Done
        } else if now.status == self.seen.status && now.updated_at == self.seen.updated_at {
            Still::Due
        } else {
            Still::Moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{DownCause, UnknownCause};

    fn component(status: Option<ComponentStatus>, updated_at: &str) -> Component {
        let id = "8kbf7d35c070".parse().unwrap();
        Component { id, status, updated_at: updated_at.into() }
    }

    #[test]
    fn the_plan_follows_the_verdict_unless_a_human_or_ignorance_forbids_it() {
        use ComponentStatus::{DegradedPerformance, MajorOutage, Operational, PartialOutage, UnderMaintenance};
        let down = Verdict::Down(DownCause::Refused);
        let unknown = Verdict::Unknown(UnknownCause::NameService);
        for (verdict, status, change) in [
            (Verdict::Up, Some(Operational), Err(Reason::Agrees)),
            (Verdict::Up, Some(MajorOutage), Ok(Operational)),
            (Verdict::Up, Some(PartialOutage), Ok(Operational)),
            (Verdict::Up, Some(DegradedPerformance), Ok(Operational)),
            (Verdict::Up, None, Ok(Operational)),
            (Verdict::Up, Some(UnderMaintenance), Err(Reason::Held)),
            (down, Some(Operational), Ok(MajorOutage)),
            (down, Some(MajorOutage), Err(Reason::Agrees)),
            (down, Some(UnderMaintenance), Err(Reason::Held)),
            (unknown, Some(Operational), Err(Reason::Unknown)),
            (unknown, Some(MajorOutage), Err(Reason::Unknown)),
            (unknown, Some(UnderMaintenance), Err(Reason::Unknown)),
        ] {
            let seen = component(status, "1");
            let expected = match change {
                Ok(to) => Step::Change(Change { seen: seen.clone(), to }),
                Err(reason) => Step::Nothing(reason),
            };
            assert_eq!(plan(verdict, &seen), expected, "{verdict:?} over {status:?}");
        }
    }

    #[test]
    fn a_change_is_void_once_the_component_moved() {
        use ComponentStatus::{MajorOutage, Operational, UnderMaintenance};
        let change = Change { seen: component(Some(Operational), "1"), to: MajorOutage };
        assert_eq!(change.still(&component(Some(Operational), "1")), Still::Due);
        assert_eq!(change.still(&component(Some(Operational), "2")), Still::Moved);
        assert_eq!(change.still(&component(Some(UnderMaintenance), "2")), Still::Moved);
        assert_eq!(change.still(&component(Some(UnderMaintenance), "1")), Still::Moved);
        assert_eq!(change.still(&component(Some(MajorOutage), "2")), Still::Done);
    }
}

//! The component's status for each verdict: a table with defaults, which the setting `STATUSES` can change.

use std::{fmt::Write as _, str::FromStr};

use shared::statuspage::ComponentStatus;

use crate::judge::verdict::{DownCause, Verdict};

/// The component's status for each cause; for `Unknown` there is none, whatever the settings say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses(Vec<(&'static str, ComponentStatus)>);

/// A text that is not a valid table; says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongStatuses(String);

/// What a cause may be set to. Maintenance is for humans to set: probers never end one.
const ALLOWED: [ComponentStatus; 4] = [
    ComponentStatus::Operational,
    ComponentStatus::DegradedPerformance,
    ComponentStatus::PartialOutage,
    ComponentStatus::MajorOutage,
];

impl Statuses {
    /// The status that the page should have; `None` leaves it as it is.
    pub fn of(&self, verdict: Verdict) -> Option<ComponentStatus> {
        let default = match verdict {
            Verdict::Up => ComponentStatus::Operational,
            Verdict::Degraded(_) => ComponentStatus::DegradedPerformance,
            Verdict::Down(_) => ComponentStatus::MajorOutage,
            Verdict::Unknown(_) => return None,
        };
        let changed = self.0.iter().find(|(cause, _)| Some(*cause) == verdict.cause());
        Some(changed.map_or(default, |(_, status)| *status))
    }

    /// Whether a component with this status may have been set so because its home was down.
    pub(crate) fn mean_down(&self, status: ComponentStatus) -> bool {
        let down = DownCause::ALL.into_iter().map(Verdict::Down);
        status != ComponentStatus::Operational && down.filter_map(|verdict| self.of(verdict)).any(|it| it == status)
    }
}

/// The causes that have a status.
fn causes() -> impl Iterator<Item = &'static str> {
    Verdict::all().filter(|verdict| !matches!(verdict, Verdict::Unknown(_))).filter_map(Verdict::cause)
}

impl FromStr for Statuses {
    type Err = WrongStatuses;

    /// Reads `cause=status,cause=status`.
    fn from_str(text: &str) -> Result<Self, WrongStatuses> {
        let mut table = Vec::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (cause, status) = entry
                .split_once('=')
                .ok_or_else(|| WrongStatuses(format!("`{entry}` is not cause=status, like slow=operational")))?;
            let (cause, status) = (cause.trim(), status.trim());
            let known = causes().find(|known| *known == cause);
            let cause = known.ok_or_else(|| {
                WrongStatuses(format!("`{cause}` is not a cause that has a status: {}", list(causes())))
            })?;
            let allowed = status.parse().ok().filter(|status| ALLOWED.contains(status));
            let status = allowed.ok_or_else(|| {
                WrongStatuses(format!(
                    "`{status}` is not a status that a prober may set: {}",
                    list(ALLOWED.iter().map(|status| status.as_str()))
                ))
            })?;
            if table.iter().any(|(known, _)| *known == cause) {
                return Err(WrongStatuses(format!("`{cause}` is given twice")));
            }
            table.push((cause, status));
        }
        Ok(Self(table))
    }
}

fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::from("it is one of");
    for (index, word) in words.enumerate() {
        let _ = write!(list, "{} {word}", if index == 0 { "" } else { "," });
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::verdict::{DegradedCause, UnknownCause};

    #[test]
    fn a_cause_can_be_given_another_status() {
        let statuses: Statuses = " refused = partial_outage, slow=operational,".parse().unwrap();
        for (verdict, status) in [
            (Verdict::Up, Some(ComponentStatus::Operational)),
            (Verdict::Down(DownCause::Refused), Some(ComponentStatus::PartialOutage)),
            (Verdict::Down(DownCause::Unreachable), Some(ComponentStatus::MajorOutage)),
            (Verdict::Degraded(DegradedCause::Slow), Some(ComponentStatus::Operational)),
            (Verdict::Degraded(DegradedCause::NameService), Some(ComponentStatus::DegradedPerformance)),
            (Verdict::Unknown(UnknownCause::Blind), None),
        ] {
            assert_eq!(statuses.of(verdict), status, "{verdict:?}");
        }
    }

    #[test]
    fn an_unknown_cause_or_status_is_refused_with_the_known_ones() {
        let refusal = |text: &str| text.parse::<Statuses>().unwrap_err().to_string();
        assert!(refusal("cat=operational").starts_with("`cat` is not a cause that has a status: it is one of slow, "));
        assert!(refusal("blind=operational").contains("`blind` is not a cause"), "what is unknown changes nothing");
        assert!(
            refusal("slow=under_maintenance").contains("`under_maintenance` is not a status that a prober may set")
        );
        assert!(refusal("slow=fine").contains("operational, degraded_performance, partial_outage, major_outage"));
        assert!(refusal("slow").contains("`slow` is not cause=status"));
        assert!(refusal("slow=operational,slow=operational").contains("twice"));
        assert_eq!("".parse(), Ok(Statuses::default()));
    }
}

//! A component as the page shows it: its status, or that nobody has looked; when somebody did; and its past.

use std::{borrow::Cow, sync::Arc};

use jiff::tz::TimeZone;
use shared::statuspage::ComponentStatus;

use super::{Time, bars::HistoryView};
use crate::keeper::{
    looks::shown::Looked,
    status::{Component, Sight, StatusChange, groups::Group},
};

pub(super) struct ComponentView {
    /// The group that it is in, and whether it is its first or its last one shown.
    pub(super) group: Option<GroupView>,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) status: StatusView,
    pub(super) since: Option<Time>,
    /// Whether nobody has ever looked.
    pub(super) is_new: bool,
    /// What is wrong by the newest look.
    pub(super) trouble: Option<&'static str>,
    pub(super) looked: Option<LookedView>,
    pub(super) history: Arc<HistoryView>,
    /// Newest first.
    pub(super) changes: Vec<ChangeView>,
}

/// A component's group.
pub(super) struct GroupView {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) begins: bool,
    pub(super) ends: bool,
}

/// Marks where the groups of components in their order begin and end.
pub(super) fn mark_groups(views: &mut [ComponentView]) {
    let id = |view: Option<&ComponentView>| view.and_then(|view| view.group.as_ref()).map(|group| group.id.clone());
    for index in 0..views.len() {
        let before = index.checked_sub(1).and_then(|before| id(views.get(before)));
        let after = id(views.get(index + 1));
        if let Some(group) = &mut views[index].group {
            group.begins = before.as_ref() != Some(&group.id);
            group.ends = after.as_ref() != Some(&group.id);
        }
    }
}

/// When somebody looked last.
pub(super) struct LookedView {
    /// Who did, and from where.
    pub(super) by: String,
    pub(super) age: String,
    pub(super) at: Time,
    /// Whether somebody has tried since, who could not tell.
    pub(super) is_tried: bool,
}

pub(super) struct ChangeView {
    pub(super) status: StatusView,
    pub(super) at: Time,
}

/// A status as the style sheet and the reader know it.
pub(super) struct StatusView {
    pub(super) class: &'static str,
    pub(super) words: Cow<'static, str>,
}

impl ComponentView {
    pub(super) fn new(
        component: &Component,
        looked: &Looked,
        history: Arc<HistoryView>,
        changes: &[StatusChange],
        zone: &TimeZone,
    ) -> Self {
        let sight = looked.sight(component.looks);
        // Where nobody has looked lately, it is not known since when it is what it may be.
        let since =
            changes.first().filter(|change| sight.is_current() && change.status == looked.corrected(change.status));
        let status = looked.corrected(component.status);
        let is_well = status == Some(ComponentStatus::Operational);
        Self {
            group: None,
            id: component.id.to_string(),
            name: component.name.clone(),
            description: component.description.clone(),
            status: match sight.words(zone) {
                Some(words) => StatusView { class: "unknown", words: words.into() },
                None => StatusView::new(status),
            },
            is_new: sight == Sight::Never,
            since: since.map(|change| Time::new(change.since.timestamp(), zone)),
            trouble: looked.trouble().filter(|_| !is_well),
            history,
            looked: if sight.is_current() { LookedView::new(component, looked, zone) } else { None },
            changes: changes
                .iter()
                .map(|change| ChangeView {
                    status: StatusView::new(change.status),
                    at: Time::new(change.since.timestamp(), zone),
                })
                .collect(),
        }
    }
}

impl GroupView {
    pub(super) fn new(group: &Group) -> Self {
        Self { id: group.id.to_string(), name: group.name.clone(), begins: false, ends: false }
    }
}

impl StatusView {
    pub(super) fn new(status: Option<ComponentStatus>) -> Self {
        let (class, words) = match status {
            Some(ComponentStatus::Operational) => ("operational", "Operational"),
            Some(ComponentStatus::UnderMaintenance) => ("maintenance", "Under maintenance"),
            Some(ComponentStatus::DegradedPerformance) => ("degraded", "Degraded performance"),
            Some(ComponentStatus::PartialOutage) => ("partial", "Partial outage"),
            Some(ComponentStatus::MajorOutage) => ("major", "Major outage"),
            None => ("unknown", "No status"),
        };
        Self { class, words: words.into() }
    }
}

impl LookedView {
    fn new(component: &Component, looked: &Looked, zone: &TimeZone) -> Option<Self> {
        let (at, age, location) = (looked.at()?, looked.age()?, looked.location()?);
        let age = if age.as_secs() < 60 { format!("{} s", age.as_secs()) } else { format!("{} min", age.as_mins()) };
        // What checks see, they see from here.
        let by = if component.checked {
            "Last checked".to_owned()
        } else {
            format!("Last looked at from the cloud ({location})")
        };
        Some(Self { by, age, at: Time::new(at.timestamp(), zone), is_tried: looked.is_tried_since() })
    }
}

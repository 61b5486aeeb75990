//! What is stored, in the shape in which the API sends it: `/api/v2` to everyone, so a field that is not public takes
//! `#[serde(skip)]`.

use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use shared::{
    id::{ComponentGroupId, ComponentId, IncidentId, PageId},
    statuspage::{ComponentStatus, Impact, IncidentStatus},
};

use super::{plan::Plan, postmortems::Postmortem};
use crate::keeper::db::Moment;

/// A status page.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// 12 lower-case letters and digits.
    pub id: PageId,
    /// Its heading.
    pub name: String,
    /// What it is about.
    #[serde(rename = "page_description")]
    pub description: Option<String>,
    /// Where it can be reached, where it has no domain.
    pub url: Option<String>,
    /// The host name under which it can be reached.
    pub domain: Option<String>,
    /// Unused here; kept because the API has it.
    pub subdomain: Option<String>,
    /// An IANA name, like `Europe/Berlin`.
    pub time_zone: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// A component of a page.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
pub struct Component {
    /// 12 lower-case letters and digits.
    pub id: ComponentId,
    /// The page that it is on.
    pub page_id: PageId,
    /// What visitors read.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Its place on the page, from 1 on.
    pub position: i64,
    /// `None` is the API's sixth value, the empty text: nothing is known.
    #[serde(serialize_with = "or_empty")]
    pub status: Option<ComponentStatus>,
    /// Whether its uptime is shown; kept because the API has it.
    pub showcase: bool,
    /// Whether the page leaves it out while it is operational.
    pub only_show_if_degraded: bool,
    /// `YYYY-MM-DD`
    pub start_date: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
    /// The group that it is in.
    pub group_id: Option<ComponentGroupId>,
    /// Whether it is a group; those are listed apart here.
    pub group: bool,
    /// Whether it is a copy of upstream's.
    #[serde(skip)]
    pub mirrored: bool,
    /// Whether the seed names it; `None` where none ever did.
    #[serde(skip)]
    pub seeded: Option<bool>,
    /// Whether somebody is expected to look at it: without a look of the last minutes its status is nobody's word.
    #[serde(skip)]
    pub looks: bool,
    /// Whether checks set its status.
    #[serde(skip)]
    pub checked: bool,
    /// `false` where the page does not show it; absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub porchlight_shown: Option<bool>,
    /// A warning to the client that reads or writes it, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub porchlight_warning: Option<String>,
}

/// A status that a component took, and when.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// As in [`Component::status`].
    pub status: Option<ComponentStatus>,
    /// When it took it.
    pub since: Moment,
}

/// The status of an incident or of an update. A copy of upstream's keeps upstream's word where that is none of the API's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentState {
    /// Which of the API's it is, or is treated as.
    pub status: IncidentStatus,
    /// Upstream's word, where it is another.
    pub word: Option<String>,
}

/// An incident or a maintenance, with its components and updates.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    /// 12 lower-case letters and digits.
    pub id: IncidentId,
    /// The page that it is on.
    pub page_id: PageId,
    /// Its heading.
    pub name: String,
    /// Where it stands.
    #[serde(rename = "status")]
    pub state: IncidentState,
    /// How bad it is, or was.
    pub impact: Impact,
    /// The impact that a client has set in place of the one that follows from the components.
    pub impact_override: Option<Impact>,
    /// What programs note at it: an object for each of them, by name.
    pub metadata: Value,
    /// Hours between reminders, as a list in a text; kept because the API has it.
    pub reminder_intervals: Option<String>,
    /// Whether it was entered afterwards.
    #[serde(skip)]
    pub backfilled: bool,
    /// Whether it is a copy of upstream's.
    #[serde(skip)]
    pub mirrored: bool,
    /// When it went through its life.
    #[serde(flatten)]
    pub times: IncidentTimes,
    /// What it does by itself, where it is maintenance.
    #[serde(flatten)]
    pub plan: Plan,
    /// What was written about it when it was over; drafts are not sent.
    #[serde(flatten, serialize_with = "super::postmortems::of_incident")]
    pub postmortem: Option<Postmortem>,
    /// Where a copy's original is; our own get their link when they are sent.
    pub shortlink: Option<String>,
    /// The components that it names.
    pub components: Vec<Component>,
    /// Newest first.
    pub incident_updates: Vec<IncidentUpdate>,
}

/// When an incident went through its life.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IncidentTimes {
    /// When maintenance is to begin.
    pub scheduled_for: Option<Moment>,
    /// When maintenance is to end.
    pub scheduled_until: Option<Moment>,
    /// When it began.
    pub started_at: Moment,
    /// When it was over as far as was known.
    pub monitoring_at: Option<Moment>,
    /// When it was over.
    pub resolved_at: Option<Moment>,
    /// When it was entered.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// A text about an incident, with the status that it had then.
#[derive(Clone, Debug, Serialize)]
pub struct IncidentUpdate {
    /// Unique on the page.
    pub id: String,
    /// The incident that it is of.
    pub incident_id: IncidentId,
    /// Where the incident stood.
    #[serde(rename = "status")]
    pub state: IncidentState,
    /// What visitors read.
    pub body: String,
    /// Whether subscribers were to be notified.
    pub deliver_notifications: bool,
    /// The components whose status it changed.
    pub affected_components: Option<Vec<AffectedComponent>>,
    /// The time that visitors read.
    pub display_at: Moment,
    /// When it was written.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// A component whose status an update changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AffectedComponent {
    /// The component's id; a copy of upstream's may lack it, and the statuses.
    pub code: Option<ComponentId>,
    /// Its name then.
    pub name: String,
    /// Its status before. `None` where upstream does not say, or in a word of its own.
    #[serde(serialize_with = "or_empty", deserialize_with = "if_known", default)]
    pub old_status: Option<ComponentStatus>,
    /// Its status from then on.
    #[serde(serialize_with = "or_empty", deserialize_with = "if_known", default)]
    pub new_status: Option<ComponentStatus>,
}

impl Page {
    /// The zone in which its times are shown, and read where they come without one.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

impl IncidentState {
    /// As the API sends it.
    pub fn as_str(&self) -> &str {
        self.word.as_deref().unwrap_or(self.status.as_str())
    }

    /// A word of an update: one that is none of the API's stays what it is.
    pub(in crate::keeper) fn read(word: &str) -> Self {
        match word.parse() {
            Ok(status) => Self { status, word: None },
            Err(_) => Self { status: IncidentStatus::Other, word: Some(word.to_owned()) },
        }
    }
}

impl From<IncidentStatus> for IncidentState {
    fn from(status: IncidentStatus) -> Self {
        Self { status, word: None }
    }
}

impl fmt::Display for IncidentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for IncidentState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde asks for this shape")]
fn or_empty<S: Serializer>(status: &Option<ComponentStatus>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.map_or("", ComponentStatus::as_str))
}

fn if_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ComponentStatus>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|status| status.parse().ok()))
}

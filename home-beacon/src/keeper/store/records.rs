//! What is stored, in the shape in which the API tells it.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Serialize, Serializer};
use serde_json::Value;
use shared::id::{ComponentId, IncidentId, PageId};
use sqlx::{FromRow, types::Json};

/// A time to the millisecond; RFC 3339 in answers, milliseconds since 1970 in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl Moment {
    pub fn new(time: Timestamp) -> Self {
        Self(Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time))
    }

    pub fn timestamp(self) -> Timestamp {
        self.0
    }

    pub(super) fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// This time, or the next one after `other`: a change is always later than what it changes.
    pub(super) fn after(self, other: Self) -> Self {
        if self > other { self } else { Self::try_from(other.millis() + 1).unwrap_or(other) }
    }
}

impl TryFrom<i64> for Moment {
    type Error = jiff::Error;

    fn try_from(millis: i64) -> Result<Self, jiff::Error> {
        Timestamp::from_millisecond(millis).map(Self)
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Page {
    #[sqlx(try_from = "String")]
    pub id: PageId,
    pub name: String,
    #[serde(rename = "page_description")]
    pub description: Option<String>,
    pub url: Option<String>,
    pub domain: Option<String>,
    pub subdomain: Option<String>,
    /// An IANA name, like `Europe/Berlin`.
    pub time_zone: String,
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
}

impl Page {
    /// What its times are told in, and read in where they come without a zone.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}

#[derive(Clone, Debug, FromRow, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the API has them")]
pub struct Component {
    #[sqlx(try_from = "String")]
    pub id: ComponentId,
    #[sqlx(try_from = "String")]
    pub page_id: PageId,
    pub name: String,
    pub description: Option<String>,
    pub position: i64,
    /// One of the API's six values, the empty one included.
    pub status: String,
    pub showcase: bool,
    pub only_show_if_degraded: bool,
    /// `YYYY-MM-DD`
    pub start_date: Option<String>,
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
    /// The keeper has no groups.
    #[sqlx(skip)]
    pub group_id: Option<String>,
    #[sqlx(skip)]
    pub group: bool,
    /// Whether it is a copy of upstream's.
    #[serde(skip)]
    pub mirrored: bool,
    /// Whether the seed names it; `None` where none ever did.
    #[sqlx(default)]
    #[serde(skip)]
    pub seeded: Option<bool>,
    /// `false` where nobody is shown it, and what to tell whoever calls; said only where there is something to say.
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub porchlight_shown: Option<bool>,
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub porchlight_warning: Option<String>,
}

/// A status that a component took, and when.
#[derive(Clone, Debug, FromRow)]
pub struct StatusChange {
    pub status: String,
    #[sqlx(try_from = "i64")]
    pub since: Moment,
}

#[derive(Clone, Debug, FromRow, Serialize)]
pub struct Incident {
    #[sqlx(try_from = "String")]
    pub id: IncidentId,
    #[sqlx(try_from = "String")]
    pub page_id: PageId,
    pub name: String,
    /// One of the API's, or whatever upstream says of a copy.
    pub status: String,
    /// Upstream's word for it, where that is none of the API's; it is in `status` once it was read.
    #[sqlx(default)]
    #[serde(skip)]
    pub upstream_status: Option<String>,
    pub impact: String,
    pub impact_override: Option<String>,
    #[sqlx(json)]
    pub metadata: Value,
    pub reminder_intervals: Option<String>,
    #[serde(skip)]
    pub backfilled: bool,
    /// Whether it is a copy of upstream's.
    #[serde(skip)]
    pub mirrored: bool,
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub times: IncidentTimes,
    /// Where a copy's original is; one of our own is told where it can be found here. A database that is only read may be from
    /// before there was such a column.
    #[sqlx(default)]
    pub shortlink: Option<String>,
    #[sqlx(skip)]
    pub components: Vec<Component>,
    /// Newest first.
    #[sqlx(skip)]
    pub incident_updates: Vec<IncidentUpdate>,
}

/// When an incident went through its life.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct IncidentTimes {
    pub scheduled_for: Option<Moment>,
    pub scheduled_until: Option<Moment>,
    pub started_at: Moment,
    pub monitoring_at: Option<Moment>,
    pub resolved_at: Option<Moment>,
    pub created_at: Moment,
    pub updated_at: Moment,
}

/// By hand, because the derive has no way to convert an optional column.
impl<'r> FromRow<'r, sqlx::sqlite::SqliteRow> for IncidentTimes {
    fn from_row(row: &'r sqlx::sqlite::SqliteRow) -> sqlx::Result<Self> {
        use sqlx::Row;
        let decode = |error: jiff::Error| sqlx::Error::Decode(error.into());
        let at = |column| Moment::try_from(row.try_get::<i64, _>(column)?).map_err(decode);
        let maybe = |column| match row.try_get::<Option<i64>, _>(column)? {
            Some(millis) => Moment::try_from(millis).map(Some).map_err(decode),
            None => Ok(None),
        };
        Ok(Self {
            scheduled_for: maybe("scheduled_for")?,
            scheduled_until: maybe("scheduled_until")?,
            started_at: at("started_at")?,
            monitoring_at: maybe("monitoring_at")?,
            resolved_at: maybe("resolved_at")?,
            created_at: at("created_at")?,
            updated_at: at("updated_at")?,
        })
    }
}

#[derive(Clone, Debug, FromRow, Serialize)]
pub struct IncidentUpdate {
    pub id: String,
    #[sqlx(try_from = "String")]
    pub incident_id: IncidentId,
    pub status: String,
    pub body: String,
    pub deliver_notifications: bool,
    pub affected_components: Option<Json<Vec<AffectedComponent>>>,
    #[sqlx(try_from = "i64")]
    pub display_at: Moment,
    #[sqlx(try_from = "i64")]
    pub created_at: Moment,
    #[sqlx(try_from = "i64")]
    pub updated_at: Moment,
}

/// A component whose status an update changed.
#[derive(Clone, Debug, Serialize, serde::Deserialize)]
pub struct AffectedComponent {
    /// The component's id; a copy of upstream's may lack it, and the statuses.
    pub code: Option<ComponentId>,
    pub name: String,
    pub old_status: Option<String>,
    pub new_status: Option<String>,
}

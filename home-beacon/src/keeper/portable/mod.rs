//! What a keeper knows of the page that it shows, as records that it hands out and takes in again: for a file that a person keeps,
//! another machine, or what another program has measured. A file has one record a line, as JSON; its first is a
//! [`Record::Porchlight`], its last a [`Record::End`]. Tokens, notices, checks themselves (which `checks` registers), what waits for
//! upstream and what jobs remember are not in it.
//!
//! - `export`: the records, page by page; `cursor`: how far that has come
//! - `import`: takes records in; what is there stays, and a record that was taken in before adds nothing
//! - `past`: the same for what is older than what is there: statuses, looks, readings
//! - `tables`: which columns of which tables a record has

mod cursor;
pub(super) mod export;
pub(super) mod import;
mod past;
mod tables;
#[cfg(test)]
mod tests;

use checks::check::CheckName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared::id::ComponentId;

/// The version of the records that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// The columns of a row that say something, by their names in the keeper's tables. Times are milliseconds since 1970.
pub type Columns = Map<String, Value>;

/// Something that a keeper knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// What kind of file it is.
    Porchlight(Head),
    /// A group of components.
    Group(Columns),
    /// A component.
    Component(Component),
    /// Statuses that a component took.
    Statuses(Statuses),
    /// When a component was looked at.
    Looks(Looks),
    /// A metric of the page.
    Metric(Columns),
    /// An incident or a maintenance.
    Incident(Incident),
    /// All readings of a series in one hour.
    Readings(Measured),
    /// What hours' readings of a series came to.
    Hours(Measured),
    /// That nothing is missing.
    End(End),
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`VERSION`]
    pub version: u32,
    /// When it was begun.
    pub exported_at: Timestamp,
}

/// A component that is meant: where it is a check's own, a keeper that runs this check has another one for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    /// Its id where the record comes from. Another program has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<ComponentId>,
    /// The check that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckName>,
    /// When it was made, in milliseconds since 1970: a component of that id that was made at another time has a past of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<i64>,
}

/// A component.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The check that it was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckName>,
    /// The name of its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rest.
    pub columns: Columns,
}

/// Statuses that a component took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statuses {
    /// Whose they are.
    pub of: Of,
    /// Since when, in milliseconds since 1970, and which: as the API has it, `""` where nothing was known.
    pub rows: Vec<(i64, String)>,
}

/// When a component was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// What was looked at.
    pub of: Of,
    /// From where, as [`shared::look::Location`] has it.
    pub location: String,
    /// Whether from the home's own network.
    #[serde(default)]
    pub inside: bool,
    /// Looks that follow each other and saw the same.
    pub rows: Vec<LookRow>,
}

/// From the first to the last of looks that saw the same, in milliseconds since 1970, with the labels of verdict and cause, where those
/// are known; and how far apart they could be, in milliseconds, where that is not the five minutes of a prober.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookRow(
    pub i64,
    pub i64,
    pub Option<String>,
    pub Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")] pub Option<i64>,
);

/// An incident or a maintenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incident {
    /// What it is.
    pub columns: Columns,
    /// The components that it names.
    pub components: Vec<Of>,
    /// Its updates.
    pub updates: Vec<Columns>,
}

/// What a series has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The name of what is measured, as `ping`, or `@` and the id of a metric.
    pub series: String,
    /// The unit of a check's figure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The rows, the earliest first.
    pub rows: Vec<Columns>,
}

/// That nothing is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// How many lines there are, this one included.
    pub lines: u64,
}

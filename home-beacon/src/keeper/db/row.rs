//! Rows, and the types that their columns are read into.

use jiff::Timestamp;
use serde_json::{Map, Number, Value};
use shared::{
    id::{ComponentGroupId, ComponentId, IncidentId, MetricId, MetricsProviderId, PageId},
    statuspage::{ComponentStatus, Impact, IncidentStatus},
};
use sqlx::{Column as _, ColumnIndex, Decode, Row as _, Sqlite, Type, TypeInfo as _, ValueRef as _, sqlite::SqliteRow};

use super::{Moment, StorageError};

/// A row of an answer.
pub(in crate::keeper) struct Row(SqliteRow);

/// What is read from a whole row.
pub(in crate::keeper) trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, StorageError>;
}

/// What is read from one column.
pub(in crate::keeper) trait Column: Sized {
    /// As the database has it.
    type Stored: for<'r> Decode<'r, Sqlite> + Type<Sqlite>;

    /// # Errors
    /// When it is none, which only another program could have stored.
    fn read(stored: Self::Stored) -> Result<Self, StorageError>;
}

impl Row {
    pub(super) fn new(row: SqliteRow) -> Self {
        Self(row)
    }

    /// The column of that name.
    pub(in crate::keeper) fn get<T: Column>(&self, name: &str) -> Result<T, StorageError> {
        self.at(name)
    }

    /// As [`Row::get`], or the default where there is no such column: a database that is only read may be of an earlier version.
    pub(in crate::keeper) fn get_or_default<T: Column + Default>(&self, name: &str) -> Result<T, StorageError> {
        if self.0.try_column(name).is_ok() { self.at(name) } else { Ok(T::default()) }
    }

    fn at<T: Column>(&self, index: impl ColumnIndex<SqliteRow>) -> Result<T, StorageError> {
        T::read(self.0.try_get(index)?)
    }
}

/// All columns, by their names.
impl FromRow for Map<String, Value> {
    fn from_row(Row(row): &Row) -> Result<Self, StorageError> {
        row.columns()
            .iter()
            .map(|column| {
                let (name, index) = (column.name().to_owned(), column.ordinal());
                let raw = row.try_get_raw(index)?;
                let kind = if raw.is_null() { "NULL".to_owned() } else { raw.type_info().name().to_owned() };
                let value = match kind.as_str() {
                    "INTEGER" => row.try_get::<i64, _>(index)?.into(),
                    "REAL" => Number::from_f64(row.try_get(index)?).map_or(Value::Null, Value::Number),
                    "TEXT" => Value::String(row.try_get(index)?),
                    _ => Value::Null,
                };
                Ok((name, value))
            })
            .collect()
    }
}

/// A row of one column.
impl<T: Column> FromRow for T {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        row.at(0)
    }
}

macro_rules! tuples {
    ($(($($name:ident $index:literal),+);)+) => {$(
        impl<$($name: Column),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row) -> Result<Self, StorageError> {
                Ok(($(row.at::<$name>($index)?,)+))
            }
        }
    )+};
}

tuples! {
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3, E 4);
}

macro_rules! as_stored {
    ($($kind:ty),+) => {$(
        impl Column for $kind {
            type Stored = $kind;

            fn read(stored: $kind) -> Result<Self, StorageError> {
                Ok(stored)
            }
        }
    )+};
}

as_stored!(bool, i64, f64, String);

macro_rules! from_text {
    ($($kind:ty),+) => {$(
        impl Column for $kind {
            type Stored = String;

            fn read(stored: String) -> Result<Self, StorageError> {
                stored.parse().map_err(StorageError::unreadable)
            }
        }
    )+};
}

from_text!(ComponentGroupId, ComponentId, IncidentId, MetricId, MetricsProviderId, PageId, IncidentStatus, Impact);

/// The empty text is the API's word for no status.
impl Column for Option<ComponentStatus> {
    type Stored = Option<String>;

    fn read(stored: Option<String>) -> Result<Self, StorageError> {
        stored.filter(|text| !text.is_empty()).map(|text| text.parse().map_err(StorageError::unreadable)).transpose()
    }
}

impl Column for Moment {
    type Stored = i64;

    fn read(stored: i64) -> Result<Self, StorageError> {
        Self::try_from(stored).map_err(StorageError::unreadable)
    }
}

impl Column for Timestamp {
    type Stored = i64;

    fn read(stored: i64) -> Result<Self, StorageError> {
        Moment::read(stored).map(Moment::timestamp)
    }
}

/// JSON is stored as a text.
impl Column for Value {
    type Stored = String;

    fn read(stored: String) -> Result<Self, StorageError> {
        serde_json::from_str(&stored).map_err(StorageError::unreadable)
    }
}

macro_rules! or_null {
    ($($kind:ty),+) => {$(
        impl Column for Option<$kind> {
            type Stored = Option<<$kind as Column>::Stored>;

            fn read(stored: Self::Stored) -> Result<Self, StorageError> {
                stored.map(<$kind as Column>::read).transpose()
            }
        }
    )+};
}

or_null!(bool, i64, f64, String, ComponentGroupId, Impact, Moment, Value);

//! Statements. A text is constant, or built from constants; whatever comes from outside is bound.

use std::borrow::Cow;

use sqlx::{
    Arguments, AssertSqlSafe, SqlSafeStr, SqlStr, Sqlite,
    error::BoxDynError,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{Conn, FromRow, Moment, Row, StorageError};

/// A statement with what is bound to its parameters, in their order.
#[derive(Debug)]
pub(in crate::keeper) struct Query {
    text: SqlStr,
    arguments: Result<SqliteArguments, BoxDynError>,
}

/// What can be bound.
#[derive(Clone, Debug)]
pub(in crate::keeper) enum Value<'q> {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(Cow<'q, str>),
}

/// A constant statement.
pub(in crate::keeper) fn query(text: &'static str) -> Query {
    Query { text: text.into_sql_str(), arguments: Ok(SqliteArguments::default()) }
}

/// A statement that is built from constants, like one with as many parameters as there are values.
pub(in crate::keeper) fn built(text: String) -> Query {
    Query { text: AssertSqlSafe(text).into_sql_str(), arguments: Ok(SqliteArguments::default()) }
}

impl Query {
    /// Binds the next parameter.
    pub(in crate::keeper) fn bind<'q>(mut self, value: impl Into<Value<'q>>) -> Self {
        self.arguments = self.arguments.and_then(|mut arguments| {
            match value.into() {
                Value::Null => arguments.add(None::<i64>),
                Value::Boolean(value) => arguments.add(value),
                Value::Integer(value) => arguments.add(value),
                Value::Real(value) => arguments.add(value),
                Value::Text(text) => arguments.add(text),
            }?;
            Ok(arguments)
        });
        self
    }

    /// Binds the next parameter to what JSON has; `None` where that is a list, an object, or a number that is none here.
    pub(in crate::keeper) fn bind_json(self, value: &serde_json::Value) -> Option<Self> {
        use serde_json::Value as Json;
        Some(match value {
            Json::Null => self.bind(Value::Null),
            Json::Bool(value) => self.bind(*value),
            Json::String(text) => self.bind(text),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => self.bind(whole),
                (None, Some(real)) if !number.is_u64() => self.bind(real),
                _ => return None,
            },
            Json::Array(_) | Json::Object(_) => return None,
        })
    }

    /// Runs it; how many rows it wrote.
    pub(in crate::keeper) async fn execute(self, on: &mut Conn) -> Result<u64, StorageError> {
        let done = self.prepared()?.execute(on.sqlite()).await.inspect_err(|error| on.failed(error))?;
        let rows = done.rows_affected();
        on.wrote(rows);
        Ok(rows)
    }

    /// All rows.
    pub(in crate::keeper) async fn all<T: FromRow>(self, on: &mut Conn) -> Result<Vec<T>, StorageError> {
        let rows = self.prepared()?.fetch_all(on.sqlite()).await.inspect_err(|error| on.failed(error))?;
        rows.into_iter().map(read).collect()
    }

    /// The only row.
    pub(in crate::keeper) async fn one<T: FromRow>(self, on: &mut Conn) -> Result<T, StorageError> {
        read(self.prepared()?.fetch_one(on.sqlite()).await.inspect_err(|error| on.failed(error))?)
    }

    /// The row, where there is one.
    pub(in crate::keeper) async fn optional<T: FromRow>(self, on: &mut Conn) -> Result<Option<T>, StorageError> {
        let row = self.prepared()?.fetch_optional(on.sqlite()).await.inspect_err(|error| on.failed(error))?;
        row.map(read).transpose()
    }

    fn prepared<'q>(self) -> Result<sqlx::query::Query<'q, Sqlite, SqliteArguments>, StorageError> {
        let arguments = self.arguments.map_err(|error| StorageError::from(sqlx::Error::Encode(error)))?;
        Ok(sqlx::query_with(self.text, arguments))
    }
}

fn read<T: FromRow>(row: SqliteRow) -> Result<T, StorageError> {
    T::from_row(&Row::new(row))
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<Moment> for Value<'_> {
    fn from(moment: Moment) -> Self {
        Self::Integer(moment.millis())
    }
}

impl<'q> From<&'q str> for Value<'q> {
    fn from(text: &'q str) -> Self {
        Self::Text(text.into())
    }
}

impl<'q> From<&'q String> for Value<'q> {
    fn from(text: &'q String) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl<'q, T: Into<Value<'q>>> From<Option<T>> for Value<'q> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'q> From<&'q Option<String>> for Value<'q> {
    fn from(text: &'q Option<String>) -> Self {
        text.as_deref().into()
    }
}

//! The series themselves: a name for each thing that is measured, and one for each metric's points.

use sqlx::SqliteConnection;

use super::StoreError;

/// How many series there may be: a client that makes up names must not fill the disk.
const MOST_SERIES: i64 = 1000;

/// The series that a metric's points are.
pub(super) fn series_of(metric: &str) -> String {
    format!("@{metric}")
}

/// The series of that name, made where it is missing.
pub(super) async fn series(connection: &mut SqliteConnection, name: &str) -> Result<i64, StoreError> {
    if let Some(id) = known_series(connection, name).await? {
        return Ok(id);
    }
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM series").fetch_one(&mut *connection).await?;
    if count >= MOST_SERIES {
        return Err(StoreError::Contradiction(format!(
            "metric: there are {MOST_SERIES} already, and {name} is not one"
        )));
    }
    let query = "INSERT INTO series (name) VALUES (?) RETURNING id";
    Ok(sqlx::query_scalar(query).bind(name).fetch_one(connection).await?)
}

pub(super) async fn known_series(connection: &mut SqliteConnection, name: &str) -> Result<Option<i64>, StoreError> {
    let query = "SELECT id FROM series WHERE name = ?";
    Ok(sqlx::query_scalar(query).bind(name).fetch_optional(connection).await?)
}

/// Deletes a series with all that is in it.
pub(super) async fn forget(connection: &mut SqliteConnection, name: &str) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM series WHERE name = ?").bind(name).execute(connection).await?;
    Ok(())
}

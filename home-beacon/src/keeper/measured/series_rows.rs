//! The series themselves: a name for each thing that is measured, and one for each metric's points.

use crate::keeper::{
    KeeperError,
    db::{Conn, Tx, query},
};

/// How many series there may be: a client that makes up names must not fill the disk.
const MAX_SERIES: i64 = 1000;

/// The name of the series that holds a metric's points.
pub(super) fn series_of(metric: &str) -> String {
    format!("@{metric}")
}

/// The series of that name, made where it is missing.
pub(super) async fn find_or_create(tx: &mut Tx, name: &str) -> Result<i64, KeeperError> {
    if let Some(id) = find(tx, name).await? {
        return Ok(id);
    }
    let count: i64 = query("SELECT COUNT(*) FROM series").one(tx).await?;
    if count >= MAX_SERIES {
        return Err(KeeperError::Invalid(format!("metric: there are {MAX_SERIES} already, and {name} is not one")));
    }
    Ok(query("INSERT INTO series (name) VALUES (?) RETURNING id").bind(name).one(tx).await?)
}

/// The series of that name, where there is one.
pub(super) async fn find(conn: &mut Conn, name: &str) -> Result<Option<i64>, KeeperError> {
    Ok(query("SELECT id FROM series WHERE name = ?").bind(name).optional(conn).await?)
}

/// Deletes a series with all that is in it.
pub(super) async fn delete(tx: &mut Tx, name: &str) -> Result<(), KeeperError> {
    query("DELETE FROM series WHERE name = ?").bind(name).execute(tx).await?;
    Ok(())
}

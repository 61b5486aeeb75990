//! The series themselves: a name for each thing that is measured, and one for each metric's points.

use checks::check::CheckName;

use crate::keeper::{
    KeeperError,
    checks::figures::is_registered,
    db::{Conn, Tx, query},
};

/// How many series there may be: a client that makes up names must not fill the disk.
const MAX_SERIES: i64 = 1000;

/// The same of checks, their figures included.
const MAX_SERIES_OF_CHECKS: i64 = 100_000;

/// The name of the series that holds a metric's points.
pub(super) fn series_of(metric: &str) -> String {
    format!("@{metric}")
}

/// The series of that name, made where it is missing.
///
/// # Errors
/// When there is none, and as many as there may be.
pub(in crate::keeper) async fn find_or_create(tx: &mut Tx, name: &str) -> Result<i64, KeeperError> {
    let full = |most| KeeperError::Invalid(format!("metric: there are {most} already, and {name} is not one"));
    find_or_make(tx, name).await?.map_err(|Full(most)| full(most))
}

/// That there are as many series as there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Full(i64);

/// As [`find_or_create`], for who goes on without it.
pub(super) async fn find_or_make(tx: &mut Tx, name: &str) -> Result<Result<i64, Full>, KeeperError> {
    if let Some(id) = find(tx, name).await? {
        return Ok(Ok(id));
    }
    // Checks are registered, and have series of their own count.
    let of_check = match check_of(name) {
        Some(check) => is_registered(tx, &check).await?,
        None => false,
    };
    let most = if of_check { MAX_SERIES_OF_CHECKS } else { MAX_SERIES };
    let count: i64 = query("SELECT COUNT(*) FROM series WHERE of_check = ?").bind(of_check).one(tx).await?;
    if count >= most {
        return Ok(Err(Full(most)));
    }
    let insert = query("INSERT INTO series (name, of_check) VALUES (?, ?) RETURNING id");
    Ok(Ok(insert.bind(name).bind(of_check).one(tx).await?))
}

/// The check that a series is of, or is a figure of.
fn check_of(name: &str) -> Option<CheckName> {
    name.strip_prefix("check:")?.split(':').next()?.parse().ok()
}

/// Writes the unit of a series' values.
pub(in crate::keeper) async fn set_unit(tx: &mut Tx, series: i64, unit: &str) -> Result<(), KeeperError> {
    query("UPDATE series SET unit = ? WHERE id = ?").bind(unit).bind(series).execute(tx).await?;
    Ok(())
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

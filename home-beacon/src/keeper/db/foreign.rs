//! Tables of other programs' SQLite files, only read: for who brings along what such a program knew.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use futures_util::TryStreamExt;
use serde_json::{Map, Value};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{BUSY_TIMEOUT, FromRow, Row, StorageError};

/// How many rows are read at most.
pub const MAX_ROWS: usize = 10_000;

/// Why a table of another program cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// The file is not there, or may not be read.
    #[error("it cannot be read: {0}")]
    File(#[source] io::Error),
    /// It is no database, or is damaged or locked.
    #[error("it is no SQLite database that can be read: {0}")]
    Database(#[source] sqlx::Error),
    /// It has no such table.
    #[error("it has no table `{0}`: is it the database of that program?")]
    Table(&'static str),
}

impl From<sqlx::Error> for ForeignError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

/// The first [`MAX_ROWS`] rows of a table by its first column, each with the columns that this version of the program has. What is
/// neither number nor text is null.
///
/// # Errors
/// When the file is none of SQLite's, or has no such table.
pub async fn rows(path: &Path, table: &'static str) -> Result<Vec<Map<String, Value>>, ForeignError> {
    let mut there = open(path).await?;
    let read = read(&mut there, table).await;
    there.close().await?;
    read
}

/// Why not each row was handed on.
#[derive(Debug, thiserror::Error)]
pub enum EachError<E> {
    /// The table cannot be read.
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    /// Who took them went no further.
    #[error("{0}")]
    Other(E),
}

/// Hands on each row of the answer to a constant statement with one parameter, one after the other, as [`rows`] has them.
///
/// # Errors
/// When the file is none of SQLite's, or has no such tables; or what `each` says.
pub async fn for_each<E>(
    path: &Path,
    statement: &'static str,
    parameter: i64,
    mut each: impl AsyncFnMut(Map<String, Value>) -> Result<(), E>,
) -> Result<(), EachError<E>> {
    let mut there = open(path).await?;
    let mut rows = sqlx::query(statement).bind(parameter).fetch(&mut there);
    while let Some(row) = rows.try_next().await.map_err(ForeignError::from)? {
        each(columns(row)?).await.map_err(EachError::Other)?;
    }
    drop(rows);
    Ok(there.close().await.map_err(ForeignError::from)?)
}

async fn open(path: &Path) -> Result<SqliteConnection, ForeignError> {
    // SQLite says of each file that is not there that it cannot open it.
    let mut file = File::open(path).map_err(ForeignError::File)?;
    let is_at_rest = is_at_rest(&mut file, path).map_err(ForeignError::File)?;
    let file =
        SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_at_rest).busy_timeout(BUSY_TIMEOUT);
    Ok(file.connect().await?)
}

/// Whether a database with a write-ahead log is open nowhere: that has no log beside it then. It can be read without making one, in a
/// folder that may be another's; one without such a log has locks instead, which are kept.
fn is_at_rest(file: &mut File, path: &Path) -> io::Result<bool> {
    // <https://sqlite.org/fileformat.html>: the version that is needed to write it, which is 2 with such a log.
    const WRITE_VERSION: usize = 18;
    let mut head = Vec::new();
    file.take(WRITE_VERSION as u64 + 1).read_to_end(&mut head)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Ok(head.get(WRITE_VERSION) == Some(&2) && !Path::new(&log).exists())
}

async fn read(there: &mut SqliteConnection, table: &'static str) -> Result<Vec<Map<String, Value>>, ForeignError> {
    let first = sqlx::query_scalar("SELECT name FROM pragma_table_info(?) ORDER BY cid LIMIT 1").bind(table);
    let first: Option<String> = first.fetch_optional(&mut *there).await?;
    let first = first.ok_or(ForeignError::Table(table))?;
    let text = format!("SELECT * FROM {} ORDER BY {} LIMIT {MAX_ROWS}", quoted(table), quoted(&first));
    let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(there).await?;
    rows.into_iter().map(columns).collect()
}

fn columns(row: SqliteRow) -> Result<Map<String, Value>, ForeignError> {
    Map::from_row(&Row::new(row)).map_err(|StorageError(error)| ForeignError::Database(error))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sqlx::sqlite::SqliteJournalMode;

    use super::*;

    #[tokio::test]
    async fn a_database_that_is_at_rest_is_read_without_a_trace_and_what_is_in_a_log_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kuma.db");
        let file = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        for journal in [SqliteJournalMode::Wal, SqliteJournalMode::Delete] {
            let mut there = file.clone().journal_mode(journal).connect().await.unwrap();
            let made = "DROP TABLE IF EXISTS t; CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)";
            sqlx::raw_sql(made).execute(&mut there).await.unwrap();
            assert_eq!(rows(&path, "t").await.unwrap().len(), 1, "while it is open, {journal:?}");
            there.close().await.unwrap();
            assert_eq!(rows(&path, "t").await.unwrap().len(), 1, "{journal:?}");
            let beside: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name()).collect();
            assert_eq!(beside, ["kuma.db"], "{journal:?}");
            assert_eq!(is_at_rest(&mut File::open(&path).unwrap(), &path).unwrap(), journal == SqliteJournalMode::Wal);
        }
    }

    #[tokio::test]
    async fn rows_have_the_columns_that_are_there_and_wrong_files_are_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kuma.db");
        let file = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let mut there = file.connect().await.unwrap();
        let made = "CREATE TABLE monitor (id INTEGER PRIMARY KEY, \"odd \"\" name\" BOOLEAN, rate FLOAT, icon BLOB, at DATETIME);
                    INSERT INTO monitor VALUES (2, 1, 1.5, x'00ff', '2026-11-29 12:00:00'), (1, NULL, 2, NULL, 'x')";
        sqlx::raw_sql(made).execute(&mut there).await.unwrap();
        there.close().await.unwrap();
        let found = rows(&path, "monitor").await.unwrap();
        let expected = [
            json!({"id": 1, "odd \" name": null, "rate": 2.0, "icon": null, "at": "x"}),
            json!({"id": 2, "odd \" name": 1, "rate": 1.5, "icon": null, "at": "2026-11-29 12:00:00"}),
        ];
        assert_eq!(found.into_iter().map(Value::Object).collect::<Vec<_>>(), expected);
        let said = rows(&path, "services").await.unwrap_err().to_string();
        assert_eq!(said, "it has no table `services`: is it the database of that program?");
        let missing = rows(&folder.path().join("none.db"), "monitor").await.unwrap_err().to_string();
        assert!(missing.starts_with("it cannot be read: "), "{missing}");
        std::fs::write(folder.path().join("text.db"), "not a database at all, but long enough to be one").unwrap();
        let text = rows(&folder.path().join("text.db"), "monitor").await.unwrap_err().to_string();
        assert!(text.starts_with("it is no SQLite database"), "{text}");
    }
}

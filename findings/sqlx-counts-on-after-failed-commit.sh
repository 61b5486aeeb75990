#!/usr/bin/env bash
# sqlx goes on counting a transaction whose COMMIT failed, and later commits of that connection succeed without being on disk.
#
# Seen with sqlx 0.9.0 and SQLite 3.51.3 in libsqlite3-sys 0.37.0 (November 2026).
#
# Some failures of a COMMIT make SQLite take the transaction back at once (a full disk, an I/O error; here a commit hook, because
# that fails wherever one likes). sqlx counts its depth down only after a COMMIT or ROLLBACK that succeeded, and the ROLLBACK
# that it sends then is refused: there is no transaction. So the pool gets a connection back that counts one. Its next transaction
# is a savepoint outside of one, which still works, until one is rolled back: `ROLLBACK TO SAVEPOINT` leaves the savepoint open,
# and all that comes after is a part of it. `commit` says Ok to each and releases an inner savepoint only.
#
# Output seen:
#   the commit fails: error returned from database: (code: 531) constraint failed
#   one transaction is rolled back, three are committed: Ok, Ok, Ok
#   the connection sees 3 rows, another one 0
#   with `before_acquire` that refuses a connection within a transaction, another one sees 3 rows
#
# Why it matters here: a keeper whose disk was full for a moment answered 201 to readings that were gone with its process. Its pool
# replaces a connection that comes back within a transaction.
#
# Needs cargo and a C compiler. Fails when the behaviour changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'TOML'
[package]
name = "committing"
version = "0.0.0"
edition = "2024"
[dependencies]
sqlx = { version = "=0.9.0", default-features = false, features = ["runtime-tokio", "sqlite"] }
libsqlite3-sys = "=0.37.0"
tokio = { version = "1", features = ["macros", "rt"] }
TOML
cat >src/main.rs <<'RUST'
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use sqlx::{
    Connection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};

/// Whether a commit succeeds.
static WELL: AtomicBool = AtomicBool::new(true);

/// A pool of one connection; `careful` replaces one that comes back within a transaction.
async fn pool(file: &Path, careful: bool) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
    let pool = SqlitePoolOptions::new().max_connections(1).after_connect(|connection, _| {
        Box::pin(async move {
            connection.lock_handle().await?.set_commit_hook(|| WELL.load(Ordering::Relaxed));
            Ok(())
        })
    });
    let pool = pool.before_acquire(move |connection, _| {
        let usable = !(careful && connection.is_in_transaction());
        Box::pin(async move { Ok(usable) })
    });
    let pool = pool.connect_with(options).await.unwrap();
    sqlx::query("CREATE TABLE IF NOT EXISTS t (x)").execute(&pool).await.unwrap();
    pool
}

async fn insert(pool: &SqlitePool) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    sqlx::query("INSERT INTO t VALUES (1)").execute(&mut *transaction).await?;
    transaction.commit().await
}

/// What the pool's own connection sees, and what another one does.
async fn rows(pool: &SqlitePool, file: &Path) -> (i64, i64) {
    const COUNT: &str = "SELECT count(*) FROM t";
    let own = sqlx::query_scalar(COUNT).fetch_one(pool).await.unwrap();
    let options = SqliteConnectOptions::new().filename(file);
    let mut other = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    (own, sqlx::query_scalar(COUNT).fetch_one(&mut other).await.unwrap())
}

/// A commit that fails, a transaction that is rolled back, and three that are said to be committed.
async fn live(pool: &SqlitePool) -> String {
    WELL.store(false, Ordering::Relaxed);
    let error = insert(pool).await.expect_err("the commit fails");
    WELL.store(true, Ordering::Relaxed);
    pool.begin().await.unwrap().rollback().await.unwrap();
    for _ in 0..3 {
        insert(pool).await.expect("the commit is said to have succeeded");
    }
    error.to_string()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let file = Path::new("trusting.db");
    let trusting = pool(file, false).await;
    println!("the commit fails: {}", live(&trusting).await);
    println!("one transaction is rolled back, three are committed: Ok, Ok, Ok");
    let (own, other) = rows(&trusting, file).await;
    println!("the connection sees {own} rows, another one {other}");
    assert_eq!((own, other), (3, 0), "what is acknowledged is on disk");

    let file = Path::new("careful.db");
    let careful = pool(file, true).await;
    live(&careful).await;
    let (_, other) = rows(&careful, file).await;
    println!("with `before_acquire` that refuses a connection within a transaction, another one sees {other} rows");
    assert_eq!(other, 3, "the way out is none any more");
}
RUST
cargo run --quiet

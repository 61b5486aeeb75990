//! A database that is not whole any more, or comes from a newer version: refused, and left as it is.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tests::{
    keeper::Keeper,
    process::{command, run},
    skip::{program, skip},
};

use crate::world::{Log, refused, restart, start};

/// A database with some hundred readings, after a clean end.
struct Kept {
    folder: TempDir,
    log: Log,
}

impl Kept {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keeper = start(&folder.path().join("keeper.db")).await;
        let mut log = Log::new();
        log.add_many(&keeper, 400).await;
        assert_eq!(keeper.process.terminate().await.code(), Some(0));
        Self { folder, log }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("keeper.db")
    }

    /// The bytes of all that is there, but for the file that only says who has it open, and SQLite's index of a log.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = fs::read_dir(self.folder.path()).expect("a folder");
        let files = files.map(|file| file.expect("a file").path());
        let kept = |path: &PathBuf| !["db-shm", "lock"].iter().any(|end| path.to_string_lossy().ends_with(end));
        files.filter(kept).map(|path| (path.clone(), fs::read(&path).expect("a file"))).collect()
    }

    /// A keeper refuses it with these words, and changes nothing.
    async fn is_refused(&self, words: &[&str]) {
        let before = self.bytes();
        let ended = refused(&self.database()).await;
        assert_eq!(ended.code, Some(2), "{}{}", ended.stdout, ended.stderr);
        let place = self.database().display().to_string();
        for words in words.iter().chain(&["DATABASE_URL", &place]) {
            assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        }
        let after = self.bytes();
        // An empty log is none.
        let after: BTreeMap<_, _> =
            after.into_iter().filter(|(path, bytes)| before.contains_key(path) || !bytes.is_empty()).collect();
        assert!(before == after, "it was changed: {:?} {:?}", before.keys(), after.keys());
    }
}

/// Where the damage is.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// The first bytes are another file's.
    Head,
    /// The first bytes are right, what they say is not.
    PageSize,
    /// One page of the readings is another file's.
    Middle,
    /// The end is missing.
    Half,
    /// The end is missing, in the middle of a page.
    Torn,
}

impl Damage {
    fn of(self, database: &Path) {
        let mut bytes = fs::read(database).expect("a database");
        let middle = bytes.len() / 1024 / 2 * 1024;
        match self {
            Self::Head => bytes[..100].fill(0xA5),
            Self::PageSize => bytes[16..18].fill(0xA5),
            Self::Middle => bytes[middle..middle + 1024].fill(0xA5),
            Self::Half => bytes.truncate(middle),
            Self::Torn => bytes.truncate(middle + 100),
        }
        fs::write(database, bytes).expect("a file");
    }
}

#[tokio::test]
async fn a_damaged_database_is_refused_with_the_way_back_and_nothing_of_it_is_changed() {
    let kept = Kept::new().await;
    let whole = fs::read(kept.database()).expect("a database");
    for damage in [Damage::Head, Damage::PageSize, Damage::Middle, Damage::Half, Damage::Torn] {
        fs::write(kept.database(), &whole).expect("a file");
        damage.of(&kept.database());
        eprintln!("{damage:?}");
        kept.is_refused(&["damaged", "keep a copy", ".dump", "move it away"]).await;
    }
}

#[tokio::test]
async fn a_damaged_database_with_a_log_beside_it_is_refused_and_neither_is_changed() {
    let kept = Kept::new().await;
    let keeper = start(&kept.database()).await;
    let mut log = Log::new();
    log.add_many(&keeper, 20).await;
    let Keeper { process, .. } = keeper;
    process.kill().await;
    assert!(fs::metadata(kept.folder.path().join("keeper.db-wal")).is_ok_and(|log| log.len() > 0));
    Damage::Middle.of(&kept.database());
    kept.is_refused(&["damaged", ".dump"]).await;
}

#[tokio::test]
async fn the_way_back_leads_back() {
    let Some(sqlite) = program("sqlite3") else {
        return skip("the_way_back_leads_back", "sqlite3 is missing");
    };
    let Kept { folder, log } = Kept::new().await;
    let (old, new) = (folder.path().join("keeper.db"), folder.path().join("new.db"));
    Damage::Middle.of(&old);
    assert_eq!(refused(&old).await.code, Some(2));

    let mut recover = command("sh");
    recover
        .args(["-c", "\"$0\" \"$1\" .dump | sed 's/^ROLLBACK.*/COMMIT;/' | \"$0\" \"$2\""])
        .args([&sqlite, &old, &new]);
    let ended = run(recover, Duration::from_secs(60)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let keeper = restart(tempfile::tempdir().expect("a temporary folder"), &new).await;
    assert!(keeper.page().await.contains("My home"));
    let kept = log.kept(&keeper).await;
    eprintln!("{kept} of {} readings were saved", log.count());
    assert!(kept > log.count() / 10);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused_and_left_as_it_is() {
    let Some(sqlite) = program("sqlite3") else {
        return skip("a_database_of_a_newer_version_is_refused_and_left_as_it_is", "sqlite3 is missing");
    };
    let kept = Kept::new().await;
    let mut newer = command(sqlite);
    newer.arg(kept.database()).arg(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'later', 1, x'00', 0);
         CREATE TABLE of_the_future (answer INTEGER);",
    );
    assert_eq!(run(newer, Duration::from_secs(10)).await.code, Some(0));
    kept.is_refused(&["newer version", "update this one"]).await;
}

//! How much room there is for the database.

use std::{fs, path::Path};

use super::{Db, query};

/// The file system of the database, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::keeper) struct Disk {
    /// What a program without privileges can still write.
    pub(in crate::keeper) free: u64,
    /// All of it.
    pub(in crate::keeper) size: u64,
    /// The database with its log.
    pub(in crate::keeper) database: u64,
}

impl Db {
    /// The disk that the database is on; `None` where that cannot be known.
    pub(in crate::keeper) async fn disk(&self) -> Option<Disk> {
        let file = query("SELECT file FROM pragma_database_list WHERE name = 'main'");
        let file: String = file.one(&mut self.read().await.ok()?).await.ok()?;
        // A file system that hangs holds up this task alone.
        tokio::task::spawn_blocking(move || of(Path::new(&file))).await.ok().flatten()
    }
}

fn of(file: &Path) -> Option<Disk> {
    let room = rustix::fs::statvfs(file.parent()?).ok()?;
    let length = |suffix: &str| {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        fs::metadata(path).map_or(0, |there| there.len())
    };
    Some(Disk {
        free: room.f_bavail.saturating_mul(room.f_frsize),
        size: room.f_blocks.saturating_mul(room.f_frsize),
        database: length("") + length("-wal"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_disk_of_a_database_has_room_and_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        let disk = db.disk().await.unwrap();
        assert!(disk.free <= disk.size && disk.database > 0 && disk.database < disk.size, "{disk:?}");
        assert_eq!(of(Path::new("/nowhere/at/all.db")), None);
    }
}

//! Faults of the keeper's database, of the disk below it, and of the clock.

use super::Entry;

/// What is wrong with the keeper's storage or clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageFault {
    /// The disk cannot be written: full, or mounted read-only.
    CannotBeWritten,
    /// The user may not write the file.
    Forbidden,
    /// Another keeper has the database open.
    InUse,
    /// Another program has it locked.
    Locked,
    /// It is of a later version.
    Newer,
    /// It is another program's.
    Foreign,
    /// It is damaged.
    Damaged,
    /// The host's clock does not show the time.
    Clock,
}

impl StorageFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::CannotBeWritten,
        Self::Forbidden,
        Self::InUse,
        Self::Locked,
        Self::Newer,
        Self::Foreign,
        Self::Damaged,
        Self::Clock,
    ];

    /// What it is, and what to do at once: the end of the keeper's sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::CannotBeWritten => "what is there is served, and clients that write are asked to retry",
            Self::Forbidden => "let that user write it, or name another place",
            Self::InUse => "stop that one, or name another file",
            Self::Locked => "end that one (a shell of SQLite's, a backup), or name another file",
            Self::Newer => "update this one, or name another file",
            Self::Foreign => "it is another program's database, and was left as it is: name another file",
            // Not `.recover`: Debian's sqlite3 (3.40) is built without what that takes.
            Self::Damaged => {
                "keep a copy of it, then save what can be read into a new one with `sqlite3 old.db .dump | sed \
                 's/^ROLLBACK.*/COMMIT;/' | sqlite3 new.db`, or move it away, and a new one is begun; if it never \
                 was a keeper's, name another file"
            }
            Self::Clock => "until it is set, readings wait for their time",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, what, steps): (_, _, &'static [&'static str]) = match self {
            Self::CannotBeWritten => (
                "database-cannot-be-written",
                "The disk is full or mounted read-only",
                &[
                    "`df -h` and `mount` show which. The keeper goes on by itself as soon as it can write.",
                    "A card that the kernel mounts read-only is often at its end (`dmesg`): copy the database, and \
                     replace it.",
                ],
            ),
            Self::Forbidden => (
                "database-forbidden",
                "The user who runs the keeper may not write the file or its folder",
                &["The sentence has the numbers of user and group, and the `chown` that mends it."],
            ),
            Self::InUse => (
                "database-in-use",
                "Another keeper has the database open",
                &["The number in parentheses is its process id: `ps -p NUMBER` says how it was started."],
            ),
            Self::Locked => (
                "database-locked",
                "Another program has the database locked",
                &["`fuser -v porchlight.db` names it. For a backup use SQLite's `.backup`, which locks nothing."],
            ),
            Self::Newer => (
                "database-newer",
                "The database was written by a newer version of Porchlight",
                &["Update the program. There is no way back but a copy of the file from before."],
            ),
            Self::Foreign => (
                "database-foreign",
                "What `DATABASE_URL` names is no keeper's database",
                &["See whether the path is right: the keeper makes its own file where there is none."],
            ),
            Self::Damaged => (
                "database-damaged",
                "SQLite finds the database damaged",
                &["Power cuts alone do not do this: see whether the disk or the card fails (`dmesg`), and replace \
                     it first."],
            ),
            Self::Clock => (
                "clock-not-trusted",
                "The clock is earlier than this program, or goes on from a time that was saved before the host was off",
                &[
                    "`timedatectl` shows whether a time server was reached; without internet it comes by itself \
                     once the line is back, and what was measured meanwhile is dated then.",
                    "On a machine without time server set the clock once by hand: `date -s`.",
                ],
            ),
        };
        Entry { id, meaning: format!("{what}: {}", self.words()), steps }
    }
}

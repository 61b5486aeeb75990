//! Why `porchlight up` does not run from a folder, or not as a unit.

use super::Entry;

/// What is wrong with the folder of `up`, or with its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpFault {
    /// The disk is full.
    DiskFull,
    /// The disk is read-only.
    DiskReadOnly,
    /// Another user's.
    Forbidden,
    /// Another reason not to write there.
    CannotBeWritten,
    /// It holds what is not ours.
    Foreign,
    /// A newer version made it.
    Newer,
    /// It is a home's, or an outside machine's.
    OtherSide,
    /// A process has it, and does not listen.
    Held,
    /// The unit's user cannot run the program.
    Program,
    /// The unit's user cannot read the certificate.
    Certificate,
    /// The unit does not start.
    Unit,
    /// A process does not end.
    GoesOn,
}

impl UpFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::DiskFull,
        Self::DiskReadOnly,
        Self::Forbidden,
        Self::CannotBeWritten,
        Self::Foreign,
        Self::Newer,
        Self::OtherSide,
        Self::Held,
        Self::Program,
        Self::Certificate,
        Self::Unit,
        Self::GoesOn,
    ];

    /// What to do at once: the end of the sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::DiskFull => "make room on that disk, and start again",
            Self::DiskReadOnly => "that disk is read-only: mount it writable, or name another folder with --data",
            Self::Forbidden => "this user may not write there: name another folder with --data",
            Self::CannotBeWritten => "name another folder with --data",
            Self::Foreign => "name an empty folder, or one that does not exist yet",
            Self::Newer => "install that version again, or name another folder with --data",
            Self::OtherSide => "a home and an outside machine each need a folder of their own (--data)",
            Self::Held => {
                "another process has this folder, and has not begun to listen: see what it says, or end it with \
                 porchlight down"
            }
            Self::Program => {
                "install the program first, with install.sh or into /usr/local/bin, and start that one, or name another \
                 folder with --data"
            }
            Self::Certificate => {
                "have it copied, readable for others, to a folder that others may enter, or name another folder with \
                 --data"
            }
            Self::Unit => "its log says why",
            Self::GoesOn => "it was asked to end and has not in time",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, what, steps): (_, _, &'static [&'static str]) = match self {
            Self::DiskFull => (
                "up-disk-full",
                "The folder cannot be written",
                &["`df -h` shows which disk is full. What was begun is finished by the next start."],
            ),
            Self::DiskReadOnly => (
                "up-disk-read-only",
                "The folder cannot be written",
                &["A card that the kernel mounts read-only by itself is often at its end: `dmesg` says so."],
            ),
            Self::Forbidden => (
                "up-folder-forbidden",
                "The folder is another user's",
                &[
                    "What was begun as root goes on as root: `sudo porchlight up`.",
                    "`ls -ld FOLDER` shows whose it is.",
                ],
            ),
            Self::CannotBeWritten => (
                "up-folder-cannot-be-written",
                "The folder cannot be made or written",
                &["The words before are the kernel's."],
            ),
            Self::Foreign => (
                "up-folder-foreign",
                "The folder holds what is not Porchlight's",
                &["Nothing in it was changed, and `porchlight down --purge` deletes nothing there either."],
            ),
            Self::Newer => (
                "up-folder-newer",
                "A newer version of Porchlight made the folder",
                &["`porchlight --version` says which one this is. Nothing in the folder was changed."],
            ),
            Self::OtherSide => (
                "up-folder-of-other-side",
                "The folder was made for the other side",
                &["Without --outside and --join, `porchlight up` runs what the folder was made for."],
            ),
            Self::Held => (
                "up-folder-held",
                "A process has the folder",
                &["`porchlight status` shows whether it has begun since; a new version may take minutes with an old \
                     database."],
            ),
            Self::Program => (
                "up-unit-program",
                "A unit of the system's runs as a user of its own, which sees no home folder and no /tmp of others",
                &[
                    "`sudo sh install.sh`, then `sudo porchlight up --install`.",
                    "Without root, the unit is yours alone.",
                ],
            ),
            Self::Certificate => (
                "up-unit-certificate",
                "The user that the unit runs as cannot read the certificate or its key",
                &["Let the program that renews the certificate copy both, with a deploy hook; they are read again by \
                     themselves."],
            ),
            Self::Unit => (
                "up-unit-does-not-start",
                "The unit does not start",
                &[
                    "A unit that was there before is there again, and runs.",
                    "`porchlight up` without --install says the same on your terminal.",
                ],
            ),
            Self::GoesOn => (
                "up-goes-on",
                "A process does not end",
                &["A bandwidth test may take some seconds: ask again. `kill -9 NUMBER` ends it in any case; the next \
                     start mends what that leaves."],
            ),
        };
        Entry { id, meaning: format!("{what}: {}.", self.words()), steps }
    }
}

//! What is open, in one small file, so that exactly that can be closed. It is written before a router is asked, so that nothing is
//! open that nobody knows of; and one process at a time has it.

use std::{
    env, fs,
    io::ErrorKind,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, anyhow, bail};
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};
use shared::{
    file,
    lock::{FileLock, LockError},
    message::PortFault,
    settings::WrongSetting,
};

use super::{mapping::Mapping, moment::Moment};
use crate::up::owner::give_file;

const FILE: &str = "port.json";
const LOCK: &str = "port.lock";

/// Root's own folder: the state folder of the unit.
const SYSTEM_FOLDER: &str = "/var/lib/porchlight-port";

/// The layout of the file that this version writes and understands.
const VERSION: u32 = 1;

/// The longest file, in bytes: each entry has some 300.
const MAX_BYTES: u64 = 64 << 10;

/// The most entries: a router is asked for one port at a time.
const MOST: usize = 64;

/// What is open, and the right to change it.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    _lock: FileLock,
    opened: Vec<Mapping>,
    /// What is in the file: a renewal alone is not worth the wear of a card.
    written: Vec<Mapping>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    opened: Vec<Mapping>,
}

/// The folder that is named, or this user's own.
///
/// # Errors
/// When none is named, and the environment names no home folder.
pub fn folder(named: Option<&Path>) -> Result<PathBuf, WrongSetting> {
    if let Some(named) = named {
        let absolute = std::path::absolute(named);
        return absolute.map_err(|error| WrongSetting(format!("STATE_DIR: {}: {error}", named.display())));
    }
    if geteuid().is_root() {
        return Ok(SYSTEM_FOLDER.into());
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    state
        .map(|state| state.join("porchlight-port"))
        .ok_or_else(|| WrongSetting("neither XDG_STATE_HOME nor HOME names a folder: set STATE_DIR".into()))
}

/// What is open, to be looked at.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn opened(folder: &Path, now: &Moment) -> anyhow::Result<Vec<Mapping>> {
    let mut opened = read(&folder.join(FILE))?;
    opened.retain(|mapping| !is_long_over(mapping, now));
    Ok(opened)
}

/// Whether a process keeps a port open from that folder.
pub fn is_held(folder: &Path) -> bool {
    FileLock::is_held(&folder.join(LOCK))
}

impl Record {
    /// The record of that folder, which is made where it is missing.
    ///
    /// # Errors
    /// When another process has it, or it cannot be read or written.
    pub fn take(folder: &Path, now: &Moment) -> anyhow::Result<Self> {
        let cannot = || format!("STATE_DIR: {} cannot be written: name another folder", folder.display());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(cannot)?;
        let mut lock = FileLock::try_acquire(&folder.join(LOCK)).map_err(|error| match error {
            LockError::Held => {
                let who = file::read_itself(&folder.join(LOCK), 32).unwrap_or_default();
                let who = String::from_utf8_lossy(&who);
                let words = format!("process {} keeps the port open: {}", who.trim(), PortFault::Held.words());
                anyhow!(PortFault::Held.entry().ending(&words))
            }
            LockError::Io(error) => anyhow::Error::new(error).context(cannot()),
        })?;
        lock.write_process_id().with_context(cannot)?;
        give_file(folder, LOCK).with_context(cannot)?;
        let (written, opened) = (read(&folder.join(FILE))?, opened(folder, now)?);
        Ok(Self { path: folder.join(FILE), _lock: lock, opened, written })
    }

    /// What is open.
    pub fn opened(&self) -> &[Mapping] {
        &self.opened
    }

    /// Notes what is open, or is to be asked for, in the place of what was noted there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&mut self, mapping: Mapping) -> anyhow::Result<()> {
        self.opened.retain(|other| !other.is_same_place(&mapping));
        if self.opened.len() >= MOST {
            bail!("{} has {MOST} entries: run porchlight port close", self.path.display());
        }
        self.opened.push(mapping);
        self.write()
    }

    /// Notes that it is not open any more.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn remove(&mut self, mapping: &Mapping) -> anyhow::Result<()> {
        self.opened.retain(|other| !other.is_same_place(mapping));
        self.write()
    }

    /// Forgets what has ended by itself.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn prune(&mut self, now: &Moment) -> anyhow::Result<()> {
        self.opened.retain(|mapping| !is_long_over(mapping, now));
        self.write()
    }

    fn write(&mut self) -> anyhow::Result<()> {
        let is_news = self.opened.len() != self.written.len()
            || self.opened.iter().zip(&self.written).any(|(now, written)| !is_only_renewed(written, now));
        if !is_news {
            return Ok(());
        }
        let cannot = || format!("STATE_DIR: {} cannot be written", self.path.display());
        let content = Content { version: VERSION, opened: self.opened.clone() };
        let mut text = serde_json::to_vec_pretty(&content)?;
        text.push(b'\n');
        file::replace_private(&self.path, &text).with_context(cannot)?;
        // Root closes what a unit has opened, whose user is another one.
        give_file(self.path.parent().unwrap_or(&self.path), FILE).with_context(cannot)?;
        self.written.clone_from(&self.opened);
        Ok(())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Mapping>> {
    let bytes = match file::read_itself(path, MAX_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.with_context(|| format!("STATE_DIR: {} cannot be read", path.display()))?,
    };
    let wrong = || format!("STATE_DIR: {} is not understood: repair it, or remove it", path.display());
    let Content { version, opened } = serde_json::from_slice(&bytes).with_context(wrong)?;
    if version != VERSION {
        bail!("STATE_DIR: {} is of another version of Porchlight ({version}): install that one", path.display());
    }
    Ok(opened)
}

/// Whether nothing is different but when the router was asked, and that not by much.
fn is_only_renewed(written: &Mapping, now: &Mapping) -> bool {
    let renewed = Mapping { at: written.at.clone(), epoch: written.epoch, ..now.clone() };
    let is_same_boot = now.at.boot == written.at.boot;
    renewed == *written && is_same_boot && now.at.since(&written.at) < quarter(now)
}

/// Whether the router has closed it by itself: what is written of its last renewal may be older by a quarter of the lease, but where it
/// is not renewed.
fn is_long_over(mapping: &Mapping, now: &Moment) -> bool {
    let Some(lease) = mapping.lease else { return false };
    let more = if mapping.is_ending { Duration::ZERO } else { quarter(mapping) };
    now.since(&mapping.at) > Duration::from_secs(lease.into()) + more
}

fn quarter(mapping: &Mapping) -> Duration {
    Duration::from_secs(u64::from(mapping.lease.unwrap_or(3_600)) / 4)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::{
        super::{mapping::sample, moment::at},
        *,
    };

    #[test]
    fn what_is_noted_is_there_again_for_this_user_alone_and_for_one_process() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("new");
        let mut record = Record::take(&folder, &at(1_000)).unwrap();
        record.put(Mapping { is_confirmed: false, ..sample() }).unwrap();
        record.put(sample()).unwrap();
        let held = Record::take(&folder, &at(1_000)).unwrap_err().to_string();
        assert!(held.contains(&format!("process {} keeps the port open", std::process::id())), "{held}");
        assert!(is_held(&folder));
        drop(record);
        let mut record = Record::take(&folder, &at(1_000)).unwrap();
        assert_eq!(record.opened(), [sample()]);
        let mode = fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        record.remove(&sample()).unwrap();
        drop(record);
        assert!(opened(&folder, &at(1_000)).unwrap().is_empty() && !is_held(&folder));
    }

    #[test]
    fn a_renewal_is_written_four_times_in_a_lease_and_anything_else_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::take(folder.path(), &at(1_000)).unwrap();
        let written = || opened(folder.path(), &at(1_000)).unwrap()[0].at.clone();
        for (second, expected) in [(1_000, 1_000), (1_300, 1_000), (2_700, 1_000), (2_800, 2_800), (3_000, 2_800)] {
            record.put(Mapping { at: at(second), epoch: Some(7), ..sample() }).unwrap();
            assert_eq!(written(), at(expected), "{second}");
        }
        record.put(Mapping { at: at(3_001), lease: Some(60), ..sample() }).unwrap();
        assert_eq!(written(), at(3_001));
    }

    #[test]
    fn what_the_router_has_closed_by_itself_is_forgotten_and_what_stays_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::take(folder.path(), &at(1_000)).unwrap();
        record.put(sample()).unwrap();
        record.put(Mapping { external: 30009, lease: None, ..sample() }).unwrap();
        let ports = |second| -> Vec<_> {
            opened(folder.path(), &at(second)).unwrap().iter().map(|mapping| mapping.external).collect()
        };
        assert_eq!(ports(1_000 + 7_200 + 1_800), [30008, 30009]);
        assert_eq!(ports(1_000 + 7_200 + 1_801), [30009]);
        // A clock that jumped by years is no reason, and neither is a boot: the lease is over once this one has lasted so long.
        let jumped = Moment { clock: jiff::Timestamp::MAX, ..at(1_100) };
        assert_eq!(opened(folder.path(), &jumped).unwrap().len(), 2);
        let booted = |uptime| Moment { boot: "two".into(), ..at(uptime) };
        assert_eq!(opened(folder.path(), &booted(60)).unwrap().len(), 2);
        assert_eq!(opened(folder.path(), &booted(9_001)).unwrap().len(), 1);
        // A resident forgets it, too, and what is let end as soon as it has ended.
        record.put(Mapping { external: 30010, is_ending: true, lease: Some(120), ..sample() }).unwrap();
        record.prune(&at(1_121)).unwrap();
        assert_eq!(record.opened().len(), 2);
        record.prune(&at(20_000)).unwrap();
        assert_eq!(ports(20_000), [30009]);
        assert_eq!(record.opened().len(), 1);
    }

    #[test]
    fn a_record_holds_so_many_openings_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::take(folder.path(), &at(1_000)).unwrap();
        for external in (30_000..).take(MOST) {
            record.put(Mapping { external, ..sample() }).unwrap();
        }
        let error = record.put(Mapping { external: 29_999, ..sample() }).unwrap_err().to_string();
        assert!(error.ends_with("port.json has 64 entries: run porchlight port close"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_record_is_named_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        for (text, words) in [
            ("", "is not understood: repair it, or remove it"),
            ("{\"version\":1}", "is not understood"),
            ("{\"version\":9,\"opened\":[]}", "is of another version of Porchlight (9)"),
        ] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = format!("{:#}", Record::take(folder.path(), &at(0)).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
            assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), text);
        }
    }
}

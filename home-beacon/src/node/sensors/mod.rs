//! What the kernel's files say of a machine: temperatures, throttling by the firmware of a Raspberry Pi, and how worn its flash
//! memory is. A file that is missing, cannot be read, or says something else is as if there were none.

mod thermal;
mod throttling;
mod wear;

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

pub use self::{
    thermal::Temperature,
    throttling::{Reason, Throttling},
    wear::Wear,
};

/// The longest text that is read of a file: such files hold a number or two, or a name.
const LONGEST: u64 = 256;

/// How many entries of a folder are looked at. A machine has fewer; what is beyond is left out.
const MOST_ENTRIES: usize = 256;

/// What the sensors say now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensors {
    /// By zone, in their order.
    pub temperatures: Vec<Temperature>,
    /// `None` on what is no Raspberry Pi.
    pub throttling: Option<Throttling>,
    /// Of each disk that tells.
    pub wear: Vec<Wear>,
}

impl Sensors {
    /// Reads all of them. It blocks, and as long as a driver takes.
    pub fn read(sys: &Path) -> Self {
        Self { temperatures: thermal::read(sys), throttling: throttling::read(sys), wear: wear::read(sys) }
    }
}

/// A short text, without the spaces around it.
fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The entries of a folder whose names are wanted, sorted by them.
fn entries(folder: &Path, wanted: impl Fn(&str) -> bool) -> Vec<(String, PathBuf)> {
    let listed = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let named = |path: PathBuf| Some((path.file_name().and_then(OsStr::to_str)?.to_owned(), path));
    let mut found: Vec<_> = listed.take(MOST_ENTRIES).filter_map(named).filter(|(name, _)| wanted(name)).collect();
    found.sort();
    found
}

//! Tests that cannot run here. A skip is noted for the table that `tests/run` ends with; with `REQUIRE_ALL=1` it is a
//! failure, unless it is one of those that may be missing.

use std::{
    env,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

/// Notes that the calling test is skipped.
///
/// # Panics
/// With `REQUIRE_ALL=1`: then nothing that can be installed may be missing.
pub fn skip(test: &str, reason: &str) {
    assert!(env::var_os("REQUIRE_ALL").is_none_or(|all| all != "1"), "{test} must not be skipped: {reason}");
    note(test, reason);
}

/// Notes a skip that is allowed even with `REQUIRE_ALL=1`.
pub fn skip_allowed(test: &str, reason: &str) {
    note(test, reason);
}

fn note(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    let Some(file) = env::var_os("SKIPPED_FILE") else { return };
    let noted =
        OpenOptions::new().create(true).append(true).open(file).and_then(|mut file| writeln!(file, "{test}\t{reason}"));
    assert!(noted.is_ok(), "the skip could not be noted: {noted:?}");
}

/// A program of `PATH`.
pub fn program(name: &str) -> Option<PathBuf> {
    let found = env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.or_else(|| {
        ["/usr/sbin", "/sbin"].map(|folder| PathBuf::from(folder).join(name)).into_iter().find(|p| p.is_file())
    })
}

/// What gives a program another clock when it is preloaded: where Debian has it, which depends on the machine.
pub fn libfaketime() -> Option<String> {
    let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
    let paths = places.map(|machine| format!("/usr/lib/{machine}/faketime/libfaketime.so.1"));
    paths.into_iter().find(|path| Path::new(path).is_file())
}

/// Whether what is short otherwise is to last (`LONG=1`).
pub fn long() -> bool {
    env::var_os("LONG").is_some_and(|long| long == "1")
}

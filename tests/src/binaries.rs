//! Where the binaries are: beside the test's own, in the same target directory.

use std::{
    env,
    path::{Path, PathBuf},
};

/// A binary of the workspace, as `cargo build --workspace` left it.
///
/// # Panics
/// When it has not been built.
pub fn binary(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    // target/<profile>/deps/<test>
    let folder = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace` first, or tests/run", path.display());
    path
}

/// The Python that has what the tests need; `None` where `tests/run` has not installed it.
pub fn python() -> Option<PathBuf> {
    let path = env::var_os("TESTS_PYTHON").map(PathBuf::from)?;
    path.is_file().then_some(path)
}

/// The workspace's root.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

//! The checked-in answers of services, which tests read.

use std::{fs, path::Path};

/// The answers of a kind by their names. A file ends in a line end that is not part of its answer, so that every editor
/// can change it.
pub(super) fn read(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpus")).join(kind);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |file: fs::DirEntry| {
        let mut text = fs::read(file.path()).expect("it can be read");
        assert_eq!(text.pop(), Some(b'\n'), "{} ends in a line end", file.path().display());
        (file.path().file_stem().expect("a name").to_string_lossy().into_owned(), text)
    };
    let answers: Vec<_> = files.map(|file| read(file.expect("it can be listed"))).collect();
    assert!(!answers.is_empty(), "{} is empty", folder.display());
    answers
}

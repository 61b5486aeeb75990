//! What the README says of the settings is what the binaries read, and what it says of years what the simulation came to.

use std::env;

use tests::{binaries::root, readme, years};

#[test]
fn the_settings_in_the_readme_are_those_of_the_binaries() {
    is_written(readme::BEGIN, &format!("\n{}\n", readme::settings()), readme::END);
}

#[test]
fn the_years_in_the_readme_are_those_of_the_simulation() {
    is_written(years::BEGIN, &format!("\n\n{}\n", years::table()), years::END);
}

fn is_written(begin: &str, part: &str, end: &str) {
    let path = root().join("README.md");
    let file = std::fs::File::open(&path).expect("a README");
    // The other test may be renewing its part.
    file.lock().expect("a lock");
    let readme = std::fs::read_to_string(&path).expect("a README");
    let (before, rest) = readme.split_once(begin).expect("the README has a place for it");
    let (_, after) = rest.split_once(end).expect("that place has an end");
    let renewed = format!("{before}{begin}{part}{end}{after}");
    if env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &renewed).expect("the README can be written");
    }
    assert!(
        readme == renewed || env::var_os("UPDATE_README").is_some(),
        "run UPDATE_README=1 cargo test -p tests --test readme"
    );
}

//! What the README says of the settings is what the binaries read.

use std::env;

use tests::{
    binaries::root,
    readme::{BEGIN, END, settings},
};

#[test]
fn the_settings_in_the_readme_are_those_of_the_binaries() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).expect("a README");
    let (before, rest) = readme.split_once(BEGIN).expect("the README has a place for the settings");
    let (_, after) = rest.split_once(END).expect("that place has an end");
    let renewed = format!("{before}{BEGIN}\n{}\n{END}{after}", settings());
    if env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, &renewed).expect("the README can be written");
    }
    assert!(
        readme == renewed || env::var_os("UPDATE_README").is_some(),
        "run UPDATE_README=1 cargo test -p tests --test readme"
    );
}

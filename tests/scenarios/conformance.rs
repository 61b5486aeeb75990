//! The keeper against statuspage.io's published API description, where a copy of that is at hand: the description has
//! no licence, so it is not part of the project. What the keeper has not of it is a table in the README.

use std::{env, fs, path::PathBuf, time::Duration};

use tests::{
    binaries::{python, root},
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::{command, run},
    readme::{ABSENT_BEGIN, ABSENT_END, is_written},
    skip::{skip, skip_allowed},
};

#[tokio::test]
async fn the_keeper_keeps_to_the_published_description() {
    let named = env::var_os("STATUSPAGE_OPENAPI").map(PathBuf::from);
    let description = named.unwrap_or_else(|| root().join("../shared/reference/statuspage-openapi.yaml"));
    if !description.is_file() {
        return skip_allowed(
            "conformance",
            "the published API description is absent (STATUSPAGE_OPENAPI names a copy)",
        );
    }
    let Some(python) = python() else {
        return skip("conformance", "TESTS_PYTHON is not set; tests/run makes one with jsonschema and PyYAML");
    };
    let keeper = Keeper::start().await;
    let mut check = command(python);
    check.arg(root().join("tests/api/conformance.py")).arg(description);
    let table = keeper.folder.path().join("table.md");
    check.args([&keeper.api(), TOKEN, PAGE, COMPONENT]).arg(&table);
    let ended = run(check, Duration::from_secs(120)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let absent = fs::read_to_string(table).expect("the table is written");
    is_written("home-beacon/README.md", ABSENT_BEGIN, &format!("\n{absent}"), ABSENT_END);
}

//! The chart, rendered by real Helm. The work is done by `tests/chart/check.py`, in one process: what is wrong there is
//! told here, line by line.

use std::time::Duration;

use tests::{
    binaries::{binary, python, root},
    process::{command, run},
    skip::skip,
};

#[tokio::test]
async fn the_chart_renders_keeps_its_rules_and_refuses_wrong_values_with_a_message() {
    let Some(python) = python() else {
        return skip("chart", "TESTS_PYTHON is missing; tests/run installs it");
    };
    let mut check = command(python);
    check.arg(root().join("tests/chart/check.py")).current_dir(root());
    check.env("PYTHONDONTWRITEBYTECODE", "1");
    // The programs look at the settings that the chart gives them.
    check.env("PROGRAMS", binary("keeper").parent().expect("a folder"));
    if let Some(update) = std::env::var_os("UPDATE_CHART") {
        check.env("UPDATE_CHART", update);
    }
    let ended = run(check, Duration::from_secs(200)).await;
    println!("{}", ended.stdout);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

//! The chart, rendered by real Helm. The work is done by `tests/chart/check.py`, in one process: what is wrong there is
//! asserted here, line by line.

use std::{collections::BTreeSet, env, fs, time::Duration};

use jiff::tz::TimeZoneDatabase;
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
    // Helm is Go, which would clean up after each rendering.
    check.env("PYTHONDONTWRITEBYTECODE", "1").env("GOGC", "400");
    // The programs validate the settings that the chart gives them.
    check.env("PROGRAMS", binary("keeper").parent().expect("a folder"));
    if let Some(update) = env::var_os("UPDATE_CHART") {
        check.env("UPDATE_CHART", update);
    }
    // It takes a minute on two idle cores, and several on busy ones.
    let ended = run(check, Duration::from_secs(1200)).await;
    println!("{}", ended.stdout);
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
}

/// Templates cannot read a time zone database, so the chart carries its names: those that the keeper knows, which are
/// those of Kubernetes.
#[test]
fn the_chart_knows_the_time_zones_that_the_keeper_knows() {
    let path = root().join("charts/home-beacon/files/zones.txt");
    let known: BTreeSet<_> = TimeZoneDatabase::bundled().available().map(|name| format!("{name}\n")).collect();
    let known: String = known.into_iter().collect();
    assert!(known.contains("Europe/Berlin\n"), "the database is there");
    if env::var_os("UPDATE_CHART").is_some() {
        fs::write(&path, &known).expect("the file can be written");
    }
    let carried = fs::read_to_string(&path).unwrap_or_default();
    assert!(carried == known, "run UPDATE_CHART=1 cargo test -p tests --test chart the_chart_knows");
}

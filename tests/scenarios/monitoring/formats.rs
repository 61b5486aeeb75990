//! Both forms in which keeper and beacon write their metrics.

use std::{collections::BTreeSet, io::Write, process::Stdio};

use tests::{
    binaries::{python, root},
    process::command,
    skip::{program, skip},
};
use tokio::process::Command;

use super::world::{World, samples};

/// What Prometheus 2.42 sends.
const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                          text/plain;version=0.0.4;q=0.5,*/*;q=0.1";

/// Runs a program on a text; what it says, where it finds something wrong.
async fn objection(command: Command, text: &str) -> Option<String> {
    let mut child = command.into_std().stdin(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
    let wait = tokio::task::spawn_blocking(move || child.wait_with_output());
    let ended = wait.await.expect("no panic").expect("it ends");
    let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (!ended.status.success()).then_some(said)
}

#[tokio::test]
async fn who_asks_for_openmetrics_gets_it_and_everybody_else_plain_text() {
    let world = World::new().await;
    for (_, place) in world.places() {
        let (kind, text) = world.scraped(&place, None).await;
        assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
        assert!(!text.contains("# EOF"), "{text}");
        let (kind, open) = world.scraped(&place, Some(PROMETHEUS)).await;
        assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
        assert!(open.ends_with("\n# EOF\n"), "{open}");
        // The first scrape is a call that the second one counts.
        let is_of_calls = |series: &String| series.starts_with("api_gateway");
        // The bounds of histograms are written otherwise, `1.0` and `1`, and in another order.
        let without_bound = |series: String| match series.split_once("le=\"") {
            Some((before, after)) => {
                format!("{before}{}", after.split_once('"').map_or("", |(_, after)| after.trim_start_matches(',')))
            }
            None => series,
        };
        let names = |text: &str| -> BTreeSet<String> {
            let series = samples(text).into_iter().map(|(series, _)| series).filter(|it| !is_of_calls(it));
            series.map(|it| without_bound(it).replace(",}", "}")).collect()
        };
        assert!(
            names(&open) == names(&text),
            "{:?}",
            names(&open).symmetric_difference(&names(&text)).collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn promtool_finds_nothing_wrong_with_the_text() {
    let test = "promtool_finds_nothing_wrong_with_the_text";
    let Some(promtool) = program("promtool") else {
        return skip(test, "promtool (Debian: prometheus) is missing");
    };
    let world = World::new().await;
    for (_, place) in world.places() {
        let (_, exposed) = world.scraped(&place, None).await;
        let mut check = command(&promtool);
        check.args(["check", "metrics"]);
        assert_eq!(objection(check, &exposed).await, None, "{exposed}");
    }
}

/// By the strictest parser that there is: the reference implementation's.
#[tokio::test]
async fn the_reference_parser_reads_the_openmetrics() {
    let test = "the_reference_parser_reads_the_openmetrics";
    let Some(python) = python() else {
        return skip(test, "TESTS_PYTHON is missing; tests/run installs it");
    };
    let world = World::new().await;
    for (_, place) in world.places() {
        let (_, exposed) = world.scraped(&place, Some(PROMETHEUS)).await;
        let mut check = command(&python);
        check.arg(root().join("tests/prometheus/openmetrics.py"));
        assert_eq!(objection(check, &exposed).await, None, "{exposed}");
        let mut check = command(&python);
        check.arg(root().join("tests/prometheus/openmetrics.py"));
        assert!(objection(check, exposed.trim_end_matches("# EOF\n")).await.is_some(), "what is cut off is refused");
    }
}

//! The queries for Loki beside the dashboards: each field that they name is one of a real line of the program.

use std::{collections::BTreeMap, fs, time::Duration};

use tests::{
    beacon::Beacon,
    binaries::root,
    keeper::Keeper,
    prober::prober_command,
    process::{ours, run},
};

use super::world::fields;

const LIMIT: Duration = Duration::from_secs(60);

/// The rows of the document's table: whose line it is, and a field.
fn named() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("charts/home-beacon/dashboards/LOGQL.md")).expect("the document");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let fields = cells.next().expect("a cell").replace('`', "");
        let program = cells.next().expect("a cell").to_owned();
        fields.split(", ").map(|field| (program.clone(), field.to_owned())).collect::<Vec<_>>()
    };
    rows.flat_map(row).collect()
}

#[tokio::test]
async fn each_field_that_a_query_names_is_in_a_line_of_that_program() {
    let (mut keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let mut prober = prober_command(&beacon.url(), &keeper.api());
    prober.arg("--json");
    let mut ping = ours("ping");
    ping.args(["--json", "--target-host", "127.0.0.1", "--count", "2", "--method", "tcp", "--tcp-port"]);
    ping.arg(beacon.public.port().to_string()).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", tests::keeper::TOKEN);
    let (of_prober, pinged) = (run(prober, LIMIT).await.stdout, run(ping, LIMIT).await.stdout);
    let listening = keeper.process.wait_for_message("listening").await.to_string();
    let of = |text: &str| text.lines().flat_map(fields).collect::<Vec<_>>();
    let lines = BTreeMap::from([("every program", of(&listening)), ("prober", of(&of_prober)), ("jobs", of(&pinged))]);
    let named = named();
    assert!(named.len() >= 8, "{named:?}");
    for (program, field) in named {
        let known = lines.get(program.as_str()).unwrap_or_else(|| panic!("whose line is {program}'s?"));
        assert!(known.contains(&field), "no line of {program} has {field}: {known:?}");
    }
}

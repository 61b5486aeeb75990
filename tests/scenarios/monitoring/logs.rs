//! The queries for Loki beside the dashboards: each field that they name is one of a real line of the program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::Duration,
};

use tests::{
    beacon::Beacon,
    binaries::root,
    keeper::Keeper,
    prober::prober_command,
    process::{ours, run},
};

use super::world::fields;

const LIMIT: Duration = Duration::from_secs(60);
const DOCUMENT: &str = "charts/home-beacon/dashboards/LOGQL.md";

/// The rows of the document's table: whose line it is, and a field.
fn named() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join(DOCUMENT)).expect("the document");
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let fields = cells.next().expect("a cell").replace('`', "");
        let program = cells.next().expect("a cell").to_owned();
        fields.split(", ").map(|field| (program.clone(), field.to_owned())).collect::<Vec<_>>()
    };
    rows.flat_map(row).collect()
}

/// The fields that the queries name, by what follows or precedes them.
fn queried() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(DOCUMENT)).expect("the document");
    let queries = text.split("```logql\n").skip(1).map(|block| block.split("\n```").next().expect("a query"));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut fields = BTreeSet::new();
    for query in queries {
        // What stands in quotation marks is a text, but for the places in it that are filled in.
        let (parts, mut is_behind): (Vec<&str>, _) = (query.split('"').collect(), false);
        for (index, part) in parts.iter().enumerate() {
            if index % 2 == 1 {
                let filled = part.split("{{.").skip(1).filter_map(|rest| rest.split("}}").next());
                fields.extend(filled.map(ToOwned::to_owned));
                continue;
            }
            is_behind |= part.contains('}');
            let after_stream = part.rsplit('}').next().filter(|_| is_behind).unwrap_or_default();
            for piece in after_stream.split(['|', ',']).map(str::trim) {
                let name: String = piece.chars().take_while(|c| is_name(*c)).collect();
                let is_compared = piece[name.len()..].starts_with(['=', '!', '>', '<']);
                fields.extend((is_compared).then_some(name).filter(|name| !name.is_empty()));
                fields.extend(
                    piece.strip_prefix("unwrap ").map(|it| it.split([' ', ')']).next().unwrap_or(it).to_owned()),
                );
            }
        }
    }
    fields
}

/// Where a program's messages have that field, besides those that each has.
fn is_logged(field: &str) -> bool {
    let folder = root().join("home-beacon/src/keeper");
    let files = walk(&folder);
    files.iter().any(|text| {
        let macros = text.split("tracing::").skip(1).map(|rest| rest.split(';').next().unwrap_or(rest));
        macros.into_iter().any(|one| {
            let words: Vec<&str> = one.split([' ', '(', ',', '%', '?', '\n']).collect();
            words.contains(&field)
        })
    })
}

fn walk(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .flat_map(|path| if path.is_dir() { walk(&path) } else { vec![fs::read_to_string(path).unwrap_or_default()] })
        .collect()
}

#[test]
fn each_field_that_a_query_asks_for_is_in_the_table_or_in_a_message() {
    let (queried, named) = (queried(), named());
    let wanted = [
        "cause",
        "duration_ms",
        "ending",
        "event",
        "level",
        "message",
        "obstacle",
        "published",
        "reason",
        "said",
        "verdict",
    ];
    assert_eq!(queried, wanted.map(ToOwned::to_owned).into());
    // Of a home, within `targets`.
    for field in queried.iter().filter(|field| !["verdict", "cause"].contains(&field.as_str())) {
        assert!(named.iter().any(|(_, known)| known == field) || is_logged(field), "{field}");
    }
    let text = fs::read_to_string(root().join(DOCUMENT)).expect("the document");
    let like =
        text.split("has fields of its own, like ").nth(1).and_then(|rest| rest.split(" |").next()).expect("a list");
    for field in like.split('`').skip(1).step_by(2) {
        assert!(is_logged(field), "no message has a field {field}");
    }
    assert!(!is_logged("channel"), "the check itself finds what is there, and nothing else");
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

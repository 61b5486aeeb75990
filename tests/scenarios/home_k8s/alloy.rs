//! The configuration of Alloy: that it consists of what Alloy has, and what becomes of the lines of a log that a real nginx has
//! written. Alloy itself is not there to be asked: what it knows is a table here, and its templates, which are Go's with sprig's
//! functions, are filled in by Helm, whose are, too.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde_json::{Value, json};
use tests::{
    binaries::root,
    process::{command, file, run},
};

use super::{
    LIMIT, example,
    syntax::{self, Block},
    text,
};

/// By its place, what a block must have and what it may have (FACTS.md G1).
const BLOCKS: [(&str, &[&str], &[&str]); 13] = [
    ("discovery.kubernetes", &["role"], &["api_server", "kubeconfig_file"]),
    ("discovery.kubernetes selectors", &["role"], &["label", "field"]),
    ("discovery.relabel", &["targets"], &[]),
    (
        "discovery.relabel rule",
        &[],
        &["source_labels", "separator", "regex", "modulus", "target_label", "replacement", "action"],
    ),
    ("loki.source.kubernetes", &["targets", "forward_to"], &[]),
    ("loki.process", &["forward_to"], &[]),
    (
        "loki.process stage.drop",
        &[],
        &["source", "value", "separator", "expression", "older_than", "longer_than", "drop_counter_reason"],
    ),
    ("loki.process stage.json", &["expressions"], &["source", "drop_malformed"]),
    ("loki.process stage.template", &["source", "template"], &[]),
    ("loki.process stage.labels", &["values"], &["source_type"]),
    ("loki.process stage.label_keep", &["values"], &[]),
    ("loki.process stage.metrics", &[], &[]),
    (
        "loki.process stage.metrics metric.counter",
        &["name", "action"],
        &["description", "source", "prefix", "max_idle_duration", "value", "match_all", "count_entry_bytes"],
    ),
];

/// What components show to others (FACTS.md G1).
const EXPORTS: [(&str, &[&str]); 3] = [
    ("discovery.kubernetes", &["targets"]),
    ("discovery.relabel", &["output", "rules"]),
    ("loki.process", &["receiver"]),
];

pub(crate) fn configuration() -> Block {
    let path = example("alloy/config.alloy");
    syntax::read(&text(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The stages of the component that counts.
pub(crate) fn stages(configuration: &Block) -> &[Block] {
    let process = configuration.blocks.iter().find(|block| block.name == "loki.process");
    &process.expect("the log is processed").blocks
}

pub(crate) fn stage<'a>(configuration: &'a Block, name: &str) -> &'a Block {
    stages(configuration).iter().find(|stage| stage.name == name).unwrap_or_else(|| panic!("there is {name}"))
}

/// What is wrong with a block at that place, and with those within it.
fn problems(block: &Block, above: &str, exports: &BTreeSet<String>) -> Vec<String> {
    let place = format!("{above} {}", block.name).trim().to_owned();
    let Some((_, must, may)) = BLOCKS.iter().find(|(known, ..)| *known == place) else {
        return vec![format!("{place} is no block")];
    };
    let is_component = above.is_empty();
    let mut found = Vec::new();
    if block.label.is_some() != is_component {
        found.push(format!("{place}: the label is {:?}", block.label));
    }
    let has = |name: &str| block.attributes.contains_key(name);
    found.extend(must.iter().filter(|name| !has(name)).map(|name| format!("{place} has no {name}")));
    let known = |name: &str| must.contains(&name) || may.contains(&name);
    found.extend(block.attributes.keys().filter(|name| !known(name)).map(|name| format!("{place} knows no {name}")));
    let named = block.attributes.values().flat_map(references);
    found.extend(named.filter(|it| !exports.contains(*it)).map(|it| format!("{place}: nobody exports {it}")));
    found.extend(block.blocks.iter().flat_map(|within| problems(within, &place, exports)));
    found
}

fn references(value: &syntax::Value) -> Vec<&str> {
    match value {
        syntax::Value::Reference(name) => vec![name],
        syntax::Value::List(list) => list.iter().flat_map(references).collect(),
        syntax::Value::Map(map) => map.values().flat_map(references).collect(),
        syntax::Value::Text(_) | syntax::Value::Truth(_) => Vec::new(),
    }
}

fn problems_of(configuration: &Block) -> Vec<String> {
    let exports = configuration.blocks.iter().flat_map(|block| {
        let exported = EXPORTS.iter().find(|(name, _)| *name == block.name).map_or(&[][..], |(_, exported)| exported);
        exported.iter().map(|it| format!("{}.{}.{it}", block.name, block.label.as_deref().unwrap_or_default()))
    });
    let exports = exports.collect();
    configuration.blocks.iter().flat_map(|block| problems(block, "", &exports)).collect()
}

#[test]
fn alloy_is_told_what_it_knows_and_nothing_else() {
    assert_eq!(problems_of(&configuration()), [""; 0]);
    let before = text(&example("alloy/config.alloy"));
    for (from, to, wrong) in [
        ("stage.drop {", "stage.dropped {", "loki.process stage.dropped is no block"),
        ("older_than ", "older ", "loki.process stage.drop knows no older"),
        ("action            = \"inc\"\n", "", "loki.process stage.metrics metric.counter has no action"),
        (
            "ingress.output",
            "ingress.targets",
            "loki.source.kubernetes: nobody exports discovery.relabel.ingress.targets",
        ),
        ("\"requests\" {", "{", "loki.process: the label is None"),
    ] {
        assert!(before.contains(from), "{from}");
        let found = problems_of(&syntax::read(&before.replace(from, to)).expect(to));
        assert!(found.contains(&wrong.to_owned()), "{to}: {found:?}");
    }
}

/// The labels by which each of these lines is counted.
pub(crate) async fn counted(python: &Path, lines: &[Value]) -> Vec<BTreeMap<String, String>> {
    let configuration = configuration();
    let fields = stage(&configuration, "stage.json").texts("expressions");
    let extracted = lines.iter().map(|line| {
        let value = |field: &str| line[field].as_str().unwrap_or_else(|| panic!("{field}: {line}")).to_owned();
        fields.iter().map(|(name, field)| ((*name).to_owned(), value(field))).collect()
    });
    let mut extracted: Vec<BTreeMap<String, String>> = extracted.collect();
    for template in stages(&configuration).iter().filter(|stage| stage.name == "stage.template") {
        let filled = filled_in(python, template.text("template"), &extracted).await;
        for (extracted, text) in extracted.iter_mut().zip(filled) {
            extracted.insert(template.text("source").to_owned(), text);
        }
    }
    let labels = stage(&configuration, "stage.labels").texts("values");
    let kept = stage(&configuration, "stage.label_keep").list("values");
    let labelled = |extracted: &BTreeMap<String, String>| {
        let labels = labels.iter().filter(|(label, _)| kept.contains(*label));
        // One without a source is its own.
        let source = |label: &str, source: &str| if source.is_empty() { label } else { source }.to_owned();
        labels.map(|(label, from)| ((*label).to_owned(), extracted[&source(label, from)].clone())).collect()
    };
    extracted.iter().map(labelled).collect()
}

/// A template with the values of each.
async fn filled_in(python: &Path, template: &str, values: &[BTreeMap<String, String>]) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let asked = file(folder.path(), "asked.json", &json!({"template": template, "values": values}).to_string());
    let mut fill = command(python);
    fill.arg(root().join("tests/prometheus/template.py")).arg(asked).env("PYTHONDONTWRITEBYTECODE", "1");
    let ended = run(fill, LIMIT).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("a list of texts")
}

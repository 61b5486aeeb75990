//! The broken worlds that doctor is held to, counted by the link that is broken in them.

use std::{collections::BTreeMap, fs};

use tests::binaries::root;

/// As many as the issue asks for.
const WORLDS: usize = 40;

/// Of these nothing is ever broken for certain: of the first, that nobody says which address the world sees; of the second, that nobody
/// here may ask AWS; of the third, what is not asked at home yet.
const NEVER_FAIL: [&str; 3] = ["address", "aws", "inside"];

/// The links, as doctor calls them.
fn links() -> Vec<String> {
    let source = fs::read_to_string(root().join("infra/src/doctor/link.rs")).expect("the links");
    let (_, list) = source.split_once("pub const ALL").expect("a list of all");
    let (list, _) = list.split_once("];").expect("it ends");
    let named = list.split("Self::").skip(1).filter_map(|rest| rest.split(',').next());
    named.map(snake_case).collect()
}

fn snake_case(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

/// The worlds of these tests, by their link: each is a name in words, and behind it the link.
fn worlds(links: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut worlds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in fs::read_dir(root().join("tests/scenarios/doctor")).expect("these tests").flatten() {
        let source = fs::read_to_string(file.path()).unwrap_or_default();
        // What stands between quotation marks is each second part.
        let parts: Vec<&str> = source.split('"').collect();
        for [name, between, link] in parts.windows(3).skip(1).step_by(2).filter_map(|it| <[&str; 3]>::try_from(it).ok())
        {
            let is_world = between.trim() == "," && name.contains(' ') && links.iter().any(|it| it == link);
            if is_world && !worlds.values().flatten().any(|known| known == name) {
                worlds.entry(link.to_owned()).or_default().push(name.to_owned());
            }
        }
    }
    worlds
}

#[test]
fn the_broken_worlds_are_more_than_forty_and_each_link_has_its_own() {
    let links = links();
    assert_eq!(links.len(), 37, "{links:?}");
    let worlds = worlds(&links);
    for (link, names) in &worlds {
        println!("{link:<14} {:>2}  {}", names.len(), names.join("; "));
    }
    let count: usize = worlds.values().map(Vec::len).sum();
    assert!(count >= WORLDS, "{count}");
    let without: Vec<_> = links.iter().filter(|link| !worlds.contains_key(*link)).collect();
    assert_eq!(without, NEVER_FAIL);
}

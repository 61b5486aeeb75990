//! YAML with the line of each thing. A file is read twice at most: at once into what it should be, which is all where nothing is
//! wrong; and else again with its lines, to say everything that is wrong and where.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value};
use serde_saphyr::{Error, Spanned, alias_limits, budget, options};

use super::{
    Wrong,
    problems::{Place, Problem, Step},
    shape,
};

/// More things than this in a file, aliases followed, are no list of checks.
const MAX_NODES: usize = 2_000_000;

/// How much of them may come of aliases: 10 000 services on one template, and more.
const MAX_REPLAYED: usize = 500_000;

/// How deep a file may be; `expect` of a check needs eight levels, and a value of JSON a few more.
const MAX_DEPTH: usize = 24;

fn settings() -> serde_saphyr::Options {
    options! {
        budget: budget! {
            max_nodes: MAX_NODES,
            max_events: 2 * MAX_NODES,
            max_documents: 2,
            // Each level is some kilobytes of the stack.
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_recorded_anchor_events: MAX_REPLAYED / 4,
            max_merge_keys: 50_000,
            // A file of many checks on two templates is well.
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        // `on` and `no` are words.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        // A snippet would show what stands beside what is wrong, a secret perhaps.
        with_snippet: false,
    }
}

/// A text into what it should be.
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_saphyr::from_str_with_options(text, settings())
}

/// What is wrong with a text by the words of the library, without what stands in it.
pub(super) fn wrong(file: &str, error: &Error) -> Wrong {
    let location = error.location().filter(|location| location.line() > 0);
    let line = location.and_then(|location| u32::try_from(location.line()).ok());
    Wrong { file: file.to_owned(), line, sentence: sentence(error.without_snippet()) }
}

fn sentence(error: &Error) -> String {
    let message = error.to_string();
    let is_limit = matches!(
        error,
        Error::AliasReplayLimitExceeded { .. }
            | Error::AliasReplayStackDepthExceeded { .. }
            | Error::AliasExpansionLimitExceeded { .. }
    );
    // Behind an alias, the error of a limit is only known by its text.
    if is_limit || message.contains("budget breached") || message.contains("recursion limit") {
        return "this is too much or too deep for a list of checks: write it with fewer anchors and brackets"
            .to_owned();
    }
    let message = message.lines().next().unwrap_or_default();
    let cut = [" at line ", ": line ", "error: line "].iter().filter_map(|cut| message.find(cut)).min();
    let message = &message[..cut.unwrap_or(message.len())];
    if let Some(key) = message.strip_prefix("duplicate mapping key: ").and_then(|rest| rest.split(", set ").next()) {
        return format!("{key} is there twice: take one of them out");
    }
    if ["invalid type", "invalid value", "invalid length", "unknown ", "missing "]
        .iter()
        .any(|it| message.starts_with(it))
    {
        return shape::for_people(message, None).0;
    }
    format!("this cannot be read as YAML ({message}): write it anew")
}

/// A thing with its line.
#[derive(Debug)]
pub(super) struct Node {
    line: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    Scalar(Value),
    List(Vec<Node>),
    Mapping(Vec<(String, u32, Node)>),
}

impl Node {
    /// The line of a place; of the nearest one above it where nothing is there.
    pub(super) fn line(&self, place: &Place) -> u32 {
        let (mut node, mut line) = (self, self.line.max(1));
        for step in &place.0 {
            let next = match (&node.what, step) {
                (What::List(items), Step::Item(item)) => items.get(*item).map(|node| (node.line, node)),
                (What::Mapping(entries), Step::Key(key)) => {
                    entries.iter().find(|(name, ..)| name == key).map(|(_, line, node)| (*line, node))
                }
                _ => None,
            };
            let Some((at, next)) = next else { break };
            (node, line) = (next, at);
        }
        line
    }

    /// Without its lines.
    pub(super) fn value(&self) -> Value {
        match &self.what {
            What::Scalar(value) => value.clone(),
            What::List(items) => Value::Array(items.iter().map(Self::value).collect()),
            What::Mapping(entries) => {
                let entries = entries.iter().map(|(key, _, node)| (key.clone(), node.value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// What is wrong, by lines.
    pub(super) fn locate(&self, file: &str, problems: Vec<Problem>) -> Vec<Wrong> {
        let wrong = |(place, sentence, other): (Place, String, Option<Place>)| {
            let line = self.line(&place);
            let sentence = match other.map(|other| self.line(&other)) {
                Some(other) if other != line => format!("{sentence} (the other one is in line {other})"),
                _ => sentence,
            };
            Wrong { file: file.to_owned(), line: Some(line), sentence }
        };
        let mut all: Vec<_> =
            problems.into_iter().map(|problem| wrong((problem.place, problem.sentence, problem.other))).collect();
        all.sort_by_key(|wrong| wrong.line);
        all.dedup();
        all
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<What>::deserialize(deserializer)?;
        Ok(Self { line: u32::try_from(referenced.line()).unwrap_or(u32::MAX), what: value })
    }
}

impl<'de> Deserialize<'de> for What {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhatVisitor)
    }
}

struct WhatVisitor;

impl<'de> Visitor<'de> for WhatVisitor {
    type Value = What;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<What, E> {
        Ok(What::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<What, E> {
        Ok(What::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<What, E> {
        Ok(What::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<What, E> {
        Ok(What::Scalar(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<What, E> {
        Ok(What::Scalar(value.into()))
    }

    fn visit_unit<E>(self) -> Result<What, E> {
        Ok(What::Scalar(Value::Null))
    }

    fn visit_none<E>(self) -> Result<What, E> {
        Ok(What::Scalar(Value::Null))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<What, D::Error> {
        What::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<What, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(What::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<What, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, node)) = map.next_entry::<Spanned<String>, Node>()? {
            entries.push((key.value, u32::try_from(key.referenced.line()).unwrap_or(u32::MAX), node));
        }
        Ok(What::Mapping(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_file_is_not_in_what_is_said_of_it() {
        for text in [
            "a: hunter2",
            "hunter2",
            "[hunter2, 1]",
            "a: {b: hunter2}",
            "a: !!int hunter2",
            "a: \"hunter2",
            "a: [hunter2",
        ] {
            for error in [
                read::<Vec<u8>>(text).unwrap_err(),
                read::<std::collections::BTreeMap<String, bool>>(text).unwrap_err(),
                read::<std::collections::BTreeMap<String, u8>>(text).unwrap_err(),
            ] {
                let wrong = wrong("a.yml", &error).to_string();
                assert!(!wrong.contains("hunter2") && wrong.starts_with("a.yml:1: "), "{text}: {wrong}");
            }
        }
    }
}

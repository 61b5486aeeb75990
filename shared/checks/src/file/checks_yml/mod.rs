//! `checks.yml`, our own file: strict, and everything that is wrong is said at once.
//!
//! - `definition`, `kinds`: its shape, of which the JSON Schema for editors is made
//! - `build`, `build_kinds`, `build_programs`: from the shape to checks
//! - [`written`]: from checks to a file, over `keys`

mod build;
mod build_kinds;
mod build_programs;
mod definition;
mod keys;
mod kinds;
mod one;
mod written;

use std::{collections::HashSet, path::Path};

use serde_json::Value;

pub(super) use self::build_kinds::record_type;
use self::definition::{Defaults, Definition, File};
pub use self::{
    one::{One, one, schema_of_one},
    written::{Written, written},
};
use super::{
    Loaded, MAX_CHECKS, Machine, Parts, ThisMachine, Wrong, names,
    problems::{At, Place, Step},
    reading::Reading,
    shape, text_of,
    words::Words,
    yaml,
};
use crate::check::{Check, CheckName};

/// The address under which editors find the schema.
const SCHEMA_ID: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads the file at `path`, for this machine.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Vec<Wrong>> {
    load_parts(path).whole()
}

/// As [`load`], with what can be used of a file that is wrong.
pub fn load_parts(path: &Path) -> Parts {
    match text_of(path) {
        Ok(text) => parts(&text, &path.display().to_string(), &ThisMachine),
        Err(wrong) => Parts::none(wrong),
    }
}

/// Reads a text that is called `file` in messages.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, file: &str, machine: &dyn Machine) -> Result<Loaded, Vec<Wrong>> {
    parts(text, file, machine).whole()
}

/// As [`read`], with what can be used of a text that is wrong. Of one that has another shape, that is nothing.
fn parts(text: &str, file: &str, machine: &dyn Machine) -> Parts {
    let shape = match yaml::read::<Option<File>>(text) {
        Ok(shape) => {
            let File { defaults, checks } = shape.unwrap_or(File { defaults: None, checks: None });
            let mut reading = Reading::new(machine);
            let has_list = checks.is_some();
            let checks: Vec<_> = checks.unwrap_or_default().into_iter().map(Some).collect();
            let built = build_all(&mut reading, defaults.as_ref(), &checks, HashSet::new());
            let named = || checks.iter().flatten().filter_map(Definition::likely_name).collect();
            return Parts::of(reading, text, file, built, named, has_list);
        }
        Err(error) => yaml::wrong(file, &error),
    };
    let node: yaml::Node = match yaml::read(text) {
        Ok(node) => node,
        Err(error) => return Parts::none(vec![yaml::wrong(file, &error)]),
    };
    let mut reading = Reading::new(machine);
    everything(&mut reading, node.value());
    let (found, missing) = (node.locate(file, reading.problems.wrong), node.locate(file, reading.problems.missing));
    // What only the first reading minds is said as the library has it.
    Parts { wrong: if found.is_empty() { vec![shape] } else { found }, missing, ..Parts::default() }
}

/// The schema of the file, for editors.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("$schema".into(), SCHEMA_ID.into());
    schema.to_value()
}

/// The checks that can be made, each with its number in the file.
fn build_all(
    reading: &mut Reading<'_>,
    defaults: Option<&Defaults>,
    definitions: &[Option<Definition>],
    mut known: HashSet<String>,
) -> Vec<(usize, Check)> {
    let list = At::ROOT.key("checks");
    if definitions.len() > MAX_CHECKS {
        reading.wrong(
            &list,
            format!("there are more than {MAX_CHECKS} checks: share them between two files and programs"),
        );
        return Vec::new();
    }
    let none = Defaults::default();
    let asked = defaults.unwrap_or(&none);
    let pace = build::pace(reading, &At::ROOT.key("defaults"), build::Pace::default(), asked);
    let mut checks = Vec::with_capacity(definitions.len());
    for (index, definition) in definitions.iter().enumerate() {
        let Some(definition) = definition else { continue };
        match build::check(reading, &list.item(index), definition, pace) {
            Some(check) => checks.push((index, check)),
            // Others that depend on it are right.
            None => known.extend(definition.likely_name()),
        }
    }
    names::check(&mut reading.problems, &list, &checks, &known);
    checks
}

/// Everything that is wrong with a file, piece by piece.
fn everything(reading: &mut Reading<'_>, value: Value) {
    let root = Place::default();
    let Value::Object(mut map) = value else {
        // An empty file is one without checks.
        if !value.is_null() {
            let _: Option<File> = shape::read(value, &root, &mut reading.problems);
        }
        return;
    };
    let key = |key: &str| Place(vec![Step::Key(key.to_owned())]);
    let items = match map.remove("checks") {
        Some(Value::Array(items)) => items,
        Some(other) => {
            map.insert("checks".into(), other);
            Vec::new()
        }
        None => Vec::new(),
    };
    let defaults = map.remove("defaults").filter(|defaults| !defaults.is_null());
    let _: Option<File> = shape::read(Value::Object(map), &root, &mut reading.problems);
    let defaults: Option<Defaults> =
        defaults.and_then(|defaults| shape::read(defaults, &key("defaults"), &mut reading.problems));
    let known = items.iter().filter_map(name_of).collect();
    let mut place = key("checks");
    let definitions: Vec<Option<Definition>> = (items.into_iter().enumerate())
        .map(|(index, item)| {
            place.0.truncate(1);
            place.0.push(Step::Item(index));
            shape::read(item, &place, &mut reading.problems)
        })
        .collect();
    build_all(reading, defaults.as_ref(), &definitions, known);
}

/// The name that a check has or would have, whatever else is wrong with it.
fn name_of(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    likely(text("name"), text("title"))
}

fn likely(name: Option<&str>, title: Option<&str>) -> Option<String> {
    let made = || title.and_then(CheckName::from_title).map(|name| name.to_string());
    name.map(ToOwned::to_owned).or_else(made)
}

impl Definition {
    /// As `name_of`.
    fn likely_name(&self) -> Option<String> {
        let text = |words: &Option<Words>| words.as_ref().map(|words| words.0.clone());
        likely(text(&self.name).as_deref(), text(&self.title).as_deref())
    }
}

#[cfg(test)]
mod tests;

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
mod written;

use std::{collections::HashSet, path::Path};

use serde_json::Value;

pub(super) use self::build_kinds::record_type;
use self::definition::{Defaults, Definition, File};
pub use self::written::{Written, written};
use super::{
    Loaded, MAX_CHECKS, Machine, ThisMachine, Wrong, names,
    problems::{At, Place, Step},
    reading::Reading,
    shape, text_of, yaml,
};
use crate::check::{Check, CheckName};

/// The address under which editors find the schema.
const SCHEMA_ID: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads the file at `path`, for this machine.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path) -> Result<Loaded, Vec<Wrong>> {
    read(&text_of(path)?, &path.display().to_string(), &ThisMachine)
}

/// Reads a text that is called `file` in messages.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, file: &str, machine: &dyn Machine) -> Result<Loaded, Vec<Wrong>> {
    let shape = match at_once(text, machine) {
        Ok(Some(loaded)) => return Ok(loaded),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    let node: yaml::Node = yaml::read(text).map_err(|error| vec![yaml::wrong(file, &error)])?;
    let mut reading = Reading::new(machine);
    everything(&mut reading, node.value());
    match shape {
        // What only the first reading minds is said as the library has it.
        Some(error) if reading.problems.is_empty() => Err(vec![yaml::wrong(file, &error)]),
        _ => Err(node.locate(file, reading.problems)),
    }
}

/// The schema of the file, for editors.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(File);
    schema.insert("$schema".into(), SCHEMA_ID.into());
    schema.to_value()
}

/// The checks of a file that is well; `None` where something is wrong.
fn at_once(text: &str, machine: &dyn Machine) -> Result<Option<Loaded>, serde_saphyr::Error> {
    let File { defaults, checks } = match yaml::read::<Option<File>>(text) {
        Ok(file) => file.unwrap_or(File { defaults: None, checks: None }),
        Err(error) => return Err(error),
    };
    let mut reading = Reading::new(machine);
    let has_list = checks.is_some();
    let checks: Vec<_> = checks.unwrap_or_default().into_iter().map(Some).collect();
    let built = build_all(&mut reading, defaults.as_ref(), &checks, &HashSet::new());
    Ok(reading.problems.is_empty().then_some(Loaded {
        checks: built,
        notes: reading.notes,
        has_list,
        ..Loaded::default()
    }))
}

fn build_all(
    reading: &mut Reading<'_>,
    defaults: Option<&Defaults>,
    definitions: &[Option<Definition>],
    known: &HashSet<String>,
) -> Vec<Check> {
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
        let check = definition.as_ref().and_then(|it| build::check(reading, &list.item(index), it, pace));
        checks.extend(check.map(|check| (index, check)));
    }
    names::check(&mut reading.problems, &list, &checks, known);
    checks.into_iter().map(|(_, check)| check).collect()
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
    build_all(reading, defaults.as_ref(), &definitions, &known);
}

/// The name that a check has or would have, whatever else is wrong with it.
fn name_of(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let made = || text("title").and_then(CheckName::from_title).map(|name| name.to_string());
    text("name").map(ToOwned::to_owned).or_else(made)
}

#[cfg(test)]
mod tests;

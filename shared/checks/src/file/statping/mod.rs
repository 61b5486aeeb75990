//! Statping's files as they are: `services.yml`, and what of `config.yml` has a meaning here. What Statping does and we do not is
//! named, once for each service and key.
//!
//! - `export`: what it exports of itself
//! - `service`: what the file says of a service, however it is written
//! - `build`, `http`: what is checked, then
//! - [`mod@config`]: what of `config.yml` has a meaning here
//! - `go_regex`: the regular expressions of Go

mod build;
pub mod config;
mod export;
mod go_regex;
mod http;
mod service;

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
};

pub use self::export::{load_export, read_export};
use self::service::Services;
use super::{
    Loaded, MAX_CHECKS, Machine, Parts, ThisMachine, Wrong, names::Names, problems::At, reading::Reading, text_of, yaml,
};
use crate::check::Check;

/// The names of groups, by their numbers in Statping.
pub type Groups = BTreeMap<i64, String>;

/// Reads the `services.yml` at `path`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &Path, groups: &Groups) -> Result<Loaded, Vec<Wrong>> {
    load_parts(path, groups).whole()
}

/// As [`load`], with what can be used of a file that is wrong.
pub fn load_parts(path: &Path, groups: &Groups) -> Parts {
    match text_of(path) {
        Ok(text) => parts(&text, &path.display().to_string(), groups, &ThisMachine),
        Err(wrong) => Parts::none(wrong),
    }
}

/// Reads a text that is called `file` in messages. A group that `groups` has no name for is called by its number.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, file: &str, groups: &Groups, machine: &dyn Machine) -> Result<Loaded, Vec<Wrong>> {
    parts(text, file, groups, machine).whole()
}

fn parts(text: &str, file: &str, groups: &Groups, machine: &dyn Machine) -> Parts {
    let services: Option<Services> = match yaml::read(text) {
        Ok(services) => services,
        Err(error) => return Parts::none(vec![yaml::wrong(file, &error)]),
    };
    let mut reading = Reading::new(machine);
    let services = services.unwrap_or_default();
    let mut names = Names::default();
    let checks = build_all(&mut reading, &services, groups, &mut names);
    Parts::of(reading, text, file, checks, || names.all(), services.services.is_some())
}

/// The checks of services, each with the place of its service in the list.
fn build_all(
    reading: &mut Reading<'_>,
    services: &Services,
    groups: &Groups,
    names: &mut Names,
) -> Vec<(usize, Check)> {
    let list = At::ROOT.key("services");
    for key in &services.unknown {
        reading.notes.push(format!("{key}: only services are read from this file"));
    }
    let all = services.services.as_deref().unwrap_or_default();
    if all.len() > MAX_CHECKS {
        reading.wrong(
            &list,
            format!("there are more than {MAX_CHECKS} services: share them between two files and programs"),
        );
        return Vec::new();
    }
    let (mut seen, mut checks) = (HashSet::new(), Vec::new());
    for (index, service) in all.iter().enumerate() {
        let Some(service) = service else { continue };
        if !seen.insert(service.identity()) {
            let title = service.text("name").unwrap_or_default();
            reading.notes.push(format!("{title}: it is there twice, with one address: it is checked once"));
            continue;
        }
        let made = build::check(reading, &list.item(index), service, groups, names);
        checks.extend(made.map(|check| (service.order(), index, check)));
    }
    build::note_unverified(reading, services);
    // As Statping shows them; those of one place stay as they are.
    checks.sort_by_key(|(order, _, _)| *order);
    checks.into_iter().map(|(_, index, check)| (index, check)).collect()
}

#[cfg(test)]
mod tests;

//! Gatus's `config.yaml`: its endpoints of the kinds that there are here. What is not taken over is named once, by endpoint and
//! key or condition.
//!
//! - `definition`: what the file says
//! - `condition`: what its conditions ask for
//! - `build`, `http`: what is checked, then

mod build;
mod condition;
mod definition;
mod http;

use std::path::Path;

use self::definition::Config;
use super::{
    Loaded, MAX_CHECKS, Machine, ThisMachine, Wrong, names::Names, problems::At, reading::Reading, text_of, yaml,
};

/// What becomes of the parts of the file that are no endpoints. The others have no meaning here, and say nothing of a check.
const PARTS: [(&str, &str); 9] = [
    ("alerting", "channels of notices are one address a line in NOTIFY_URLS"),
    ("announcements", "write an incident on the page instead"),
    ("connectivity", "that the home itself is down is known from outside: depends_on: home"),
    ("maintenance", "write a scheduled maintenance on the page instead"),
    ("remote", "one page shows what one keeper knows"),
    ("security", "the page is public or not by the keeper's listeners"),
    ("storage", "the keeper has a database of its own (DATABASE_URL)"),
    ("tunneling", "checks are made from this machine alone"),
    ("web", "the keeper has listeners of its own (KEEPER_ADDR)"),
];

/// Reads the `config.yaml` at `path`, with the variables of this machine where it names any.
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
    let config: Option<Config> = yaml::read(text).map_err(|error| vec![yaml::wrong(file, &error)])?;
    let config = config.unwrap_or_default();
    let mut reading = Reading::new(machine);
    for (part, why) in PARTS {
        if config.rest.0.contains(part) {
            reading.notes.push(format!("{part}: {why}"));
        }
    }
    for external in &config.external {
        let name = external.name();
        reading
            .notes
            .push(format!("{name}: what reports by itself is a passive check here, with an address of its own"));
    }
    for suite in &config.suites {
        reading.notes.push(format!("{}: checks one after the other (suites) are a script here", suite.name()));
    }
    let list = At::ROOT.key("endpoints");
    let mut checks = Vec::new();
    let has_list = config.endpoints.is_some();
    let endpoints = config.endpoints.unwrap_or_default();
    if endpoints.len() > MAX_CHECKS {
        reading.wrong(&list, format!("there are more than {MAX_CHECKS} endpoints: share them between two programs"));
    } else {
        let mut names = Names::default();
        for (index, endpoint) in endpoints.iter().enumerate() {
            checks.extend(build::check(&mut reading, &list.item(index), endpoint, &mut names));
        }
    }
    if reading.problems.is_empty() {
        let Reading { notes, is_confidential, .. } = reading;
        return Ok(Loaded { checks, notes, has_list, is_confidential, ..Loaded::default() });
    }
    let node: yaml::Node = yaml::read(text).map_err(|error| vec![yaml::wrong(file, &error)])?;
    Err(node.locate(file, reading.problems.wrong))
}

#[cfg(test)]
mod tests;

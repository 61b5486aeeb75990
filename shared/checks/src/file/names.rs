//! What must hold of the checks of a file together: one name for each, and dependencies that lead somewhere and not in a circle.

use std::collections::{HashMap, HashSet};

use shared::settings::nearness;

use super::problems::{At, Problems};
use crate::check::{Check, CheckName, Dependency, Kind, name::LONGEST};

/// Says what is wrong with checks together. `list` is where they are, each with its number there; `known` are the names of
/// further ones that are wrong by themselves, which are missed by none.
pub(super) fn check(problems: &mut Problems, list: &At<'_>, checks: &[(usize, Check)], known: &HashSet<String>) {
    but_circles(problems, list, checks, known);
    for (circle, sentence) in depending_in_circles(checks) {
        let (index, _) = &checks[circle[0]];
        problems.add(&list.item(*index).key("depends_on"), sentence);
    }
}

/// As [`check`], without what depends on itself in the end.
pub(super) fn but_circles(problems: &mut Problems, list: &At<'_>, checks: &[(usize, Check)], known: &HashSet<String>) {
    let mut names: HashMap<&CheckName, usize> = HashMap::new();
    for (index, check) in checks {
        let at = list.item(*index);
        if let Some(other) = names.insert(&check.name, *index) {
            let other = list.item(other);
            let sentence = format!("two checks are called {}: give one of them another name", check.name);
            problems.push(at.key("name").place(), sentence, Some(other.key("name").place()));
        }
    }
    let is_passive = |check: &&Check| matches!(check.kind, Kind::Passive(_));
    let passive = checks.iter().map(|(_, check)| check).filter(is_passive).map(|check| &check.name);
    let passive: HashSet<&CheckName> = passive.collect();
    former(problems, list, checks, &names, known);
    secrets(problems, list, checks);
    for (index, check) in checks {
        let at = list.item(*index);
        let key = at.key("depends_on");
        if matches!(check.kind, Kind::Passive(_)) && !check.depends_on.is_empty() {
            let sentence =
                "depends_on: a passive check calls by itself, and waits for no other: take it out".to_owned();
            problems.add(&key, sentence);
        }
        for (item, dependency) in check.depends_on.iter().enumerate() {
            let Dependency::Check(name) = dependency else { continue };
            if passive.contains(name) {
                let sentence =
                    format!("depends_on: {name} is passive, and cannot be asked whether it is down: take it out");
                problems.add(&key.item(item), sentence);
            }
            if !names.contains_key(name) && !known.contains(name.as_str()) {
                let meant = nearness::question(name.as_str(), names.keys().map(|name| name.as_str()).chain(["home"]));
                let rest = if meant.is_empty() { ": write the name of one, or home" } else { &meant };
                let sentence = format!("depends_on: there is no check {name}{rest}");
                problems.add(&key.item(item), sentence);
            }
        }
    }
}

/// The circles of what depends on each other, by places in `checks`, with a sentence about each.
pub(super) fn depending_in_circles(checks: &[(usize, Check)]) -> Vec<(Vec<usize>, String)> {
    let mut found = Vec::new();
    for circle in circles(checks, needed) {
        let names: Vec<_> = circle.iter().map(|at| checks[*at].1.name.as_str()).collect();
        let sentence = match names.as_slice() {
            [one] => format!("depends_on: {one} depends on itself: take it out"),
            [first, ..] => format!("depends_on goes in a circle ({}, {first}): take one of them out", names.join(", ")),
            [] => continue,
        };
        found.push((circle, sentence));
    }
    found
}

/// The checks that one depends on.
fn needed(check: &Check) -> Vec<&CheckName> {
    let mut names = Vec::new();
    for dependency in &check.depends_on {
        match dependency {
            Dependency::Check(name) => names.push(name),
            Dependency::Home => (),
        }
    }
    names
}

/// A name may be given on: `b` was `a`, and `c` was `b`. Each is another one's then at once, so that none is in a circle.
fn former(
    problems: &mut Problems,
    list: &At<'_>,
    checks: &[(usize, Check)],
    names: &HashMap<&CheckName, usize>,
    wrong: &HashSet<String>,
) {
    let given_on: HashSet<&CheckName> =
        checks.iter().filter(|(_, check)| check.was.is_some()).map(|(_, check)| &check.name).collect();
    let mut formers: HashMap<&CheckName, usize> = HashMap::new();
    for (index, check) in checks {
        let Some(was) = &check.was else { continue };
        let at = list.item(*index);
        let place = at.key("was").place();
        let sentence =
            || format!("was: {was} is the name of a check that is there: write the name that this one had before");
        if let Some(other) = names.get(was).filter(|_| !given_on.contains(was)) {
            problems.push(place, sentence(), Some(list.item(*other).key("name").place()));
        } else if !names.contains_key(was) && wrong.contains(was.as_str()) {
            // It keeps its history until it is mended; perhaps it gives its name on itself.
            problems.push(place, sentence(), None);
        } else if let Some(other) = formers.insert(was, *index) {
            let sentence = format!("was: two checks were {was} before: only one of them can go on with its history");
            problems.push(place, sentence, Some(list.item(other).key("was").place()));
        }
    }
    for circle in circles(checks, |check| check.was.iter().collect()) {
        let (index, _) = &checks[circle[0]];
        let names: Vec<_> = circle.iter().map(|at| checks[*at].1.name.as_str()).collect();
        let sentence = match names.as_slice() {
            [one] => format!("was: {one} is its name now: write the one that it had before, or take it out"),
            [first, ..] => format!(
                "was goes in a circle ({}, {first}), and each reading would exchange them: take one of them out",
                names.join(", ")
            ),
            [] => continue,
        };
        problems.add(&list.item(*index).key("was"), sentence);
    }
}

/// Two passive checks with one address would be one.
fn secrets(problems: &mut Problems, list: &At<'_>, checks: &[(usize, Check)]) {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (index, check) in checks {
        let Kind::Passive(passive) = &check.kind else { continue };
        let Ok(secret) = passive.secret.current() else { continue };
        if let Some(other) = seen.insert(secret.expose().to_owned(), *index) {
            let (at, other) = (list.item(*index), list.item(other));
            let sentence = "secret: two passive checks have the same one: give each its own".to_owned();
            let place = |at: &At<'_>| at.key("passive").key("secret").place();
            problems.push(place(&at), sentence, Some(place(&other)));
        }
    }
}

/// The circles of what leads from each check to others, by places in `checks`; each once, from its first check on.
fn circles<'a>(checks: &'a [(usize, Check)], next: impl Fn(&'a Check) -> Vec<&'a CheckName>) -> Vec<Vec<usize>> {
    let by_name: HashMap<&CheckName, usize> =
        checks.iter().enumerate().map(|(at, (_, check))| (&check.name, at)).collect();
    let next = |check| next(check).into_iter().filter_map(|name| by_name.get(name).copied()).collect();
    let ways: Vec<Vec<usize>> = checks.iter().map(|(_, check)| next(check)).collect();
    // 0: not seen, 1: on the way that is walked now, 2: done. No function calls itself: a chain may be long.
    let mut state = vec![0_u8; checks.len()];
    let mut found = Vec::new();
    for start in 0..checks.len() {
        if state[start] != 0 {
            continue;
        }
        let mut way = vec![(start, 0)];
        state[start] = 1;
        while let Some((at, taken)) = way.last_mut() {
            let (at, step) = (*at, ways[*at].get(*taken).copied());
            *taken += 1;
            match step {
                None => {
                    state[at] = 2;
                    way.pop();
                }
                Some(next) if state[next] == 0 => {
                    state[next] = 1;
                    way.push((next, 0));
                }
                Some(next) if state[next] == 1 => {
                    let circle: Vec<usize> = way.iter().map(|(at, _)| *at).skip_while(|at| *at != next).collect();
                    found.push(from_the_first(circle));
                }
                Some(_) => (),
            }
        }
    }
    found
}

fn from_the_first(mut circle: Vec<usize>) -> Vec<usize> {
    if let Some(first) = circle.iter().enumerate().min_by_key(|(_, at)| **at).map(|(place, _)| place) {
        circle.rotate_left(first);
    }
    circle
}

/// Names of checks that are made of titles: one for each.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<CheckName>);

impl Names {
    /// All that were made.
    pub(super) fn all(self) -> Vec<String> {
        self.0.into_iter().map(|name| name.to_string()).collect()
    }

    /// The nearest name to a title that is not taken yet: `nas`, `nas-2`, `nas-3`.
    pub(super) fn make(&mut self, title: &str) -> CheckName {
        let wanted = CheckName::from_title(title).filter(|name| name.as_str() != "home");
        let base = wanted.as_ref().map_or("check", CheckName::as_str);
        let numbered = (2_u32..).map(|number| {
            let suffix = format!("-{number}");
            let short: String = base.chars().take(LONGEST - suffix.len()).collect();
            format!("{}{suffix}", short.trim_end_matches(['-', '.', '_'])).parse().ok()
        });
        let mut free = std::iter::once(wanted.clone()).chain(numbered).flatten().filter(|name| !self.0.contains(name));
        // Numbers do not end before names do.
        let name = free.next().unwrap_or_else(|| unreachable!("there is always one more number"));
        self.0.insert(name.clone());
        name
    }
}

//! What is wrong with checks together that come from somewhere else than one file, each of which is read by itself.

use std::collections::{BTreeMap, HashSet};

use super::{
    names,
    problems::{At, Problems, Step},
};
use crate::check::Check;

/// Says what is wrong with checks together, by the rules of a file: the place in `checks` of each that something is wrong with,
/// and a sentence. They come with the oldest first: of those that do not go together it is the youngest. `known` are the names of
/// further ones that are wrong by themselves, which are missed by none.
pub fn together(checks: &[Check], known: impl IntoIterator<Item = String>) -> BTreeMap<usize, String> {
    let known: HashSet<String> = known.into_iter().collect();
    let list = At::ROOT.key("checks");
    let numbered: Vec<(usize, Check)> = checks.iter().cloned().enumerate().collect();
    let mut problems = Problems::of_all();
    names::but_circles(&mut problems, &list, &numbered, &known);
    let mut said: BTreeMap<usize, String> = BTreeMap::new();
    let circles = names::depending_in_circles(&numbered);
    let circles = circles.into_iter().filter_map(|(circle, sentence)| Some((circle.into_iter().max()?, sentence)));
    let others = problems.wrong.into_iter().filter_map(|problem| match problem.place.0.get(1) {
        Some(Step::Item(item)) => Some((*item, problem.sentence)),
        _ => None,
    });
    for (item, sentence) in others.chain(circles) {
        let all = said.entry(item).or_default();
        if !all.is_empty() {
            all.push_str("; ");
        }
        all.push_str(&sentence);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::{super::checks_yml, *};
    use crate::file::ThisMachine;

    fn check(name: &str, depends_on: &[&str]) -> Check {
        let item = serde_json::json!({"name": name, "depends_on": depends_on, "tcp": {"host": "nas.lan", "port": 22}});
        checks_yml::one(item, &ThisMachine).unwrap().check
    }

    #[test]
    fn of_a_circle_the_youngest_is_wrong_and_each_is_said_however_many_there_are() {
        let mut checks = vec![check("a", &["c"]), check("b", &["a", "home"]), check("c", &["b"]), check("d", &["d"])];
        checks.extend((0..200).map(|number| check(&format!("e{number}"), &["nobody"])));
        let said = together(&checks, []);
        assert_eq!(said.len(), 202);
        assert!(said[&2].starts_with("depends_on goes in a circle (a, c, b, a)"), "{}", said[&2]);
        assert_eq!(said[&3], "depends_on: d depends on itself: take it out");
        assert!(said[&203].starts_with("depends_on: there is no check nobody"), "{}", said[&203]);
        assert_eq!(together(&checks, ["nobody".to_owned()]).len(), 2, "what is wrong itself is there all the same");
    }
}

//! One check by itself, in the words of `checks.yml`: for who has it from elsewhere than a file, as from an object of Kubernetes.

use serde_json::Value;

use super::{
    super::{
        Machine,
        problems::{At, Place, Problem, Step},
        reading::Reading,
        shape,
    },
    build::{self, Pace},
    definition::{Defaults, Definition},
};
use crate::check::Check;

/// A check, and what of the machine it lacks to be run.
#[derive(Clone, Debug)]
pub struct One {
    /// The check.
    pub check: Check,
    /// What it names and is not there, a sentence each: its runs say so, too.
    pub missing: Vec<String>,
}

/// Reads one item of the list `checks`. Whether what it depends on is there is for who knows the others.
///
/// # Errors
/// Everything that is wrong with it: each a sentence behind its place, as in `http.url: …`; never a secret.
pub fn one(item: Value, machine: &dyn Machine) -> Result<One, Vec<String>> {
    let mut reading = Reading::new(machine);
    let item_place = Place(vec![Step::Key("checks".into()), Step::Item(0)]);
    let definition: Option<Definition> = shape::read(item, &item_place, &mut reading.problems);
    let list = At::ROOT.key("checks");
    let check = definition.and_then(|definition| {
        let pace = build::pace(&mut reading, &At::ROOT.key("defaults"), Pace::default(), &Defaults::default());
        build::check(&mut reading, &list.item(0), &definition, pace)
    });
    match check.filter(|_| reading.problems.is_empty()) {
        Some(check) => Ok(One { check, missing: sentences(&reading.problems.missing) }),
        None => Err(sentences(&reading.problems.wrong)),
    }
}

fn sentences(problems: &[Problem]) -> Vec<String> {
    let sentence = |Problem { place, sentence, .. }: &Problem| {
        let within = Place(place.0.iter().skip(2).cloned().collect()).to_string();
        if within.is_empty() { sentence.clone() } else { format!("{within}: {sentence}") }
    };
    problems.iter().map(sentence).collect()
}

/// The JSON Schema of one item of the list `checks`.
pub fn schema_of_one() -> Value {
    schemars::schema_for!(Definition).to_value()
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsString, path::Path};

    use serde_json::json;

    use super::*;

    struct Bare;

    impl Machine for Bare {
        fn variable(&self, _: &str) -> Option<OsString> {
            None
        }

        fn program(&self, _: &Path) -> Result<(), String> {
            Ok(())
        }

        fn is_folder(&self, _: &Path) -> bool {
            true
        }
    }

    #[test]
    fn a_check_by_itself_is_read_as_one_of_a_file_is() {
        let item =
            json!({"name": "nas", "every": "30s", "depends_on": ["router"], "tcp": {"host": "nas.lan", "port": 22}});
        let one = one(item, &Bare).unwrap();
        assert_eq!((one.check.name.as_str(), one.check.every.as_secs(), one.missing.len()), ("nas", 30, 0));
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_place() {
        let item = json!({"name": "nas", "every": "1s", "tcp": {"host": "nas.lan", "prt": 22, "port": 22}});
        let wrong = one(item, &Bare).unwrap_err();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].starts_with("tcp.prt: prt is no key here"), "{wrong:?}");
        assert!(wrong[1].starts_with("every: "), "{wrong:?}");
        assert!(one(json!([]), &Bare).is_err() && one(json!({}), &Bare).is_err());
    }

    #[test]
    fn what_is_missing_is_no_fault_of_the_check() {
        let item = json!({"name": "a", "http": {"url": "http://a.lan/", "headers": {"x-key": {"secret": "KEY"}}}});
        let one = one(item, &Bare).unwrap();
        assert_eq!(one.missing.len(), 1, "{one:?}");
    }
}

//! Every fault of a value's shape, and not only the first: what is wrong is said and taken out, and the rest read again.

use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use shared::settings::nearness;

use super::problems::{Place, Problems, Step};

/// How often a value is read again; more faults in one check would not be read at once either.
const MOST: usize = 30;

/// How many numbers and truths of one are taken for texts.
const MOST_TEXTS: usize = 1000;

/// A value as `T`, without what is wrong in it; `None` where nothing is left that could be read.
pub(super) fn read<T: DeserializeOwned>(mut value: Value, at: &Place, problems: &mut Problems) -> Option<T> {
    if value.is_array() {
        // As a list of its fields, serde would take it.
        problems.push(at.clone(), "this is a list, and should be a mapping, like key: value".into(), None);
        return None;
    }
    let mut removed: Vec<Place> = Vec::new();
    let mut texts = 0;
    while removed.len() < MOST && texts < MOST_TEXTS {
        let error = match serde_path_to_error::deserialize(&value) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let (mut place, message) = (place_of(&error), error.inner().to_string());
        // Where a text is wanted, YAML takes `10` for one.
        if message.ends_with(", expected a text") && become_text(&mut value, &place) {
            texts += 1;
            if texts == MOST_TEXTS {
                let sentence =
                    format!("there are {MOST_TEXTS} numbers and more that should be texts: put quotes around them");
                problems.push(below(at, &place), sentence, None);
            }
            continue;
        }
        let key = place.0.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Item(_) => None,
        });
        let (sentence, odd) = for_people(&message, key.as_deref());
        if let Some(Odd::Missing(key)) = &odd {
            let mut missing = place.clone();
            missing.0.push(Step::Key(key.clone()));
            if !removed.contains(&missing) {
                problems.push(below(at, &place), sentence, None);
            }
            return None;
        }
        if let Some(Odd::Unknown(key)) = odd
            && place.0.last() != Some(&Step::Key(key.clone()))
        {
            place.0.push(Step::Key(key));
        }
        problems.push(below(at, &place), sentence, None);
        if !remove(&mut value, &place) {
            return None;
        }
        removed.push(place);
    }
    None
}

fn below(at: &Place, place: &Place) -> Place {
    Place(at.0.iter().chain(&place.0).cloned().collect())
}

fn place_of(error: &serde_path_to_error::Error<serde_json::Error>) -> Place {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    Place(error.path().iter().map_while(step).collect())
}

/// Takes out what is at that place; whether anything was.
fn remove(value: &mut Value, place: &Place) -> bool {
    let Some((last, way)) = place.0.split_last() else { return false };
    match (find(value, way), last) {
        (Some(Value::Object(map)), Step::Key(key)) => map.remove(key).is_some(),
        // The others would move up, to lines that are not theirs: the list ends here.
        (Some(Value::Array(items)), Step::Item(item)) => {
            let is_there = *item < items.len();
            items.truncate(*item);
            is_there
        }
        _ => false,
    }
}

/// Makes a text of a number or a truth; whether there was one.
fn become_text(value: &mut Value, place: &Place) -> bool {
    match find(value, &place.0) {
        Some(found @ (Value::Number(_) | Value::Bool(_))) => {
            *found = Value::String(found.to_string());
            true
        }
        _ => false,
    }
}

fn find<'a>(value: &'a mut Value, way: &[Step]) -> Option<&'a mut Value> {
    way.iter().try_fold(value, |here, step| match (here, step) {
        (Value::Object(map), Step::Key(key)) => map.get_mut(key),
        (Value::Array(items), Step::Item(item)) => items.get_mut(*item),
        _ => None,
    })
}

/// What is odd beside a value.
pub(super) enum Odd {
    Unknown(String),
    Missing(String),
}

/// A message of serde's as a sentence. What was found is never repeated but for numbers: it could be a secret.
pub(super) fn for_people(message: &str, key: Option<&str>) -> (String, Option<Odd>) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field")
        && let [written, known @ ..] = quoted.as_slice()
    {
        let meant = nearness::question(written, known.iter().copied());
        let sentence = match (meant.is_empty(), known) {
            (false, _) => format!("{written} is no key here{meant}"),
            (true, [] | [_, _, _, _, _, _, _, _, _, ..]) => format!("{written} is no key here: take it out"),
            (true, known) => format!("{written} is no key here: take it out, or write {}", known.join(", ")),
        };
        return (sentence, Some(Odd::Unknown((*written).to_owned())));
    }
    if message.starts_with("missing field")
        && let [missing, ..] = quoted.as_slice()
    {
        let whose = key.map(|key| format!(" of {key}")).unwrap_or_default();
        return (format!("{missing}{whose} is missing: write it"), Some(Odd::Missing((*missing).to_owned())));
    }
    let what = key.unwrap_or("this");
    if message.starts_with("invalid length") {
        return (format!("{what} is a list, and should be a mapping, like key: value"), None);
    }
    let invalid = message.strip_prefix("invalid type: ").or_else(|| message.strip_prefix("invalid value: "));
    let sentence = match invalid.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, wanted)) => format!("{what} is {}, and should be {}", found_words(found), wanted_words(wanted)),
        None => format!("{what}: {message}"),
    };
    (sentence, None)
}

fn found_words(found: &str) -> String {
    let number = found.split('`').nth(1);
    match (found.split(' ').next().unwrap_or_default(), number) {
        ("string", _) => "a text".to_owned(),
        ("integer" | "floating", Some(number)) => number.to_owned(),
        ("boolean", Some(value)) => value.to_owned(),
        ("sequence", _) => "a list".to_owned(),
        ("map", _) => "a mapping".to_owned(),
        ("null" | "unit" | "Option", _) => "empty".to_owned(),
        _ => "something else".to_owned(),
    }
}

fn wanted_words(wanted: &str) -> &str {
    match wanted {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        "a string" => "a text",
        "a sequence" => "a list",
        "a map" => "a mapping, like key: value",
        other if other.starts_with("struct ") => "a mapping, like key: value",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only whether it can be read is of interest")]
    struct Shape {
        port: u16,
        #[serde(default)]
        verify: bool,
        #[serde(default)]
        headers: BTreeMap<String, String>,
    }

    fn faults(value: Value) -> Vec<(String, String)> {
        let mut problems = Problems::default();
        let _: Option<Shape> = read(value, &Place::default(), &mut problems);
        problems.wrong.into_iter().map(|problem| (problem.place.to_string(), problem.sentence)).collect()
    }

    #[test]
    fn every_fault_is_found_at_once_and_what_was_there_is_not_repeated() {
        let value = json!({"prot": 1, "port": 70000, "verify": "hunter2", "headers": {"A": ["hunter2"]}, "zzz": 1});
        let mut faults = faults(value);
        faults.sort();
        let expected = [
            ("headers.A", "A is a list, and should be a text"),
            ("port", "port is 70000, and should be a whole number from 0 to 65535"),
            ("prot", "prot is no key here: was port meant?"),
            ("verify", "verify is a text, and should be true or false"),
            ("zzz", "zzz is no key here: take it out, or write port, verify, headers"),
        ];
        assert_eq!(faults, expected.map(|(place, sentence)| (place.to_owned(), sentence.to_owned())));
    }

    #[test]
    fn what_is_missing_is_said_unless_it_was_wrong() {
        let missing = |value| faults(value).into_iter().map(|(_, sentence)| sentence).collect::<Vec<_>>();
        assert_eq!(missing(json!({})), ["port is missing: write it"]);
        assert_eq!(missing(json!({"port": "x"})), ["port is a text, and should be a whole number from 0 to 65535"]);
        assert_eq!(missing(json!([])), ["this is a list, and should be a mapping, like key: value"]);
    }
}

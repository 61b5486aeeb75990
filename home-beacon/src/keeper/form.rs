//! Forms with brackets, as `curl -d 'component[status]=operational'` sends them.
//!
//! `a[b]=1` is a field of an object, `a[]=1` an item of a list, and `a[][b]=1` a field of the list's last object, or of
//! a new one where the last has that field already: what Ruby's Rack makes of them, which statuspage.io runs on.

use serde_json::{Map, Value};
use url::form_urlencoded;

/// How deep names may nest, and how many pairs a form may have.
const DEEPEST: usize = 8;
const MOST_PAIRS: usize = 10_000;

/// Reads a form into the object that the same request would be as JSON, but with texts for all values.
///
/// # Errors
/// When a name makes no sense or contradicts an earlier one; says which.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
    let mut form = Map::new();
    for (count, (name, value)) in form_urlencoded::parse(body).enumerate() {
        if count == MOST_PAIRS {
            return Err(format!("a form may have {MOST_PAIRS} fields"));
        }
        let path = path(&name).ok_or_else(|| format!("`{name}` is not a field name"))?;
        put(&mut form, &path, value.into_owned()).ok_or_else(|| format!("`{name}` contradicts an earlier field"))?;
    }
    Ok(form)
}

/// `a[b][]` is `["a", "b", ""]`.
fn path(name: &str) -> Option<Vec<&str>> {
    let (first, rest) = name.find('[').map_or((name, ""), |start| name.split_at(start));
    let mut path = vec![first];
    let mut rest = rest;
    while !rest.is_empty() {
        let (part, after) = rest.strip_prefix('[')?.split_once(']')?;
        path.push(part);
        rest = after;
    }
    (!first.is_empty() && path.len() <= DEEPEST).then_some(path)
}

fn put(object: &mut Map<String, Value>, path: &[&str], value: String) -> Option<()> {
    let (field, rest) = path.split_first()?;
    match rest {
        [] => drop(object.insert((*field).to_owned(), Value::String(value))),
        ["", rest @ ..] => {
            let list = object.entry(*field).or_insert_with(|| Value::Array(Vec::new())).as_array_mut()?;
            append(list, rest, value)?;
        }
        rest => {
            let inner = object.entry(*field).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
            put(inner, rest, value)?;
        }
    }
    Some(())
}

fn append(list: &mut Vec<Value>, path: &[&str], value: String) -> Option<()> {
    let Some(field) = path.first() else {
        list.push(Value::String(value));
        return Some(());
    };
    let last_has_room =
        list.last().and_then(Value::as_object).is_some_and(|last| path.len() > 1 || !last.contains_key(*field));
    if !last_has_room {
        list.push(Value::Object(Map::new()));
    }
    put(list.last_mut()?.as_object_mut()?, path, value)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn no_body_makes_the_parser_panic_or_nest_too_deep(body: Vec<u8>) {
            if let Ok(form) = parse(&body) {
                prop_assert!(depth(&Value::Object(form)) <= 2 * DEEPEST);
            }
        }

        #[test]
        fn brackets_in_any_disorder_are_read_or_refused(body in r"([a-b\[\]=&%+]|\[\]|a\[){0,60}") {
            let _ = parse(body.as_bytes());
        }

        #[test]
        fn points_are_read_as_they_were_written(
            points in vec(("[a-z0-9]{12}", vec((any::<i64>(), -1e9..1e9_f64), 1..5)), 1..4)
        ) {
            let mut body = form_urlencoded::Serializer::new(String::new());
            let mut expected = Map::new();
            for (metric, points) in &points {
                let list = expected.entry(metric.clone()).or_insert_with(|| json!([])).as_array_mut().unwrap();
                for (timestamp, value) in points {
                    let (timestamp, value) = (timestamp.to_string(), value.to_string());
                    body.append_pair(&format!("data[{metric}][][timestamp]"), &timestamp);
                    body.append_pair(&format!("data[{metric}][][value]"), &value);
                    list.push(json!({"timestamp": timestamp, "value": value}));
                }
            }
            prop_assert_eq!(parse(body.finish().as_bytes()), Ok(json!({"data": expected}).as_object().unwrap().clone()));
        }
    }

    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
            Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    #[test]
    fn the_corpus_is_read_or_refused_as_its_names_say() {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/corpus/form");
        let files: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(files.len() >= 10, "the corpus is there");
        for path in files {
            let good = path.file_name().unwrap().to_string_lossy().starts_with("good-");
            assert_eq!(parse(&std::fs::read(&path).unwrap()).is_ok(), good, "{}", path.display());
        }
    }

    fn read(body: &str) -> Value {
        Value::Object(parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn brackets_nest() {
        assert_eq!(read("component[status]=major_outage"), json!({"component": {"status": "major_outage"}}));
        assert_eq!(read("component%5Bname%5D=My+home"), json!({"component": {"name": "My home"}}));
        assert_eq!(
            read("incident[component_ids][]=a&incident[component_ids][]=b&incident[components][a]=operational"),
            json!({"incident": {"component_ids": ["a", "b"], "components": {"a": "operational"}}})
        );
    }

    #[test]
    fn a_repeated_field_begins_the_next_object_of_a_list() {
        assert_eq!(
            read("data[m][][timestamp]=1&data[m][][value]=2&data[m][][timestamp]=3&data[m][][value]=4"),
            json!({"data": {"m": [{"timestamp": "1", "value": "2"}, {"timestamp": "3", "value": "4"}]}})
        );
    }

    #[test]
    fn nonsense_is_refused_with_the_name() {
        for wrong in ["[a]=1", "a[b=1", "a[b]c=1", "a=1&a[b]=2", "a[]=1&a[b]=2", &format!("a{}=1", "[b]".repeat(9))] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(parse("a=1&".repeat(MOST_PAIRS + 1).as_bytes()).is_err());
    }
}

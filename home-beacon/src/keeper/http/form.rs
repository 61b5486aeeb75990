//! Forms with brackets, as `curl -d 'component[status]=operational'` sends them.
//!
//! `a[b]=1` is a field of an object, `a[]=1` an item of a list, and `a[][b]=1` a field of the list's last object, or of
//! a new one where the last has that field already: what Ruby's Rack makes of them, which statuspage.io runs on. Only
//! where Rack would let a text go, it is refused here: one that is no UTF-8, and a field that is there twice.

use std::borrow::Cow;

use percent_encoding::percent_decode;
use serde_json::{Map, Value};

/// How deep names may nest, and how many pairs a form may have.
const DEEPEST: usize = 8;
const MAX_PAIRS: usize = 10_000;

/// How much of a wrong name is quoted, in characters.
const MAX_QUOTED: usize = 100;

/// Reads a form into the object that the same request would be as JSON, but with texts for all values.
///
/// # Errors
/// When a name makes no sense or contradicts an earlier one, or something is no text; says which.
pub fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
    let mut form = Form::default();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |byte| *byte == b'=');
        let name = halves.next().map_or(Ok(String::new()), decoded).map_err(|()| "a field's name is not UTF-8")?;
        let value = halves
            .next()
            .map_or(Ok(String::new()), decoded)
            .map_err(|()| format!("`{}` is not UTF-8", name.chars().take(MAX_QUOTED).collect::<String>()))?;
        form.add(&name, value)?;
    }
    Ok(form.into_object())
}

/// # Errors
/// When it is no text.
fn decoded(text: &[u8]) -> Result<String, ()> {
    let blanks: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&blanks).decode_utf8().map(Cow::into_owned).map_err(|_| ())
}

/// A form that is read field by field.
#[derive(Debug, Default)]
pub struct Form {
    fields: Map<String, Value>,
    count: usize,
}

impl Form {
    /// # Errors
    /// When the name makes no sense or contradicts an earlier one.
    pub fn add(&mut self, name: &str, value: String) -> Result<(), String> {
        self.count += 1;
        if self.count > MAX_PAIRS {
            return Err(format!("a form may have {MAX_PAIRS} fields"));
        }
        let shown = || name.chars().take(MAX_QUOTED).collect::<String>();
        let path = path(name).ok_or_else(|| format!("`{}` is not a field name", shown()))?;
        put(&mut self.fields, &path, value).map_err(|wrong| match wrong {
            Wrong::Contradiction => format!("`{}` contradicts an earlier field", shown()),
            Wrong::Twice => format!("`{0}` is there twice: send it once, or a list as `{0}[]`", shown()),
        })
    }

    /// As a JSON object.
    pub fn into_object(self) -> Map<String, Value> {
        self.fields
    }
}

enum Wrong {
    Contradiction,
    Twice,
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

fn put(object: &mut Map<String, Value>, path: &[&str], value: String) -> Result<(), Wrong> {
    let Some((field, rest)) = path.split_first() else { return Err(Wrong::Contradiction) };
    match rest {
        [] => put_value(object, field, value)?,
        ["", rest @ ..] => {
            let list = object.entry(*field).or_insert_with(|| Value::Array(Vec::new()));
            append(list.as_array_mut().ok_or(Wrong::Contradiction)?, rest, value)?;
        }
        rest => {
            let inner = object.entry(*field).or_insert_with(|| Value::Object(Map::new()));
            put(inner.as_object_mut().ok_or(Wrong::Contradiction)?, rest, value)?;
        }
    }
    Ok(())
}

/// The last one counts, as a check box is sent: a hidden 0, and a 1 where it is checked. A text that would be lost so is refused.
fn put_value(object: &mut Map<String, Value>, field: &str, value: String) -> Result<(), Wrong> {
    match object.get(field) {
        Some(Value::String(there)) if *there != value && !(is_switch(there) && is_switch(&value)) => Err(Wrong::Twice),
        None | Some(Value::String(_)) => {
            object.insert(field.to_owned(), Value::String(value));
            Ok(())
        }
        Some(_) => Err(Wrong::Contradiction),
    }
}

fn is_switch(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "1" | "t" | "f" | "true" | "false" | "on" | "off")
}

fn append(list: &mut Vec<Value>, path: &[&str], value: String) -> Result<(), Wrong> {
    let Some(field) = path.first() else {
        list.push(Value::String(value));
        return Ok(());
    };
    let last_has_room =
        list.last().and_then(Value::as_object).is_some_and(|last| path.len() > 1 || !last.contains_key(*field));
    if !last_has_room {
        list.push(Value::Object(Map::new()));
    }
    let object = list.last_mut().and_then(Value::as_object_mut).ok_or(Wrong::Contradiction)?;
    put(object, path, value)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;
    use url::form_urlencoded;

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
    fn what_would_be_lost_is_refused() {
        assert_eq!(read("a[b]=0&a[b]=1&c=100%25+or+100%"), json!({"a": {"b": "1"}, "c": "100% or 100%"}));
        for (wrong, words) in [
            ("a[ids]=x&a[ids]=y", "`a[ids]` is there twice: send it once, or a list as `a[ids][]`"),
            ("a[b]=1&a=2", "contradicts"),
            ("a=caf%E9", "`a` is not UTF-8"),
            ("%ff=1", "a field's name is not UTF-8"),
        ] {
            let error = parse(wrong.as_bytes()).unwrap_err();
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_name() {
        for wrong in ["[a]=1", "a[b=1", "a[b]c=1", "a=1&a[b]=2", "a[]=1&a[b]=2", &format!("a{}=1", "[b]".repeat(9))] {
            assert!(parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert!(parse("a=1&".repeat(MAX_PAIRS + 1).as_bytes()).is_err());
    }
}

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
pub(super) fn parse(body: &[u8]) -> Result<Map<String, Value>, String> {
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
    use serde_json::json;

    use super::*;

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

//! The fields of a request, read one by one, so that what is wrong is named. Texts stand for numbers, booleans and
//! lists, because forms have little else, and are read as Rails reads them. Of fields that are not known here, those that
//! say nothing are ignored, as statuspage.io does; a text in one would be lost, so it is refused.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use shared::{id::ComponentId, statuspage::ComponentStatus};

use super::{HttpError, time};
use crate::{keeper::db::Moment, reading::is_sane};

pub(super) struct Fields {
    fields: Map<String, Value>,
    /// What was asked for: what is known here.
    known: RefCell<BTreeSet<String>>,
}

type Read<T> = Result<T, HttpError>;

impl Fields {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self { fields, known: RefCell::default() }
    }

    fn get(&self, name: &str) -> Option<&Value> {
        self.known.borrow_mut().insert(name.to_owned());
        self.fields.get(name)
    }

    /// The field, unless it is absent or null: clients send back what they were sent, nulls included.
    fn given(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_null())
    }

    /// Whether the field is there at all.
    pub(super) fn has(&self, name: &str) -> bool {
        self.given(name).is_some_and(|value| value.as_str() != Some(""))
    }

    /// To be called once all fields were read: refuses one that was not and that says something. Those that are `read_only`
    /// in the API's own answers may come back.
    pub(super) fn nothing_is_lost(&self, read_only: &[&str]) -> Read<()> {
        let known = self.known.borrow();
        let lost = |(name, value): &(&String, &Value)| {
            !known.contains(*name) && !read_only.contains(&name.as_str()) && says_something(value)
        };
        let Some((name, _)) = self.fields.iter().find(lost) else { return Ok(()) };
        let known = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        Err(wrong(name, &format!("is not known here, and what it says would be lost; known are {known}")))
    }

    /// A text of at most `longest` characters; absent and null are `None`.
    pub(super) fn text(&self, name: &str, longest: usize) -> Read<Option<String>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.chars().count() <= longest => Ok(Some(text.clone())),
            Some(Value::String(_)) => Err(wrong(name, &format!("may have {longest} characters"))),
            Some(_) => Err(wrong(name, "must be a text")),
        }
    }

    /// As [`Fields::text`], for a name that must not be blank.
    pub(super) fn name(&self, longest: usize) -> Read<Option<String>> {
        match self.text("name", longest)? {
            Some(name) if name.trim().is_empty() => Err(wrong("name", "can't be blank")),
            name => Ok(name),
        }
    }

    /// A text that may be taken away: absent is `None`, null and the empty text are `Some(None)`.
    pub(super) fn clearable_text(&self, name: &str, longest: usize) -> Read<Option<Option<String>>> {
        match self.get(name) {
            Some(Value::Null) => Ok(Some(None)),
            _ => Ok(self.text(name, longest)?.map(|text| Some(text).filter(|text| !text.is_empty()))),
        }
    }

    /// All of them, for a map whose names are not known.
    pub(super) fn into_inner(self) -> Map<String, Value> {
        self.fields
    }

    /// A number that can be a measurement.
    pub(super) fn number(&self, name: &str) -> Read<Option<f64>> {
        let number = match self.given(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_f64(),
        };
        match number {
            Some(number) if is_sane(number) => Ok(Some(number)),
            _ => Err(wrong(name, "must be a number, between -1e12 and 1e12")),
        }
    }

    pub(super) fn integer(&self, name: &str) -> Read<Option<i64>> {
        let number = match self.given(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_i64(),
        };
        number.map(Some).ok_or_else(|| wrong(name, "must be a whole number"))
    }

    /// A time in whole seconds since 1970; a fraction of a second is left off.
    pub(super) fn seconds(&self, name: &str) -> Read<Option<i64>> {
        let seconds = match self.given(name) {
            None => return Ok(None),
            Some(Value::String(text)) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
            Some(value) => value.as_i64().or_else(|| whole(value.as_f64()?)),
        };
        seconds.map(Some).ok_or_else(|| wrong(name, "must be a number of seconds since 1970"))
    }

    pub(super) fn boolean(&self, name: &str) -> Read<Option<bool>> {
        self.given(name).map_or(Ok(None), boolean).map_err(|()| wrong(name, "must be true or false"))
    }

    /// One of a closed set of values, by how the API writes them.
    pub(super) fn one_of<T: Copy>(&self, name: &str, allowed: &[T], written: fn(T) -> &'static str) -> Read<Option<T>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let found = allowed.iter().copied().find(|allowed| value.as_str() == Some(written(*allowed)));
        let known = || allowed.iter().copied().map(written).collect::<Vec<_>>().join(", ");
        found.map(Some).ok_or_else(|| wrong(name, &format!("must be one of {}", known())))
    }

    /// As [`Fields::one_of`]; null takes it away.
    pub(super) fn clearable_one_of<T: Copy>(
        &self,
        name: &str,
        allowed: &[T],
        written: fn(T) -> &'static str,
    ) -> Read<Option<Option<T>>> {
        match self.get(name) {
            Some(Value::Null) => Ok(Some(None)),
            _ => Ok(self.one_of(name, allowed, written)?.map(Some)),
        }
    }

    pub(super) fn component_status(&self, name: &str) -> Read<Option<Option<ComponentStatus>>> {
        self.given(name).map(|value| status(name, value)).transpose()
    }

    /// `{"<component>": "<status>"}`, or a list of ids, as [`Fields::component_ids`] reads it.
    pub(super) fn components(&self, name: &str) -> Read<Components> {
        let Some(value) = self.given(name) else { return Ok(Components::Statuses(BTreeMap::new())) };
        match value {
            Value::Object(map) if !is_numbered(map) || map.is_empty() => {
                let read = |(id, value): (&String, &Value)| Ok((component(name, id)?, status(name, value)?));
                map.iter().map(read).collect::<Read<_>>().map(Components::Statuses)
            }
            value => ids(name, value, "must map component ids to statuses, or be a list of ids").map(Components::Ids),
        }
    }

    /// A list of ids, numbered or not, or one text of them with commas.
    pub(super) fn component_ids(&self, name: &str) -> Read<Option<Vec<ComponentId>>> {
        self.given(name).map(|value| ids(name, value, "must be a list of component ids")).transpose()
    }

    /// A time, read in `zone` where it has none of its own; null takes it away.
    pub(super) fn time(&self, name: &str, zone: &TimeZone) -> Read<Option<Option<Moment>>> {
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Value::Null) => return Ok(Some(None)),
            Some(Value::String(text)) if text.is_empty() => return Ok(Some(None)),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        time::read(&text, zone).map(|time| Some(Some(Moment::new(time)))).map_err(|what| wrong(name, &what))
    }

    /// `YYYY-MM-DD`; null takes it away.
    pub(super) fn date(&self, name: &str) -> Read<Option<Option<String>>> {
        match self.clearable_text(name, 10)? {
            Some(Some(text)) => match text.parse::<jiff::civil::Date>() {
                Ok(date) => Ok(Some(Some(date.to_string()))),
                Err(_) => Err(wrong(name, "must be a date like 2026-11-21")),
            },
            absent => Ok(absent),
        }
    }

    /// An object whose values are objects.
    pub(super) fn metadata(&self, name: &str) -> Read<Option<Value>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Object(map)) if map.values().all(Value::is_object) => Ok(Some(Value::Object(map.clone()))),
            Some(_) => Err(wrong(name, "must be an object whose top-level values are objects")),
        }
    }
}

/// As Rails reads one; but what means no is never read as yes, as Rails does with `False` and `no`. An empty one says nothing.
fn boolean(value: &Value) -> Result<Option<bool>, ()> {
    let text = match value {
        Value::Bool(value) => return Ok(Some(*value)),
        Value::String(text) => text.to_ascii_lowercase(),
        Value::Number(number) => number.to_string(),
        _ => return Err(()),
    };
    match text.as_str() {
        "" => Ok(None),
        "true" | "t" | "1" | "on" | "yes" | "y" => Ok(Some(true)),
        "false" | "f" | "0" | "off" | "no" | "n" => Ok(Some(false)),
        _ => Err(()),
    }
}

/// What a request says of an incident's components.
pub(super) enum Components {
    /// Statuses to set.
    Statuses(BTreeMap<ComponentId, Option<ComponentStatus>>),
    /// Which they are.
    Ids(Vec<ComponentId>),
}

/// Whether something is lost when a field is not read: neither nothing, nor a switch or a number.
pub(super) fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => {
            let text = text.trim();
            let known = ["", "true", "false", "t", "f", "on", "off", "yes", "no", "null"];
            !known.iter().any(|word| text.eq_ignore_ascii_case(word)) && text.parse::<f64>().is_err()
        }
        Value::Array(items) => items.iter().any(says_something),
        Value::Object(fields) => fields.values().any(says_something),
    }
}

/// What a list becomes in a form whose client numbers its items: `{"0": …, "1": …}`.
fn is_numbered(map: &Map<String, Value>) -> bool {
    map.keys().all(|key| key.len() <= 4 && key.bytes().all(|b| b.is_ascii_digit()))
}

/// The items of a list, of a numbered one too.
pub(super) fn items(value: Value) -> Option<Vec<Value>> {
    match value {
        Value::Array(items) => Some(items),
        Value::Object(map) if is_numbered(&map) => {
            let mut items: Vec<(u16, Value)> =
                map.into_iter().filter_map(|(key, value)| Some((key.parse().ok()?, value))).collect();
            items.sort_by_key(|(number, _)| *number);
            Some(items.into_iter().map(|(_, value)| value).collect())
        }
        _ => None,
    }
}

fn ids(name: &str, value: &Value, what: &str) -> Read<Vec<ComponentId>> {
    let items = match value {
        Value::String(text) => text.split(',').map(|id| Value::String(id.trim().to_owned())).collect(),
        value => items(value.clone()).ok_or_else(|| wrong(name, what))?,
    };
    // A form says "none" with one empty item.
    let items = items.iter().filter(|item| item.as_str() != Some(""));
    items.map(|item| component(name, item.as_str().ok_or_else(|| wrong(name, what))?)).collect()
}

/// Rounded down, where that is a number of seconds at all.
fn whole(seconds: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole, and far within the range")]
    (seconds.abs() < 1e15).then(|| seconds.floor() as i64)
}

fn status(name: &str, value: &Value) -> Read<Option<ComponentStatus>> {
    let known = || ComponentStatus::ALL.map(ComponentStatus::as_str).join(", ");
    match value.as_str() {
        Some("") => Ok(None),
        Some(text) if let Ok(status) = text.parse() => Ok(Some(status)),
        _ => Err(wrong(name, &format!("must be one of {}, or empty", known()))),
    }
}

fn component(name: &str, id: &str) -> Read<ComponentId> {
    id.parse().map_err(|error| wrong(name, &format!("`{}` is no component id: {error}", id.escape_default())))
}

fn wrong(name: &str, what: &str) -> HttpError {
    HttpError::unprocessable(format!("{name}: {what}"))
}

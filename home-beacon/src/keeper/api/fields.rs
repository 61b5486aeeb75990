//! The fields of a request, read one by one, so that what is wrong is told by name. Unknown fields are ignored, as
//! statuspage.io does; texts stand for numbers and booleans, because forms have nothing else.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::{id::ComponentId, statuspage::ComponentStatus};

use super::Refusal;
use crate::{keeper::store::Moment, reading::is_sane};

pub(super) struct Fields(Map<String, Value>);

type Read<T> = Result<T, Refusal>;

impl Fields {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// The field, unless it is absent or null: clients send back what they were told, nulls included.
    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
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
        match self.0.get(name) {
            Some(Value::Null) => Ok(Some(None)),
            _ => Ok(self.text(name, longest)?.map(|text| Some(text).filter(|text| !text.is_empty()))),
        }
    }

    /// All of them, for a map whose names are not known.
    pub(super) fn into_inner(self) -> Map<String, Value> {
        self.0
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

    pub(super) fn boolean(&self, name: &str) -> Read<Option<bool>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "1") => Ok(Some(true)),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "0") => Ok(Some(false)),
            Some(_) => Err(wrong(name, "must be true or false")),
        }
    }

    pub(super) fn one_of(&self, name: &str, allowed: &[&str]) -> Read<Option<String>> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) if allowed.contains(&text.as_str()) => Ok(Some(text.clone())),
            Some(_) => Err(wrong(name, &format!("must be one of {}", allowed.join(", ")))),
        }
    }

    /// As [`Fields::one_of`]; null takes it away.
    pub(super) fn clearable_one_of(&self, name: &str, allowed: &[&str]) -> Read<Option<Option<String>>> {
        match self.0.get(name) {
            Some(Value::Null) => Ok(Some(None)),
            _ => Ok(self.one_of(name, allowed)?.map(Some)),
        }
    }

    pub(super) fn component_status(&self, name: &str) -> Read<Option<String>> {
        self.given(name).map(|value| status(name, value)).transpose()
    }

    /// `{"<component>": "<status>"}`
    pub(super) fn component_statuses(&self, name: &str) -> Read<BTreeMap<ComponentId, String>> {
        let Some(value) = self.given(name) else { return Ok(BTreeMap::new()) };
        let map = value.as_object().ok_or_else(|| wrong(name, "must map component ids to statuses"))?;
        map.iter().map(|(id, value)| Ok((component(name, id)?, status(name, value)?))).collect()
    }

    pub(super) fn component_ids(&self, name: &str) -> Read<Option<Vec<ComponentId>>> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let not_ids = || wrong(name, "must be a list of component ids");
        let items = value.as_array().ok_or_else(not_ids)?;
        // A form says "none" with one empty item.
        let items = items.iter().filter(|item| item.as_str() != Some(""));
        items.map(|item| component(name, item.as_str().ok_or_else(not_ids)?)).collect::<Read<_>>().map(Some)
    }

    /// RFC 3339, or a date, which begins at midnight UTC; null takes it away.
    pub(super) fn time(&self, name: &str) -> Read<Option<Option<Moment>>> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some(None)),
            Some(value) => {
                let time = value.as_str().and_then(|text| text.parse().ok().or_else(|| midnight(text)));
                let time = time.ok_or_else(|| wrong(name, "must be a time like 2026-11-21T04:30:00Z"))?;
                Ok(Some(Some(Moment::new(time))))
            }
        }
    }

    /// `YYYY-MM-DD`; null takes it away.
    pub(super) fn date(&self, name: &str) -> Read<Option<Option<String>>> {
        let text = self.clearable_text(name, 10)?;
        match &text {
            Some(Some(date)) if date.parse::<jiff::civil::Date>().is_err() => {
                Err(wrong(name, "must be a date like 2026-11-21"))
            }
            _ => Ok(text),
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

    /// Refuses a field that the keeper cannot honour, unless it is absent, null or false.
    pub(super) fn unsupported(&self, name: &str, why: &str) -> Read<()> {
        match self.0.get(name) {
            None | Some(Value::Null | Value::Bool(false)) => Ok(()),
            Some(Value::String(text)) if matches!(text.as_str(), "null" | "false" | "0" | "") => Ok(()),
            Some(_) => Err(wrong(name, why)),
        }
    }
}

fn midnight(date: &str) -> Option<Timestamp> {
    date.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn status(name: &str, value: &Value) -> Read<String> {
    match value.as_str() {
        Some("") => Ok(String::new()),
        Some(text) if text.parse::<ComponentStatus>().is_ok() => Ok(text.to_owned()),
        _ => {
            let known = ComponentStatus::ALL.map(ComponentStatus::as_str).join(", ");
            Err(wrong(name, &format!("must be one of {known}, or empty")))
        }
    }
}

fn component(name: &str, id: &str) -> Read<ComponentId> {
    id.parse().map_err(|error| wrong(name, &format!("`{}` is no component id: {error}", id.escape_default())))
}

fn wrong(name: &str, what: &str) -> Refusal {
    Refusal::unprocessable(format!("{name}: {what}"))
}

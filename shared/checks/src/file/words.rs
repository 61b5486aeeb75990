//! The small values of the files: texts, lists of one, durations, sizes.

#[cfg(feature = "files")]
use std::borrow::Cow;
use std::{fmt, time::Duration};

#[cfg(feature = "files")]
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// A text, which may look like a number: `title: 2024`, and as it is written: `1.10` is no `1.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words(pub(super) String);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(WordsVisitor).map(Self)
    }
}

struct WordsVisitor;

impl Visitor<'_> for WordsVisitor {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, value: &str) -> Result<String, E> {
        Ok(value.to_owned())
    }

    fn visit_string<E>(self, value: String) -> Result<String, E> {
        Ok(value)
    }

    fn visit_bool<E>(self, value: bool) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }

    fn visit_f64<E>(self, value: f64) -> Result<String, E> {
        Ok(value.to_string())
    }
}

#[cfg(feature = "files")]
impl JsonSchema for Words {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["string", "number", "boolean"]})
    }
}

/// A list, or its only item by itself.
#[derive(Clone, Debug)]
pub(super) struct Several<T>(pub(super) Vec<T>);

impl<T> Default for Several<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de> Deserialize<'de> for Several<Words> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeveralVisitor)
    }
}

struct SeveralVisitor;

impl<'de> Visitor<'de> for SeveralVisitor {
    type Value = Several<Words>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotation marks, or a list of them")
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Several(vec![Words(value.to_owned())]))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Several(vec![Words(value.to_string())]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Several(items))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Several(Vec::new()))
    }
}

#[cfg(feature = "files")]
impl<T: JsonSchema> JsonSchema for Several<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Several{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let item = generator.subschema_for::<T>();
        json_schema!({"anyOf": [item, {"type": "array", "items": item}]})
    }
}

/// A text, or `{ secret: NAME }`: the value of the variable NAME, or what the file holds that `NAME_FILE` names.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "files", derive(JsonSchema), schemars(untagged))]
pub(super) enum TextOrSecret {
    /// As it is.
    Plain(String),
    /// Of a variable, or of a file that one names.
    Secret(Named),
}

/// A secret by its name.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "files", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    /// The variable that holds it; or that names, with `_FILE` behind it, a file that does.
    pub(super) secret: String,
}

impl<'de> Deserialize<'de> for TextOrSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrSecretVisitor)
    }
}

struct TextOrSecretVisitor;

impl<'de> Visitor<'de> for TextOrSecretVisitor {
    type Value = TextOrSecret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotation marks, or { secret: NAME }")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(TextOrSecret::Plain(value.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Named::deserialize(MapAccessDeserializer::new(map)).map(TextOrSecret::Secret)
    }
}

/// A duration as text: `30s`, `1h30m`, `14d`.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Span(pub(super) Words);

#[cfg(feature = "files")]
impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration: `300ms`, `30s`, `1h30m`, `14d`.",
            "type": "string",
            "pattern": "^ *([0-9]+ *(d|h|m|s|ms) *)+$"
        })
    }
}

/// Reads a duration as settings have it, and days: `14d`, `1d12h`.
///
/// # Errors
/// When the text is no duration, or none that is more than nothing and a year at most.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 86_400;
    let text = text.trim();
    let (days, rest) = match text.split_once('d') {
        Some((days, rest)) if !days.is_empty() && days.bytes().all(|b| b.is_ascii_digit()) => (days, rest.trim()),
        _ => return shared::settings::duration(text),
    };
    let allowed = || "a duration is written like 30s, 1h30m or 14d, and is a year at most".to_owned();
    let days: u64 = days.parse().ok().filter(|days| *days <= 366).ok_or_else(allowed)?;
    let rest = if rest.is_empty() { Duration::ZERO } else { shared::settings::duration(rest)? };
    let whole = Duration::from_secs(days * DAY) + rest;
    if whole.is_zero() || whole > Duration::from_secs(366 * DAY) { Err(allowed()) } else { Ok(whole) }
}

/// A duration as [`duration`] reads it.
pub(super) fn written(duration: Duration) -> String {
    let (seconds, rest) = (duration.as_secs(), duration.subsec_millis());
    match (seconds, rest) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) if seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
        (seconds, 0) if seconds % 3_600 == 0 => format!("{}h", seconds / 3_600),
        (seconds, 0) if seconds % 60 == 0 && seconds > 60 => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{seconds}s{millis}ms"),
    }
}

/// Reads a size: `65536`, `64KiB`, `1MiB`, `500kB`.
///
/// # Errors
/// When the text is none.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match text[digits..].trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => 0,
    };
    let number: Option<u64> = text[..digits].parse().ok();
    let bytes = number.and_then(|number| number.checked_mul(unit)).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "a size is written like 65536, 64KiB or 1MiB, and is more than nothing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_days_too() {
        for (text, seconds) in [("14d", 14 * 86_400), ("1d12h", 36 * 3600), (" 1d 1s ", 86_401), ("90s", 90)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "d", "0d", "367d", "1d1", "-1d", "99999999999999999999d", "1.5d", "366d1s", "1dd"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
        for text in ["14d", "36h", "90s", "60s", "2m", "300ms", "1s500ms"] {
            assert_eq!(written(duration(text).unwrap()), text);
        }
    }

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("65536", 65_536), ("64KiB", 65_536), ("1 MiB", 1 << 20), ("5kB", 5_000)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for wrong in ["", "0", "KiB", "5 parsecs", "-1", "é", "99999999999999999999", "18446744073709551615MiB"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }
}

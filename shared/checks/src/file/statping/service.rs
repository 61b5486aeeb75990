//! What a `services.yml` says of a service, as text: scripts quote numbers, and people write `yes`.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::file::words::{Words, duration};

/// Keys of a service with a value each; `headers` is read by itself.
pub(super) const KEYS: [&str; 24] = [
    "allow_notifications",
    "check_interval",
    "domain",
    "expected",
    "expected_status",
    "group_id",
    "grpc_health_check",
    "method",
    "name",
    "notify_after",
    "notify_all_changes",
    "order_id",
    "permalink",
    "port",
    "post_data",
    "public",
    "redirect",
    "timeout",
    "tls_cert",
    "tls_cert_key",
    "tls_cert_root",
    "type",
    "verify_ssl",
    // Its number in Statping's database, which the import knows.
    "id",
];

/// A file of services.
#[derive(Debug, Default)]
pub(super) struct Services {
    pub(super) services: Option<Vec<Option<Service>>>,
    pub(super) unknown: Vec<String>,
}

/// A service, its values as they are written; those that are empty are left out.
#[derive(Debug, Default)]
pub(super) struct Service {
    values: BTreeMap<&'static str, String>,
    pub(super) headers: Vec<String>,
    pub(super) unknown: Vec<String>,
}

impl Service {
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Without what an export says of how it was, which is no setting, and its number there.
    pub(super) fn settings_alone(&mut self) {
        self.unknown.clear();
        self.values.remove("id");
    }

    /// By what Statping itself tells whether it has a service already.
    pub(super) fn identity(&self) -> [String; 5] {
        ["name", "domain", "port", "type", "method"].map(|key| self.text(key).unwrap_or_default().to_owned())
    }

    pub(super) fn order(&self) -> i64 {
        self.number("order_id").ok().flatten().unwrap_or_default()
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<i64>, String> {
        let Some(text) = self.text(key) else { return Ok(None) };
        let whole = text.strip_suffix(".0").unwrap_or(text);
        whole.parse().map(Some).map_err(|_| format!("{key} is no whole number: write one"))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, String> {
        let Some(text) = self.text(key) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "y" | "t" | "1" => Ok(Some(true)),
            "false" | "no" | "off" | "n" | "f" | "0" => Ok(Some(false)),
            _ => Err(format!("{key} is neither yes nor no: write true or false")),
        }
    }

    /// Seconds; nanoseconds where they would be more than thirty years; or a duration with a unit.
    pub(super) fn span(&self, key: &str) -> Result<Option<Duration>, String> {
        const NANOSECONDS: i64 = 1_000_000_000;
        match (self.text(key), self.number(key)) {
            (None, _) | (_, Ok(Some(0))) => Ok(None),
            (Some(_), Ok(Some(number))) if number >= NANOSECONDS => {
                Ok(Some(Duration::from_nanos(number.unsigned_abs())))
            }
            (Some(_), Ok(Some(number))) if number > 0 && number <= 366 * 86_400 => {
                Ok(Some(Duration::from_secs(number.unsigned_abs())))
            }
            (Some(text), _) => {
                duration(text).map(Some).map_err(|_| format!("{key} is no number of seconds: write one"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ServicesVisitor)
    }
}

struct ServicesVisitor;

impl<'de> Visitor<'de> for ServicesVisitor {
    type Value = Services;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("services:, and a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Services, A::Error> {
        let mut services = Services::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "services" => services.services = map.next_value()?,
                // Templates for anchors.
                key if key.starts_with("x-") => drop(map.next_value::<IgnoredAny>()?),
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    services.unknown.push(key);
                }
            }
        }
        Ok(services)
    }
}

impl<'de> Deserialize<'de> for Service {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ServiceVisitor)
    }
}

struct ServiceVisitor;

impl<'de> Visitor<'de> for ServiceVisitor {
    type Value = Service;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a service with its keys")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Service, A::Error> {
        let mut service = Service::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "headers" {
                service.headers = map.next_value::<Option<Headers>>()?.map(|headers| headers.0).unwrap_or_default();
            } else if let Some(known) = KEYS.into_iter().find(|known| *known == key) {
                if let Some(Words(text)) = map.next_value::<Option<Words>>()?
                    && !text.trim().is_empty()
                {
                    let text = if known == "post_data" { text } else { text.trim().to_owned() };
                    service.values.insert(known, text);
                }
            } else {
                map.next_value::<IgnoredAny>()?;
                service.unknown.push(key);
            }
        }
        Ok(service)
    }
}

/// `A=b,C=d` in one text; a list of such pairs, or a mapping, is what a script may have made of it.
struct Headers(Vec<String>);

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers as name=value, with commas between them")
    }

    fn visit_str<E>(self, text: &str) -> Result<Headers, E> {
        Ok(Headers(text.split(',').filter(|pair| !pair.trim().is_empty()).map(ToOwned::to_owned).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::new();
        while let Some(Words(pair)) = seq.next_element()? {
            pairs.push(pair);
        }
        Ok(Headers(pairs))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, Words(value))) = map.next_entry::<String, Words>()? {
            pairs.push(format!("{name}={value}"));
        }
        Ok(Headers(pairs))
    }
}

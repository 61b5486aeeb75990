//! What the API's answers hold, as far as we read them. Unknown fields are ignored; missing ones are an error.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::ComponentStatus;
use crate::id::{ComponentId, PageId};

/// A component as the API sends it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Component {
    /// Its id.
    pub id: ComponentId,
    /// As visitors of the page read it.
    #[serde(default)]
    pub name: String,
    /// What the page says of it; absent where that is none that this version knows.
    #[serde(deserialize_with = "reported_status")]
    pub status: Option<ComponentStatus>,
    /// RFC 3339, kept as written: it is only ever compared with itself.
    pub updated_at: String,
}

/// A page, as far as we read it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// An IANA name at a keeper; statuspage.io also has names of its own.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// One of the pages that a token opens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct NamedPage {
    /// Its id.
    pub id: PageId,
    /// As its owner called it.
    #[serde(default)]
    pub name: String,
}

/// A component, to be known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedComponent {
    /// Its id.
    pub id: ComponentId,
    /// As readers see it.
    pub name: String,
    /// What readers are told of it; empty where that is nothing.
    pub description: String,
}

/// A point of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// Seconds since 1970.
    pub timestamp: i64,
    /// In the metric's unit.
    pub value: f64,
}

/// A status that this version does not know is read as absent: it must not stop a run that may never touch it.
fn reported_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ComponentStatus>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.and_then(|status| status.parse().ok()))
}

/// A keeper's warning that what is written may not be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Whether readers of the page are shown the component at all.
    pub is_shown: bool,
    /// What it says, in a sentence.
    pub text: String,
}

/// One listing of a page's components, of which only those asked for are read: an odd one among the others must not
/// stop a run.
#[derive(Clone, Debug)]
pub struct Listing {
    components: Vec<Value>,
    from_keeper: bool,
}

impl Listing {
    /// The components as listed, and whether a keeper listed them.
    pub const fn new(components: Vec<Value>, from_keeper: bool) -> Self {
        Self { components, from_keeper }
    }

    /// Whether a keeper answered: it takes looks, too.
    pub const fn from_keeper(&self) -> bool {
        self.from_keeper
    }

    /// The component with that id, if it is in this listing.
    ///
    /// # Errors
    /// When it lacks what matters; names it.
    pub fn component(&self, id: &ComponentId) -> Option<Result<Component, serde_json::Error>> {
        let found = self.components.iter().find(|listed| listed["id"] == id.as_str())?;
        Some(Component::deserialize(found))
    }

    /// A keeper's warning about a component, where it has one.
    pub fn warning(&self, id: &ComponentId) -> Option<Warning> {
        let found = self.components.iter().find(|listed| listed["id"] == id.as_str())?;
        let text = found["porchlight_warning"].as_str()?.to_owned();
        Some(Warning { is_shown: found["porchlight_shown"] != false, text })
    }

    /// Each by name, as far as they can be read; no group, which has no status of its own.
    pub fn named(&self) -> impl Iterator<Item = NamedComponent> + '_ {
        self.components.iter().filter(|component| component["group"] != true).filter_map(|component| {
            let id = ComponentId::deserialize(&component["id"]).ok()?;
            let text = |field: &str| component[field].as_str().unwrap_or_default().to_owned();
            Some(NamedComponent { id, name: text("name"), description: text("description") })
        })
    }

    /// How many components it has, groups included.
    pub fn len(&self) -> usize {
        self.components.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.components.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_read_as_it_is_written() {
        for status in ComponentStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!("fine".parse::<ComponentStatus>(), Err(crate::statuspage::UnknownStatus));
    }

    #[test]
    fn a_keepers_warning_is_read_where_there_is_one() {
        let listing =
            r#"[{"id":"8kbf7d35c070"},{"id":"8kbf7d35c071","porchlight_shown":false,"porchlight_warning":"look"}]"#;
        let listing = Listing::new(serde_json::from_str(listing).unwrap(), true);
        assert_eq!(listing.warning(&"8kbf7d35c070".parse().unwrap()), None);
        let warning = listing.warning(&"8kbf7d35c071".parse().unwrap());
        assert_eq!(warning, Some(Warning { is_shown: false, text: "look".into() }));
    }

    #[test]
    fn unknown_fields_are_ignored_and_missing_ones_are_named() {
        let whole = r#"{"id":"8kbf7d35c070","status":"","updated_at":"2026-11-21T04:30:00Z","new":1}"#;
        assert_eq!(serde_json::from_str::<Component>(whole).unwrap().status, None);
        let without = r#"{"id":"8kbf7d35c070","updated_at":"2026-11-21T04:30:00Z"}"#;
        assert!(serde_json::from_str::<Component>(without).unwrap_err().to_string().contains("`status`"));
    }
}

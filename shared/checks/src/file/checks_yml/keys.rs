//! A mapping whose keys stand in the order in which people read them.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

/// Keys and values, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys(Vec<(String, Node)>);

#[derive(Clone, Debug)]
enum Node {
    Value(Value),
    Keys(Keys),
    List(Vec<Keys>),
}

impl Keys {
    pub(super) fn value(mut self, key: &str, value: impl Serialize) -> Self {
        self.0.push((key.to_owned(), Node::Value(json!(value))));
        self
    }

    pub(super) fn unless(self, key: &str, value: impl Serialize, is_usual: bool) -> Self {
        if is_usual { self } else { self.value(key, value) }
    }

    pub(super) fn maybe(self, key: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.value(key, value),
            None => self,
        }
    }

    pub(super) fn keys(mut self, key: &str, keys: Self) -> Self {
        self.0.push((key.to_owned(), Node::Keys(keys)));
        self
    }

    pub(super) fn keys_unless_empty(self, key: &str, keys: Self) -> Self {
        if keys.0.is_empty() { self } else { self.keys(key, keys) }
    }

    pub(super) fn list(mut self, key: &str, list: Vec<Self>) -> Self {
        self.0.push((key.to_owned(), Node::List(list)));
        self
    }

    pub(super) fn list_unless_empty(self, key: &str, list: Vec<Self>) -> Self {
        if list.is_empty() { self } else { self.list(key, list) }
    }
}

impl Serialize for Keys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, node)| (key, node)))
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Keys(keys) => keys.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
        }
    }
}

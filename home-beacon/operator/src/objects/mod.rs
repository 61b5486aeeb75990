//! What people apply, as the API server has it.
//!
//! - [`porchlight`]: our `Check`: what `checks.yml` says of one, in its words, and scripts and secrets as Kubernetes has them
//! - [`pinglow`]: Pinglow's objects, as its definitions and its guide write them
//! - [`crd`]: the definitions of all of them, made from the types
//! - `structural`: JSON Schema as the API server takes it

pub mod crd;
pub mod pinglow;
pub mod porchlight;
mod structural;

use std::fmt;

use jiff::Timestamp;
use kube::{
    ResourceExt,
    core::{ApiResource, DynamicObject},
};
use serde_json::Value;

/// The kinds of objects that are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// Our own check.
    Check,
    /// Pinglow's.
    PinglowCheck,
    /// A script of Pinglow's.
    Script,
    /// A chat that is written to.
    TelegramChannel,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Check, Self::PinglowCheck, Self::Script, Self::TelegramChannel];

    /// Whether it is one of a check.
    pub const fn is_check(self) -> bool {
        matches!(self, Self::Check | Self::PinglowCheck)
    }

    /// The API group.
    pub const fn group(self) -> &'static str {
        match self {
            Self::Check => "porchlight.dev",
            Self::PinglowCheck | Self::Script | Self::TelegramChannel => "pinglow.io",
        }
    }

    /// What objects say under `kind`.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Check | Self::PinglowCheck => "Check",
            Self::Script => "Script",
            Self::TelegramChannel => "TelegramChannel",
        }
    }

    /// The name in addresses.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Check | Self::PinglowCheck => "checks",
            Self::Script => "scripts",
            Self::TelegramChannel => "telegramchannels",
        }
    }

    /// As a client asks for it.
    pub fn resource(self) -> ApiResource {
        ApiResource {
            group: self.group().into(),
            version: VERSION.into(),
            api_version: format!("{}/{VERSION}", self.group()),
            kind: self.kind().into(),
            plural: self.plural().into(),
        }
    }
}

/// The version of all of them.
pub const VERSION: &str = "v1alpha1";

/// Which object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Of which kind.
    pub kind: ObjectKind,
    /// Where.
    pub namespace: String,
    /// By its name.
    pub name: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{} ({})", self.kind.kind(), self.namespace, self.name, self.kind.group())
    }
}

/// An object, as far as anything follows from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which one.
    pub key: Key,
    /// What tells it from one of the same name before and after it.
    pub uid: String,
    /// Counts the changes of its `spec`.
    pub generation: i64,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// What it asks for.
    pub spec: Value,
    /// What was last said of it.
    pub status: Value,
}

impl Object {
    /// From what the API server sent; `None` where it is no whole object.
    pub fn of(kind: ObjectKind, object: DynamicObject) -> Option<Self> {
        let key = Key { kind, namespace: object.namespace()?, name: object.name_any() };
        let (uid, generation) = (object.uid()?, object.metadata.generation.unwrap_or_default());
        let created = object.creation_timestamp().map(|at| at.0);
        let mut data = object.data;
        let mut part = |name: &str| data.get_mut(name).map(Value::take).unwrap_or_default();
        Some(Self { key, uid, generation, created, spec: part("spec"), status: part("status") })
    }
}

//! Objects, and what has happened to them, in the order of their versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a watch is told.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) version: u64,
    pub(super) kind: &'static str,
    pub(super) collection: String,
    pub(super) object: Value,
}

/// The objects by collection (`batch/jobs`), namespace and name.
#[derive(Debug, Default)]
pub(super) struct Store {
    version: u64,
    uids: u64,
    objects: BTreeMap<(String, String, String), Value>,
    events: Vec<Event>,
    /// What happened up to then is not known any more.
    forgotten: u64,
    calls: BTreeMap<(String, String), u64>,
}

/// Collections, with the API version and the kind of what is in them.
pub(super) const COLLECTIONS: [(&str, &str, &str); 9] = [
    ("porchlight.dev/checks", "porchlight.dev/v1alpha1", "Check"),
    ("pinglow.io/checks", "pinglow.io/v1alpha1", "Check"),
    ("pinglow.io/scripts", "pinglow.io/v1alpha1", "Script"),
    ("pinglow.io/telegramchannels", "pinglow.io/v1alpha1", "TelegramChannel"),
    ("batch/jobs", "batch/v1", "Job"),
    ("/pods", "v1", "Pod"),
    ("/secrets", "v1", "Secret"),
    ("events.k8s.io/events", "events.k8s.io/v1", "Event"),
    ("coordination.k8s.io/leases", "coordination.k8s.io/v1", "Lease"),
];

fn collection_of(object: &Value) -> &'static str {
    let is = |(_, version, kind): &&(&str, &str, &str)| object["apiVersion"] == **version && object["kind"] == **kind;
    COLLECTIONS.iter().find(is).unwrap_or_else(|| panic!("no kind that is known: {object}")).0
}

impl Store {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    fn put(&mut self, collection: &str, mut object: Value, kind: &'static str) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let key = key(collection, &object);
        self.objects.insert(key, object.clone());
        let event = Event { version: self.version, kind, collection: collection.to_owned(), object: object.clone() };
        self.events.push(event);
        object
    }

    /// Makes an object; `None` where there is one of its name.
    pub(super) fn create(&mut self, collection: &str, mut object: Value) -> Option<Value> {
        if self.objects.contains_key(&key(collection, &object)) {
            return None;
        }
        self.uids += 1;
        let meta = &mut object["metadata"];
        meta["uid"] =
            format!("{:08x}-0000-4000-8000-000000000000", self.uids.wrapping_mul(2_654_435_761) % 0xffff_ffff).into();
        meta["generation"] = 1.into();
        meta["creationTimestamp"] = format!("{:.0}", jiff::Timestamp::now()).into();
        Some(self.put(collection, object, "ADDED"))
    }

    /// Puts an object in the place of the one of its name: `None` where there is none, and `Err` where it is not the one that was read.
    pub(super) fn replace(&mut self, collection: &str, object: &Value) -> Option<Result<Value, ()>> {
        let before = self.objects.get(&key(collection, object))?.clone();
        if object["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"] {
            return Some(Err(()));
        }
        let metadata = before["metadata"].clone();
        Some(Ok(self.put(collection, json!({
            "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata, "spec": object["spec"],
        }), "MODIFIED")))
    }

    pub(super) fn apply(&mut self, object: Value) {
        let collection = collection_of(&object);
        let Some(before) = self.objects.get(&key(collection, &object)).cloned() else {
            self.create(collection, object);
            return;
        };
        let mut now = before.clone();
        merge(&mut now, &object);
        now["spec"] = object["spec"].clone();
        if now["spec"] != before["spec"] {
            now["metadata"]["generation"] = (before["metadata"]["generation"].as_i64().unwrap_or(1) + 1).into();
        }
        if now != before {
            self.put(collection, now, "MODIFIED");
        }
    }

    /// Merges a patch into an object; `None` where there is none.
    pub(super) fn patch(&mut self, collection: &str, namespace: &str, name: &str, patch: &Value) -> Option<Value> {
        let mut object = self.get(collection, namespace, name)?;
        merge(&mut object, patch);
        Some(self.put(collection, object, "MODIFIED"))
    }

    /// An object as it would be with that status; `None` where it has gone.
    pub(super) fn with_status(&self, collection: &str, namespace: &str, name: &str, patch: &Value) -> Option<Value> {
        let mut object = self.get(collection, namespace, name)?;
        merge(&mut object, &json!({"status": patch["status"]}));
        Some(object)
    }

    /// Merges a status into that of an object; `None` where it has gone.
    pub(super) fn patch_status(
        &mut self,
        collection: &str,
        namespace: &str,
        name: &str,
        patch: &Value,
    ) -> Option<Value> {
        // Of a call of the subresource everything else is ignored.
        let object = self.with_status(collection, namespace, name, patch)?;
        Some(self.put(collection, object, "MODIFIED"))
    }

    pub(super) fn delete(&mut self, collection: &str, namespace: &str, name: &str) -> Option<Value> {
        let object = self.objects.remove(&(collection.to_owned(), namespace.to_owned(), name.to_owned()))?;
        self.version += 1;
        let event =
            Event { version: self.version, kind: "DELETED", collection: collection.to_owned(), object: object.clone() };
        self.events.push(event);
        Some(object)
    }

    pub(super) fn get(&self, collection: &str, namespace: &str, name: &str) -> Option<Value> {
        self.objects.get(&(collection.to_owned(), namespace.to_owned(), name.to_owned())).cloned()
    }

    /// A page of a list, from the name after `from` on, with the version that the list is of, and whether more follows.
    pub(super) fn page(
        &self,
        collection: &str,
        namespace: &str,
        selector: &str,
        from: &str,
        limit: usize,
    ) -> (Vec<Value>, bool) {
        let its = self.objects.iter().filter(|((of, place, name), object)| {
            of == collection && place == namespace && name.as_str() > from && matches(object, selector)
        });
        let mut all: Vec<Value> = its.map(|(_, object)| object.clone()).take(limit.saturating_add(1)).collect();
        let has_more = all.len() > limit;
        all.truncate(limit);
        (all, has_more)
    }

    pub(super) fn count(&self, collection: &str) -> usize {
        self.objects.keys().filter(|(of, ..)| of == collection).count()
    }

    /// Whether what happened since that version is known.
    pub(super) fn remembers(&self, version: u64) -> bool {
        version >= self.forgotten
    }

    pub(super) fn all(&self, collection: &str) -> Vec<Value> {
        self.objects.iter().filter(|((of, ..), _)| of == collection).map(|(_, object)| object.clone()).collect()
    }

    pub(super) fn ever_made(&self, collection: &str) -> Vec<Value> {
        let made = self.events.iter().filter(|event| event.collection == collection && event.kind == "ADDED");
        made.map(|event| event.object.clone()).collect()
    }

    /// What has happened since that version; `None` where that is not known any more.
    pub(super) fn since(&self, version: u64, collection: &str, namespace: &str, selector: &str) -> Option<Vec<Event>> {
        let is_its = |event: &&Event| {
            event.version > version
                && event.collection == collection
                && event.object["metadata"]["namespace"] == namespace
                && matches(&event.object, selector)
        };
        (version >= self.forgotten).then(|| self.events.iter().filter(is_its).cloned().collect())
    }

    pub(super) fn forget(&mut self) {
        // Something happens that nobody sees, so that all who have seen everything are behind, too.
        self.version += 1;
        self.forgotten = self.version;
    }

    /// Counts the versions of all that is there anew. Who watches from one before hears nothing until it has come again.
    pub(super) fn restore(&mut self) {
        (self.version, self.forgotten) = (0, 0);
        self.events.iter_mut().for_each(|event| event.version = 0);
        for object in self.objects.values_mut() {
            self.version += 1;
            object["metadata"]["resourceVersion"] = self.version.to_string().into();
        }
    }

    pub(super) fn called(&mut self, verb: &str, resource: &str) {
        *self.calls.entry((verb.to_owned(), resource.to_owned())).or_default() += 1;
    }

    pub(super) fn calls(&self) -> BTreeMap<(String, String), u64> {
        self.calls.clone()
    }
}

fn key(collection: &str, object: &Value) -> (String, String, String) {
    let part = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (collection.to_owned(), part("namespace"), part("name"))
}

/// A merge patch (RFC 7386).
fn merge(into: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            into.as_object_mut().expect("it is one").remove(key);
        } else {
            merge(&mut into[key], value);
        }
    }
}

/// Whether an object has the labels that a selector asks for: `a=b,c`.
fn matches(object: &Value, selector: &str) -> bool {
    let labels = &object["metadata"]["labels"];
    selector.split(',').filter(|part| !part.is_empty()).all(|part| match part.split_once('=') {
        Some((name, value)) => labels[name] == value,
        None => labels[part].is_string(),
    })
}

//! From all objects to checks, and to what is wrong with each. Pure: the same objects come to the same, in whatever order they came.
//!
//! - `ours`: our `Check`
//! - `pinglows`: Pinglow's
//! - [`script`]: what a pod needs to know to run a script

mod ours;
mod pinglows;
pub mod script;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use checks::{
    check::{Check, CheckName, Dependency},
    file::together,
};
use jiff::Timestamp;
use notify::channel::Channel;
use serde_json::Value;
use shared::secret::Secret;

use self::script::{Images, ScriptRun};
use crate::{
    channels::address,
    objects::{Key, Object, ObjectKind, pinglow::TelegramChannelSpec, porchlight::Egress},
};

/// The label without which no Secret is handed to a check: whoever may make a `Check` could read every Secret otherwise.
pub const FOR_CHECKS: &str = "porchlight.dev/for-checks";

/// All that is there at one time.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The objects, of whatever kind.
    pub objects: BTreeMap<Key, Object>,
    /// The Secrets that have the label [`FOR_CHECKS`], by namespace and name, with what they hold by key.
    pub secrets: BTreeMap<(String, String), BTreeMap<String, Secret>>,
    /// The namespaces of which nothing is known, and which may have checks, too.
    pub unlisted: BTreeSet<String>,
}

/// What an administrator has decided.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The images that scripts run in unless they name one.
    pub images: Images,
    /// What Pinglow's scripts may reach: their objects say nothing of it.
    pub pinglow_egress: Egress,
    /// Whether Pinglow's checks get Secrets without the label, as they did.
    pub pinglow_secrets: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { images: Images::default(), pinglow_egress: Egress::Internet, pinglow_secrets: false }
    }
}

/// A check that can run.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The check as it runs here.
    pub check: Check,
    /// How its script runs, where it has one.
    pub script: Option<ScriptRun>,
    /// The channels that are written to about it, besides those of the keeper.
    pub channels: Vec<Key>,
    /// What is not done as the object says, each in a sentence.
    pub notes: Vec<Said>,
}

/// Something that is said of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// In a word, as conditions have it.
    pub reason: &'static str,
    /// In a sentence: what, where, and what to do.
    pub message: String,
}

impl Said {
    fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// The spec is not what it should be: these are all the sentences about it.
    fn spec(sentences: &[String]) -> Self {
        Self::new("InvalidSpec", sentences.join("; "))
    }
}

/// What each object comes to: a check, nothing (it is right, and no check), or what is wrong with it.
pub type Outcomes = BTreeMap<Key, Result<Option<Resolved>, Said>>;

/// Resolves all of them, as of `now`. What is wrong with one stops none of the others.
pub fn resolve(world: &World, rules: &Rules, now: Timestamp) -> Outcomes {
    let mut outcomes: Outcomes =
        world.objects.values().map(|object| (object.key.clone(), one(object, world, rules, now))).collect();
    let mut by_age: Vec<&Object> = world.objects.values().filter(|object| object.key.kind.is_check()).collect();
    by_age.sort_by_key(|object| (object.created, &object.key));
    let mut taken = give_names(&by_age, &mut outcomes);
    if !world.unlisted.is_empty() {
        // What they depend on may be where nobody can look.
        let resolved = outcomes.values().filter_map(|outcome| outcome.as_ref().ok()?.as_ref());
        taken.extend(resolved.flat_map(|it| &it.check.depends_on).filter_map(|dependency| match dependency {
            Dependency::Check(name) => Some(name.to_string()),
            Dependency::Home => None,
        }));
    }
    refuse_together(&by_age, &mut outcomes, taken);
    outcomes
}

/// Refuses those that do not go together with older ones: a secret that another passive check has, a circle of what depends on each
/// other, a name that nobody has. `taken` are the names that somebody has, whatever is wrong with it.
fn refuse_together(by_age: &[&Object], outcomes: &mut Outcomes, taken: HashSet<String>) {
    let of = |object: &&Object| {
        Some((object.key.clone(), outcomes.get(&object.key)?.as_ref().ok()?.as_ref()?.check.clone()))
    };
    let (keys, checks): (Vec<Key>, Vec<Check>) = by_age.iter().filter_map(of).unzip();
    for (index, sentence) in together(&checks, taken) {
        let reason = if sentence.starts_with("depends_on") { "InvalidDependency" } else { "InvalidSpec" };
        outcomes.insert(keys[index].clone(), Err(Said::new(reason, sentence)));
    }
}

fn one(object: &Object, world: &World, rules: &Rules, now: Timestamp) -> Result<Option<Resolved>, Said> {
    match object.key.kind {
        ObjectKind::Check => ours::check(object, world, rules).map(Some),
        ObjectKind::PinglowCheck => pinglows::check(object, world, rules, now).map(Some),
        ObjectKind::Script => pinglows::script(object).map(|_| None),
        ObjectKind::TelegramChannel => channel(object, world).map(|_| None),
    }
}

/// What a check may be called, and was, as far as its object says so, whatever else is wrong with it.
pub(crate) fn likely_names(object: &Object) -> Vec<CheckName> {
    let own = Some(object.key.name.as_str());
    let text = |key: &str| object.spec.get(key).and_then(Value::as_str);
    let name = |text: &str| text.parse::<CheckName>().ok();
    if object.key.kind == ObjectKind::PinglowCheck {
        return own.and_then(name).into_iter().collect();
    }
    let is = text("name").and_then(name).or_else(|| own.and_then(name));
    is.into_iter().chain(text("was").and_then(name)).collect()
}

/// Of several checks of one name the oldest has it; the names that are taken.
fn give_names(by_age: &[&Object], outcomes: &mut Outcomes) -> HashSet<String> {
    let mut owners: HashMap<String, Key> = HashMap::new();
    for object in by_age {
        let Some(outcome) = outcomes.get_mut(&object.key) else { continue };
        let name = match outcome {
            Ok(Some(resolved)) => resolved.check.name.to_string(),
            Ok(None) => continue,
            Err(_) => {
                let names = likely_names(object);
                names.first().map_or_else(|| object.key.name.clone(), ToString::to_string)
            }
        };
        match owners.get(&name) {
            None => drop(owners.insert(name, object.key.clone())),
            Some(owner) if outcome.is_ok() => {
                let message = format!("{owner} is called {name} already: give this one another name");
                *outcome = Err(Said::new("NameTaken", message));
            }
            Some(_) => (),
        }
    }
    owners.into_keys().collect()
}

/// The address of a Telegram channel.
pub(crate) fn channel(object: &Object, world: &World) -> Result<(TelegramChannelSpec, Secret), Said> {
    let spec: TelegramChannelSpec = typed(object)?;
    let chat = spec.chat_id.trim();
    let is_number = chat.strip_prefix('-').unwrap_or(chat).bytes().all(|b| b.is_ascii_digit()) && chat.len() > 1;
    let is_letter = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let is_name = chat.strip_prefix('@').is_some_and(|name| !name.is_empty() && name.bytes().all(is_letter));
    if !is_number && !is_name {
        let message =
            "spec.chatId is neither a number, like -1001234567890, nor a public name, like @mychannel: write one";
        return Err(Said::new("InvalidSpec", message));
    }
    let token = secret(world, &object.key.namespace, &spec.bot_token_ref, "botToken")?;
    // As the keeper reads it, so that one that it cannot use is told of here.
    Channel::read(&address(&token, chat)).map_err(|wrong| {
        let message = format!("what the Secret {} has as botToken cannot be used: {}", spec.bot_token_ref, wrong.what);
        Said::new("SecretNotAvailable", message)
    })?;
    Ok((spec, token))
}

/// The value of that key of a Secret with the label.
fn secret(world: &World, namespace: &str, name: &str, key: &str) -> Result<Secret, Said> {
    let Some(values) = world.secrets.get(&(namespace.to_owned(), name.to_owned())) else {
        let message = format!(
            "the Secret {name} is not there, or has not the label {FOR_CHECKS}=\"true\", without which no check gets it: \
             kubectl -n {namespace} label secret {name} {FOR_CHECKS}=true"
        );
        return Err(Said::new("SecretNotAvailable", message));
    };
    values.get(key).cloned().ok_or_else(|| {
        let message = format!("the Secret {name} has no key {key}: add it");
        Said::new("SecretNotAvailable", message)
    })
}

/// The spec as `T`.
fn typed<T: serde::de::DeserializeOwned>(object: &Object) -> Result<T, Said> {
    serde_path_to_error::deserialize(&object.spec).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { "spec".to_owned() } else { format!("spec.{path}") };
        // What stands there is not repeated: it could be a secret.
        let said = error.inner().to_string();
        let what = if said.starts_with("missing field") || said.starts_with("unknown field") {
            said
        } else if let Some((_, known)) = said.split_once(", expected ").filter(|_| said.starts_with("unknown variant"))
        {
            format!("write {}", known.replace('`', "").replace("one of ", "one of: "))
        } else {
            "it is of another type than it should be: see kubectl explain".into()
        };
        Said::new("InvalidSpec", format!("{place}: {what}"))
    })
}

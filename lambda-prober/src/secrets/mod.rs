//! The secrets: the statuspage token and the homes' keys, from variables, files or Parameter Store.
//!
//! What Parameter Store told is kept in the warm instance for [`LIFETIME`]; when it cannot be read again, the last value
//! stands. Within a run everything may be read once more ([`RunSecrets`]): a token that is refused, or a proof that does
//! not fit, may only mean that somebody has just replaced the secret.

mod run;

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use shared::secret::{Secret, SecretSource};
use tokio::{sync::OnceCell, time::Instant};

pub use self::run::RunSecrets;
use crate::{
    parameters::{ParameterName, ParameterStore, StoreError},
    target::Targets,
};

/// How long a value is used until it is read again. Each read of a secret is a call of KMS, of which 20 000 a month are
/// free: three secrets every 15 minutes are 9 000.
pub const LIFETIME: Duration = Duration::from_mins(15);

/// Where one secret is.
#[derive(Clone, Debug)]
pub enum Place {
    Here(SecretSource),
    Parameter(ParameterName),
}

/// Where the secrets are.
#[derive(Clone, Debug)]
pub struct Places {
    pub token: Place,
    /// The key of homes that name none of their own.
    pub key: Option<Place>,
    /// The key before, while it is being replaced. A parameter that does not exist counts as none.
    pub old_key: Option<Place>,
    /// The list of targets, where that is in Parameter Store.
    pub targets: Option<ParameterName>,
}

/// The places, and what was last read of them.
#[derive(Debug)]
pub struct Secrets {
    places: Places,
    store: ParameterStore,
    kept: Mutex<HashMap<ParameterName, Kept>>,
}

/// What was last read of a parameter.
#[derive(Debug)]
struct Kept {
    /// `None` when it does not exist, and need not.
    value: Option<Secret>,
    at: Instant,
}

/// A parameter that a run asks for.
#[derive(Clone, Copy)]
struct Wanted<'a> {
    name: &'a ParameterName,
    /// That it does not exist is as good as a value.
    optional: bool,
}

/// What is known of some parameters.
#[derive(Debug)]
struct Known {
    values: HashMap<ParameterName, Secret>,
    /// Why what was asked for could not be read just now.
    trouble: Option<StoreError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    UpToLifetime,
    Fresh,
}

impl Places {
    /// A token and a key that are at hand.
    pub fn here(token: SecretSource, key: Option<SecretSource>) -> Self {
        Self { token: Place::Here(token), key: key.map(Place::Here), old_key: None, targets: None }
    }
}

impl Secrets {
    pub fn new(places: Places) -> Self {
        Self { places, store: ParameterStore::default(), kept: Mutex::default() }
    }

    pub fn store(&self) -> &ParameterStore {
        &self.store
    }

    /// What to call the token in a message.
    pub fn token_name(&self) -> String {
        self.places.token.name("TOKEN")
    }

    /// The targets that Parameter Store has; `None` when they are not there.
    ///
    /// # Errors
    /// When they cannot be read or used; the text is for people.
    pub async fn targets(&self, until: Instant) -> Result<Option<Targets>, String> {
        let Some(name) = &self.places.targets else { return Ok(None) };
        // Together with what every run needs, so that it is one call.
        let wanted = self.wanted(None);
        let targets = match targets(&self.read(&wanted, Age::UpToLifetime, until).await, name) {
            // It may have been mended since it was read.
            Err(_) => targets(&self.read(&wanted, Age::Fresh, until).await, name),
            good => good,
        };
        targets.map(Some)
    }

    /// Everything that a run on `targets` needs.
    pub async fn open<'run>(&'run self, targets: &'run Targets, until: Instant) -> RunSecrets<'run> {
        let first = self.read(&self.wanted(Some(targets)), Age::UpToLifetime, until).await;
        RunSecrets { secrets: self, targets, first, again: OnceCell::new(), until }
    }

    /// The parameters that a run on `targets` asks for.
    fn wanted<'a>(&'a self, targets: Option<&'a Targets>) -> Vec<Wanted<'a>> {
        let Places { token, key, old_key, targets: list } = &self.places;
        let parameter = |place: &'a Place| if let Place::Parameter(name) = place { Some(name) } else { None };
        let keys = || targets.into_iter().flatten().filter_map(|target| target.keys.as_ref());
        let needed = [Some(token), key.as_ref()].into_iter().flatten().filter_map(parameter);
        let needed = needed.chain(list).chain(keys().map(|keys| &keys.current));
        let optional = old_key.iter().filter_map(parameter).chain(keys().filter_map(|keys| keys.old.as_ref()));
        let named = |optional| move |name| Wanted { name, optional };
        let mut wanted: Vec<Wanted> = Vec::new();
        for one in needed.map(named(false)).chain(optional.map(named(true))) {
            if !wanted.iter().any(|other| other.name == one.name) {
                wanted.push(one);
            }
        }
        wanted
    }

    /// Reads all of them when one is too old, and otherwise none.
    async fn read(&self, wanted: &[Wanted<'_>], age: Age, until: Instant) -> Known {
        let now = Instant::now();
        let is_fresh = |one: &Wanted| {
            let kept = self.kept();
            let fresh = kept.get(one.name).filter(|kept| now - kept.at < LIFETIME);
            fresh.is_some_and(|kept| kept.value.is_some() || one.optional)
        };
        let mut trouble = None;
        if !wanted.is_empty() && (age == Age::Fresh || !wanted.iter().all(is_fresh)) {
            let names: Vec<_> = wanted.iter().map(|one| one.name).collect();
            match self.store.get(&names, until).await {
                Ok(found) => self.keep(wanted, &found, now),
                Err(error) => {
                    tracing::warn!("{error}; what was read before stands");
                    trouble = Some(error);
                }
            }
        }
        let kept = self.kept();
        let values = wanted.iter().filter_map(|one| Some((one.name.clone(), kept.get(one.name)?.value.clone()?)));
        Known { values: values.collect(), trouble }
    }

    /// Notes what was found. A needed secret that has vanished is kept as it was.
    fn keep(&self, wanted: &[Wanted<'_>], found: &HashMap<ParameterName, Secret>, at: Instant) {
        let mut kept = self.kept();
        for Wanted { name, optional } in wanted.iter().copied() {
            let value = found.get(name).cloned();
            if value.is_some() || optional {
                kept.insert(name.clone(), Kept { value, at });
            } else {
                tracing::warn!("the parameter {name} does not exist");
            }
        }
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ParameterName, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    fn name(&self, setting: &str) -> String {
        match self {
            Self::Here(source) => source.name(setting),
            Self::Parameter(name) => format!("the parameter {name}"),
        }
    }
}

impl Known {
    /// The text of a parameter. A file's last line has an end, and `aws ssm put-parameter --value file://…` stores it.
    fn text(&self, name: &ParameterName) -> Result<&str, String> {
        match (self.values.get(name), &self.trouble) {
            (Some(value), _) => Ok(value.expose().trim_end_matches(['\r', '\n'])),
            (None, Some(trouble)) => Err(trouble.to_string()),
            (None, None) => Err(format!("the parameter {name} does not exist: make it, or name another")),
        }
    }
}

fn targets(known: &Known, name: &ParameterName) -> Result<Targets, String> {
    known.text(name)?.parse().map_err(|error| format!("the parameter {name}: {error}"))
}

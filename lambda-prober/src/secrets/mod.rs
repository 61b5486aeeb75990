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

use shared::{
    secret::{Secret, SecretSource},
    settings::WrongSetting,
};
use tokio::time::Instant;

pub use self::run::RunSecrets;
use crate::{
    parameters::{Found, ParameterName, ParameterStore, StoreError},
    target::{Home, Targets},
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
    /// The page's, where there is one.
    pub token: Option<Place>,
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
    parameters: Mutex<HashMap<ParameterName, Kept>>,
    /// The last good value of each secret that is here, by its setting.
    here: Mutex<HashMap<&'static str, Secret>>,
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
    /// `None` for what does not exist, and need not. What is not here could never be read.
    values: HashMap<ParameterName, Option<Secret>>,
    /// Why a parameter could not be read just now.
    trouble: HashMap<ParameterName, StoreError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    UpToLifetime,
    Fresh,
}

impl Places {
    /// A token and a key that are at hand.
    pub fn here(token: SecretSource, key: Option<SecretSource>) -> Self {
        Self { token: Some(Place::Here(token)), key: key.map(Place::Here), old_key: None, targets: None }
    }
}

impl Secrets {
    pub fn new(places: Places) -> Self {
        Self { places, store: ParameterStore::default(), parameters: Mutex::default(), here: Mutex::default() }
    }

    pub fn store(&self) -> &ParameterStore {
        &self.store
    }

    /// Whether a home has a key: one of its own, or that of all homes.
    pub fn has_key(&self, home: &Home) -> bool {
        home.keys.is_some() || self.places.key.is_some()
    }

    /// The targets that Parameter Store has; `None` when they are not there.
    ///
    /// # Errors
    /// When they cannot be read or used; the text is for people.
    pub async fn targets(&self, until: Instant) -> Result<Option<Targets>, String> {
        let Some(name) = &self.places.targets else { return Ok(None) };
        // Together with what every run needs, so that it is one call.
        let wanted = self.wanted(&[]);
        let known = self.read(&wanted, Age::UpToLifetime, until).await;
        match targets(&known, name) {
            // A list that is there, but wrong, may have been mended since it was read.
            Err(_) if known.values.contains_key(name) && known.trouble.is_empty() => {
                targets(&self.read(&wanted, Age::Fresh, until).await, name)
            }
            settled => settled,
        }
        .map(Some)
    }

    /// The parameters that a run on these homes asks for.
    fn wanted<'a>(&'a self, homes: &[&'a Home]) -> Vec<Wanted<'a>> {
        let Places { token, key, old_key, targets: list } = &self.places;
        let parameter = |place: &'a Place| if let Place::Parameter(name) = place { Some(name) } else { None };
        let keys = || homes.iter().filter_map(|home| home.keys.as_ref());
        // Where every home has a key of its own, nobody needs the others' one, which may not even exist.
        let all_have_one = !homes.is_empty() && homes.iter().all(|home| home.keys.is_some());
        let (key, old_key) = if all_have_one { (None, None) } else { (key.as_ref(), old_key.as_ref()) };
        let needed = [token.as_ref(), key].into_iter().flatten().filter_map(parameter);
        let needed = needed.chain(list).chain(keys().map(|keys| &keys.current));
        let optional = old_key.into_iter().filter_map(parameter).chain(keys().filter_map(|keys| keys.old.as_ref()));
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
        let mut trouble = HashMap::new();
        if !wanted.is_empty() && (age == Age::Fresh || self.is_due(wanted, now)) {
            let names: Vec<_> = wanted.iter().map(|one| one.name).collect();
            trouble = self.keep(wanted, self.store.get(&names, until).await, now);
        }
        let kept = self.kept();
        let values = wanted.iter().filter_map(|one| Some((one.name.clone(), kept.get(one.name)?.value.clone())));
        Known { values: values.collect(), trouble }
    }

    /// Whether one of them is too old, or not known at all.
    fn is_due(&self, wanted: &[Wanted<'_>], now: Instant) -> bool {
        let kept = self.kept();
        !wanted.iter().all(|one| {
            let fresh = kept.get(one.name).filter(|kept| now - kept.at < LIFETIME);
            fresh.is_some_and(|kept| kept.value.is_some() || one.optional)
        })
    }

    /// Notes what was found, and returns what could not be read. What could not be, and a needed secret that has
    /// vanished, is kept as it was.
    fn keep(&self, wanted: &[Wanted<'_>], found: Found, at: Instant) -> HashMap<ParameterName, StoreError> {
        let (mut kept, mut trouble) = (self.kept(), HashMap::new());
        for (name, value) in found {
            let optional = wanted.iter().any(|one| *one.name == name && one.optional);
            match value {
                Ok(None) if !optional => tracing::warn!("the parameter {name} does not exist"),
                Ok(value) => drop(kept.insert(name, Kept { value, at })),
                Err(error) => drop(trouble.insert(name, error)),
            }
        }
        // Ten names may have failed together, and in one sentence.
        let mut told: Vec<&StoreError> = Vec::new();
        for error in trouble.values() {
            if !told.contains(&error) {
                tracing::warn!("{error}");
                told.push(error);
            }
        }
        trouble
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<ParameterName, Kept>> {
        self.parameters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A secret that is here, as it is now. When its file has become useless, the last good value stands.
    fn here(&self, setting: &'static str, source: &SecretSource) -> Result<Secret, WrongSetting> {
        let mut last = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        match (source.current(), last.get(setting)) {
            (Ok(secret), _) => {
                last.insert(setting, secret.clone());
                Ok(secret)
            }
            (Err(error), Some(secret)) => {
                tracing::warn!("{error}; what was read before stands");
                Ok(secret.clone())
            }
            (Err(error), None) => Err(error),
        }
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
        match (self.values.get(name), self.trouble.get(name)) {
            (Some(Some(value)), _) => Ok(value.expose().trim_end_matches(['\r', '\n'])),
            (_, Some(trouble)) => Err(trouble.to_string()),
            (_, None) => Err(format!("the parameter {name} does not exist: make it, or name another")),
        }
    }
}

fn targets(known: &Known, name: &ParameterName) -> Result<Targets, String> {
    known.text(name)?.parse().map_err(|error| format!("the parameter {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use shared::proof::Key;

    use super::*;

    fn key(number: u8) -> Secret {
        Secret::new(Key::new([number; 32]).expose())
    }

    fn name() -> ParameterName {
        "/porchlight/beacon-key".parse().unwrap()
    }

    fn secrets() -> Secrets {
        let token = Place::Here(SecretSource::Value(Secret::new("token")));
        Secrets::new(Places { token: Some(token), key: Some(Place::Parameter(name())), old_key: None, targets: None })
    }

    fn wanted(secrets: &Secrets) -> Vec<Wanted<'_>> {
        secrets.wanted(&[])
    }

    /// What is known at once, without asking a store that nobody serves.
    async fn known(secrets: &Secrets) -> Option<Secret> {
        let until = Instant::now();
        secrets.read(&wanted(secrets), Age::UpToLifetime, until).await.values.remove(&name()).flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_outlives_its_lifetime_when_it_cannot_be_read_again() {
        let secrets = secrets();
        let found = |value| Found::from([(name(), value)]);
        assert!(secrets.keep(&wanted(&secrets), found(Ok(Some(key(1)))), Instant::now()).is_empty());
        assert_eq!(known(&secrets).await, Some(key(1)));
        tokio::time::advance(LIFETIME * 3).await;
        assert!(secrets.is_due(&wanted(&secrets), Instant::now()), "it is to be read again");
        assert_eq!(known(&secrets).await, Some(key(1)), "and stands where it cannot be");
        // Nor does a needed secret end with its parameter.
        secrets.keep(&wanted(&secrets), found(Ok(None)), Instant::now());
        assert_eq!(known(&secrets).await, Some(key(1)));
        secrets.keep(&wanted(&secrets), found(Ok(Some(key(2)))), Instant::now());
        assert!(!secrets.is_due(&wanted(&secrets), Instant::now() + LIFETIME / 2));
        assert_eq!(known(&secrets).await, Some(key(2)));
    }
}

//! The secrets, cached between runs.

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

use super::places::{Place, Places};
use crate::{
    kept::parameters::{ParameterError, ParameterResults, ParameterStore},
    target::{Home, ParameterName, Targets},
};

/// How long a value is used until it is read again. Each read of a secret is a call of KMS, of which 20 000 a month are
/// free: three secrets every 15 minutes are 9 000.
const LIFETIME: Duration = Duration::from_mins(15);

/// Where secrets are, and what was last read from there.
#[derive(Debug)]
pub struct Secrets {
    pub(super) places: Places,
    store: ParameterStore,
    parameters: Mutex<HashMap<ParameterName, CachedParameter>>,
    /// The last good value of each secret on this machine, by its setting.
    local: Mutex<HashMap<&'static str, Secret>>,
}

/// What was last read of a parameter.
#[derive(Debug)]
struct CachedParameter {
    /// `None` when it does not exist, and need not.
    value: Option<Secret>,
    at: Instant,
}

/// A parameter that a run needs.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    name: &'a ParameterName,
    /// It need not exist.
    optional: bool,
}

/// The values of some parameters, and why others could not be read just now.
#[derive(Debug)]
pub(super) struct ParameterValues {
    /// `None` for what does not exist, and need not. What is missing could never be read.
    values: HashMap<ParameterName, Option<Secret>>,
    errors: HashMap<ParameterName, ParameterError>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// Read at most [`LIFETIME`] ago.
    Cached,
    /// Read now.
    Fresh,
}

impl Secrets {
    /// Reads nothing yet.
    pub fn new(places: Places) -> Self {
        Self::in_region(places, None)
    }

    /// As [`Secrets::new`], with parameters of another region than the one that this program runs in.
    pub fn in_region(places: Places, region: Option<String>) -> Self {
        let store = ParameterStore::of(region);
        Self { places, store, parameters: Mutex::default(), local: Mutex::default() }
    }

    pub(crate) fn store(&self) -> &ParameterStore {
        &self.store
    }

    /// Whether a home has a key: one of its own, or that of all homes.
    pub(crate) fn has_key(&self, home: &Home) -> bool {
        home.keys.is_some() || (home.shares_the_key() && self.places.key.is_some())
    }

    /// The targets that Parameter Store lists; `None` when no setting says where.
    ///
    /// # Errors
    /// When they cannot be read or are wrong; the text is for people. The next run may try again.
    pub(crate) async fn targets(&self, until: Instant) -> Result<Option<Targets>, String> {
        let Some(name) = &self.places.targets else { return Ok(None) };
        // Together with what every run needs, so that it is one call.
        let wanted = self.wanted(&[]);
        let parameters = self.read(&wanted, Freshness::Cached, until).await;
        match targets(&parameters, name) {
            // A list that exists, but is wrong, may have been corrected since it was read.
            Err(_) if parameters.is_read(name) && parameters.errors.is_empty() => {
                targets(&self.read(&wanted, Freshness::Fresh, until).await, name)
            }
            settled => settled,
        }
        .map(Some)
    }

    /// The parameters that a run on these homes needs.
    pub(super) fn wanted<'a>(&'a self, homes: &[&'a Home]) -> Vec<Wanted<'a>> {
        let Places { token, key, old_key, targets: list } = &self.places;
        let parameter = |place: &'a Place| if let Place::Parameter(name) = place { Some(name) } else { None };
        let keys = || homes.iter().filter_map(|home| home.keys.as_ref());
        // Where no home shares the common key, it is not needed, and may not even exist.
        let none_shares_it = !homes.is_empty() && !homes.iter().any(|home| home.shares_the_key());
        let (key, old_key) = if none_shares_it { (None, None) } else { (key.as_ref(), old_key.as_ref()) };
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
    pub(super) async fn read(&self, wanted: &[Wanted<'_>], freshness: Freshness, until: Instant) -> ParameterValues {
        let now = Instant::now();
        let mut errors = HashMap::new();
        if !wanted.is_empty() && (freshness == Freshness::Fresh || self.is_due(wanted, now)) {
            let names: Vec<_> = wanted.iter().map(|one| one.name).collect();
            errors = self.cache(wanted, self.store.get(&names, until).await, now);
        }
        let cached = self.cached();
        let values = wanted.iter().filter_map(|one| Some((one.name.clone(), cached.get(one.name)?.value.clone())));
        ParameterValues { values: values.collect(), errors }
    }

    /// Whether one of them is too old, or was never read.
    fn is_due(&self, wanted: &[Wanted<'_>], now: Instant) -> bool {
        let cached = self.cached();
        !wanted.iter().all(|one| {
            let fresh = cached.get(one.name).filter(|cached| now - cached.at < LIFETIME);
            fresh.is_some_and(|cached| cached.value.is_some() || one.optional)
        })
    }

    /// Caches what was read, and returns the errors. What could not be read, and a needed secret that does not exist
    /// any more, stays as it was.
    fn cache(
        &self,
        wanted: &[Wanted<'_>],
        results: ParameterResults,
        at: Instant,
    ) -> HashMap<ParameterName, ParameterError> {
        let (mut cached, mut errors) = (self.cached(), HashMap::new());
        for (name, value) in results {
            let optional = wanted.iter().any(|one| *one.name == name && one.optional);
            match value {
                Ok(None) if !optional => tracing::warn!("the parameter {name} does not exist"),
                Ok(value) => drop(cached.insert(name, CachedParameter { value, at })),
                Err(error) => drop(errors.insert(name, error)),
            }
        }
        // Ten names may have failed in one call, with one error.
        let mut logged: Vec<&ParameterError> = Vec::new();
        for error in errors.values() {
            if !logged.contains(&error) {
                tracing::warn!("{error}");
                logged.push(error);
            }
        }
        errors
    }

    /// What was last read of a parameter, however long ago.
    pub(super) fn last_read(&self, name: &ParameterName) -> Option<Secret> {
        self.cached().get(name)?.value.clone()
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<ParameterName, CachedParameter>> {
        self.parameters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A secret of this machine, as it is now. When its file has become unusable, the last good value is used.
    pub(super) fn local(&self, setting: &'static str, source: &SecretSource) -> Result<Secret, WrongSetting> {
        let mut last = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        match (source.current(), last.get(setting)) {
            (Ok(secret), _) => {
                last.insert(setting, secret.clone());
                Ok(secret)
            }
            (Err(error), Some(secret)) => {
                tracing::warn!("{error}; the value from before is used");
                Ok(secret.clone())
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl ParameterValues {
    /// The text of a parameter. A file's last line has an end, and `aws ssm put-parameter --value file://…` stores it.
    pub(super) fn text(&self, name: &ParameterName) -> Result<&str, String> {
        match (self.values.get(name), self.errors.get(name)) {
            (Some(Some(value)), _) => Ok(value.expose().trim_end_matches(['\r', '\n'])),
            (_, Some(error)) => Err(error.to_string()),
            (_, None) => Err(format!("the parameter {name} does not exist: make it, or name another")),
        }
    }

    /// Whether it was ever read, whether it exists or not.
    pub(super) fn is_read(&self, name: &ParameterName) -> bool {
        self.values.contains_key(name)
    }

    /// Whether it exists.
    pub(super) fn exists(&self, name: &ParameterName) -> bool {
        self.values.get(name).is_some_and(Option::is_some)
    }
}

fn targets(parameters: &ParameterValues, name: &ParameterName) -> Result<Targets, String> {
    parameters.text(name)?.parse().map_err(|error| format!("the parameter {name}: {error}"))
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
        let token = Place::Local(SecretSource::Value(Secret::new("token")));
        Secrets::new(Places { token: Some(token), key: Some(Place::Parameter(name())), old_key: None, targets: None })
    }

    fn wanted(secrets: &Secrets) -> Vec<Wanted<'_>> {
        secrets.wanted(&[])
    }

    /// What is cached: the store does not answer by then.
    async fn value(secrets: &Secrets) -> Option<Secret> {
        let until = Instant::now();
        secrets.read(&wanted(secrets), Freshness::Cached, until).await.values.remove(&name()).flatten()
    }

    #[tokio::test(start_paused = true)]
    async fn a_secret_outlives_its_lifetime_when_it_cannot_be_read_again() {
        let secrets = secrets();
        let result = |value| ParameterResults::from([(name(), value)]);
        assert!(secrets.cache(&wanted(&secrets), result(Ok(Some(key(1)))), Instant::now()).is_empty());
        assert_eq!(value(&secrets).await, Some(key(1)));
        tokio::time::advance(LIFETIME * 3).await;
        assert!(secrets.is_due(&wanted(&secrets), Instant::now()), "it is to be read again");
        assert_eq!(value(&secrets).await, Some(key(1)), "and is used where it cannot be");
        // Nor does a needed secret end with its parameter.
        secrets.cache(&wanted(&secrets), result(Ok(None)), Instant::now());
        assert_eq!(value(&secrets).await, Some(key(1)));
        secrets.cache(&wanted(&secrets), result(Ok(Some(key(2)))), Instant::now());
        assert!(!secrets.is_due(&wanted(&secrets), Instant::now() + LIFETIME / 2));
        assert_eq!(value(&secrets).await, Some(key(2)));
    }
}

//! The secrets as one run has them: read when they are first needed, and once more where they do not fit.

use shared::{proof::Key, secret::Secret};
use tokio::{sync::OnceCell, time::Instant};

use super::{Age, Known, Place, Secrets};
use crate::{identity::Keys, parameters::ParameterName, target::Home};

const TOKEN: &str = "TOKEN";
const KEY: &str = "BEACON_KEY";
const OLD_KEY: &str = "BEACON_KEY_OLD";

#[derive(Debug)]
pub struct RunSecrets<'run> {
    secrets: &'run Secrets,
    homes: Vec<&'run Home>,
    until: Instant,
    first: OnceCell<Known>,
    again: OnceCell<Known>,
}

impl<'run> RunSecrets<'run> {
    /// Reads nothing yet, so that observing need not wait.
    pub fn new(secrets: &'run Secrets, homes: Vec<&'run Home>, until: Instant) -> Self {
        Self { secrets, homes, until, first: OnceCell::new(), again: OnceCell::new() }
    }

    /// What to call the token in a message.
    pub fn token_name(&self) -> String {
        self.secrets.places.token.as_ref().map_or_else(|| TOKEN.into(), |place| place.name(TOKEN))
    }

    /// The token; where it cannot be had, after one more look.
    ///
    /// # Errors
    /// When there is none that can be used; the text is for people.
    pub async fn token(&self) -> Result<Secret, String> {
        match self.token_among(self.first().await) {
            Err(_) => self.token_among(self.again().await),
            token => token,
        }
    }

    /// The token after one more look, if it is another than the one that was refused.
    pub async fn token_instead_of(&self, refused: &Secret) -> Option<Secret> {
        let token = self.token_among(self.again().await).ok()?;
        (token != *refused).then_some(token)
    }

    /// Whether a home has a key, so that it can be challenged.
    pub fn has_key(&self, home: &Home) -> bool {
        self.secrets.has_key(home)
    }

    /// The keys of a home that has one.
    ///
    /// # Errors
    /// When they cannot be read or are none; the text is for people.
    pub async fn keys(&self, home: &Home) -> Result<Keys, String> {
        self.keys_among(home, self.first().await)
    }

    /// The keys after one more look.
    ///
    /// # Errors
    /// As [`RunSecrets::keys`].
    pub async fn keys_again(&self, home: &Home) -> Result<Keys, String> {
        self.keys_among(home, self.again().await)
    }

    /// Why the keys did not do: nothing is to be published, but it must be mended.
    pub async fn key_trouble(&self, home: &Home) -> String {
        match self.keys_again(home).await {
            Err(error) => error,
            Ok(_) => "the old key could not be read, and may be the one that the home proves itself with".into(),
        }
    }

    async fn first(&self) -> &Known {
        self.first.get_or_init(|| self.read(Age::UpToLifetime)).await
    }

    /// Everything once more, once in a run, whoever asks first.
    async fn again(&self) -> &Known {
        self.again.get_or_init(|| self.read(Age::Fresh)).await
    }

    async fn read(&self, age: Age) -> Known {
        self.secrets.read(&self.secrets.wanted(&self.homes), age, self.until).await
    }

    fn token_among(&self, known: &Known) -> Result<Secret, String> {
        let place = self.secrets.places.token.as_ref().ok_or("TOKEN is not set")?;
        self.secret(place, TOKEN, known)
    }

    fn keys_among(&self, home: &Home, known: &Known) -> Result<Keys, String> {
        let places = &self.secrets.places;
        let (current, old) = match &home.keys {
            Some(names) => (Some(Place::Parameter(names.current.clone())), names.old.clone().map(Place::Parameter)),
            None => (places.key.clone(), places.old_key.clone()),
        };
        let current = self.key(&current.ok_or("there is no key")?, KEY, known)?;
        // An old key that is gone, or is none, is nobody's. One that could not be read may be the home's.
        let unread = |place: &Place| matches!(place, Place::Parameter(name) if !known.values.contains_key(name));
        let complete = !old.as_ref().is_some_and(unread);
        let old = old.filter(|place| !matches!(place, Place::Parameter(name) if !known.has(name)));
        let old = old.map(|place| self.key(&place, OLD_KEY, known)).transpose();
        let old = old.inspect_err(|error| tracing::warn!("{error}; there is no old key, then")).unwrap_or_default();
        Ok(Keys { current, old, complete })
    }

    fn secret(&self, place: &Place, setting: &'static str, known: &Known) -> Result<Secret, String> {
        match place {
            Place::Here(source) => self.secrets.here(setting, source).map_err(|error| error.to_string()),
            Place::Parameter(name) => {
                Secret::checked(&place.name(setting), known.text(name)?).map_err(|error| error.to_string())
            }
        }
    }

    fn key(&self, place: &Place, setting: &'static str, known: &Known) -> Result<Key, String> {
        let text = self.secret(place, setting, known)?;
        text.expose().parse().map_err(|error| format!("{}: {error}", place.name(setting)))
    }
}

impl Known {
    fn has(&self, name: &ParameterName) -> bool {
        self.values.get(name).is_some_and(Option::is_some)
    }
}

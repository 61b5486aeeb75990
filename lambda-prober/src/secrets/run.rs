//! The secrets as one run has them: read at its start, and once more where they do not fit.

use shared::{proof::Key, secret::Secret};
use tokio::{sync::OnceCell, time::Instant};

use super::{Age, Known, Place, Secrets};
use crate::{
    identity::Keys,
    target::{Target, Targets},
};

#[derive(Debug)]
pub struct RunSecrets<'run> {
    pub(super) secrets: &'run Secrets,
    pub(super) targets: &'run Targets,
    pub(super) first: Known,
    pub(super) again: OnceCell<Known>,
    pub(super) until: Instant,
}

impl RunSecrets<'_> {
    /// What to call the token in a message.
    pub fn token_name(&self) -> String {
        self.secrets.token_name()
    }

    /// # Errors
    /// When there is none that can be used; the text is for people.
    pub fn token(&self) -> Result<Secret, String> {
        secret(&self.secrets.places.token, "TOKEN", &self.first)
    }

    /// The token after one more look, if it is another than the one that was refused.
    pub async fn token_instead_of(&self, refused: &Secret) -> Option<Secret> {
        let token = secret(&self.secrets.places.token, "TOKEN", self.again().await).ok()?;
        (token != *refused).then_some(token)
    }

    /// The keys of a target; `None` when it has none.
    ///
    /// # Errors
    /// When there should be one, but it cannot be read or is none; the text is for people.
    pub fn keys(&self, target: &Target) -> Option<Result<Keys, String>> {
        self.keys_among(target, &self.first)
    }

    /// The keys after one more look.
    ///
    /// # Errors
    /// As [`RunSecrets::keys`].
    pub async fn keys_again(&self, target: &Target) -> Option<Result<Keys, String>> {
        self.keys_among(target, self.again().await)
    }

    /// Everything once more, once in a run, whoever asks first.
    async fn again(&self) -> &Known {
        let read =
            || async { self.secrets.read(&self.secrets.wanted(Some(self.targets)), Age::Fresh, self.until).await };
        self.again.get_or_init(read).await
    }

    fn keys_among(&self, target: &Target, known: &Known) -> Option<Result<Keys, String>> {
        let places = &self.secrets.places;
        let (current, old) = match &target.keys {
            Some(names) => (Place::Parameter(names.current.clone()), names.old.clone().map(Place::Parameter)),
            None => (places.key.clone()?, places.old_key.clone()),
        };
        let keys = || {
            let old = old.filter(|place| known.has(place)).map(|place| key(&place, "BEACON_KEY_OLD", known));
            Ok(Keys { current: key(&current, "BEACON_KEY", known)?, old: old.transpose()? })
        };
        Some(keys())
    }
}

impl Known {
    fn has(&self, place: &Place) -> bool {
        match place {
            Place::Here(_) => true,
            Place::Parameter(name) => self.values.contains_key(name),
        }
    }
}

fn secret(place: &Place, setting: &str, known: &Known) -> Result<Secret, String> {
    match place {
        Place::Here(source) => source.current().map_err(|error| error.to_string()),
        Place::Parameter(name) => {
            Secret::checked(&place.name(setting), known.text(name)?).map_err(|error| error.to_string())
        }
    }
}

fn key(place: &Place, setting: &str, known: &Known) -> Result<Key, String> {
    let text = secret(place, setting, known)?;
    text.expose().parse().map_err(|error| format!("{}: {error}", place.name(setting)))
}

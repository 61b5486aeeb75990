//! The secrets as one run has them: read when they are first needed, and once more where they do not fit.

use shared::{proof::Key, secret::Secret};
use tokio::{sync::OnceCell, time::Instant};

use super::{
    cache::{Freshness, ParameterValues, Secrets},
    places::Place,
};
use crate::{judge::identity::Keys, settings::STATUSPAGE_TOKEN, target::Home};

const KEY: &str = "BEACON_KEY";
const OLD_KEY: &str = "BEACON_KEY_OLD";

#[derive(Debug)]
pub(crate) struct RunSecrets<'run> {
    secrets: &'run Secrets,
    homes: Vec<&'run Home>,
    until: Instant,
    first: OnceCell<ParameterValues>,
    second: OnceCell<ParameterValues>,
}

impl<'run> RunSecrets<'run> {
    /// Reads nothing yet, so that observing need not wait.
    pub(crate) fn new(secrets: &'run Secrets, homes: Vec<&'run Home>, until: Instant) -> Self {
        Self { secrets, homes, until, first: OnceCell::new(), second: OnceCell::new() }
    }

    /// What to call the token in a message.
    pub(crate) fn token_name(&self) -> String {
        self.secrets
            .places
            .token
            .as_ref()
            .map_or_else(|| STATUSPAGE_TOKEN.name.into(), |place| place.name(STATUSPAGE_TOKEN.name_in_use()))
    }

    /// The token; where that fails, read once more.
    ///
    /// # Errors
    /// When there is no usable token; the text is for people.
    pub(crate) async fn token(&self) -> Result<Secret, String> {
        match self.token_among(self.first().await) {
            Err(_) => self.token_among(self.second().await),
            token => token,
        }
    }

    /// The token, read once more, if it is another than the one that was refused.
    pub(crate) async fn token_instead_of(&self, refused: &Secret) -> Option<Secret> {
        let token = self.token_among(self.second().await).ok()?;
        (token != *refused).then_some(token)
    }

    /// Whether a home has a key, so that it can be challenged.
    pub(crate) fn has_key(&self, home: &Home) -> bool {
        self.secrets.has_key(home)
    }

    /// The keys of a home that has one.
    ///
    /// # Errors
    /// When they cannot be read or are malformed; the text is for people.
    pub(crate) async fn keys(&self, home: &Home) -> Result<Keys, String> {
        self.keys_among(home, self.first().await)
    }

    /// The keys, read once more.
    ///
    /// # Errors
    /// As [`RunSecrets::keys`].
    pub(crate) async fn keys_again(&self, home: &Home) -> Result<Keys, String> {
        self.keys_among(home, self.second().await)
    }

    /// The home's key, or else its old one, as far as it is known already: what is signed with it does not wait.
    pub(crate) fn key_at_hand(&self, home: &Home) -> Option<Key> {
        let (current, old) = self.key_places(home);
        let places = [(current, KEY), (old, OLD_KEY)];
        places.into_iter().find_map(|(place, setting)| {
            let secret = match place? {
                Place::Local(source) => self.secrets.local(setting, &source).ok()?,
                Place::Parameter(name) => self.secrets.last_read(&name)?,
            };
            secret.expose().trim_end_matches(['\r', '\n']).parse().ok()
        })
    }

    /// Why an answer could not be checked: nothing is published then, but the operator must correct it.
    pub(crate) async fn key_error(&self, home: &Home) -> String {
        match self.keys_again(home).await {
            Err(error) => error,
            Ok(_) => "the old key could not be read, and may be the one that the home proves itself with".into(),
        }
    }

    async fn first(&self) -> &ParameterValues {
        self.first.get_or_init(|| self.read(Freshness::Cached)).await
    }

    /// Everything once more, once in a run.
    async fn second(&self) -> &ParameterValues {
        self.second.get_or_init(|| self.read(Freshness::Fresh)).await
    }

    async fn read(&self, freshness: Freshness) -> ParameterValues {
        self.secrets.read(&self.secrets.wanted(&self.homes), freshness, self.until).await
    }

    fn token_among(&self, parameters: &ParameterValues) -> Result<Secret, String> {
        let place = self.secrets.places.token.as_ref().ok_or("STATUSPAGE_TOKEN is not set")?;
        self.secret(place, STATUSPAGE_TOKEN.name_in_use(), parameters)
    }

    fn keys_among(&self, home: &Home, parameters: &ParameterValues) -> Result<Keys, String> {
        let (current, old) = self.key_places(home);
        let current = self.key(&current.ok_or("there is no key")?, KEY, parameters)?;
        // An old key that does not exist, or is malformed, is none. One that could not be read may be the home's.
        let unread = |place: &Place| matches!(place, Place::Parameter(name) if !parameters.is_read(name));
        let complete = !old.as_ref().is_some_and(unread);
        let old = old.filter(|place| !matches!(place, Place::Parameter(name) if !parameters.exists(name)));
        let old = old.map(|place| self.key(&place, OLD_KEY, parameters)).transpose();
        let old = old.inspect_err(|error| tracing::warn!("{error}; no old key is used")).unwrap_or_default();
        Ok(Keys { current, old, complete })
    }

    /// Where the key of today is, and the old one.
    fn key_places(&self, home: &Home) -> (Option<Place>, Option<Place>) {
        let places = &self.secrets.places;
        match &home.keys {
            Some(names) => (Some(Place::Parameter(names.current.clone())), names.old.clone().map(Place::Parameter)),
            None if home.shares_the_key() => (places.key.clone(), places.old_key.clone()),
            None => (None, None),
        }
    }

    fn secret(&self, place: &Place, setting: &'static str, parameters: &ParameterValues) -> Result<Secret, String> {
        match place {
            Place::Local(source) => self.secrets.local(setting, source).map_err(|error| error.to_string()),
            Place::Parameter(name) => {
                Secret::checked(&place.name(setting), parameters.text(name)?).map_err(|error| error.to_string())
            }
        }
    }

    fn key(&self, place: &Place, setting: &'static str, parameters: &ParameterValues) -> Result<Key, String> {
        let text = self.secret(place, setting, parameters)?;
        text.expose().parse().map_err(|error| format!("{}: {error}", place.name(setting)))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shared::secret::SecretSource;

    use super::*;
    use crate::kept::secrets::Places;

    fn local(number: u8) -> Place {
        Place::Local(SecretSource::Value(Secret::new(Key::new([number; 32]).expose())))
    }

    fn at_hand(key: Option<Place>, old_key: Option<Place>) -> Option<Key> {
        let secrets = Secrets::new(Places { token: None, key, old_key, targets: None });
        let home = Home::at("http://home.example/".parse::<url::Url>().unwrap());
        RunSecrets::new(&secrets, vec![&home], Instant::now() + Duration::from_secs(1)).key_at_hand(&home)
    }

    #[test]
    fn a_service_of_which_an_answer_is_expected_has_only_a_key_that_it_names() {
        let secrets = Secrets::new(Places { token: None, key: Some(local(1)), old_key: None, targets: None });
        let target = |more: &str| {
            let list =
                format!(r#"[{{"url":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"{more}}}]"#);
            let targets: crate::target::Targets = list.parse().unwrap();
            let home = targets.iter().next().unwrap().home.clone();
            let run = RunSecrets::new(&secrets, vec![&home], Instant::now() + Duration::from_secs(1));
            (run.has_key(&home), run.key_at_hand(&home).is_some())
        };
        assert_eq!(target(""), (true, true));
        assert_eq!(target(r#","expect":{}"#), (false, false));
        assert_eq!(target(r#","expect":{},"key_parameter":"/k""#), (true, false), "it is not read yet");
    }

    #[test]
    fn what_is_signed_is_signed_with_the_key_of_today_or_else_the_old_one() {
        let unread = || Some(Place::Parameter("/porchlight/beacon-key".parse().unwrap()));
        let local = |number| Some(local(number));
        assert_eq!(at_hand(local(1), local(2)), Some(Key::new([1; 32])));
        assert_eq!(at_hand(unread(), local(2)), Some(Key::new([2; 32])));
        assert_eq!(at_hand(local(1), unread()), Some(Key::new([1; 32])));
        assert_eq!(at_hand(unread(), unread()), None, "it is not waited for");
        assert_eq!(at_hand(None, None), None);
    }
}

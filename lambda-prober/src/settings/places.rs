//! Where secrets and state are, by the settings.

use notify::{
    rules::Rules,
    settings::{NOTIFY_URLS, channels},
};
use shared::{
    file::check_place,
    keeper_token,
    look::Location,
    proof::Key,
    secret::{SecretSetting, SecretSource},
    settings::WrongSetting,
};

use super::{BEACON_KEY, BEACON_KEY_OLD, ProberSettings, STATUSPAGE_TOKEN, both};
use crate::{
    kept::{
        secrets::{Place, Places},
        state::{State, StatePlace},
    },
    notices::Notices,
    target::{ParameterName, Targets},
};

impl Places {
    /// The keys on this machine, for probing a home without a page.
    ///
    /// # Errors
    /// When one is malformed, or its file cannot be read.
    pub fn without_a_page() -> Result<Self, WrongSetting> {
        let (key, old_key) = (key_place(BEACON_KEY, "", None)?, key_place(BEACON_KEY_OLD, "", None)?);
        Ok(Self { token: None, key, old_key, targets: None })
    }
}

impl ProberSettings {
    pub(super) fn places(&self) -> Result<Places, WrongSetting> {
        let token = place(STATUSPAGE_TOKEN, "STATUSPAGE_TOKEN_PARAMETER", self.statuspage_token_parameter.as_deref())?;
        let token = token.ok_or_else(|| {
            WrongSetting(
                "STATUSPAGE_TOKEN is not set: set STATUSPAGE_TOKEN, or STATUSPAGE_TOKEN_FILE to a file that holds it, or \
                 STATUSPAGE_TOKEN_PARAMETER to the name of a parameter"
                    .into(),
            )
        })?;
        if let Place::Local(source) = &token {
            keeper_token::at_start(
                source,
                &source.name(STATUSPAGE_TOKEN.name_in_use()),
                &self.statuspage_url,
                "STATUSPAGE_URL",
            )?;
        }
        let key = key_place(BEACON_KEY, "BEACON_KEY_PARAMETER", self.beacon_key_parameter.as_deref())?;
        let old_key = key_place(BEACON_KEY_OLD, "BEACON_KEY_OLD_PARAMETER", self.beacon_key_old_parameter.as_deref())?;
        if key.is_none() && old_key.is_some() {
            return Err(WrongSetting(
                "there is an old key, but none that replaces it: set BEACON_KEY or BEACON_KEY_PARAMETER".into(),
            ));
        }
        let list = self.targets_parameter.as_deref();
        let targets = list.map(|name| named("TARGETS_PARAMETER", name)).transpose()?;
        Ok(Places { token: Some(token), key, old_key, targets })
    }

    /// Where the key of homes that name none of their own is.
    pub(super) fn places_of_keys(&self) -> Result<Option<Place>, WrongSetting> {
        key_place(BEACON_KEY, "BEACON_KEY_PARAMETER", self.beacon_key_parameter.as_deref())
    }

    /// The secrets of the function that takes heartbeats: it has no page to write to.
    #[cfg(feature = "aws")]
    pub(crate) fn places_of_a_receiver(&self) -> Result<Places, WrongSetting> {
        let key = self.places_of_keys()?;
        let old_key = key_place(BEACON_KEY_OLD, "BEACON_KEY_OLD_PARAMETER", self.beacon_key_old_parameter.as_deref())?;
        let list = self.targets_parameter.as_deref();
        let targets = list.map(|name| named("TARGETS_PARAMETER", name)).transpose()?;
        Ok(Places { token: None, key, old_key, targets })
    }

    /// The first setting that needs AWS's Parameter Store.
    pub(crate) fn of_aws(&self, targets: Option<&Targets>) -> Option<&'static str> {
        let keys = targets.is_some_and(|targets| targets.iter().any(|target| target.home.keys.is_some()));
        let set = [
            ("TARGETS_PARAMETER", self.targets_parameter.is_some()),
            ("STATUSPAGE_TOKEN_PARAMETER", self.statuspage_token_parameter.is_some()),
            ("BEACON_KEY_PARAMETER", self.beacon_key_parameter.is_some()),
            ("BEACON_KEY_OLD_PARAMETER", self.beacon_key_old_parameter.is_some()),
            ("STATE_PARAMETER", self.state_parameter.is_some()),
            ("NOTIFY_URLS_PARAMETER", self.notify_urls_parameter.is_some()),
            ("HEARTBEAT_TABLE", self.heartbeats.heartbeat_table.is_some()),
            ("TARGETS with a key_parameter", keys),
        ];
        set.into_iter().find(|(_, set)| *set).map(|(name, _)| name)
    }

    /// Who is written to; `None` where no setting names a channel.
    pub(super) fn notices(&self, state: Option<&State>) -> Result<Option<Notices>, WrongSetting> {
        let place = place(NOTIFY_URLS, "NOTIFY_URLS_PARAMETER", self.notify_urls_parameter.as_deref())?;
        let Some(place) = place else { return Ok(None) };
        if let Place::Local(source) = &place {
            channels(&source.name(NOTIFY_URLS.name), &source.current()?)?;
        }
        let state = state.ok_or_else(|| {
            WrongSetting(
                "NOTIFY_URLS needs STATE_FILE or STATE_PARAMETER: what was sent is kept there, so that it is sent once"
                    .into(),
            )
        })?;
        let rules = Rules { after: self.notify_after, every: self.notify_every };
        Ok(Some(Notices::new(place, (rules, self.notify_quiet.clone()), state.place().clone())))
    }

    /// The location of the second prober, which there can only be where state is shared.
    pub(super) fn other(&self, location: &Location, state: Option<&State>) -> Result<Option<Location>, WrongSetting> {
        match &self.other_location {
            Some(other) if other == location => Err(WrongSetting(format!(
                "LOCATION and OTHER_LOCATION are both {location}: each of two probers has one of its own"
            ))),
            Some(_) if state.is_none() => Err(WrongSetting(
                "OTHER_LOCATION needs STATE_PARAMETER or STATE_FILE, which both probers share: each reads there what the other one saw"
                    .into(),
            )),
            other => Ok(other.clone()),
        }
    }

    pub(super) fn state(&self) -> Result<Option<State>, WrongSetting> {
        let place = match (&self.state_parameter, &self.state_file) {
            (Some(_), Some(_)) => return Err(both("STATE_PARAMETER", "STATE_FILE")),
            (Some(prefix), None) => StatePlace::Parameters(named("STATE_PARAMETER", prefix)?),
            (None, Some(path)) => {
                check_place("STATE_FILE", path)?;
                StatePlace::File(path.clone())
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(State::new(place)))
    }
}

fn named(setting: &str, name: &str) -> Result<ParameterName, WrongSetting> {
    name.parse().map_err(|error| WrongSetting(format!("{setting}: {error}")))
}

/// Where a secret is: on this machine or in a parameter, but not both.
pub(super) fn place(
    local: SecretSetting,
    setting: &str,
    parameter: Option<&str>,
) -> Result<Option<Place>, WrongSetting> {
    match (local.read()?, parameter.map(|name| named(setting, name)).transpose()?) {
        (Some(SecretSource::Value(_)), Some(_)) => Err(both(local.name_in_use(), setting)),
        (Some(SecretSource::File { .. } | SecretSource::Named { .. } | SecretSource::Missing { .. }), Some(_)) => {
            Err(both(&format!("{}_FILE", local.name_in_use()), setting))
        }
        (Some(source), None) => Ok(Some(Place::Local(source))),
        (None, Some(name)) => Ok(Some(Place::Parameter(name))),
        (None, None) => Ok(None),
    }
}

/// As [`place`]; a secret on this machine must be a key.
fn key_place(local: SecretSetting, setting: &str, parameter: Option<&str>) -> Result<Option<Place>, WrongSetting> {
    let place = place(local, setting, parameter)?;
    if let Some(Place::Local(source)) = &place {
        let key: Result<Key, _> = source.current()?.expose().parse();
        key.map_err(|error| WrongSetting(format!("{}: {error}", source.name(local.name))))?;
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[test]
    fn what_needs_parameter_store_is_named() {
        let named = |arguments: &[&str]| {
            let settings = ProberSettings::try_parse_from([&["lambda-prober"], arguments].concat()).unwrap();
            settings.of_aws(None)
        };
        assert_eq!(named(&["--state-file", "/var/lib/state", "--attempts", "2"]), None);
        assert_eq!(named(&["--state-parameter", "/porchlight/state"]), Some("STATE_PARAMETER"));
        assert_eq!(named(&["--beacon-key-parameter", "/porchlight/key"]), Some("BEACON_KEY_PARAMETER"));
    }

    #[test]
    fn a_key_of_a_target_in_parameter_store_is_too() {
        let settings = ProberSettings::try_parse_from(["lambda-prober"]).unwrap();
        let list = r#"[{"name":"h","url":"http://h:8080","page_id":"abcdefghijkl","component_id":"abcdefghijkm"KEY}]"#;
        let targets = |key: &str| list.replace("KEY", key).parse::<Targets>().unwrap();
        assert_eq!(settings.of_aws(Some(&targets(""))), None);
        assert_eq!(
            settings.of_aws(Some(&targets(r#","key_parameter":"/porchlight/key""#))),
            Some("TARGETS with a key_parameter")
        );
    }
}

//! A keeper's token is known from every other secret by how it begins, so that it is never sent to statuspage.io because an
//! address was forgotten.

use std::env;

use url::Url;

pub use crate::token_prefix::PREFIX;
use crate::{
    random::{self, NoRandomness},
    secret::{Secret, SecretSetting, SecretSource},
    settings::server_address,
    wrong_setting::WrongSetting,
};

/// The domain that a keeper's token has no business at.
const STATUSPAGE: &str = "statuspage.io";

/// The home's keys, as prober and beacon have them.
const KEYS: [SecretSetting; 2] =
    [SecretSetting { name: "BEACON_KEY", help: "" }, SecretSetting { name: "BEACON_KEY_OLD", help: "" }];

/// A new token: the prefix and 32 random bytes as 64 hexadecimal digits.
///
/// # Errors
/// When this machine has no random bytes to give.
pub fn new() -> Result<String, NoRandomness> {
    let bytes: [u8; 32] = random::bytes()?;
    Ok(bytes.iter().fold(PREFIX.to_owned(), |text, byte| format!("{text}{byte:02x}")))
}

/// Whether a token is known to be a keeper's.
pub fn is_keepers(token: &Secret) -> bool {
    token.expose().starts_with(PREFIX)
}

/// Whether an address is statuspage.io's.
pub fn is_statuspage_io(address: &str) -> bool {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str).map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    host.is_some_and(|host| host == STATUSPAGE || host.ends_with(&format!(".{STATUSPAGE}")))
}

/// Reads the address of a keeper, as [`server_address`] does.
///
/// # Errors
/// Also when it is statuspage.io's, which has none of what jobs ask a keeper for, and is not to see its token.
pub fn keeper_address(text: &str) -> Result<Url, String> {
    let url = server_address(text)?;
    if is_statuspage_io(url.as_str()) {
        return Err(
            "that is statuspage.io, and no keeper: name the keeper's address, like http://127.0.0.1:8030, or leave \
                    KEEPER_URL out"
                .into(),
        );
    }
    Ok(url)
}

/// Checks that a token is not the home's key, which no server but the beacon may ever see. `name` is the token's setting.
///
/// # Errors
/// When it is, or cannot be read.
pub fn is_not_the_key(token: &SecretSource, name: &str) -> Result<(), WrongSetting> {
    let current = token.current()?;
    for key in KEYS {
        // Whether the key itself can be used is for the program that uses it.
        let found = key.read().ok().flatten().and_then(|source| source.current().ok());
        if found.is_some_and(|found| found == current) {
            return Err(WrongSetting(format!(
                "{name} is the home's key ({}), which proves who the home is and is never sent anywhere: set {name} to a token",
                key.name
            )));
        }
    }
    Ok(())
}

/// Checks that a token may be sent there.
///
/// # Errors
/// Where it is a keeper's and the address is statuspage.io's; says so without repeating it.
pub fn stays_home(token: &Secret, address: &str) -> Result<(), String> {
    if is_keepers(token) && is_statuspage_io(address) {
        return Err(format!(
            "this is a keeper's token, which is not sent to {address}: name the keeper's address instead"
        ));
    }
    Ok(())
}

/// As [`stays_home`], at a start: also where the token is known to be the keeper's by `KEEPER_TOKEN` in the same environment,
/// which is how older ones can be known. `name` is the token's setting, `setting` the address's.
///
/// # Errors
/// When the token would leave for statuspage.io, is the home's key, or cannot be read.
pub fn at_start(token: &SecretSource, name: &str, address: &Url, setting: &str) -> Result<(), WrongSetting> {
    is_not_the_key(token, name)?;
    if !is_statuspage_io(address.as_str()) {
        return Ok(());
    }
    let current = token.current()?;
    if is_keepers(&current) || env::var("KEEPER_TOKEN").is_ok_and(|keepers| keepers == current.expose()) {
        return Err(WrongSetting(format!(
            "{name} is a keeper's token, and {setting} is {address}, where it must not go: set {setting} to the keeper's address, \
             like http://127.0.0.1:8030/v1, or {name} to statuspage.io's key"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_s_token_is_known_by_how_it_begins() {
        let (one, two) = (new().unwrap(), new().unwrap());
        assert!(one != two && one.len() == PREFIX.len() + 64, "{one}");
        assert!(is_keepers(&Secret::checked("KEEPER_TOKEN", &one).unwrap()) && !is_keepers(&Secret::new("hunter2")));
    }

    #[test]
    fn statuspage_io_is_no_keeper() {
        for address in ["https://api.statuspage.io/v1", "https://API.Statuspage.IO", "http://statuspage.io."] {
            assert!(
                keeper_address(address).unwrap_err().starts_with("that is statuspage.io, and no keeper"),
                "{address}"
            );
        }
        assert!(keeper_address("http://keeper.monitoring:8030").is_ok() && keeper_address("keeper").is_err());
    }

    #[test]
    fn it_is_not_sent_to_statuspage_io() {
        let token = Secret::new(format!("{PREFIX}x"));
        for address in ["https://api.statuspage.io/v1", "https://API.StatusPage.io./v1", "http://statuspage.io"] {
            let why = stays_home(&token, address).unwrap_err();
            assert!(!why.contains(PREFIX), "{why}");
            assert!(stays_home(&Secret::new("89a229ce1a8dbcf9ff30430fbe35eb4c"), address).is_ok());
        }
        for address in ["http://127.0.0.1:8030/v1", "https://statuspage.io.example.com", "https://mystatuspage.io"] {
            assert!(stays_home(&token, address).is_ok(), "{address}");
        }
    }
}

//! What an outside machine does with a home that shows its code.

use std::net::{IpAddr, SocketAddr};

use home_beacon::{
    join::{JoinRefusal, JoinRequest},
    keeper::{
        db::{Db, Moment},
        seed::{Seed, apply},
        tokens,
    },
};
use jiff::Timestamp;
use shared::{secret::Secret, settings::WrongSetting};
use url::Url;

use super::{
    choices::{Choices, JoinedHome},
    files::OLD_KEY_FILE,
    folder::Folder,
    join::KEY_FILE,
    seed,
};

/// What the home's token is called in `porchlight tokens`.
const TOKEN_NAME: &str = "home";

/// A home that was taken.
#[derive(Debug)]
pub(super) struct Admitted {
    /// What opens its page.
    pub(super) token: Secret,
    /// Where it is probed.
    pub(super) url: Url,
}

/// The database that the keeper has open, and whether it is the one for a home's page.
pub(super) struct Open<'a> {
    pub(super) db: &'a Db,
    pub(super) is_for_home: bool,
}

/// Takes a home into the database of this machine, which is another one while it has none.
///
/// # Errors
/// As [`admit`].
pub(super) async fn admitted(
    folder: &Folder,
    open: Open<'_>,
    choices: &mut Choices,
    request: &JoinRequest,
    from: IpAddr,
) -> Result<Admitted, JoinRefusal> {
    if open.is_for_home {
        return admit(folder, open.db, choices, request, from).await;
    }
    let first = Db::open(&folder.database_url()).await.map_err(|error| JoinRefusal::Failed(error.to_string()))?;
    let token = admit(folder, &first, choices, request, from).await;
    first.close().await;
    token
}

/// Takes the home: its page and its key, in exchange for a token. A home that is there already gets another token. What it had
/// before counts until it uses the new one: the answer may never reach it.
///
/// # Errors
/// When another home is there, or something of it cannot be written.
async fn admit(
    folder: &Folder,
    db: &Db,
    choices: &mut Choices,
    request: &JoinRequest,
    from: IpAddr,
) -> Result<Admitted, JoinRefusal> {
    if choices.home.as_ref().is_some_and(|home| home.page != request.page.id.as_str()) {
        return Err(JoinRefusal::OtherHome);
    }
    let failed = |error: &dyn std::fmt::Display| JoinRefusal::Failed(error.to_string());
    let url = match &request.beacon_url {
        Some(url) => url.clone(),
        None => {
            beacon_at(from, request.beacon_port).ok_or_else(|| failed(&"the home has no address that can be probed"))?
        }
    };
    let text = seed::of(request).map_err(|error| failed(&error))?;
    let seed = Seed::parse(&text).map_err(|error| failed(&error))?;
    apply(db, Moment::new(Timestamp::now()), &seed).await.map_err(|error| failed(&error))?;
    let token =
        tokens::create(db, Timestamp::now(), &seed.page.id, TOKEN_NAME).await.map_err(|error| failed(&error))?;
    change_key(folder, &request.beacon_key).map_err(|error| failed(&error))?;
    folder.write(seed::FILE, text.as_bytes()).map_err(|error| failed(&error))?;
    let home = Some(JoinedHome { page: seed.page.id.as_str().to_owned(), url: url.clone() });
    let joined = Choices { home, ..choices.clone() };
    joined.keep(choices, folder).map_err(|error| failed(&error))?;
    *choices = joined;
    Ok(Admitted { token, url })
}

/// Puts a key in the place of the one that the home had. One that never proved itself is not kept: the home may never have got it.
fn change_key(folder: &Folder, key: &Secret) -> Result<(), WrongSetting> {
    if folder.read(OLD_KEY_FILE)?.is_none()
        && let Some(known) = folder.known_secret("BEACON_KEY", KEY_FILE)?
    {
        let known = known.current()?;
        if known.expose() != key.expose() {
            folder.keep(OLD_KEY_FILE, &known)?;
        }
    }
    folder.keep(KEY_FILE, key)
}

/// The beacon of a home that was seen to come from there.
fn beacon_at(from: IpAddr, port: u16) -> Option<Url> {
    Url::parse(&format!("http://{}/", SocketAddr::new(from.to_canonical(), port))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_before_counts_until_another_one_has_proven_itself() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(outer.path())).unwrap();
        let kept =
            || [KEY_FILE, OLD_KEY_FILE].map(|name| folder.read(name).unwrap().map(|text| text.trim().to_owned()));
        for (key, expected) in [
            ("one", [Some("one"), None]),
            ("one", [Some("one"), None]),
            ("two", [Some("two"), Some("one")]),
            // The home never got the second.
            ("three", [Some("three"), Some("one")]),
        ] {
            change_key(&folder, &Secret::new(key)).unwrap();
            assert_eq!(kept(), expected.map(|key| key.map(str::to_owned)));
        }
    }

    #[test]
    fn a_home_is_probed_where_it_came_from() {
        let at = |from: &str| beacon_at(from.parse().unwrap(), 8080).unwrap().to_string();
        assert_eq!(at("::ffff:203.0.113.7"), "http://203.0.113.7:8080/");
        assert_eq!(at("2001:db8::7"), "http://[2001:db8::7]:8080/");
    }
}

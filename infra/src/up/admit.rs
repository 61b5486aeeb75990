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
use shared::secret::Secret;
use url::Url;

use super::{
    choices::{Choices, JoinedHome},
    folder::Folder,
    join::KEY_FILE,
    seed,
};

/// What the home's token is called in `porchlight tokens`.
const TOKEN_NAME: &str = "home";

/// Takes a home into the database of this machine, which is another one while it has none.
///
/// # Errors
/// As [`admit`].
pub(super) async fn admitted(
    folder: &Folder,
    db: &Db,
    choices: &mut Choices,
    request: &JoinRequest,
    from: IpAddr,
) -> Result<Secret, JoinRefusal> {
    if choices.home.is_some() {
        return admit(folder, db, choices, request, from).await;
    }
    let first = Db::open(&folder.database_url()).await.map_err(|error| JoinRefusal::Failed(error.to_string()))?;
    let token = admit(folder, &first, choices, request, from).await;
    first.close().await;
    token
}

/// Takes the home: its page and its key, in exchange for a token. A home that is there already gets another token, and the
/// one before opens nothing any more.
///
/// # Errors
/// When another home is there, or something of it cannot be written.
async fn admit(
    folder: &Folder,
    db: &Db,
    choices: &mut Choices,
    request: &JoinRequest,
    from: IpAddr,
) -> Result<Secret, JoinRefusal> {
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
        tokens::replace(db, Timestamp::now(), &seed.page.id, TOKEN_NAME).await.map_err(|error| failed(&error))?;
    folder.keep(KEY_FILE, &request.beacon_key).map_err(|error| failed(&error))?;
    folder.write(seed::FILE, text.as_bytes()).map_err(|error| failed(&error))?;
    let before = choices.clone();
    choices.home = Some(JoinedHome { page: seed.page.id.as_str().to_owned(), url });
    choices.keep(&before, folder).map_err(|error| failed(&error))?;
    Ok(token)
}

/// The beacon of a home that was seen to come from there.
fn beacon_at(from: IpAddr, port: u16) -> Option<Url> {
    Url::parse(&format!("http://{}/", SocketAddr::new(from.to_canonical(), port))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_probed_where_it_came_from() {
        let at = |from: &str| beacon_at(from.parse().unwrap(), 8080).unwrap().to_string();
        assert_eq!(at("::ffff:203.0.113.7"), "http://203.0.113.7:8080/");
        assert_eq!(at("2001:db8::7"), "http://[2001:db8::7]:8080/");
    }
}

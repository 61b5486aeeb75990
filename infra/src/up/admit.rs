//! What an outside machine does with a home that shows its code.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

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

/// Any host of the world, and any port: nothing is sent there.
const SOMEWHERE: (Ipv4Addr, u16) = (Ipv4Addr::new(1, 1, 1, 1), 9);

/// Takes the home: its page and its key, in exchange for a token. A home that is there already gets another token, and the
/// one before opens nothing any more.
///
/// # Errors
/// When another home is there, or something of it cannot be written.
pub(super) async fn admit(
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

/// Where the world finds this machine.
pub(super) struct PageAddress {
    /// Host and port of the listener with TLS, as the code carries them.
    pub(super) text: String,
    /// The host, as it stands in an address.
    pub(super) host: String,
    /// What is doubtful about it.
    pub(super) note: Option<String>,
}

/// The address that is named, with the port of `tls` where it has none; else this machine's own.
pub(super) fn page_address(named: Option<&str>, tls: SocketAddr) -> PageAddress {
    if let Some(named) = named {
        let with_port = Url::parse(&format!("https://{named}")).ok();
        let port = with_port.as_ref().and_then(Url::port).unwrap_or(tls.port());
        let host = with_port.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| named.to_owned());
        return PageAddress { text: format!("{host}:{port}"), host, note: None };
    }
    let own = if tls.ip().is_unspecified() { own_address() } else { Some(tls.ip()) };
    let own = own.unwrap_or(Ipv4Addr::LOCALHOST.into());
    let is_private = match own {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    };
    let note = is_private
        .then(|| format!("{own} is an address of a private network, which a home elsewhere cannot reach: name the one of the world with --address"));
    let text = SocketAddr::new(own, tls.port()).to_string();
    let host = match own {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    PageAddress { text, host, note }
}

/// The address from which this machine would send into the world. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(SOMEWHERE).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_names_where_the_world_finds_this_machine() {
        let tls: SocketAddr = "0.0.0.0:8443".parse().unwrap();
        for (named, text, host) in [
            ("vps.example.com", "vps.example.com:8443", "vps.example.com"),
            ("vps.example.com:9000", "vps.example.com:9000", "vps.example.com"),
            ("[2001:db8::7]", "[2001:db8::7]:8443", "[2001:db8::7]"),
        ] {
            let address = page_address(Some(named), tls);
            assert_eq!((address.text.as_str(), address.host.as_str()), (text, host), "{named}");
        }
        let own = page_address(None, "192.168.1.7:8443".parse().unwrap());
        assert_eq!(own.text, "192.168.1.7:8443");
        assert!(own.note.unwrap().contains("name the one of the world with --address"));
        assert!(page_address(None, "203.0.113.7:8443".parse().unwrap()).note.is_none());
    }

    #[test]
    fn a_home_is_probed_where_it_came_from() {
        let at = |from: &str| beacon_at(from.parse().unwrap(), 8080).unwrap().to_string();
        assert_eq!(at("::ffff:203.0.113.7"), "http://203.0.113.7:8080/");
        assert_eq!(at("2001:db8::7"), "http://[2001:db8::7]:8080/");
    }
}

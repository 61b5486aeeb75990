//! What was chosen for a folder, and stays: `up.toml`.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::Context;
use home_beacon::dns::{DUCKDNS_TOKEN, check_token};
use serde::{Deserialize, Serialize};
use shared::{id::ComponentId, settings::WrongSetting};
use url::Url;

use super::{
    folder::Folder,
    heartbeats,
    looking::LookingSettings,
    settings::{OrOff, UpSettings},
    writing::WritingSettings,
};

const FILE: &str = "up.toml";

/// Where `DuckDNS`'s token is kept.
pub(super) const DUCKDNS_FILE: &str = "duckdns.token";

/// What is run from a folder, and where it listens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Choices {
    /// Where the page and the API are.
    pub(super) page: Option<SocketAddr>,
    /// Where the world asks the beacon.
    pub(super) beacon: Option<SocketAddr>,
    /// The name at `DuckDNS` that is kept up to date.
    pub(super) dns: Option<String>,
    /// The port that the router opens for the beacon, and that is kept open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) router_port: Option<u16>,
    /// The component of the page elsewhere whose heartbeats are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) heartbeats: Option<ComponentId>,
    /// Whether bandwidth is left alone.
    pub(super) no_bandwidth: bool,
    /// Whether this is an outside machine.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_outside: bool,
    /// Of an outside machine: where the page is for everybody, and what has joined with TLS.
    pub(super) public: Option<SocketAddr>,
    pub(super) tls: Option<SocketAddr>,
    /// Of an outside machine: where the world finds it, and the certificate that it shows.
    pub(super) address: Option<String>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) certificate_key: Option<PathBuf>,
    /// Of a home: where the world finds its beacon.
    pub(super) home_url: Option<Url>,
    /// Of an outside machine: how it looks at its home.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) looking: LookingSettings,
    /// When people are written to.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) writing: WritingSettings,
    /// Of a home that has joined: the outside machine.
    pub(super) outside: Option<Outside>,
    /// Of an outside machine: the home that has joined.
    pub(super) home: Option<JoinedHome>,
}

/// The outside machine of a home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outside {
    /// Its Manage API.
    pub(super) url: Url,
    /// Of its certificate, where no authority vouches for it.
    pub(super) fingerprint: Option<String>,
    /// Its page.
    pub(super) page: Option<Url>,
}

/// The home of an outside machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JoinedHome {
    /// The id of its page.
    pub(super) page: String,
    /// Where its beacon is.
    pub(super) url: Url,
}

impl Choices {
    /// Those of that folder.
    ///
    /// # Errors
    /// When the file cannot be read or understood.
    pub(super) fn of(folder: &Folder) -> Result<Self, WrongSetting> {
        let Some(text) = folder.read(FILE)? else { return Ok(Self::default()) };
        toml::from_str(&text).map_err(|error| {
            let what = error.message().replace('\n', "; ");
            WrongSetting(format!("{}: {what}: mend it, or delete it to choose anew", folder.file(FILE).display()))
        })
    }

    /// Takes over what the settings of a start choose.
    ///
    /// # Errors
    /// When the name at `DuckDNS` or the router's port is none, or quiet hours have no time zone.
    pub(super) fn take(&mut self, settings: &UpSettings) -> Result<(), WrongSetting> {
        self.writing = settings.writing.or(&self.writing);
        if self.is_outside {
            self.writing.check_outside()?;
            self.looking = settings.looking.or(&self.looking);
            self.public = settings.page_addr.or(self.public);
            self.tls = settings.tls.keeper_tls_addr.or(self.tls);
            self.address = settings.address.clone().or(self.address.take());
            if settings.tls.keeper_tls_certificate.is_some() || settings.tls.keeper_tls_key.is_some() {
                let absolute = |path: &Option<PathBuf>| path.as_ref().and_then(|path| std::path::absolute(path).ok());
                self.certificate = absolute(&settings.tls.keeper_tls_certificate);
                self.certificate_key = absolute(&settings.tls.keeper_tls_key);
            }
            return Ok(());
        }
        self.page = settings.page_addr.or(self.page);
        self.beacon = settings.beacon_addr.or(self.beacon);
        self.no_bandwidth |= settings.no_bandwidth;
        self.home_url = settings.home_url.clone().or(self.home_url.take());
        match settings.router_port {
            None => (),
            Some(OrOff::Off) => self.router_port = None,
            Some(OrOff::Is(port)) => self.router_port = Some(port),
        }
        match &settings.heartbeats {
            None => (),
            Some(OrOff::Off) => self.heartbeats = None,
            Some(OrOff::Is(component)) => self.heartbeats = Some(component.clone()),
        }
        match &settings.dns {
            None => (),
            Some(OrOff::Off) => self.dns = None,
            Some(OrOff::Is(name)) => self.dns = Some(name.as_str().to_owned()),
        }
        Ok(())
    }

    /// Keeps the secrets that come with what is chosen.
    ///
    /// # Errors
    /// When one is missing, or the folder cannot be written.
    pub(super) fn keep_secrets(&self, settings: &UpSettings, folder: &Folder) -> Result<(), WrongSetting> {
        self.keep_token(settings, folder)?;
        heartbeats::keep_address(self, settings, folder)
    }

    /// Keeps the token that comes with a name at `DuckDNS`.
    fn keep_token(&self, settings: &UpSettings, folder: &Folder) -> Result<(), WrongSetting> {
        if self.dns.is_none() {
            return folder.delete(DUCKDNS_FILE).map_err(|error| folder.cannot(&error));
        }
        // Without the flag, the variable may be anybody's.
        let given = if settings.dns.is_some() { DUCKDNS_TOKEN.read()? } else { None };
        let kept = folder.read(DUCKDNS_FILE)?;
        match (given, kept) {
            (Some(source), kept) => {
                let token = source.current()?;
                check_token(&source.name(DUCKDNS_TOKEN.name), &token)?;
                if kept.is_some_and(|kept| kept.trim_end() == token.expose()) {
                    return Ok(());
                }
                folder.keep(DUCKDNS_FILE, &token)
            }
            (None, Some(_)) => Ok(()),
            (None, None) => Err(WrongSetting(format!(
                "--dns needs DuckDNS's token: set {0}, or {0}_FILE to a file that holds it, for this one start; it is kept in {1}",
                DUCKDNS_TOKEN.name,
                folder.path().display()
            ))),
        }
    }

    /// Where the world finds the beacon, as far as that is known at home, and at which port: `granted` is what the router gives.
    ///
    /// # Errors
    /// When the name at `DuckDNS` makes no address.
    pub(super) fn home_at(&self, beacon: u16, granted: Option<u16>) -> anyhow::Result<(Option<Url>, u16)> {
        let port = granted.or(self.router_port).unwrap_or(beacon);
        if let Some(mut url) = self.home_url.clone() {
            // Another port than was asked of the router is another router's, or a person's: it stays.
            if self.router_port.is_some() && url.port_or_known_default() == self.router_port {
                let _ = url.set_port(Some(port));
            }
            return Ok((Some(url), port));
        }
        let name = self.dns.as_ref().map(|name| Url::parse(&format!("http://{name}.duckdns.org:{port}/")));
        Ok((name.transpose().context("the name at DuckDNS makes no address")?, port))
    }

    /// Keeps them, where they are others than `before`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn keep(&self, before: &Self, folder: &Folder) -> Result<(), WrongSetting> {
        if self == before {
            return Ok(());
        }
        let text = toml::to_string(self).map_err(|error| WrongSetting(error.to_string()))?;
        folder.write(FILE, format!("# What porchlight up chose; flags of another start change it.\n{text}").as_bytes())
    }
}

fn is_default<T: Default + PartialEq>(chosen: &T) -> bool {
    *chosen == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_home_is_follows_the_port_that_the_router_gives() {
        let at = |choices: &Choices, granted| {
            let (url, port) = choices.home_at(8080, granted).unwrap();
            (url.map(String::from).unwrap_or_default(), port)
        };
        let named = Choices { dns: Some("myhome".into()), ..Choices::default() };
        assert_eq!(at(&named, None), ("http://myhome.duckdns.org:8080/".into(), 8080));
        let routed = Choices { router_port: Some(30008), ..named };
        assert_eq!(at(&routed, None), ("http://myhome.duckdns.org:30008/".into(), 30008));
        assert_eq!(at(&routed, Some(30009)), ("http://myhome.duckdns.org:30009/".into(), 30009));
        let given = |url: &str| Choices { home_url: Some(url.parse().unwrap()), ..routed.clone() };
        assert_eq!(at(&given("http://home.example.org:30008/"), Some(30009)).0, "http://home.example.org:30009/");
        // What another router forwards to that port.
        assert_eq!(at(&given("http://home.example.org:443/"), Some(30009)).0, "http://home.example.org:443/");
    }

    #[test]
    fn what_was_chosen_is_found_again() {
        let outer = tempfile::tempdir().unwrap();
        let folder = Folder::named(Some(outer.path())).unwrap();
        let none = Choices::of(&folder).unwrap();
        assert_eq!(none, Choices::default());
        let chosen = Choices { page: "127.0.0.1:8031".parse().ok(), dns: Some("myhome".into()), ..none.clone() };
        chosen.keep(&none, &folder).unwrap();
        assert_eq!(Choices::of(&folder).unwrap(), chosen);
        folder.write(FILE, b"page = 8030\n").unwrap();
        assert!(Choices::of(&folder).unwrap_err().to_string().contains("mend it, or delete it"));
    }
}

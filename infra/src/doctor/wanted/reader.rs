//! One setting after the other: a value, or a sentence.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

use home_beacon::dns::ADDRESS_SOURCES;
use shared::settings::web_address;
use url::Url;

use super::super::{given::Given, wrong::Wrong};

/// The public name servers that are asked where none are named.
const PUBLIC_DNS: &str = "1.1.1.1,8.8.8.8,9.9.9.9";

/// Reads settings, and notes what is wrong with them.
pub(super) struct Reader<'given> {
    pub(super) given: &'given mut Given,
}

impl Reader<'_> {
    pub(super) fn wrong(&mut self, name: &str, sentence: String) {
        self.given.wrong.push(Wrong::setting(name, sentence));
    }

    pub(super) fn value<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.given.text(name)?.trim().to_owned();
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let (shown, origin) = (shared::settings::without_credentials(&text), self.given.origin(name));
                let sentence = format!("{name} is `{}` in {origin}: {error}", shown.escape_debug());
                self.wrong(name, sentence);
                None
            }
        }
    }

    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        self.value(name, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    pub(super) fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Vec<T> {
        let all = self.value(name, |text| {
            text.split(',').map(|part| part.trim().parse().map_err(|error: T::Err| error.to_string())).collect()
        });
        all.unwrap_or_default()
    }

    pub(super) fn servers(&mut self) -> Vec<SocketAddr> {
        let server = |text: &str| {
            let text = text.trim();
            let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
            bare.or_else(|_| text.parse())
                .map_err(|_| "a name server is an address, like 1.1.1.1 or 1.1.1.1:53".to_owned())
        };
        let all = |text: &str| text.split(',').map(server).collect::<Result<Vec<_>, _>>();
        self.value("PUBLIC_DNS", all).or_else(|| all(PUBLIC_DNS).ok()).unwrap_or_default()
    }

    pub(super) fn sources(&mut self) -> Vec<Url> {
        let all = |text: &str| text.split(',').map(|part| web_address(part.trim())).collect::<Result<Vec<_>, _>>();
        self.value("ADDRESS_SOURCES", all).or_else(|| all(ADDRESS_SOURCES).ok()).unwrap_or_default()
    }
}

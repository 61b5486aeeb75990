//! A channel's address in its parts, and what of it may be shown. Pure.

use std::{collections::BTreeMap, fmt};

use percent_encoding::percent_decode_str;
use url::Url;

use super::alertmanager::LABEL;

/// What stands in the place of a secret.
pub(crate) const HIDDEN: &str = "***";

/// What is wrong with a channel, in a sentence that shows none of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{masked}: {what}")]
pub struct WrongChannel {
    /// The address without what is secret of it.
    pub masked: String,
    /// What is wrong, and what to do.
    pub what: String,
}

/// An address, its text decoded. Parameters are taken out one by one, so that what is left is known to nobody.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// As it is written in an address: IPv6 between brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// The parts of the path between slashes that are not empty.
    pub(super) path: Vec<String>,
    pub(super) ends_with_slash: bool,
    parameters: BTreeMap<String, String>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Parts {
    pub(super) fn read(line: &str) -> Result<Self, String> {
        // The parser would leave them out.
        if line.chars().any(char::is_control) {
            return Err("it holds a tab or another control character: copy it again".to_owned());
        }
        if has_cut_login(line) {
            return Err("its login holds a /, which ends it: write / as %2F, ? as %3F, # as %23".to_owned());
        }
        let url = Url::parse(line).map_err(|error| match error {
            url::ParseError::InvalidPort if !line.contains('@') => {
                "its port is no number from 1 to 65535; or the line ends within a token, which stands on one line"
                    .to_owned()
            }
            url::ParseError::InvalidPort => "its port is no number from 1 to 65535".to_owned(),
            url::ParseError::EmptyHost => "it names no host".to_owned(),
            error => format!("it is no address ({error}); write what is not a letter or a digit in a token as %XX"),
        })?;
        if url.port() == Some(0) {
            return Err("its port is no number from 1 to 65535".to_owned());
        }
        if url.fragment().is_some() {
            return Err("it holds a #, which ends an address: write it as %23".to_owned());
        }
        let text = |text: &str| {
            let decoded =
                percent_decode_str(text).decode_utf8().map_err(|_| "it holds %XX that is no text".to_owned())?;
            if decoded.chars().any(char::is_control) {
                return Err("it holds a line break or another control character: copy the token again".to_owned());
            }
            Ok(decoded.into_owned())
        };
        let given = |value: &str| Some(value).filter(|value| !value.is_empty()).map(text).transpose();
        let mut parameters = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            let value = text(&value.replace('%', "%25"))?;
            // The names of labels are their owner's; all others are ours, and written in any case.
            let name = if name.starts_with(LABEL) { name.into_owned() } else { name.to_ascii_lowercase() };
            if parameters.insert(name, value).is_some() {
                return Err("a parameter is there twice: separate its values by commas".to_owned());
            }
        }
        Ok(Self {
            scheme: url.scheme().to_owned(),
            user: given(url.username())?,
            password: url.password().and_then(|password| given(password).transpose()).transpose()?,
            host: text(url.host_str().unwrap_or_default())?,
            port: url.port(),
            ends_with_slash: url.path().len() > 1 && url.path().ends_with('/'),
            path: url.path().split('/').filter(|part| !part.is_empty()).map(text).collect::<Result<_, _>>()?,
            parameters,
        })
    }

    /// User and password as they were written, with the colon between: tokens of some services have one.
    pub(super) fn before_host(&self) -> Option<String> {
        match (&self.user, &self.password) {
            (None, None) => None,
            (Some(user), None) => Some(user.clone()),
            (user, Some(password)) => Some(format!("{}:{password}", user.as_deref().unwrap_or_default())),
        }
    }

    pub(super) fn host(&self) -> Result<&str, String> {
        if self.host.is_empty() { Err("it names no host".into()) } else { Ok(&self.host) }
    }

    /// The host with its port, if one is written.
    pub(super) fn authority(&self) -> Result<String, String> {
        let host = self.host()?;
        Ok(self.port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.parameters.remove(name).filter(|value| !value.is_empty())
    }

    /// Those whose name begins so, without that beginning.
    pub(super) fn take_all(&mut self, beginning: &str) -> BTreeMap<String, String> {
        let taken = self.parameters.extract_if(beginning.to_owned().., |name, _| name.starts_with(beginning));
        taken.map(|(name, value)| (name[beginning.len()..].to_owned(), value)).collect()
    }

    pub(super) fn list(&mut self, name: &str) -> Vec<String> {
        let text = self.take(name).unwrap_or_default();
        text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect()
    }

    pub(super) fn yes(&mut self, name: &str) -> Result<Option<bool>, String> {
        let Some(text) = self.take(name) else { return Ok(None) };
        match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" | "on" => Ok(Some(true)),
            "no" | "false" | "0" | "off" => Ok(Some(false)),
            _ => Err(format!("{name} is yes or no")),
        }
    }

    pub(super) fn number<T: std::str::FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &str,
        range: std::ops::RangeInclusive<T>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.take(name) else { return Ok(None) };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| format!("{name} is a number from {} to {}", range.start(), range.end()))
    }

    /// The service's own address, unless another server that speaks as it does is named.
    pub(super) fn server(&mut self, usual: &str) -> Result<Url, String> {
        let server = self.take("server");
        let mut url: Url = server
            .as_deref()
            .unwrap_or(usual)
            .parse()
            .ok()
            .filter(|url: &Url| {
                let is_plain = url.username().is_empty()
                    && url.password().is_none()
                    && url.query().is_none()
                    && url.fragment().is_none();
                matches!(url.scheme(), "http" | "https") && url.has_host() && is_plain
            })
            .ok_or("server is https:// or http://, a host and perhaps a path, without a login or parameters")?;
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(url)
    }

    /// Refuses a port and a path, where the host is only a word.
    pub(super) fn no_more(&self) -> Result<(), String> {
        if self.port.is_none() && self.path.is_empty() {
            return Ok(());
        }
        Err("behind the last @ stands one word, without a port or a path".into())
    }

    /// Refuses parameters that were not taken. What is written there may be a secret, so it is not repeated.
    pub(super) fn finish(&self, known: &[&str]) -> Result<(), String> {
        if self.parameters.is_empty() {
            return Ok(());
        }
        let known: Vec<_> = known.iter().chain(&["events", "checks"]).copied().collect();
        let near = self
            .parameters
            .keys()
            .find_map(|name| shared::settings::nearness::nearest(name, known.iter().copied()).first().copied());
        let question = near.map(|near| format!(" (was {near} meant?)")).unwrap_or_default();
        Err(format!("it has a parameter that it does not take{question}: there are {}", known.join(", ")))
    }
}

/// The address below `base` with those parts of a path.
pub(super) fn below(base: &Url, path: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(path);
    }
    url
}

/// Whether an @ stands behind the first slash: a password with a slash in it, whose beginning would be taken for a port.
fn has_cut_login(line: &str) -> bool {
    let rest = line.split_once("://").map_or(line, |(_, rest)| rest);
    let before_parameters = rest.split('?').next().unwrap_or_default();
    before_parameters.split_once('/').is_some_and(|(authority, path)| !authority.contains('@') && path.contains('@'))
}

/// Which part of an address is a server's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// None: what stands there is a word, or a secret.
    Absent,
    /// The host, with a path that may be left out.
    Host,
    /// The host, if a path follows; without one, what stands there may be the secret.
    HostBeforePath,
}

/// What of a line can be shown: its scheme, and its host where that is a server.
pub(super) fn masked(line: &str, server: Server) -> String {
    let Some((scheme, _)) = line.split_once("://") else { return HIDDEN.to_owned() };
    if !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) || scheme.len() > 24 {
        return HIDDEN.to_owned();
    }
    let nothing = || format!("{scheme}://{HIDDEN}");
    let Ok(url) = Url::parse(line) else { return nothing() };
    let has_login = !url.username().is_empty() || url.password().is_some();
    let has_path = !url.path().trim_matches('/').is_empty();
    let host =
        url.host_str().filter(|host| !host.is_empty() && !has_cut_login(line) && !line.chars().any(char::is_control));
    match (server, host, has_path) {
        (Server::Host, Some(host), _) | (Server::HostBeforePath, Some(host), true) => {
            let before = if has_login { "***@" } else { "" };
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{scheme}://{before}{host}{port}{}", if has_path { "/***" } else { "" })
        }
        _ => nothing(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_and_server_are_shown() {
        for (line, server, expected) in [
            (
                "ntfy://user:pass@ntfy.example.com:8443/topic?priority=5",
                Server::HostBeforePath,
                "ntfy://***@ntfy.example.com:8443/***",
            ),
            ("ntfy://ntfy.sh/topic", Server::HostBeforePath, "ntfy://ntfy.sh/***"),
            ("ntfy://the-topic", Server::HostBeforePath, "ntfy://***"),
            ("json+https://me:pass/word@host/in", Server::Host, "json+https://***"),
            ("telegram://123:token@telegram?chats=1", Server::Absent, "telegram://***"),
            ("123456:AbCdEf", Server::Absent, "***"),
            ("a token that is no scheme://x", Server::Host, "***"),
        ] {
            assert_eq!(masked(line, server), expected, "{line}");
        }
    }

    #[test]
    fn an_address_is_read_with_its_text_decoded() {
        let mut parts = Parts::read("ntfy://us%20er:p%40ss@host:8/a/b%2Fc/?tags=x,%20y&title=50%25&empty=").unwrap();
        assert_eq!((parts.user.as_deref(), parts.password.as_deref()), (Some("us er"), Some("p@ss")));
        assert_eq!((parts.authority().unwrap().as_str(), parts.path.join(" ").as_str()), ("host:8", "a b/c"));
        assert_eq!(
            (parts.list("tags"), parts.take("title")),
            (vec!["x".to_owned(), "y".to_owned()], Some("50%".to_owned()))
        );
        assert_eq!(parts.take("empty"), None);
        assert_eq!(parts.finish(&["tags"]), Ok(()));
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (line, expected) in [
            ("ntfy://host:123456/x", "its port is no number"),
            ("telegram://tok%0Aen@telegram", "a line break"),
            ("ntfy://host/x?tags=a&tags=b", "there twice"),
            ("ntfy://host:0/x", "its port is no number"),
            ("telegram://123456:token", "the line ends within a token"),
            ("telegram://123456:token@telegram?chats=-100#12", "write it as %23"),
            ("ntfy://host/top\tic", "a tab"),
            ("json+https://me:pass/word@host/in", "write / as %2F"),
        ] {
            let error = Parts::read(line).unwrap_err();
            assert!(error.contains(expected), "{line}: {error}");
        }
        let parts = Parts::read("ntfy://host/x?priorty=5").unwrap();
        assert!(parts.finish(&["priority"]).unwrap_err().contains("was priority meant?"));
    }
}

//! What a call of DuckDNS asks for, and what comes of it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

use super::{Held, TOKEN, Zone};

/// What one call asks for.
#[derive(Debug, Default)]
pub(super) struct Call {
    domains: String,
    token: String,
    ip: String,
    ipv6: String,
    verbose: bool,
    clear: bool,
}

impl Call {
    /// `None` where there is no such path.
    pub(super) fn read(target: &str) -> Option<Self> {
        let url = Url::parse(&format!("http://duckdns{target}")).ok()?;
        let mut call = Self::default();
        let path: Vec<&str> = url.path_segments()?.collect();
        match path[..] {
            ["update"] => (),
            // FACTS.md D1: the short form for routers, of one name.
            ["update", domain, token] => (call.domains, call.token) = (domain.into(), token.into()),
            ["update", domain, token, ip] => {
                (call.domains, call.token, call.ip) = (domain.into(), token.into(), ip.into());
            }
            _ => return None,
        }
        for (key, value) in url.query_pairs() {
            match &*key {
                "domains" => call.domains = value.into_owned(),
                "token" => call.token = value.into_owned(),
                "ip" => call.ip = value.into_owned(),
                "ipv6" => call.ipv6 = value.into_owned(),
                "verbose" => call.verbose = value == "true",
                "clear" => call.clear = value == "true",
                _ => (),
            }
        }
        Some(call)
    }

    /// What is answered; `None` is `KO`. FACTS.md D2: it covers a bad token, a name that is unknown or another account's, and
    /// a malformed address, and nothing is changed then.
    pub(super) fn carry_out(&self, zone: &Zone, seen: Option<Ipv4Addr>) -> Option<String> {
        let mut names = zone.names();
        // FACTS.md D1: the suffix is accepted.
        let asked: Vec<&str> = self.domains.split(',').map(|name| name.trim_end_matches(".duckdns.org")).collect();
        if self.token != TOKEN || !asked.iter().all(|name| names.contains_key(*name)) {
            return None;
        }
        let (ipv4, ipv6) = self.addresses(seen)?;
        let mut updated = false;
        let mut reported = Held::default();
        for name in asked {
            let held = names.get_mut(name)?;
            // FACTS.md D1: `clear` blanks both and ignores addresses; a family that is not named is left as it is.
            let new =
                if self.clear { Held::default() } else { Held { ipv4: ipv4.or(held.ipv4), ipv6: ipv6.or(held.ipv6) } };
            updated |= *held != new;
            *held = new;
            reported = new;
        }
        if !self.verbose {
            return Some("OK".into());
        }
        // FACTS.md D2: four lines; the line of an address that is not there is blank, but there.
        let line = |address: Option<String>| address.unwrap_or_default();
        let (ipv4, ipv6) = (line(reported.ipv4.map(|a| a.to_string())), line(reported.ipv6.map(|a| a.to_string())));
        Some(format!("OK\n{ipv4}\n{ipv6}\n{}", if updated { "UPDATED" } else { "NOCHANGE" }))
    }

    /// The addresses to set; `None` where one is malformed. FACTS.md D1: `ip` may hold either family; without it, and
    /// without `ipv6`, the caller's IPv4 address is taken. IPv6 is never seen.
    fn addresses(&self, seen: Option<Ipv4Addr>) -> Option<(Option<Ipv4Addr>, Option<Ipv6Addr>)> {
        if self.clear {
            return Some((None, None));
        }
        let ipv6: Option<Ipv6Addr> = if self.ipv6.is_empty() { None } else { Some(self.ipv6.parse().ok()?) };
        match (self.ip.as_str(), ipv6) {
            ("", None) => Some((Some(seen?), None)),
            ("", Some(ipv6)) => Some((None, Some(ipv6))),
            (ip, ipv6) => match ip.parse().ok()? {
                IpAddr::V4(ipv4) => Some((Some(ipv4), ipv6)),
                IpAddr::V6(address) => Some((None, ipv6.or(Some(address)))),
            },
        }
    }
}

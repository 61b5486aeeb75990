//! Witnesses: independent hosts that the prober connects to when a home does not answer, to distinguish an outage of
//! the home from one of its own network.

use std::{fmt, net::IpAddr, str::FromStr};

use shared::settings::WebAddresses;
use url::{Host, Url};

/// Well-known hosts of different operators, over both families, one of them by name. A connection is opened and closed;
/// nothing is sent.
pub(crate) const DEFAULT_WITNESSES: &str = "1.1.1.1:443,9.9.9.9:443,www.google.com:443,[2606:4700:4700::1111]:443";

/// How many witnesses there may be.
const MAX_WITNESSES: usize = 8;

/// The domain of most homes' name service: it cannot be a witness, because it may be what fails.
const NAME_SERVICE: &str = "duckdns.org";

/// A host and a port that accept TCP connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// A name or an address.
    pub host: Host,
    /// The TCP port.
    pub port: u16,
}

/// Witnesses, at least one by name and one by literal address, so that neither a broken name service nor a renumbered
/// host silences all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnesses(Vec<Witness>);

/// Witnesses that cannot be used; says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongWitnesses(String);

impl Witness {
    /// Its address, where it is not given by name.
    pub(crate) fn literal(&self) -> Option<IpAddr> {
        match &self.host {
            Host::Domain(_) => None,
            Host::Ipv4(address) => Some((*address).into()),
            Host::Ipv6(address) => Some((*address).into()),
        }
    }
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl FromStr for Witness {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` is not a witness: it is a host and a port, like 9.9.9.9:443 or www.example.org:443");
        // A port of its own scheme is left out by the parser, so the scheme is one that has none.
        let url = Url::parse(&format!("tcp://{text}")).map_err(|_| wrong())?;
        let bare = url.username().is_empty() && url.password().is_none() && matches!(url.path(), "" | "/");
        let (Some(host), Some(port @ 1..), true) = (url.host_str(), url.port(), bare && url.query().is_none()) else {
            return Err(wrong());
        };
        // Only schemes of the web have their hosts read as addresses.
        let host = Host::parse(host.trim_end_matches('.')).map_err(|_| wrong())?;
        if matches!(&host, Host::Domain(name) if is_below(name, NAME_SERVICE)) {
            return Err(format!("`{text}` cannot be a witness: DuckDNS may be what fails"));
        }
        Ok(Self { host, port })
    }
}

fn is_below(name: &str, domain: &str) -> bool {
    name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
}

impl Witnesses {
    /// Checks that no witness is the target itself, at any of its addresses: it would fail together with it.
    ///
    /// # Errors
    /// When one is; the settings must be changed.
    pub(crate) fn check_against(&self, addresses: &WebAddresses) -> Result<(), WrongWitnesses> {
        addresses.iter().try_for_each(|address| self.check_against_one(address))
    }

    fn check_against_one(&self, target: &Url) -> Result<(), WrongWitnesses> {
        let same_host = |witness: &Witness| match (&witness.host, target.host()) {
            (Host::Domain(one), Some(Host::Domain(other))) => one == other.trim_end_matches('.'),
            (Host::Ipv4(one), Some(Host::Ipv4(other))) => *one == other,
            (Host::Ipv6(one), Some(Host::Ipv6(other))) => *one == other,
            _ => false,
        };
        // Another port of the same host is behind the same line.
        let is_target = |witness: &&Witness| {
            let same_port = Some(witness.port) == target.port_or_known_default();
            same_host(witness) && (same_port || !is_loopback(&witness.host))
        };
        match self.0.iter().find(is_target) {
            Some(witness) => Err(WrongWitnesses(format!(
                "the witness {witness} is the target itself, so it cannot show whether the prober is blind"
            ))),
            None => Ok(()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[Witness] {
        &self.0
    }
}

/// On this machine each port is another host: in tests and in the demo everything runs here.
fn is_loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl Default for Witnesses {
    fn default() -> Self {
        DEFAULT_WITNESSES.parse().unwrap_or(Self(Vec::new()))
    }
}

impl FromStr for Witnesses {
    type Err = WrongWitnesses;

    fn from_str(text: &str) -> Result<Self, WrongWitnesses> {
        let listed = text.split(',').map(str::trim).filter(|one| !one.is_empty());
        let witnesses: Vec<Witness> = listed.map(str::parse).collect::<Result<_, _>>().map_err(WrongWitnesses)?;
        if witnesses.len() > MAX_WITNESSES {
            return Err(WrongWitnesses(format!("{} witnesses are too many: {MAX_WITNESSES} at most", witnesses.len())));
        }
        let literal = witnesses.iter().filter(|witness| witness.literal().is_some()).count();
        if literal == 0 || literal == witnesses.len() {
            return Err(WrongWitnesses(
                "name at least one witness by an address and one by a name, like 9.9.9.9:443,www.example.org:443"
                    .into(),
            ));
        }
        Ok(Self(witnesses))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<Witnesses>().unwrap_err().to_string()
    }

    #[test]
    fn the_default_witnesses_can_be_used_and_are_of_both_families() {
        let witnesses = Witnesses::default();
        assert_eq!(witnesses.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(","), DEFAULT_WITNESSES);
        let literals: Vec<IpAddr> = witnesses.0.iter().filter_map(Witness::literal).collect();
        assert!(literals.iter().any(IpAddr::is_ipv4) && literals.iter().any(IpAddr::is_ipv6));
    }

    #[test]
    fn one_by_name_and_one_by_address_are_needed() {
        assert!(refusal("").contains("at least one witness by an address and one by a name"));
        assert!(refusal("1.1.1.1:443,9.9.9.9:443").contains("one by a name"));
        assert!(refusal("www.example.org:443").contains("by an address"));
        assert!("1.1.1.1:443, www.example.org:443,".parse::<Witnesses>().is_ok());
    }

    #[test]
    fn what_is_not_host_and_port_is_refused() {
        for wrong in ["1.1.1.1", "www.example.org", "https://www.example.org:443", "a:0", "a:99999", "u@a:1", "a:1/x"] {
            assert!(refusal(&format!("9.9.9.9:53,{wrong}")).contains("is not a witness"), "{wrong}");
        }
        assert!(refusal("9.9.9.9:53,www.duckdns.org:443").contains("DuckDNS may be what fails"));
        assert!(refusal(&"9.9.9.9:53,".repeat(9)).contains("9 witnesses are too many"));
    }

    #[test]
    fn a_target_cannot_be_its_own_witness() {
        let witnesses: Witnesses = "192.0.2.1:443,home.example.org:443,127.0.0.1:82,127.0.0.1:81".parse().unwrap();
        let check = |url: &str| witnesses.check_against(&url.parse().unwrap());
        for target in [
            "http://192.0.2.1:30008",
            "https://home.example.org/",
            "http://home.example.org.:1/",
            "http://127.0.0.1:81/",
        ] {
            assert!(check(target).unwrap_err().to_string().contains("is the target itself"), "{target}");
        }
        for other in ["http://192.0.2.2:443", "http://example.org/", "http://127.0.0.1:80/"] {
            assert_eq!(check(other), Ok(()), "{other}");
        }
    }
}

//! One call of DuckDNS: what it is asked to set, and whether it did.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use shared::network::public;
use url::Url;

use super::{
    answer::{NotTaken, Verbose},
    name::SubName,
    token::Token,
};

/// What one call sets. DuckDNS leaves alone the family that a call does not name, with one exception: a call that names
/// none sets IPv4 to the address that it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// DuckDNS takes the IPv4 address that it sees.
    Seen,
    Given4(Ipv4Addr),
    Given6(Ipv6Addr),
    Given(Ipv4Addr, Ipv6Addr),
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen => f.write_str("the IPv4 address that it sees"),
            Self::Given4(ipv4) => ipv4.fmt(f),
            Self::Given6(ipv6) => ipv6.fmt(f),
            Self::Given(ipv4, ipv6) => write!(f, "{ipv4} and {ipv6}"),
        }
    }
}

impl Update {
    /// The calls that set what is asked of each family: nothing, the address that is given, or (`Some(None)`, IPv4 only)
    /// the one that DuckDNS sees. For that one beside a given IPv6 address it takes two calls, because after a call that
    /// names `ipv6` DuckDNS does not take the address that it sees; we rather call twice than let a source name what the user
    /// wanted DuckDNS to see.
    pub(super) fn all(ipv4: Option<Option<Ipv4Addr>>, ipv6: Option<Ipv6Addr>) -> Vec<Self> {
        let ipv4_alone = |ipv4: Option<Ipv4Addr>| ipv4.map_or(Self::Seen, Self::Given4);
        match (ipv4, ipv6) {
            (Some(Some(ipv4)), Some(ipv6)) => vec![Self::Given(ipv4, ipv6)],
            (ipv4, ipv6) => ipv4.map(ipv4_alone).into_iter().chain(ipv6.map(Self::Given6)).collect(),
        }
    }

    /// The parameters that name the addresses.
    pub(super) fn parameters(self) -> impl Iterator<Item = (&'static str, String)> {
        let (ipv4, ipv6) = self.given();
        let ipv4 = ipv4.map(|address| ("ip", address.to_string()));
        ipv4.into_iter().chain(ipv6.map(|address| ("ipv6", address.to_string())))
    }

    /// The address of the call.
    pub(super) fn address(self, duckdns: &Url, names: &[SubName], token: &Token) -> Url {
        let mut address = duckdns.clone();
        address.set_path(&format!("{}/update", duckdns.path().trim_end_matches('/')));
        let names = names.iter().map(SubName::as_str).collect::<Vec<_>>().join(",");
        address
            .query_pairs_mut()
            .extend_pairs([("domains", names.as_str()), ("token", token.expose()), ("verbose", "true")])
            .extend_pairs(self.parameters());
        address
    }

    fn given(self) -> (Option<Ipv4Addr>, Option<Ipv6Addr>) {
        match self {
            Self::Seen => (None, None),
            Self::Given4(ipv4) => (Some(ipv4), None),
            Self::Given6(ipv6) => (None, Some(ipv6)),
            Self::Given(ipv4, ipv6) => (Some(ipv4), Some(ipv6)),
        }
    }

    /// The addresses that DuckDNS took, as its answer (`None`: a plain `OK`) names them.
    ///
    /// # Errors
    /// When it took another one than it was given, or saw one that cannot be reached from outside.
    pub(super) fn taken(self, answer: Option<Verbose>) -> Result<Vec<IpAddr>, NotTaken> {
        let (ipv4, ipv6) = self.given();
        let given = [ipv4.map(IpAddr::from), ipv6.map(IpAddr::from)];
        let Some(verbose) = answer else {
            return match self {
                Self::Seen => Err(NotTaken::Odd("not which address it saw".into())),
                _ => Ok(given.into_iter().flatten().collect()),
            };
        };
        let took = [verbose.ipv4.map(IpAddr::from), verbose.ipv6.map(IpAddr::from)];
        if self == Self::Seen {
            let seen = took[0].ok_or_else(|| NotTaken::Odd("it saw no IPv4 address".into()))?;
            return match public(seen) {
                Ok(seen) => Ok(vec![seen]),
                Err(error) => Err(NotTaken::Odd(match error.advice() {
                    None => format!("it saw and took {error}"),
                    Some(advice) => format!("it saw and took {error}; {advice}"),
                })),
            };
        }
        for (given, took) in given.into_iter().zip(took) {
            if let Some(given) = given
                && took != Some(given)
            {
                let took = took.map_or_else(|| "nothing".into(), |took| took.to_string());
                return Err(NotTaken::Odd(format!("it was given {given} and says that it took {took}")));
            }
        }
        Ok(given.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUR: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 142);
    const SIX: Ipv6Addr = Ipv6Addr::new(0x2a02, 0x8109, 0, 0, 0, 0, 0, 1);

    #[test]
    fn calls_name_what_is_set_and_nothing_else() {
        for (ipv4, ipv6, calls) in [
            (None, None, &[][..]),
            (Some(None), None, &[&[][..]]),
            (Some(Some(FOUR)), None, &[&["ip=81.2.69.142"]]),
            (None, Some(SIX), &[&["ipv6=2a02:8109::1"]]),
            (Some(Some(FOUR)), Some(SIX), &[&["ip=81.2.69.142", "ipv6=2a02:8109::1"]]),
            (Some(None), Some(SIX), &[&[], &["ipv6=2a02:8109::1"]]),
        ] {
            let parameters =
                |update: Update| update.parameters().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>();
            let named: Vec<_> = Update::all(ipv4, ipv6).into_iter().map(parameters).collect();
            assert_eq!(named, calls, "{ipv4:?} {ipv6:?}");
        }
    }

    #[test]
    fn an_answer_counts_only_when_it_names_what_was_sent() {
        let answer =
            |ipv4: &str, ipv6: &str| Some(Verbose { ipv4: ipv4.parse().ok(), ipv6: ipv6.parse().ok(), updated: true });
        let (four, six) = (IpAddr::from(FOUR), IpAddr::from(SIX));
        for (update, answer, expected) in [
            (Update::Seen, answer("81.2.69.142", ""), Ok(vec![four])),
            (Update::Seen, answer("81.2.69.142", "2a02:8109::2"), Ok(vec![four])),
            (Update::Seen, answer("", ""), Err("saw no IPv4 address")),
            (
                Update::Seen,
                answer("100.64.0.1", ""),
                Err("it saw and took 100.64.0.1, an address that a provider shares"),
            ),
            (Update::Seen, None, Err("not which address it saw")),
            (Update::Given4(FOUR), None, Ok(vec![four])),
            (Update::Given4(FOUR), answer("81.2.69.142", "2a02:8109::2"), Ok(vec![four])),
            (
                Update::Given4(FOUR),
                answer("81.2.69.1", ""),
                Err("was given 81.2.69.142 and says that it took 81.2.69.1"),
            ),
            (Update::Given4(FOUR), answer("", ""), Err("says that it took nothing")),
            (Update::Given6(SIX), answer("", "2a02:8109::1"), Ok(vec![six])),
            (Update::Given6(SIX), answer("81.2.69.1", "2a02:8109::1"), Ok(vec![six])),
            (Update::Given6(SIX), answer("", ""), Err("was given 2a02:8109::1 and says that it took nothing")),
            (Update::Given(FOUR, SIX), answer("81.2.69.142", "2a02:8109::1"), Ok(vec![four, six])),
            (Update::Given(FOUR, SIX), answer("81.2.69.142", ""), Err("it took nothing")),
        ] {
            let taken = update.taken(answer).map_err(|error| error.to_string());
            match expected {
                Ok(expected) => assert_eq!(taken, Ok(expected), "{update:?} {answer:?}"),
                Err(text) => {
                    let error = taken.unwrap_err();
                    assert!(error.starts_with("DuckDNS answered OK, but ") && error.contains(text), "{error}");
                }
            }
        }
    }
}

//! What public DNS servers together say of our names.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::name::SubName;

/// What one server says of one name in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Addresses(Vec<IpAddr>),
    /// The name exists, without an address of the family.
    NoAddress,
    /// NXDOMAIN.
    NoName,
    /// Another answer, by its name, like SERVFAIL.
    Failed(&'static str),
    Silent,
}

/// One answer, and what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    pub server: SocketAddr,
    pub name: SubName,
    pub expected: IpAddr,
    pub said: Said,
}

/// What the servers together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Agrees,
    Disagrees,
    /// No server answered.
    Unknown,
}

impl Heard {
    /// Whether it is as expected; `None` where nothing was learned.
    pub fn agrees(&self) -> Option<bool> {
        match &self.said {
            Said::Addresses(addresses) => Some(addresses.iter().all(|address| *address == self.expected)),
            Said::NoAddress | Said::NoName => Some(false),
            Said::Failed(_) | Said::Silent => None,
        }
    }

    /// Whether there is something to tell of it.
    fn is_odd(&self) -> bool {
        self.agrees() != Some(true)
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server.port() {
            53 => write!(f, "{} ", self.server.ip())?,
            _ => write!(f, "{} ", self.server)?,
        }
        match &self.said {
            Said::Addresses(addresses) => {
                write!(f, "says ")?;
                for (index, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { "" } else { " and " })?;
                }
                write!(f, " for {}", self.name)
            }
            Said::NoAddress => write!(f, "knows no such address of {}", self.name),
            Said::NoName => write!(f, "says that {} does not exist (NXDOMAIN)", self.name),
            Said::Failed(how) => write!(f, "could not find out about {} ({how})", self.name),
            Said::Silent => write!(f, "did not answer about {}", self.name),
        }
    }
}

/// Weighs what was heard. A server agrees when all that it answered is as expected; the world agrees when more than half
/// of the servers that answered at all do. So one that keeps an old answer for too long, or is blocked by the provider,
/// neither makes a run fail nor DuckDNS be called at every run.
pub fn standing(heard: &[Heard]) -> Standing {
    let mut servers: Vec<SocketAddr> = heard.iter().map(|heard| heard.server).collect();
    servers.sort_unstable();
    servers.dedup();
    let votes: Vec<bool> = servers
        .into_iter()
        .filter_map(|server| {
            let of_it = heard.iter().filter(|heard| heard.server == server);
            of_it.filter_map(Heard::agrees).reduce(|one, other| one && other)
        })
        .collect();
    let agreeing = votes.iter().filter(|agrees| **agrees).count();
    match votes.len() {
        0 => Standing::Unknown,
        all if agreeing * 2 > all => Standing::Agrees,
        _ => Standing::Disagrees,
    }
}

/// What is to be told of what was heard; empty when all is as expected.
pub fn oddities(heard: &[Heard]) -> String {
    let mut odd: Vec<String> = Vec::new();
    for told in heard.iter().filter(|heard| heard.is_odd()).map(ToString::to_string) {
        // Both families may have the same to tell.
        if !odd.contains(&told) {
            odd.push(told);
        }
    }
    odd.join("; ")
}

#[cfg(test)]
mod tests {
    use Said::{Addresses, Failed, NoAddress, NoName, Silent};

    use super::*;

    fn heard(server: u8, said: Said) -> Heard {
        let expected = [81, 2, 69, 142].into();
        Heard { server: ([server; 4], 53).into(), name: "home".parse().unwrap(), expected, said }
    }

    fn right() -> Said {
        Addresses(vec![[81, 2, 69, 142].into()])
    }

    fn wrong() -> Said {
        Addresses(vec![[81, 2, 69, 1].into()])
    }

    #[test]
    fn more_than_half_of_those_that_answer_decide() {
        for (said, expected) in [
            (vec![], Standing::Unknown),
            (vec![Silent, Failed("SERVFAIL"), Silent], Standing::Unknown),
            (vec![right(), right(), right()], Standing::Agrees),
            (vec![right(), right(), wrong()], Standing::Agrees),
            (vec![right(), Silent, Failed("REFUSED")], Standing::Agrees),
            (vec![right(), wrong(), wrong()], Standing::Disagrees),
            (vec![right(), wrong(), Silent], Standing::Disagrees),
            (vec![NoName, NoName, right()], Standing::Disagrees),
            (vec![NoAddress], Standing::Disagrees),
            (vec![Addresses(vec![[81, 2, 69, 142].into(), [81, 2, 69, 1].into()])], Standing::Disagrees),
        ] {
            let heard: Vec<_> = (1..).zip(said).map(|(server, said)| heard(server, said)).collect();
            assert_eq!(standing(&heard), expected, "{heard:?}");
        }
    }

    #[test]
    fn a_server_agrees_only_when_it_does_so_of_every_name() {
        assert_eq!(standing(&[heard(1, right()), heard(1, wrong())]), Standing::Disagrees);
        assert_eq!(standing(&[heard(1, right()), heard(1, Silent)]), Standing::Agrees);
    }

    #[test]
    fn what_is_odd_is_told_with_who_says_it() {
        let all =
            [heard(1, right()), heard(2, wrong()), heard(3, NoName), heard(4, Failed("SERVFAIL")), heard(5, Silent)];
        assert_eq!(
            oddities(&all),
            "2.2.2.2 says 81.2.69.1 for home.duckdns.org; 3.3.3.3 says that home.duckdns.org does not exist (NXDOMAIN); \
             4.4.4.4 could not find out about home.duckdns.org (SERVFAIL); 5.5.5.5 did not answer about home.duckdns.org"
        );
        assert_eq!(oddities(&all[..1]), "");
    }
}

//! What public DNS servers together say of our names.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::name::SubName;

/// What one server says of one name in one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Addresses(Vec<IpAddr>),
    /// The name exists, without an address of the family.
    NoAddress,
    /// NXDOMAIN.
    NoName,
    /// Another answer, by its name, like SERVFAIL.
    Failed(&'static str),
    Silent,
}

/// One server's answer about one name, and what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Response {
    pub(super) server: SocketAddr,
    pub(super) name: SubName,
    pub(super) expected: IpAddr,
    pub(super) answer: Answer,
}

/// What the servers together say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Consensus {
    Agrees,
    Disagrees,
    /// No server answered.
    Unknown,
}

impl Response {
    /// Whether it is as expected; `None` where nothing was learned.
    pub(super) fn agrees(&self) -> Option<bool> {
        match &self.answer {
            Answer::Addresses(addresses) => Some(addresses.iter().all(|address| *address == self.expected)),
            Answer::NoAddress | Answer::NoName => Some(false),
            Answer::Failed(_) | Answer::Silent => None,
        }
    }

    /// Whether it is to be reported.
    fn is_odd(&self) -> bool {
        self.agrees() != Some(true)
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.server.port() {
            53 => write!(f, "{} ", self.server.ip())?,
            _ => write!(f, "{} ", self.server)?,
        }
        match &self.answer {
            Answer::Addresses(addresses) => {
                write!(f, "says ")?;
                for (index, address) in addresses.iter().enumerate() {
                    write!(f, "{}{address}", if index == 0 { "" } else { " and " })?;
                }
                write!(f, " for {}", self.name)
            }
            Answer::NoAddress => write!(f, "knows no such address of {}", self.name),
            Answer::NoName => write!(f, "says that {} does not exist (NXDOMAIN)", self.name),
            Answer::Failed(how) => write!(f, "could not find out about {} ({how})", self.name),
            Answer::Silent => write!(f, "did not answer about {}", self.name),
        }
    }
}

/// Weighs the responses. A server agrees when all that it answered is as expected; the world agrees when more than half
/// of the servers that answered at all do. So one that keeps an old answer for too long, or is blocked by the provider,
/// neither makes a run fail nor DuckDNS be called at every run.
pub(super) fn consensus(responses: &[Response]) -> Consensus {
    let mut servers: Vec<SocketAddr> = responses.iter().map(|response| response.server).collect();
    servers.sort_unstable();
    servers.dedup();
    let votes: Vec<bool> = servers
        .into_iter()
        .filter_map(|server| {
            let of_it = responses.iter().filter(|response| response.server == server);
            of_it.filter_map(Response::agrees).reduce(|one, other| one && other)
        })
        .collect();
    let agreeing = votes.iter().filter(|agrees| **agrees).count();
    match votes.len() {
        0 => Consensus::Unknown,
        all if agreeing * 2 > all => Consensus::Agrees,
        _ => Consensus::Disagrees,
    }
}

/// What is not as expected, in words; empty when all is.
pub(super) fn disagreements(responses: &[Response]) -> String {
    let mut odd: Vec<String> = Vec::new();
    for text in responses.iter().filter(|response| response.is_odd()).map(ToString::to_string) {
        // Both families may have the same to say.
        if !odd.contains(&text) {
            odd.push(text);
        }
    }
    odd.join("; ")
}

#[cfg(test)]
mod tests {
    use Answer::{Addresses, Failed, NoAddress, NoName, Silent};

    use super::*;

    fn response(server: u8, answer: Answer) -> Response {
        let expected = [81, 2, 69, 142].into();
        Response { server: ([server; 4], 53).into(), name: "home".parse().unwrap(), expected, answer }
    }

    fn right() -> Answer {
        Addresses(vec![[81, 2, 69, 142].into()])
    }

    fn wrong() -> Answer {
        Addresses(vec![[81, 2, 69, 1].into()])
    }

    #[test]
    fn more_than_half_of_those_that_answer_decide() {
        for (answers, expected) in [
            (vec![], Consensus::Unknown),
            (vec![Silent, Failed("SERVFAIL"), Silent], Consensus::Unknown),
            (vec![right(), right(), right()], Consensus::Agrees),
            (vec![right(), right(), wrong()], Consensus::Agrees),
            (vec![right(), Silent, Failed("REFUSED")], Consensus::Agrees),
            (vec![right(), wrong(), wrong()], Consensus::Disagrees),
            (vec![right(), wrong(), Silent], Consensus::Disagrees),
            (vec![NoName, NoName, right()], Consensus::Disagrees),
            (vec![NoAddress], Consensus::Disagrees),
            (vec![Addresses(vec![[81, 2, 69, 142].into(), [81, 2, 69, 1].into()])], Consensus::Disagrees),
        ] {
            let responses: Vec<_> = (1..).zip(answers).map(|(server, answer)| response(server, answer)).collect();
            assert_eq!(consensus(&responses), expected, "{responses:?}");
        }
    }

    #[test]
    fn a_server_agrees_only_when_it_does_so_of_every_name() {
        assert_eq!(consensus(&[response(1, right()), response(1, wrong())]), Consensus::Disagrees);
        assert_eq!(consensus(&[response(1, right()), response(1, Silent)]), Consensus::Agrees);
    }

    #[test]
    fn what_is_not_as_expected_is_reported_with_the_server_that_says_it() {
        let all = [
            response(1, right()),
            response(2, wrong()),
            response(3, NoName),
            response(4, Failed("SERVFAIL")),
            response(5, Silent),
        ];
        assert_eq!(
            disagreements(&all),
            "2.2.2.2 says 81.2.69.1 for home.duckdns.org; 3.3.3.3 says that home.duckdns.org does not exist (NXDOMAIN); \
             4.4.4.4 could not find out about home.duckdns.org (SERVFAIL); 5.5.5.5 did not answer about home.duckdns.org"
        );
        assert_eq!(disagreements(&all[..1]), "");
    }
}

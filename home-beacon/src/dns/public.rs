//! Public name servers, each asked by itself and directly, so that neither this machine's hosts file nor its resolver's
//! cache answers in their place.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use shared::{
    names::{self, Family},
    online::OnlineCheck,
};
use tokio::time::{Instant, sleep_until};

use super::{
    consensus::{Answer, Consensus, Response, consensus},
    name::SubName,
};

/// How long a server may take to answer; a datagram that is lost is sent again meanwhile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(4);

/// The pauses between two checks, the last one again and again. DuckDNS's records live for 60 s.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(5)];

/// Name servers that the world asks.
#[derive(Clone, Debug)]
pub(super) struct PublicDns(Vec<SocketAddr>);

impl PublicDns {
    pub(super) fn new(servers: &[SocketAddr]) -> Self {
        Self(servers.to_vec())
    }

    /// Asks every server for every name's addresses.
    pub(super) async fn ask(&self, names: &[SubName], expected: &[IpAddr], until: Instant) -> Check {
        let asked = self.0.iter().flat_map(|server| names.iter().map(move |name| (server, name)));
        let asked = asked.flat_map(|(server, name)| expected.iter().map(move |expected| (server, name, *expected)));
        let until = until.min(Instant::now() + ANSWER_TIMEOUT);
        let responses = join_all(asked.map(|(server, name, expected)| async move {
            let answer = answer(*server, name, Family::of(expected), until).await;
            (Response { server: *server, name: name.clone(), expected, answer }, Instant::now())
        }));
        let responses = responses.await;
        let answered = responses.iter().filter(|(response, _)| response.agrees().is_some()).map(|(_, at)| *at).max();
        Check { answered, responses: responses.into_iter().map(|(response, _)| response).collect() }
    }

    /// Asks, for `--check --online`, whether the names are known at all. DuckDNS itself has no call that changes nothing.
    pub(super) async fn exist(&self, names: &[SubName]) -> Vec<OnlineCheck> {
        let until = Instant::now() + 3 * ANSWER_TIMEOUT;
        let check = self.ask(names, &[Family::V4.unspecified()], until).await;
        let of = |name: &SubName| {
            let of_name = check.responses.iter().filter(|response| response.name == *name);
            let answers: Vec<_> = of_name.map(|response| &response.answer).collect();
            if answers.iter().any(|answer| matches!(answer, Answer::Addresses(_) | Answer::NoAddress)) {
                OnlineCheck::found(format!("{name} is known to public name servers"))
            } else if answers.contains(&&Answer::NoName) {
                OnlineCheck::wrong(format!(
                    "{name} is not known to public name servers: check DOMAIN, or add the name at www.duckdns.org"
                ))
            } else {
                OnlineCheck::unknown(format!("{name}: none of the name servers in PUBLIC_DNS answers"))
            }
        };
        names.iter().map(of).collect()
    }

    /// Asks again and again until the servers agree or `until` has come; the last check.
    pub(super) async fn wait(&self, names: &[SubName], expected: &[IpAddr], until: Instant) -> Check {
        let mut pauses = PAUSES.into_iter().chain(std::iter::repeat(PAUSES[PAUSES.len() - 1]));
        loop {
            let check = self.ask(names, expected, until).await;
            let next = Instant::now() + pauses.next().unwrap_or_default();
            if consensus(&check.responses) == Consensus::Agrees || next >= until {
                return check;
            }
            sleep_until(next).await;
        }
    }
}

/// What the servers said at one time.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) responses: Vec<Response>,
    /// When the last answer came: silence is waited for, but says nothing.
    pub(super) answered: Option<Instant>,
}

async fn answer(server: SocketAddr, name: &SubName, family: Family, until: Instant) -> Answer {
    match names::ask_server(server, &name.full(), family, until).await {
        names::ServerAnswer::Addresses(addresses) => Answer::Addresses(addresses),
        names::ServerAnswer::NoAddress => Answer::NoAddress,
        names::ServerAnswer::NoSuchName => Answer::NoName,
        names::ServerAnswer::Failed(names::ResponseCode::Refused) => Answer::Failed("REFUSED"),
        names::ServerAnswer::Failed(names::ResponseCode::ServFail) => Answer::Failed("SERVFAIL"),
        names::ServerAnswer::Failed(_) => Answer::Failed("an error"),
        names::ServerAnswer::Silent | names::ServerAnswer::Unreachable => Answer::Silent,
    }
}

//! Names, as this machine asks for them.

use std::{net::SocketAddr, time::Duration};

use shared::names::ServerAnswer;

use super::super::{finding::Finding, link::Link};

/// From this many domains on, each short name costs so many questions that it is felt.
const MANY: usize = 4;

/// One server of `/etc/resolv.conf`, and what it said of a name that is public.
#[derive(Clone, Debug)]
pub struct ServerSeen {
    /// Where it is.
    pub server: SocketAddr,
    /// What it said, of a name that is known to be there.
    pub answer: ServerAnswer,
    /// How long it took.
    pub took: Duration,
}

impl ServerSeen {
    fn answers(&self) -> bool {
        !matches!(self.answer, ServerAnswer::Silent | ServerAnswer::Unreachable | ServerAnswer::Failed(_))
    }

    fn words(&self) -> String {
        let Self { server, answer, took } = self;
        match answer {
            ServerAnswer::Silent => format!("{server} does not answer"),
            ServerAnswer::Unreachable => format!("{server} cannot be reached"),
            ServerAnswer::Failed(code) => format!("{server} fails ({code})"),
            _ => format!("{server} answers in {} ms", took.as_millis()),
        }
    }
}

/// The name servers, in the file's order.
pub fn servers(seen: &[ServerSeen]) -> Finding {
    let all = seen.iter().map(ServerSeen::words).collect::<Vec<_>>().join(", ");
    let well = seen.iter().filter(|server| server.answers()).count();
    match seen {
        [] => Finding::failed(
            Link::NameServers,
            "/etc/resolv.conf is missing, or names no server",
            "name one there, like the router: nameserver 192.168.1.1",
        ),
        _ if well == 0 => {
            Finding::failed(Link::NameServers, all, "see whether this machine has a line at all: ping -c 3 1.1.1.1")
        }
        [first, ..] if !first.answers() => Finding::failed(
            Link::NameServers,
            format!("{all}; each name waits for the first one"),
            format!("take {} out of /etc/resolv.conf, or mend it", first.server.ip()),
        ),
        _ => Finding::ok(Link::NameServers, all),
    }
}

/// A domain of the search list, and what is said of a name below it that cannot exist; `None` where nobody answered.
#[derive(Clone, Debug)]
pub struct DomainSeen {
    /// The domain.
    pub domain: String,
    /// Whether that name has an address.
    pub knows_everything: Option<bool>,
}

/// The domains that short names are looked for in. `short`: the hosts without a dot that the settings name.
pub fn search(seen: &[DomainSeen], short: &[String]) -> Finding {
    if let Some(found) = seen.iter().find(|domain| domain.knows_everything == Some(true)) {
        return Finding::failed(
            Link::SearchDomains,
            format!("{} has an address for every name, so that names which do not exist lead there", found.domain),
            format!("take {} out of the line search of /etc/resolv.conf", found.domain),
        );
    }
    if !seen.is_empty() && seen.iter().all(|domain| domain.knows_everything.is_none()) {
        return Finding::unknown(
            Link::SearchDomains,
            format!(
                "nobody answered about {}",
                seen.iter().map(|it| it.domain.as_str()).collect::<Vec<_>>().join(", ")
            ),
            "see the name servers first",
        );
    }
    let count = seen.len();
    if count >= MANY && !short.is_empty() {
        return Finding::failed(
            Link::SearchDomains,
            format!("{} may be asked for {} times: there are {count} search domains", short.join(", "), count + 1),
            "write the whole name, with its domain, in that setting",
        );
    }
    Finding::ok(
        Link::SearchDomains,
        match count {
            0 => "there are none".to_owned(),
            1 => "one; our programs ask for names with a dot as they are".to_owned(),
            _ => {
                format!("{count}; our programs ask for names with a dot as they are, others up to {} times", count + 1)
            }
        },
    )
}

#[cfg(test)]
mod tests {
    use shared::names::ResponseCode;

    use super::{super::super::finding::Outcome, *};

    fn server(last: u8, answer: ServerAnswer) -> ServerSeen {
        ServerSeen { server: ([192, 168, 1, last], 53).into(), answer, took: Duration::from_millis(7) }
    }

    #[test]
    fn a_dead_first_server_is_a_failure_and_a_dead_second_one_is_said() {
        let (well, silent) = (ServerAnswer::Addresses(vec![]), ServerAnswer::Silent);
        let found = servers(&[server(1, silent.clone()), server(2, well.clone())]);
        assert_eq!(found.outcome, Outcome::Failed);
        assert!(
            found.saw.starts_with("192.168.1.1:53 does not answer, 192.168.1.2:53 answers in 7 ms"),
            "{}",
            found.saw
        );
        assert!(found.next.unwrap().contains("take 192.168.1.1 out of"));
        let found = servers(&[server(1, well), server(2, silent.clone())]);
        assert_eq!(found.outcome, Outcome::Ok);
        assert!(found.saw.contains("192.168.1.2:53 does not answer"));
        for all in [silent, ServerAnswer::Unreachable, ServerAnswer::Failed(ResponseCode::ServFail)] {
            assert!(servers(&[server(1, all)]).next.unwrap().contains("ping"));
        }
        assert_eq!(servers(&[]).outcome, Outcome::Failed);
        // That a name is not there is an answer.
        assert_eq!(servers(&[server(1, ServerAnswer::NoSuchName)]).outcome, Outcome::Ok);
    }

    #[test]
    fn a_search_domain_that_knows_every_name_is_found_and_many_of_them_cost_questions() {
        let domains = |known: &[Option<bool>]| -> Vec<DomainSeen> {
            let one = |known: &Option<bool>| DomainSeen { domain: "lan".into(), knows_everything: *known };
            known.iter().map(one).collect()
        };
        let outcome = |known: &[Option<bool>], short: &[String]| search(&domains(known), short).outcome;
        let short = ["keeper".to_owned()];
        assert_eq!(outcome(&[], &[]), Outcome::Ok);
        assert_eq!(outcome(&[Some(false), None], &[]), Outcome::Ok);
        assert_eq!(outcome(&[Some(false), Some(true)], &[]), Outcome::Failed);
        assert_eq!(outcome(&[None], &[]), Outcome::NotConclusive);
        assert_eq!(outcome(&[Some(false); 5], &[]), Outcome::Ok);
        assert_eq!(outcome(&[Some(false); 5], &short), Outcome::Failed);
        assert_eq!(outcome(&[Some(false)], &short), Outcome::Ok);
    }
}

//! Name servers, each by itself: those of this machine, and those of the world.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use home_beacon::dns::{SubName, answer::NotTaken, seen, tried};
use serde_json::json;
use shared::{
    names::{Family, Names, ServerAnswer, ask_server},
    secret::Secret,
};
use tokio::time::Instant;
use url::Url;

use super::super::{
    checks::{
        address::PublicSeen,
        names::{DomainSeen, ServerSeen},
    },
    reply::Reply,
    until::Until,
};

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long address sources and `DuckDNS` may take.
const OF_SERVICES: Duration = Duration::from_secs(6);

/// A name that is there for as long as there are names, whatever becomes of the home's.
const CONTROL: &str = "one.one.one.one.";

/// Each server of this machine, asked for a name that is public, and for another one: a server that fails about the home's name
/// alone passes on somebody else's failure.
pub async fn servers(name: &str, until: Until) -> Vec<ServerSeen> {
    let names = Names::of_this_machine();
    let asked = names.servers().iter().map(|server| async move {
        let began = Instant::now();
        let name = complete(name);
        let (answer, control) = tokio::join!(
            ask_server(*server, &name, Family::V4, until.after(PATIENCE)),
            ask_server(*server, CONTROL, Family::V4, until.after(PATIENCE))
        );
        let fails = matches!(answer, ServerAnswer::Silent | ServerAnswer::Failed(_));
        ServerSeen { server: *server, answer: if fails { control } else { answer }, took: began.elapsed() }
    });
    join_all(asked).await
}

/// Each domain of the search list, asked for a name below it that nobody has.
pub async fn domains(unknown_name: &str, until: Until) -> Vec<DomainSeen> {
    let names = Names::of_this_machine();
    let servers = names.servers();
    let asked = names.domains().iter().map(|domain| async move {
        let name = format!("{unknown_name}.{domain}.");
        let until = until.after(PATIENCE);
        let mut answers = join_all(servers.iter().map(|server| ask_server(*server, &name, Family::V4, until))).await;
        answers.retain(|it| !matches!(it, ServerAnswer::Silent | ServerAnswer::Unreachable | ServerAnswer::Failed(_)));
        let knows_everything = answers.first().map(|answer| matches!(answer, ServerAnswer::Addresses(_)));
        DomainSeen { domain: domain.clone(), knows_everything }
    });
    join_all(asked).await
}

/// What the world's name servers say of a name.
pub async fn public(servers: &[SocketAddr], host: &str, until: Until) -> Vec<PublicSeen> {
    let asked = servers.iter().map(|server| async move {
        let (name, until) = (complete(host), until.after(PATIENCE));
        let mut answer = ask_server(*server, &name, Family::V4, until).await;
        if answer == ServerAnswer::NoAddress {
            answer = ask_server(*server, &name, Family::V6, until).await;
        }
        PublicSeen { server: *server, answer }
    });
    join_all(asked).await
}

/// The address that the world sees.
pub async fn own(sources: &[Url], until: Until) -> Result<IpAddr, String> {
    seen(sources, until.after(OF_SERVICES)).await
}

/// Whether `DuckDNS` takes the token. It is asked only where that can change nothing: where the name that it would be asked to
/// change has this machine's address already, as `servers` say.
pub async fn duckdns(
    url: &Url,
    name: &SubName,
    token: Option<&Secret>,
    own: Option<IpAddr>,
    servers: &[SocketAddr],
    until: Until,
) -> Reply {
    let Some(token) = token else { return Reply::NotAsked("no token is set, so it was not tried".into()) };
    let Some(IpAddr::V4(own)) = own else {
        return Reply::NotAsked("the own address is not known, so the token was not tried".into());
    };
    let held = public(servers, &format!("{}.duckdns.org", name.as_str()), until).await;
    let mut reply = held.iter().filter_map(|seen| match &seen.answer {
        ServerAnswer::Addresses(all) => Some(all.first().copied()),
        _ => None,
    });
    let is_there = |address: Option<IpAddr>| address == Some(own.into());
    let first = reply.next();
    if !first.is_some_and(is_there) || !reply.all(is_there) {
        return Reply::NotAsked(
            "the name has another address than this machine, or none is known, so trying the token might change it"
                .into(),
        );
    }
    match tried(url, name, token, own, until.after(OF_SERVICES)).await {
        Ok(()) => Reply::Is(json!("OK")),
        Err(refused @ NotTaken::Refused) => Reply::Refused { code: "KO".into(), words: refused.to_string() },
        Err(other) => Reply::Silent(other.to_string()),
    }
}

/// With a dot at its end no search domain is tried.
fn complete(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::net::UdpSocket;

    use super::*;

    const OWN: [u8; 4] = [81, 2, 69, 142];

    /// Gives `home.duckdns.org` one address, and every other name another.
    async fn server() -> SocketAddr {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let asked = &buffer[..length];
                let end = 12 + asked[12..].iter().position(|byte| *byte == 0).unwrap() + 5;
                let last =
                    if asked[12..].to_ascii_lowercase().starts_with(b"\x04home\x07duckdns\x03org") { 142 } else { 9 };
                let mut answer = asked[..2].to_vec();
                answer.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
                answer.extend(&asked[12..end]);
                answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, OWN[0], OWN[1], OWN[2], last]);
                let _sent = socket.send_to(&answer, from).await;
            }
        });
        address
    }

    #[tokio::test]
    async fn the_name_that_would_be_changed_is_the_one_that_must_have_this_address() {
        let servers = [server().await];
        let closed: Url = "http://127.0.0.1:9/".parse().unwrap();
        let token = Secret::new("a7c4d0ad-114e-40ef-ba1d-d217904a50f2");
        let asked = async |name: &str, servers: &[SocketAddr]| {
            let name: SubName = name.parse().unwrap();
            duckdns(&closed, &name, Some(&token), Some(OWN.into()), servers, Until::from_now()).await
        };
        assert!(matches!(asked("home", &servers).await, Reply::Silent(_)), "it was tried, and nobody answers");
        assert!(matches!(asked("other", &servers).await, Reply::NotAsked(_)), "it would be given another address");
        assert!(matches!(asked("home", &[]).await, Reply::NotAsked(_)), "nobody tells its address");
    }
}

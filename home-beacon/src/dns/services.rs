//! The services that a run calls over HTTP: DuckDNS and the address sources, with one client for each family, so that a
//! source that is asked over IPv6 sees our IPv6 address.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

use shared::{
    http::{Client, Deadlines, SetupError, client_of_the_world, tls_for},
    names::Family,
    network::NotPublic,
    retry::{self, Retryable},
    secret::Secret,
};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::rustls::ClientConfig;
use url::Url;

use super::{
    DnsSettings,
    answer::{self, NotTaken},
    fetch::{Unanswered, get},
    name::SubName,
    own::Own,
    source::{self, NoAddress},
    token::Token,
    update::Update,
};

/// DuckDNS has been seen to take half a minute; an update that is sent twice does no harm.
pub(super) const OF_DUCKDNS: Deadlines =
    Deadlines { connect: Duration::from_secs(5), read: Duration::from_secs(30), total: Duration::from_secs(30) };

/// An address source that takes longer counts as silent.
const SOURCE_TIMEOUT: Duration = Duration::from_secs(8);

#[derive(Debug)]
pub(super) struct Services {
    duckdns: Url,
    tls: Arc<ClientConfig>,
    over_ipv4: Client,
    over_any: Client,
}

/// A source, and what it named or why it did not.
pub(super) type Named = (String, Result<IpAddr, Unnamed>);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unnamed {
    #[error(transparent)]
    NoAddress(#[from] NoAddress),
    #[error("{0}")]
    NoAnswer(String),
}

impl Unnamed {
    /// The address that cannot be reached from outside, where it named one.
    pub(super) fn not_public(&self) -> Option<NotPublic> {
        match self {
            Self::NoAddress(NoAddress::NotPublic(refused)) => Some(*refused),
            _ => None,
        }
    }
}

impl Services {
    /// # Errors
    /// When this machine can make no client.
    pub(super) fn new(settings: &DnsSettings) -> Result<Self, SetupError> {
        let sources = settings.ip_version.each().iter().flat_map(|family| settings.sources(*family));
        let tls = tls_for(sources.chain([&settings.duckdns_url]))?;
        let over = |local| client_of_the_world(&tls, OF_DUCKDNS, local);
        Ok(Self {
            duckdns: settings.duckdns_url.clone(),
            over_ipv4: over(Some(Family::V4.unspecified())),
            over_any: over(None),
            tls,
        })
    }

    /// Asks one source, over the family; over IPv6 from our own address, if that is known: it is the one to be named.
    pub(super) async fn ask(&self, source: &Url, family: Family, own: Option<Own>, until: Instant) -> Named {
        // The address may be another one at each run.
        let over_ipv6 = |from| client_of_the_world(&self.tls, OF_DUCKDNS, Some(from));
        let client = match (family, own) {
            (Family::V4, _) => self.over_ipv4.clone(),
            (Family::V6, Some(own)) => over_ipv6(own.address.into()),
            (Family::V6, None) => over_ipv6(family.unspecified()),
        };
        ask(&client, source, family, until).await
    }

    /// Calls DuckDNS, again and again until `until` while it fails; returns the addresses that it took.
    ///
    /// # Errors
    /// When it refused, or failed to the end.
    pub(super) async fn update(
        &self,
        update: Update,
        names: &[SubName],
        token: &Token,
        until: Instant,
    ) -> Result<Vec<IpAddr>, NotTaken> {
        // DuckDNS must see our IPv4 address where it is to take what it sees. Given addresses may come over any family:
        // a home may have only one.
        let client = if update == Update::Seen { &self.over_ipv4 } else { &self.over_any };
        retry::until(until, || call(client, &self.duckdns, update, names, token)).await
    }
}

/// Calls DuckDNS once; returns the addresses that it took.
async fn call(
    client: &Client,
    duckdns: &Url,
    update: Update,
    names: &[SubName],
    token: &Token,
) -> Result<Vec<IpAddr>, NotTaken> {
    let answered = get(client.get(&update.address(duckdns, names, token)).confidential(), answer::MAX_BYTES).await;
    let (status, body) = answered.map_err(|unanswered| match unanswered {
        Unanswered::Unreached(why) => NotTaken::Unreached(why),
        Unanswered::Broken(why) => NotTaken::Failing(why),
    })?;
    update.taken(answer::read(status, &body)?)
}

/// Proves that the token is the name's, by an update to the IPv4 address that DuckDNS sees: what `dns` does at its first run. The
/// addresses that it has then.
///
/// # Errors
/// When it is refused, or DuckDNS fails until `until`.
pub async fn prove(duckdns: &Url, name: &SubName, token: &Secret, until: Instant) -> Result<Vec<IpAddr>, NotTaken> {
    let (client, token) = ready(duckdns, token, Update::Seen).map_err(NotTaken::Failing)?;
    let names = std::slice::from_ref(name);
    retry::until(until, || call(&client, duckdns, Update::Seen, names, &token)).await
}

/// Tries the token once, by an update to the address that the name has, which changes nothing. `holds` must be that address.
///
/// # Errors
/// When it is refused, or DuckDNS does not answer as itself until `until`.
pub async fn tried(
    duckdns: &Url,
    name: &SubName,
    token: &Secret,
    holds: Ipv4Addr,
    until: Instant,
) -> Result<(), NotTaken> {
    let update = Update::Given4(holds);
    let (client, token) = ready(duckdns, token, update).map_err(NotTaken::Failing)?;
    let once = timeout_at(until, call(&client, duckdns, update, std::slice::from_ref(name), &token));
    once.await.unwrap_or_else(|_| Err(NotTaken::out_of_time())).map(drop)
}

/// What a call takes of who has no settings of `dns`.
fn ready(duckdns: &Url, token: &Secret, update: Update) -> Result<(Client, Token), String> {
    let token = Token::read("the token", token).map_err(|error| error.to_string())?;
    let tls = tls_for([duckdns]).map_err(|error| error.to_string())?;
    let local = (update == Update::Seen).then(|| Family::V4.unspecified());
    Ok((client_of_the_world(&tls, OF_DUCKDNS, local), token))
}

/// Asks one source by that client, which is to reach it over the family.
pub(super) async fn ask(client: &Client, source: &Url, family: Family, until: Instant) -> Named {
    let answer = timeout_at(until, get(client.get(source).within(SOURCE_TIMEOUT), source::MAX_BYTES)).await;
    let named = match answer.unwrap_or_else(|_| Err(Unanswered::Broken("it did not answer in time".into()))) {
        Err(Unanswered::Unreached(why)) => Err(Unnamed::NoAnswer(format!("it cannot be reached ({why})"))),
        Err(Unanswered::Broken(why)) => Err(Unnamed::NoAnswer(why)),
        Ok((200, body)) => source::address(&body, family).map_err(Unnamed::from),
        Ok((status @ (403 | 429), _)) => Err(Unnamed::NoAnswer(format!("it refuses us for now ({status})"))),
        Ok((status, _)) => Err(Unnamed::NoAnswer(format!("it fails ({status})"))),
    };
    let name = source.host_str().unwrap_or_default();
    let name = source.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    if let Err(error) = &named {
        tracing::debug!(source = name, %error, "a source named no address");
    }
    (name, named)
}

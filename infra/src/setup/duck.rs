//! The name at DuckDNS: its token is proven by an update that sets what is there already, the address that DuckDNS sees.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use anyhow::anyhow;
use home_beacon::dns::{DUCKDNS_TOKEN, SubName, answer::NotTaken, check_token, prove, tried};
use shared::secret::Secret;
use tokio::{
    net::lookup_host,
    time::{Instant, timeout},
};
use url::Url;

use super::{
    Outcome,
    ask::{Asker, Question},
    record::Record,
    settings::SetupSettings,
};

/// How long DuckDNS may take, tries included.
const WITHIN: Duration = Duration::from_secs(20);
const LOOKUP: Duration = Duration::from_secs(5);

/// Where we are, as DuckDNS knows it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    /// Where the world sees us.
    pub(super) seen: Option<IpAddr>,
    /// What the name of the home leads to.
    pub(super) home: Option<IpAddr>,
}

/// The name, once DuckDNS takes it with its token; that token, and where that is.
///
/// # Errors
/// When there is none, or it is refused.
pub(super) async fn name(
    asker: Asker,
    settings: &SetupSettings,
    record: &mut Record,
) -> anyhow::Result<(Outcome, Secret, Place)> {
    let chosen = settings.home.clone().or_else(|| record.chosen().home.clone());
    let name = if let Some(name) = chosen {
        name
    } else {
        let text = "The home's name at DuckDNS, like myhome.duckdns.org";
        asker.ask::<SubName>(Question { text, flag: "--home", default: None }).await?
    };
    let file = settings.tokens.duckdns.as_deref();
    let token = asker.secret(&DUCKDNS_TOKEN, file, "Token of DuckDNS (www.duckdns.org shows it)").await?;
    check_token(DUCKDNS_TOKEN.name, &token)?;
    if settings.dry_run {
        record.choose(|chosen| chosen.home = Some(name.clone()))?;
        return Ok((
            Outcome::Skipped(format!("the token would be proven by an update of {name}")),
            token,
            Place::default(),
        ));
    }
    let until = Instant::now() + WITHIN;
    let wrong = |why: NotTaken| {
        let next = match why {
            NotTaken::Refused | NotTaken::Odd(_) => "check --home and the token",
            NotTaken::Failing(_) => "run this again once it is well, it goes on from here",
            NotTaken::Unreached(_) => {
                "see whether this machine has a network, over IPv4, too, which is what DuckDNS sees"
            }
        };
        anyhow!("{name}: {why}: {next}")
    };
    // Who sits elsewhere must not lead the name there: it is given what it has.
    if let Some(holds) = held(&settings.duckdns_url, &name).await {
        tried(&settings.duckdns_url, &name, &token, holds, until).await.map_err(wrong)?;
        record.choose(|chosen| chosen.home = Some(name.clone()))?;
        return Ok((
            Outcome::Already(format!("the token is right; {name} is {holds}")),
            token,
            Place { seen: None, home: Some(holds.into()) },
        ));
    }
    let is_known = record.chosen().home.as_ref() == Some(&name);
    let addresses = prove(&settings.duckdns_url, &name, &token, until).await.map_err(wrong)?;
    record.choose(|chosen| chosen.home = Some(name.clone()))?;
    let seen = addresses.iter().copied().find(IpAddr::is_ipv4);
    let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    let said = format!("the token is right; {name} is {}", addresses.join(" and "));
    Ok((if is_known { Outcome::Already(said) } else { Outcome::Done(said) }, token, Place { seen, home: seen }))
}

/// The address that a name of DuckDNS's own has in public DNS.
async fn held(duckdns: &Url, name: &SubName) -> Option<Ipv4Addr> {
    if !duckdns.host_str().is_some_and(|host| host.ends_with("duckdns.org")) {
        return None;
    }
    let found = timeout(LOOKUP, lookup_host((name.full(), 0))).await.ok()?.ok()?;
    let found: Vec<_> = found.collect();
    found.iter().find_map(|address| match address.ip() {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    })
}

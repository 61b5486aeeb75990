//! What the chain is to be, by the settings: typed, with a sentence for each value that is none (pure but for files of secrets).

mod reader;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use home_beacon::{
    beacon::PUBLIC_PORT,
    dns::{SubName, check_token},
};
use lambda_prober::target::{KeyNames, Target, Targets};
use shared::{
    id::{ComponentId, MetricId, PageId},
    keeper_token::{self, keeper_address},
    proof::Key,
    secret::Secret,
    settings::{WebAddresses, api_address, base_address, listen_address},
    statuspage::STATUSPAGE_IO,
};
use url::Url;

use self::reader::Reader;
use super::{given::Given, words::has_address};

/// What the settings name. What is not set, or is wrong, is absent.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where the world finds the home: the first of its addresses.
    pub home: Option<Url>,
    /// All of its addresses.
    pub addresses: Option<WebAddresses>,
    /// The page.
    pub page: Option<PageId>,
    /// Its component.
    pub component: Option<ComponentId>,
    /// Where the home's own keys are in Parameter Store, where it has some.
    pub keys: Option<KeyNames>,
    /// How many homes `TARGETS` names, where nothing says which of them is this one; else 0.
    pub several: usize,
    /// The metrics that somebody sends points to, each with the setting that names it.
    pub metrics: Vec<(&'static str, MetricId)>,
    /// The page's API.
    pub api: Url,
    /// Its token.
    pub token: Option<Secret>,
    /// The home's key.
    pub key: Option<Key>,
    /// The name at `DuckDNS`.
    pub duckdns: Option<SubName>,
    /// The token there.
    pub duckdns_token: Option<Secret>,
    /// Where `DuckDNS` is.
    pub duckdns_url: Url,
    /// Name servers of the world.
    pub public_dns: Vec<SocketAddr>,
    /// Who tells which address the world sees.
    pub address_sources: Vec<Url>,
    /// Where the beacon listens, as this machine finds it.
    pub beacon: SocketAddr,
    /// Whether it was said that there is a beacon here.
    pub has_beacon: bool,
    /// Where the router sends what arrives, where that is said.
    pub lan: Option<SocketAddr>,
    /// The keeper.
    pub keeper: Option<Url>,
    /// Its token.
    pub keeper_token: Option<Secret>,
    /// Where this home's heartbeats go.
    pub heartbeat_url: Option<Secret>,
    /// How many channels people are written to over.
    pub channels: usize,
}

impl Wanted {
    /// Reads it all, and notes what is wrong in `given`.
    pub fn of(given: &mut Given) -> Self {
        let mut read = Reader { given };
        let token = read.given.secret("STATUSPAGE_TOKEN").or_else(|| read.given.secret("TOKEN"));
        // Of `dns`, in an environment that programs share.
        let is_of_duckdns = |token: &Secret| check_token("TOKEN", token).is_ok();
        let duckdns_token = read.given.secret("DUCKDNS_TOKEN").or_else(|| token.clone().filter(is_of_duckdns));
        let token = token.filter(|token| !is_of_duckdns(token));
        let api = read.value("STATUSPAGE_URL", api_address).unwrap_or_else(|| known(STATUSPAGE_IO));
        if let Some(token) = &token
            && let Err(error) = keeper_token::stays_home(token, api.as_str())
        {
            read.wrong("STATUSPAGE_TOKEN", format!("STATUSPAGE_TOKEN: {error}"));
        }
        if let Some(token) = &duckdns_token
            && let Err(error) = check_token("DUCKDNS_TOKEN", token)
        {
            read.wrong("DUCKDNS_TOKEN", error.to_string());
        }
        let key = read.given.secret("BEACON_KEY").and_then(|key| match key.expose().parse::<Key>() {
            Ok(key) => Some(key),
            Err(error) => {
                read.wrong("BEACON_KEY", format!("BEACON_KEY: {error}"));
                None
            }
        });
        let metric = |read: &mut Reader, name: &'static str| read.parsed::<MetricId>(name).map(|id| (name, id));
        let names = ["METRIC_ID_RESPONSE", "METRIC_ID", "METRIC_ID_LOSS", "METRIC_ID_JITTER", "METRIC_ID_UPLOAD"];
        let metrics = names.into_iter().filter_map(|name| metric(&mut read, name)).collect();
        let (mut addresses, mut page, mut component) =
            (read.parsed::<WebAddresses>("CANARY_URL"), read.parsed("PAGE_ID"), read.parsed("COMPONENT_ID"));
        let (mut keys, mut several) = (None, 0);
        if let Some(targets) = read.parsed::<Targets>("TARGETS") {
            match this_home(&targets, component.as_ref(), addresses.as_ref()).cloned() {
                Some(this) => {
                    (addresses, page, component) = (Some(this.home.addresses), Some(this.page), Some(this.component));
                    keys = this.home.keys;
                }
                None => several = targets.iter().count(),
            }
        }
        let home = addresses.as_ref().map(|all| all.first().clone());
        let host = home.as_ref().and_then(Url::host_str).unwrap_or_default().to_owned();
        let duckdns = read.list::<SubName>("DOMAIN").into_iter().next().or_else(|| {
            host.to_ascii_lowercase().trim_end_matches('.').ends_with(".duckdns.org").then(|| host.parse().ok())?
        });
        let has_beacon = read.given.text("PUBLIC_ADDR").is_some();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, PUBLIC_PORT));
        let listens = read.value("PUBLIC_ADDR", listen_address).unwrap_or(any);
        let internal = read.parsed::<u16>("PORT_INTERNAL").unwrap_or(listens.port());
        let lan = read.parsed::<IpAddr>("PORT_TO").map(|to| SocketAddr::new(to, internal));
        let keeper = read.value("KEEPER_URL", keeper_address);
        let keeper_token = read.given.secret("KEEPER_TOKEN");
        let heartbeat_url = read.given.secret("HEARTBEAT_URL");
        let channels = read.given.secret("NOTIFY_URLS").map_or(0, |urls| channels(urls.expose()));
        Self {
            home,
            addresses,
            page,
            component,
            keys,
            several,
            metrics,
            api,
            token,
            key,
            duckdns,
            duckdns_token,
            duckdns_url: read.value("DUCKDNS_URL", base_address).unwrap_or_else(|| known("https://www.duckdns.org")),
            public_dns: read.servers(),
            address_sources: read.sources(),
            beacon: reachable(listens),
            has_beacon,
            lan,
            keeper,
            keeper_token,
            heartbeat_url,
            channels,
        }
    }
}

/// The target that is this home: the one with that component, or at that address, or the only one. To take any other would be to
/// look at another person's home.
pub fn this_home<'a>(
    targets: &'a Targets,
    component: Option<&ComponentId>,
    home: Option<&WebAddresses>,
) -> Option<&'a Target> {
    let mut all = targets.iter();
    if let Some(component) = component {
        return all.find(|target| target.component == *component);
    }
    if let Some(home) = home {
        let is_there = |target: &Target| target.home.addresses.iter().any(|one| has_address(&home.to_string(), one));
        return all.find(|target| is_there(target));
    }
    let first = all.next();
    first.filter(|_| all.next().is_none())
}

/// Where a server on all addresses can be reached from its own machine.
fn reachable(mut server: SocketAddr) -> SocketAddr {
    if server.ip().is_unspecified() {
        server.set_ip(if server.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    server
}

fn channels(text: &str) -> usize {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).count()
}

fn known(address: &str) -> Url {
    address.parse().unwrap_or_else(|_| unreachable!("it is an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(set: &[(&str, &str)]) -> (Wanted, Vec<String>) {
        let mut given = Given::default();
        for (name, text) in set {
            given.set(name, text, "prober.env");
        }
        let wanted = Wanted::of(&mut given);
        (wanted, given.wrong.into_iter().map(|wrong| wrong.sentence).collect())
    }

    #[test]
    fn what_is_set_is_what_the_chain_is_to_be() {
        let (wanted, wrong) = wanted(&[
            ("CANARY_URL", "http://myhome.duckdns.org:30008"),
            ("PAGE_ID", "gytm4qzbx9t6"),
            ("COMPONENT_ID", "8kbf7d35c070"),
            ("TOKEN", "token-of-a-page"),
            ("DUCKDNS_TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"),
            ("PUBLIC_ADDR", "0.0.0.0:8081"),
            ("PORT_TO", "192.168.1.7"),
            ("NOTIFY_URLS", "# mine\nntfy://ntfy.sh/topic\n"),
        ]);
        assert_eq!(wrong, [""; 0]);
        assert_eq!(wanted.duckdns.unwrap().as_str(), "myhome", "the address is a name of DuckDNS's");
        assert_eq!((wanted.beacon, wanted.lan), ("127.0.0.1:8081".parse().unwrap(), "192.168.1.7:8081".parse().ok()));
        assert_eq!((wanted.token.unwrap().expose(), wanted.channels), ("token-of-a-page", 1));
        assert_eq!(wanted.api.as_str().trim_end_matches('/'), STATUSPAGE_IO);
    }

    #[test]
    fn of_several_homes_the_one_that_is_named_is_meant_and_else_none() {
        let target = |host: &str, id: &str, more: &str| {
            format!(r#"{{"url":"http://{host}","page_id":"gytm4qzbx9t6","component_id":"{id}"{more}}}"#)
        };
        let own = target("mine.example", "8kbf7d35c071", r#","key_parameter":"/k/mine""#);
        let both = format!("[{},{own}]", target("theirs.example", "8kbf7d35c070", ""));
        let host = |wanted: &Wanted| wanted.home.as_ref().map(|url| url.host_str().unwrap().to_owned());
        let (by_id, _) = wanted(&[("TARGETS", &both), ("COMPONENT_ID", "8kbf7d35c071")]);
        assert_eq!(host(&by_id).as_deref(), Some("mine.example"));
        assert_eq!(by_id.keys.unwrap().current.as_str(), "/k/mine");
        let (by_address, _) = wanted(&[("TARGETS", &both), ("CANARY_URL", "http://MINE.example/")]);
        assert_eq!(by_address.component.unwrap().as_str(), "8kbf7d35c071");
        let (unknown, wrong) = wanted(&[("TARGETS", &both)]);
        assert_eq!((host(&unknown), unknown.several, wrong.len()), (None, 2, 0));
        let (only, _) = wanted(&[("TARGETS", &format!("[{own}]"))]);
        assert_eq!((host(&only).as_deref(), only.several), (Some("mine.example"), 0));
    }

    #[test]
    fn a_value_that_is_none_is_named_with_where_it_stands_and_no_secret_is_repeated() {
        let (_, wrong) = wanted(&[
            ("PAGE_ID", "My Page"),
            ("CANARY_URL", "myhome"),
            ("BEACON_KEY", "hunter2"),
            ("DUCKDNS_TOKEN", "hunter3"),
            ("DOMAIN", "home.duckdns.org.duckdns.org"),
        ]);
        let all = wrong.join("\n");
        for part in [
            "PAGE_ID is `My Page` in prober.env: an id is 12",
            "CANARY_URL is `myhome`",
            "BEACON_KEY: a key is 43",
            "DOMAIN is ",
        ] {
            assert!(all.contains(part), "{part}: {all}");
        }
        assert!(!all.contains("hunter"), "{all}");
        assert_eq!(wrong.len(), 5, "{all}");
    }

    #[test]
    fn a_token_of_duckdns_is_never_taken_for_the_pages() {
        let (wanted, _) = wanted(&[("TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2")]);
        assert!(wanted.token.is_none() && wanted.duckdns_token.is_some());
    }
}

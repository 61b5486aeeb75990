//! What the chain is to be, by the settings: typed, with a sentence for each value that is none (pure but for files of secrets).

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

use home_beacon::{
    beacon::PUBLIC_PORT,
    dns::{ADDRESS_SOURCES, SubName, check_token},
};
use lambda_prober::target::Targets;
use shared::{
    id::{ComponentId, MetricId, PageId},
    keeper_token::{self, keeper_address},
    proof::Key,
    secret::Secret,
    settings::{api_address, base_address, listen_address, web_address},
    statuspage::STATUSPAGE_IO,
};
use url::Url;

use super::given::Given;

/// The public name servers that are asked where none are named.
const PUBLIC_DNS: &str = "1.1.1.1,8.8.8.8,9.9.9.9";

/// What the settings name. What is not set, or is wrong, is absent.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where the world finds the home.
    pub home: Option<Url>,
    /// The page.
    pub page: Option<PageId>,
    /// Its component.
    pub component: Option<ComponentId>,
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
            read.wrong(format!("STATUSPAGE_TOKEN: {error}"));
        }
        if let Some(token) = &duckdns_token
            && let Err(error) = check_token("DUCKDNS_TOKEN", token)
        {
            read.wrong(error.to_string());
        }
        let key = read.given.secret("BEACON_KEY").and_then(|key| match key.expose().parse::<Key>() {
            Ok(key) => Some(key),
            Err(error) => {
                read.wrong(format!("BEACON_KEY: {error}"));
                None
            }
        });
        let metric = |read: &mut Reader, name: &'static str| read.parsed::<MetricId>(name).map(|id| (name, id));
        let names = ["METRIC_ID_RESPONSE", "METRIC_ID", "METRIC_ID_LOSS", "METRIC_ID_JITTER", "METRIC_ID_UPLOAD"];
        let metrics = names.into_iter().filter_map(|name| metric(&mut read, name)).collect();
        let (mut home, mut page, mut component) =
            (read.value("CANARY_URL", web_address), read.parsed("PAGE_ID"), read.parsed("COMPONENT_ID"));
        if let Some(first) = read.parsed::<Targets>("TARGETS").and_then(|targets| targets.iter().next().cloned()) {
            (home, page, component) = (Some(first.home.url), Some(first.page), Some(first.component));
        }
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
        let channels = read.given.secret("NOTIFY_URLS").map_or(0, |urls| channels(urls.expose()));
        Self {
            home,
            page,
            component,
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
            channels,
        }
    }
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

struct Reader<'given> {
    given: &'given mut Given,
}

impl Reader<'_> {
    fn wrong(&mut self, sentence: String) {
        self.given.wrong.push(sentence);
    }

    fn value<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.given.text(name)?.trim().to_owned();
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let (shown, origin) = (shared::settings::without_credentials(&text), self.given.origin(name));
                let sentence = format!("{name} is `{}` in {origin}: {error}", shown.escape_debug());
                self.wrong(sentence);
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        self.value(name, |text| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    fn list<T: FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Vec<T> {
        let all = self.value(name, |text| {
            text.split(',').map(|part| part.trim().parse().map_err(|error: T::Err| error.to_string())).collect()
        });
        all.unwrap_or_default()
    }

    fn servers(&mut self) -> Vec<SocketAddr> {
        let server = |text: &str| {
            let text = text.trim();
            let bare = text.parse::<IpAddr>().map(|address| SocketAddr::new(address, 53));
            bare.or_else(|_| text.parse())
                .map_err(|_| "a name server is an address, like 1.1.1.1 or 1.1.1.1:53".to_owned())
        };
        let all = |text: &str| text.split(',').map(server).collect::<Result<Vec<_>, _>>();
        self.value("PUBLIC_DNS", all).or_else(|| all(PUBLIC_DNS).ok()).unwrap_or_default()
    }

    fn sources(&mut self) -> Vec<Url> {
        let all = |text: &str| text.split(',').map(|part| web_address(part.trim())).collect::<Result<Vec<_>, _>>();
        self.value("ADDRESS_SOURCES", all).or_else(|| all(ADDRESS_SOURCES).ok()).unwrap_or_default()
    }
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
        (wanted, given.wrong)
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

//! One examination: everything is looked at, at once where nothing depends on the other, and each link judged.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
};

use home_beacon::node::sensors::Wear;
use jiff::Timestamp;
use serde_json::Value;
use shared::{
    secret::Secret,
    settings::{WebAddresses, api_address},
    statuspage::STATUSPAGE_IO,
};
use url::Url;

use super::{
    answers::answers,
    checks::{
        self,
        address::PublicSeen,
        beacon::{Hop, Lan},
        cluster::node,
        homes::Whose,
        parameters::Names,
    },
    conclude::conclude,
    finding::Finding,
    given::Given,
    judge::judge,
    look::{
        api::{self, KeeperSeen, PageSeen},
        aws::{self, AwsSeen},
        hops::hop,
        kubernetes, machine, names, router,
    },
    progress::Progress,
    reply::Reply,
    settings::DoctorSettings,
    until::Until,
    wanted::Wanted,
};

/// A name that is public, where the settings name none.
const PUBLIC_NAME: &str = "duckdns.org";

/// What came of it.
#[derive(Debug)]
pub struct Examination {
    /// Each link, in order.
    pub findings: Vec<Finding>,
    /// What others answered, for the bundle; secrets are in it, and are taken out there.
    pub answers: Vec<(&'static str, Value)>,
    /// The secrets that were met.
    pub secrets: Vec<Secret>,
}

/// All that was seen.
pub(super) struct Seen {
    pub(super) clock: checks::machine::ClockSeen,
    pub(super) servers: Vec<checks::names::ServerSeen>,
    pub(super) domains: Vec<checks::names::DomainSeen>,
    pub(super) own: Result<IpAddr, String>,
    pub(super) public: Vec<(String, Vec<checks::address::PublicSeen>)>,
    pub(super) duckdns: Reply,
    pub(super) router: router::Seen,
    pub(super) beacon: Hop,
    pub(super) cluster: Reply,
    pub(super) lan: (Option<Lan>, Hop),
    pub(super) inside: Hop,
    pub(super) aws: AwsSeen,
    pub(super) page: PageSeen,
    pub(super) keeper: KeeperSeen,
    pub(super) disk: Option<checks::machine::DiskSeen>,
    pub(super) wear: Vec<Wear>,
}

/// Looks at everything.
pub async fn examine(settings: &DoctorSettings, mut given: Given) -> Examination {
    let wanted = Wanted::of(&mut given);
    let seen = Box::pin(look(settings, &given, &wanted)).await;
    let findings = conclude(judge(settings, &given, &wanted, &seen), |name| given.is_wrong(name));
    Examination { findings, secrets: secrets(&wanted, &seen.aws), answers: answers(&seen, &settings.function) }
}

async fn look(settings: &DoctorSettings, given: &Given, wanted: &Wanted) -> Seen {
    let (progress, until) = (Progress::new(), Until::from_now());
    let host = wanted.home.as_ref().and_then(Url::domain).map(|name| name.trim_end_matches('.'));
    let unknown_name = format!("porchlight-{:x}", Timestamp::now().as_nanosecond());
    let asked_name = host.filter(|name| name.contains('.')).unwrap_or(PUBLIC_NAME);
    let clocks: Vec<Url> = [&wanted.api].into_iter().chain(&wanted.address_sources).cloned().collect();
    let of_router =
        async { if settings.no_router { not_asked_router("--no-router") } else { router::ask(given, until).await } };
    let beacon_url = address(wanted.beacon);
    let keeper = async {
        match &wanted.keeper {
            Some(url) => api::keeper(url, wanted.keeper_token.as_ref(), until).await,
            None => KeeperSeen::not_asked("no keeper is named: KEEPER_URL is not set"),
        }
    };
    let (clock, servers, domains, world, router, beacon, home, inside, cloud, keeper, disk) = tokio::join!(
        progress.during("the clock", machine::clock(&clocks, until)),
        progress.during("name servers", names::servers(asked_name, until)),
        progress.during("search domains", names::domains(&unknown_name, until)),
        progress.during("the address", of_world(wanted, until)),
        progress.during("the router", of_router),
        progress.during("the beacon", hop(&beacon_url, wanted.key.as_ref(), until)),
        progress.during("the home network", of_home(settings, wanted, until)),
        progress.during("the public name", of_inside(wanted, until)),
        progress.during("AWS and the page", of_cloud(settings, given, wanted, until)),
        progress.during("the keeper", keeper),
        progress.during("the disk", machine::disk(given, until)),
    );
    let ((own, public, duckdns), (cluster, lan), (aws, page)) = (world, home, cloud);
    let wear = machine::sensors(Path::new(given.text("SYS_DIR").unwrap_or("/sys"))).wear;
    Seen {
        clock,
        servers,
        domains,
        own,
        public,
        duckdns,
        router,
        beacon,
        cluster,
        lan,
        inside,
        aws,
        page,
        keeper,
        disk,
        wear,
    }
}

/// The address that the world sees, what it is told of the home's name, and what `DuckDNS` says of the token.
async fn of_world(wanted: &Wanted, until: Until) -> (Result<IpAddr, String>, Vec<(String, Vec<PublicSeen>)>, Reply) {
    let addresses = wanted.addresses.iter().flat_map(WebAddresses::iter);
    let hosts = addresses.filter_map(Url::domain).map(|name| name.trim_end_matches('.').to_owned());
    let public = futures_util::future::join_all(hosts.map(|host| async {
        let seen = names::public(&wanted.public_dns, &host, until).await;
        (host, seen)
    }));
    let (own, public) = tokio::join!(names::own(&wanted.address_sources, until), public);
    let duckdns = match &wanted.duckdns {
        Some(name) => {
            let (url, token, own) = (&wanted.duckdns_url, wanted.duckdns_token.as_ref(), own.as_ref().ok().copied());
            names::duckdns(url, name, token, own, &wanted.public_dns, until).await
        }
        None => Reply::NotAsked("the home's name is not at DuckDNS".into()),
    };
    (own, public, duckdns)
}

/// The cluster, and the beacon as the router finds it.
async fn of_home(settings: &DoctorSettings, wanted: &Wanted, until: Until) -> (Reply, (Option<Lan>, Hop)) {
    let cluster = if settings.no_kubectl {
        Reply::NotAsked("--no-kubectl".into())
    } else {
        kubernetes::objects(settings.namespace.as_deref(), until).await
    };
    let lan = node(&cluster).or(wanted.lan).or_else(|| {
        let listens = wanted.beacon.ip();
        let ip = if listens.is_loopback() { router::at_home()? } else { listens };
        Some((ip, wanted.beacon.port()).into())
    });
    let hop = match lan {
        Some(at) => hop(&address(at), wanted.key.as_ref(), until).await,
        None => Hop::NotAsked,
    };
    (cluster, (lan.map(|at| Lan { at, is_own: router::is_own(at.ip()) }), hop))
}

/// The home by its public name, from here.
async fn of_inside(wanted: &Wanted, until: Until) -> Hop {
    match &wanted.home {
        Some(url) => hop(url, wanted.key.as_ref(), until).await,
        None => Hop::NotAsked,
    }
}

/// AWS, and the page: at once, unless only AWS knows its token.
async fn of_cloud(settings: &DoctorSettings, given: &Given, wanted: &Wanted, until: Until) -> (AwsSeen, PageSeen) {
    let names = Names::of(|name| given.text(name), wanted.keys.as_ref());
    let whose = Whose::of(wanted);
    let region = given.region.as_deref();
    let why_not = why_no_cloud(settings, given, wanted);
    let aws = async |until: Until| match why_not {
        Some(why) => AwsSeen::not_asked(why, names),
        None => Box::pin(aws::ask(&settings.function, region, whose, names, until)).await,
    };
    // It has a time of its own: nothing else waits for it.
    let probe = async |seen: &AwsSeen| {
        let is_run = settings.probe && why_not.is_none();
        if is_run { aws::probe(seen, &settings.function, region, whose, until).await } else { seen.probe.clone() }
    };
    if let Some(token) = &wanted.token {
        let needs_metrics = !wanted.metrics.is_empty();
        let page = api::page(&wanted.api, token, wanted.page.as_ref(), needs_metrics, until);
        let aws = async {
            let seen = aws(until).await;
            AwsSeen { probe: probe(&seen).await, ..seen }
        };
        return tokio::join!(aws, page);
    }
    let aws = aws(until.leaving(aws::REST)).await;
    let (page, probe) = tokio::join!(of_page(wanted, &aws, until), probe(&aws));
    (AwsSeen { probe, ..aws }, page)
}

fn not_asked_router(why: &str) -> router::Seen {
    router::Seen { outside: None, is_asked: false, port: checks::beacon::RouterSeen::NotAsked(why.into()) }
}

/// Why AWS is not asked.
fn why_no_cloud(settings: &DoctorSettings, given: &Given, wanted: &Wanted) -> Option<&'static str> {
    if settings.no_aws {
        return Some("--no-aws");
    }
    // Its prober is an outside machine, or none.
    (given.folder.is_some() && wanted.page.is_none())
        .then_some("this home is one of porchlight up, and names no page elsewhere")
}

/// Asks the page's API with the token that the function has, at the function's own address.
async fn of_page(wanted: &Wanted, aws: &AwsSeen, until: Until) -> PageSeen {
    let needs_metrics = !wanted.metrics.is_empty();
    let Some(token) = checks::parameters::parameter(&aws.parameters, &aws.names.token) else {
        return PageSeen::not_asked("no token of a page is known here");
    };
    let theirs = aws.function.value()["Environment"]["Variables"]["STATUSPAGE_URL"].as_str().unwrap_or(STATUSPAGE_IO);
    match api_address(theirs) {
        Ok(base) => api::page(&base, &Secret::new(token.trim()), wanted.page.as_ref(), needs_metrics, until).await,
        Err(_) => PageSeen::not_asked("the function's STATUSPAGE_URL is no address"),
    }
}

fn address(at: SocketAddr) -> Url {
    format!("http://{at}/").parse().unwrap_or_else(|_| unreachable!("it is an address"))
}

fn secrets(wanted: &Wanted, aws: &AwsSeen) -> Vec<Secret> {
    let parameters = aws.parameters.value()["Parameters"].as_array().cloned().unwrap_or_default();
    let stored = parameters.iter().filter_map(|it| it["Value"].as_str().map(Secret::new));
    let set = [&wanted.token, &wanted.duckdns_token, &wanted.keeper_token, &wanted.heartbeat_url]
        .into_iter()
        .flatten()
        .cloned();
    let key = wanted.key.iter().map(|key| Secret::new(key.expose()));
    stored.chain(set).chain(key).collect()
}

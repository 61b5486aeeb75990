//! A chain that is well, in a network of its own: a real beacon and a real keeper (which is the page, too), an emulated DuckDNS with
//! name servers of the world, sources of the address, and a router that leads the world to the beacon.

use std::net::Ipv4Addr;

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::json;
use shared::proof::Key;
use tests::{
    address_source::{Manner as Said, Source},
    beacon::Beacon,
    duckdns::{self, Duckdns, Held},
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    name_server::{Manner as Answers, NameServer},
    namespace::Namespace,
    process::{Process, file, ours, run},
    router::{Manner, Router},
    skip::skip,
};

use crate::{
    answers,
    variant::{LIMIT, Variant},
};

/// The home's address, as the world sees it.
pub(crate) const OUTSIDE: Ipv4Addr = Ipv4Addr::new(81, 2, 69, 142);

/// What the name servers of this machine give every name.
const BEACON: &str = "127.0.0.1:30008";

const ROUTER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 77);

pub(crate) struct World {
    pub(crate) namespace: Namespace,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) beacon: Option<Beacon>,
    pub(crate) keeper: Keeper,
    pub(crate) duckdns: Duckdns,
    pub(crate) public: [NameServer; 2],
    pub(crate) router: Router,
    pub(crate) key: String,
    /// The metric of the response time.
    pub(crate) metric: String,
    sources: [Source; 2],
    _names: Process,
}

impl World {
    /// `None`, and a skip, where no network can be made.
    pub(crate) async fn new(purpose: &str) -> Option<Self> {
        let Some(namespace) = Namespace::new(purpose).await else {
            skip(purpose, "a network of one's own takes root, ip and nft");
            return None;
        };
        let names = namespace.name_server().await;
        namespace.enter();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let key = Key::new([7; 32]).expose();
        let beacon = Beacon::with_key(BEACON, &key).await;
        let keeper = Keeper::start().await;
        let duckdns = Duckdns::open(Some(OUTSIDE)).await;
        duckdns.zone.set("home", Held { ipv4: Some(OUTSIDE), ipv6: None });
        let public = [
            NameServer::open(&duckdns.zone, Answers::Live).await,
            NameServer::open(&duckdns.zone, Answers::Live).await,
        ];
        let sources = [Source::open(Said::Bare(OUTSIDE.into())).await, Source::open(Said::Line(OUTSIDE.into())).await];
        let router = Router::at(ROUTER, Manner::UPNP).await;
        let metric = keeper.metric("Response").await;
        let world = Self {
            namespace,
            folder,
            beacon: Some(beacon),
            keeper,
            duckdns,
            public,
            router,
            key,
            metric,
            sources,
            _names: names,
        };
        world.measured().await;
        world.port_opened().await;
        Some(world)
    }

    /// What a minute leaves behind: a look, a point, a ping.
    async fn measured(&self) {
        self.keeper.set_status("operational").await;
        self.keeper.looked(COMPONENT, "up", None).await;
        let now = Timestamp::now();
        let point = json!({"data": {"timestamp": now.as_second() - 30, "value": 41.5}});
        self.keeper.ok(Method::POST, &format!("/pages/{PAGE}/metrics/{}/data", self.metric), Some(point)).await;
        let at = (now - SignedDuration::from_secs(20)).to_string();
        let readings = json!({"readings": [{"metric": "ping", "at": at, "value": 12.5, "loss": 0.0}]});
        let (status, answer) = self.keeper.own(Method::POST, "/readings", Some(readings)).await;
        assert_eq!(status, 201, "{answer}");
    }

    /// Has `porchlight port` open the port.
    async fn port_opened(&self) {
        let mut open = ours("porchlight");
        open.args(["port", "open", "--protocol", "upnp", "--internal", "30008", "--to", "127.0.0.1", "--router"]);
        open.arg(ROUTER.to_string())
            .env("STATE_DIR", self.port_folder())
            .env("ADDRESS_SOURCES", self.address_sources());
        let ended = run(self.namespace.inside(&open), LIMIT).await;
        assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    }

    pub(crate) fn port_folder(&self) -> String {
        self.folder.path().join("port").display().to_string()
    }

    pub(crate) fn address_sources(&self) -> String {
        self.sources.each_ref().map(Source::url).join(",")
    }

    pub(crate) fn home() -> &'static str {
        "http://home.duckdns.org:30008"
    }

    /// What AWS answers in this world.
    pub(crate) fn aws(&self) -> Vec<(&'static str, serde_json::Value)> {
        answers::healthy((Self::home(), &self.keeper.api(), &self.metric), TOKEN, &self.key)
    }

    /// The settings of this world, to be broken.
    pub(crate) fn variant(&self, name: &str) -> Variant {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut variant = Variant::new(&folder);
        let public = self.public.each_ref().map(|server| server.address.to_string()).join(",");
        for (name, value) in [
            ("CANARY_URL", Self::home().to_owned()),
            ("PAGE_ID", PAGE.to_owned()),
            ("COMPONENT_ID", COMPONENT.to_owned()),
            ("METRIC_ID_RESPONSE", self.metric.clone()),
            ("STATUSPAGE_URL", self.keeper.api()),
            ("STATUSPAGE_TOKEN", TOKEN.to_owned()),
            ("BEACON_KEY_FILE", file(&folder, "beacon.key", &self.key)),
            ("KEEPER_URL", self.keeper.url.clone()),
            ("KEEPER_TOKEN", TOKEN.to_owned()),
            ("DATABASE_URL", format!("sqlite:{}", self.keeper.folder.path().join("keeper.db").display())),
            ("DUCKDNS_TOKEN", duckdns::TOKEN.to_owned()),
            ("DUCKDNS_URL", self.duckdns.url()),
            ("PUBLIC_DNS", public),
            ("ADDRESS_SOURCES", self.address_sources()),
            ("PUBLIC_ADDR", BEACON.to_owned()),
            ("PORT_TO", "127.0.0.1".to_owned()),
            ("ROUTER", ROUTER.to_string()),
            ("STATE_DIR", self.port_folder()),
            ("SYS_DIR", folder.join("sys").display().to_string()),
        ] {
            variant.set(name, &value);
        }
        for (call, answer) in self.aws() {
            variant.aws(call, &answer);
        }
        variant
    }
}

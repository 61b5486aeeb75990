//! A home, its router, its provider and the world, each a network of its own; each link is cut in turn.

use std::time::Duration;

use serde_json::Value;
use tests::{
    namespace::Namespace,
    process::{command, run},
    router::{Manner, Router},
    skip::{program, skip},
};

use crate::world::{dry, run_job};

pub(crate) const WORLD: &str = "203.0.113.53";

pub(crate) struct Way {
    pub(crate) home: Namespace,
    pub(crate) router: Namespace,
    pub(crate) provider: Namespace,
    pub(crate) world: Namespace,
}

impl Way {
    pub(crate) async fn new(purpose: &str) -> Option<Self> {
        let place = async |of: &str| Namespace::new(&format!("{purpose}{of}")).await;
        let way = Self {
            home: place("h").await?,
            router: place("r").await?,
            provider: place("p").await?,
            world: place("w").await?,
        };
        let addresses = [
            ("192.168.7.2/24", "192.168.7.1/24"),
            ("100.64.0.2/24", "100.64.0.1/24"),
            ("198.51.100.1/24", "198.51.100.2/24"),
        ];
        let links = [(&way.home, &way.router), (&way.router, &way.provider), (&way.provider, &way.world)];
        for ((near, far), (near_address, far_address)) in links.into_iter().zip(addresses) {
            let mut add = command(program("ip").expect("it was there"));
            add.args([
                "link",
                "add",
                "out",
                "netns",
                near.name(),
                "type",
                "veth",
                "peer",
                "name",
                "in",
                "netns",
                far.name(),
            ]);
            assert_eq!(run(add, Duration::from_secs(10)).await.code, Some(0));
            near.run(&["ip", "address", "add", near_address, "dev", "out"]).await;
            far.run(&["ip", "address", "add", far_address, "dev", "in"]).await;
            near.run(&["ip", "link", "set", "out", "up"]).await;
            far.run(&["ip", "link", "set", "in", "up"]).await;
            let gateway = far_address.split('/').next().unwrap_or_default();
            near.run(&["ip", "route", "add", "default", "via", gateway]).await;
        }
        for (place, back) in [(&way.provider, "100.64.0.2"), (&way.world, "198.51.100.1")] {
            place.run(&["ip", "route", "add", "192.168.7.0/24", "via", back]).await;
        }
        way.world.run(&["ip", "route", "add", "100.64.0.0/24", "via", "198.51.100.1"]).await;
        way.world.run(&["ip", "address", "add", &format!("{WORLD}/32"), "dev", "lo"]).await;
        for place in [&way.router, &way.provider, &way.world] {
            place.run(&["sysctl", "-qw", "net.ipv4.ip_forward=1"]).await;
        }
        way.home.resolv_conf(&format!("nameserver {WORLD}\n"));
        Some(way)
    }

    /// What a run measures: the series and whether it was answered.
    async fn measured(&self, folder: &std::path::Path) -> Vec<(String, bool)> {
        let mut ours = dry(WORLD);
        ours.args(["--count", "2", "--router-host", "gateway", "--other-name-server", "198.51.100.2"]);
        ours.args(["--checked-name", "home.example.test"]).arg("--state-dir").arg(folder);
        let (_, output) = run_job(self.home.inside(&ours)).await;
        let readings = output["readings"].as_array().cloned().unwrap_or_default();
        let shown = |reading: &Value| {
            let metric = reading["metric"].as_str().unwrap_or_default().to_owned();
            (metric, reading["failure"].is_null())
        };
        readings.iter().map(shown).collect()
    }
}

fn all(list: &[(&str, bool)]) -> Vec<(String, bool)> {
    list.iter().map(|(name, answered)| ((*name).to_owned(), *answered)).collect()
}

#[tokio::test]
async fn where_the_way_ends_is_where_the_first_of_its_hops_says_nothing() {
    let test = "where_the_way_ends";
    let Some(way) = Way::new("way").await else { return skip(test, "it takes root, ip and nft") };
    let _names = way.world.scripted_names(WORLD).await;
    let _others = way.world.scripted_names("198.51.100.2").await;
    let folder = tempfile::tempdir().expect("a folder");
    let well = [
        ("ping", true),
        ("router", true),
        ("far", true),
        ("names", true),
        ("names_outside", true),
        ("first_hop", true),
    ];
    assert_eq!(way.measured(folder.path()).await, all(&well));
    let remembered = std::fs::read_to_string(folder.path().join("way.json")).expect("it is remembered");
    assert!(remembered.contains("100.64.0.1") && remembered.contains("\"hops\": 2"), "{remembered}");
    let cut = async |place: &Namespace, link: &str| place.run(&["ip", "link", "set", link, "down"]).await;
    let mend = async |place: &Namespace, link: &str| place.run(&["ip", "link", "set", link, "up"]).await;
    // The provider's way on.
    cut(&way.world, "in").await;
    let provider = [
        ("ping", false),
        ("router", true),
        ("far", false),
        ("names", false),
        ("names_outside", false),
        ("first_hop", true),
    ];
    assert_eq!(way.measured(folder.path()).await, all(&provider));
    mend(&way.world, "in").await;
    way.world.run(&["ip", "route", "add", "default", "via", "198.51.100.1"]).await;
    // The line.
    cut(&way.provider, "in").await;
    let line = [
        ("ping", false),
        ("router", true),
        ("far", false),
        ("names", false),
        ("names_outside", false),
        ("first_hop", false),
    ];
    assert_eq!(way.measured(folder.path()).await, all(&line));
    mend(&way.provider, "in").await;
    way.provider.run(&["ip", "route", "add", "192.168.7.0/24", "via", "100.64.0.2"]).await;
    // The router: the Pi's cable stays, so there is a gateway that says nothing.
    cut(&way.router, "in").await;
    let router = [
        ("ping", false),
        ("router", false),
        ("far", false),
        ("names", false),
        ("names_outside", false),
        ("first_hop", false),
    ];
    assert_eq!(way.measured(folder.path()).await, all(&router));
}

#[tokio::test]
async fn the_routers_address_outside_is_told_when_it_becomes_another_one() {
    let test = "the_routers_address_outside";
    let Some(way) = Way::new("outside").await else { return skip(test, "it takes root, ip and nft") };
    let _names = way.world.scripted_names(WORLD).await;
    let _others = way.world.scripted_names("198.51.100.2").await;
    let folder = tempfile::tempdir().expect("a folder");
    let speaks = |outside| Manner { outside, ..Manner::NAT_PMP };
    let address = "192.168.7.1";
    let socket = way.router.datagrams((address.parse::<std::net::IpAddr>().expect("an address"), 5351).into());
    let public = Some([81, 2, 69, 142].into());
    let router = Router::over(socket, address.parse().expect("an address"), speaks(public));
    for (outside, reported) in [
        (public, false),
        (public, false),
        // The line is down.
        (None, false),
        (Some([100, 64, 3, 4].into()), true),
        (Some([100, 64, 3, 4].into()), false),
        (public, true),
    ] {
        router.turn(speaks(outside));
        let measured = way.measured(folder.path()).await;
        assert_eq!(measured.contains(&("router_outside".into(), true)), reported, "{outside:?} {measured:?}");
    }
    assert!(router.asked().len() >= 6, "{:?}", router.asked());
    // At first, only what nobody can call is worth a word.
    router.turn(speaks(Some([100, 64, 3, 4].into())));
    let elsewhere = tempfile::tempdir().expect("a folder");
    assert!(way.measured(elsewhere.path()).await.contains(&("router_outside".into(), true)));
}

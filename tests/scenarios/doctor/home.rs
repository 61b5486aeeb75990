//! Worlds in which something is broken at home, and on the way to it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use shared::proof::Key;
use tests::{
    beacon::Beacon,
    disk::Disk,
    duckdns::Held,
    home::{Home, Manner as Stranger},
    name_server::Manner as Answers,
    process::file,
    router::Manner,
    skip::libfaketime,
};

use crate::{
    answers::down,
    variant::{Broken, Variant, each_is_named},
    world::{OUTSIDE, World},
};

#[tokio::test]
async fn wrong_settings_a_wrong_clock_and_names_that_fail_are_named_first_and_alone() {
    let Some(world) = World::new("settings").await else { return };
    let base = |name: &str| {
        let mut variant = world.variant(name);
        variant.arguments("--no-router");
        variant
    };
    let with = |name: &'static str, link, words, change: &dyn Fn(&mut Variant)| -> Broken {
        let mut variant = base(name);
        change(&mut variant);
        (name, link, words, variant)
    };
    let faketime = libfaketime();
    let worlds = vec![
        with("a page id that is a name", "settings", "PAGE_ID is `My page`", &|v| {
            v.set("PAGE_ID", "My page");
        }),
        with("a setting that is misspelt", "settings", "was CANARY_URL meant?", &|v| {
            v.unset("CANARY_URL").set("CANARY_ULR", World::home());
        }),
        with("a key whose file is gone", "settings", "cannot be read", &|v| {
            v.set("BEACON_KEY_FILE", "/nowhere/beacon.key");
        }),
        with("a name with .duckdns.org twice", "settings", "DOMAIN is `home.duckdns.org.duckdns.org`", &|v| {
            v.set("DOMAIN", "home.duckdns.org.duckdns.org");
        }),
        with("a token of DuckDNS with a newline in it", "settings", "DUCKDNS_TOKEN: this is no token", &|v| {
            v.set("DUCKDNS_TOKEN", "hunter2");
        }),
        with("a token that DuckDNS refuses", "duck_dns", "it answers KO", &|v| {
            v.set("DUCKDNS_TOKEN", "00000000-0000-0000-0000-000000000000");
        }),
        with("an image that cannot be fetched", "cluster", "ErrImagePull", &|v| {
            in_a_cluster(v, "ErrImagePull");
        }),
        with("a pod that ends again and again", "cluster", "CrashLoopBackOff", &|v| {
            in_a_cluster(v, "CrashLoopBackOff");
        }),
        with("a Secret that is missing", "cluster", "CreateContainerConfigError", &|v| {
            in_a_cluster(v, "CreateContainerConfigError");
        }),
        with("a beacon that the router cannot reach", "lan", "127.0.0.9:30008 refuses connections", &|v| {
            v.set("PORT_TO", "127.0.0.9");
        }),
        with("flash memory that is worn out", "wear", "mmcblk0 has used 100 %", &|v| {
            let disk = v.folder.join("sys/block/mmcblk0/device");
            std::fs::create_dir_all(&disk).expect("a folder");
            file(&disk, "life_time", "0x0a 0x0a\n");
        }),
    ];
    each_is_named(&world.namespace, worlds).await;
    if let Some(library) = faketime {
        let fast = |v: &mut Variant| {
            v.environment("LD_PRELOAD", &library)
                .environment("FAKETIME", "+3d")
                .environment("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        };
        each_is_named(
            &world.namespace,
            vec![with("a clock that is wrong", "clock", "it is 259200 s ahead of that of", &fast)],
        )
        .await;
    }
    // What everybody in this network shares is broken one after the other.
    let one = async |name: &'static str, link, words| {
        // Nobody gets there, as the function says.
        let gone = |v: &mut Variant| {
            if link == "public_dns" {
                v.aws("logs-filter-log-events", &down("unreachable"));
            }
        };
        each_is_named(&world.namespace, vec![with(name, link, words, &gone)]).await;
    };
    world.duckdns.zone.set("home", Held { ipv4: Some(Ipv4Addr::new(81, 2, 69, 9)), ipv6: None });
    one(
        "a name that leads to an old address",
        "public_dns",
        "leads to 81.2.69.9, and the world sees this machine at 81.2.69.142",
    )
    .await;
    world.duckdns.zone.set("home", Held { ipv4: Some(Ipv4Addr::new(192, 168, 1, 7)), ipv6: None });
    one("a name that leads to a private address", "public_dns", "192.168.1.7, a private address").await;
    world.public.iter().for_each(|server| server.turn(Answers::NoSuchName));
    one("a name that does not exist", "public_dns", "home.duckdns.org does not exist").await;
    world.public.iter().for_each(|server| server.turn(Answers::Live));
    world.duckdns.zone.set("home", Held { ipv4: Some(OUTSIDE), ipv6: None });
    world.namespace.resolv_conf("search lan\nnameserver 127.0.0.53\n");
    one("a search domain that knows every name", "search_domains", "lan has an address for every name").await;
    world.namespace.resolv_conf("nameserver 127.0.0.99\nnameserver 127.0.0.53\n");
    one("a first name server that is dead", "name_servers", "127.0.0.99:53 ").await;
    world.namespace.resolv_conf("# nobody\n");
    one("no name server", "name_servers", "names no server").await;
}

#[tokio::test]
async fn a_beacon_a_router_or_a_disk_that_is_broken_is_named_first_and_alone() {
    let Some(mut world) = World::new("beacon").await else { return };
    let Some(disk) = Disk::new("doctor", 4096) else { return };
    let named = async |world: &World, name: &'static str, link, words, change: &dyn Fn(&mut Variant)| {
        let mut variant = world.variant(name);
        if link != "disk" {
            // Nobody gets there, as the function says.
            variant.aws("logs-filter-log-events", &down("unreachable"));
        }
        change(&mut variant);
        each_is_named(&world.namespace, vec![(name, link, words, variant)]).await;
    };
    let no_router = |v: &mut Variant| {
        v.arguments("--no-router");
    };
    let of_router = |_: &mut Variant| ();
    world.router.take(30008);
    named(&world, "a router that was restarted", "router", "is gone from the router's list", &of_router).await;
    world.router.give(30008, Ipv4Addr::new(127, 0, 0, 5).into(), 80, "another");
    named(&world, "a port that leads to another machine", "router", "that port leads to", &of_router).await;
    world.router.turn(Manner { outside: Some(Ipv4Addr::new(100, 64, 1, 2)), ..Manner::UPNP });
    let by_hand = |v: &mut Variant| {
        let none = v.folder.join("none").display().to_string();
        v.set("STATE_DIR", &none);
    };
    named(
        &world,
        "a provider that shares addresses",
        "cgnat",
        "100.64.1.2 outside, which the provider shares",
        &by_hand,
    )
    .await;
    world.router.turn(Manner { outside: Some(Ipv4Addr::new(192, 168, 178, 2)), ..Manner::UPNP });
    named(&world, "a router behind another router", "cgnat", "another router before it", &by_hand).await;
    let database = format!("sqlite:{}", disk.file("keeper.db").display());
    let full = |v: &mut Variant| {
        v.set("DATABASE_URL", &database).arguments("--no-router");
    };
    named(&world, "a disk that is nearly full", "disk", "MB left of 4 MB", &full).await;

    let beacon = world.beacon.take().expect("it runs");
    beacon.process.terminate().await;
    named(&world, "a beacon that does not run", "beacon", "127.0.0.1:30008 refuses connections", &no_router).await;
    // A setting that has nothing to do with it hides no broken link.
    for (name, value) in
        [("PING_INTERVAL_SECOND", "60"), ("METRIC_ID", "My metric"), ("DOMAIN", "home.duckdns.org.duckdns.org")]
    {
        let mut variant = world.variant("unrelated");
        variant.aws("logs-filter-log-events", &down("unreachable")).set(name, value).arguments("--no-router");
        let said = variant.said(&world.namespace).await;
        assert_eq!(said.failed(), ["settings", "beacon"], "{name}: {:#}", said.all);
    }
    // One that says where it is explains it.
    let mut elsewhere = world.variant("related");
    elsewhere.aws("logs-filter-log-events", &down("unreachable")).arguments("--no-router");
    elsewhere.unset("PUBLIC_ADDR").set("PUBLIC_ADR", "127.0.0.1:30008").unset("PORT_TO");
    let said = elsewhere.said(&world.namespace).await;
    assert_eq!((&said.all["first"], said.failed()), (&json!("settings"), vec!["settings"]), "{:#}", said.all);
    let stranger = Home::open(Stranger::Answers("HTTP/1.1 404 Not Found\r\nServer: nginx")).await;
    let elsewhere = |v: &mut Variant| {
        v.set("PUBLIC_ADDR", &stranger.address.to_string()).arguments("--no-router");
    };
    named(
        &world,
        "a stranger at the beacon's port",
        "beacon",
        "answers as something else would (HTTP 404)",
        &elsewhere,
    )
    .await;
    let other = Beacon::with_key("127.0.0.1:30008", &Key::new([9; 32]).expose()).await;
    named(&world, "a beacon with another key", "proof", "the beacon has another key", &no_router).await;
    other.process.terminate().await;
    let _keyless = Beacon::start_at("127.0.0.1:30008").await;
    named(&world, "a beacon without a key", "proof", "the beacon has no key", &no_router).await;
}

/// The home's beacon is to run in a pod, which waits; nobody gets there.
fn in_a_cluster(v: &mut Variant, reason: &str) {
    v.kubectl(&chart(&waiting(reason))).unset("PUBLIC_ADDR").unset("PORT_TO");
    v.aws("logs-filter-log-events", &down("refused"));
}

fn waiting(reason: &str) -> Value {
    json!({"hostIP": "127.0.0.1", "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"state": {"waiting": {"reason": reason}}}]})
}

/// What the chart makes, with a beacon's pod in that state.
fn chart(pod: &Value) -> Value {
    let labels = json!({"labels": {"app.kubernetes.io/name": "home-beacon", "app.kubernetes.io/component": "beacon"}});
    json!({"kind": "List", "items": [
        {"kind": "Service", "metadata": labels, "spec": {"type": "NodePort", "ports": [{"port": 8080, "nodePort": 30009}]}},
        {"kind": "Pod", "metadata": labels, "status": pod}]})
}

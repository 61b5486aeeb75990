//! Homes that have less: no cloud, no network, a router that answers with a web page.

use tests::{
    process::{Process, ours},
    router::Manner,
};

use crate::{variant::Variant, world::World};

/// The home of `porchlight up`, found by its folder alone.
#[tokio::test]
async fn a_home_of_porchlight_up_is_found_by_its_folder() {
    let Some(world) = World::new("up").await else { return };
    let data = world.folder.path().join("home");
    let mut up = ours("porchlight");
    up.arg("up").arg("--data").arg(&data).args([
        "--no-bandwidth",
        "--page-addr",
        "127.0.0.1:0",
        "--beacon-addr",
        "127.0.0.1:0",
    ]);
    up.env("TARGET_HOST", "127.0.0.1");
    let mut up = Process::start(world.namespace.inside(&up));
    up.wait_for("its page", |lines| lines.iter().any(|line| line.contains("http://127.0.0.1:")).then_some(())).await;
    let folder = world.folder.path().join("of-up");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut variant = Variant::new(&folder);
    variant.arguments(&format!("--data {} --no-router", data.display()));
    variant.environment("ADDRESS_SOURCES", &world.address_sources());
    let said = variant.said(&world.namespace).await;
    assert_eq!(said.failed(), [""; 0], "{:#}", said.all);
    for (link, outcome) in [
        ("settings", "ok"),
        ("beacon", "ok"),
        ("proof", "ok"),
        ("keeper", "ok"),
        ("disk", "ok"),
        ("function", "not_used"),
        ("token", "not_used"),
        // Nobody outside has looked, and what is seen from inside proves nothing.
        ("public_name", "not_conclusive"),
        ("looks", "not_conclusive"),
    ] {
        assert_eq!(said.outcome(link), outcome, "{link}: {:#}", said.all);
    }
    up.terminate().await;
}

/// The line is cut: that is said of the first link that shows it, and nothing beyond is called broken.
#[tokio::test]
async fn without_a_network_the_names_are_named_and_nothing_beyond_is_called_broken() {
    let Some(world) = World::new("cut").await else { return };
    let mut variant = world.variant("cut");
    world.namespace.resolv_conf("nameserver 127.0.0.99\n");
    for (call, _) in world.aws() {
        let text = "\nCould not connect to the endpoint URL: \"https://lambda.eu-central-1.amazonaws.com/\"\n";
        std::fs::write(variant.folder.join(format!("{call}.err")), text).expect("it is written");
    }
    let closed = "http://127.0.0.1:9/";
    variant.set("STATUSPAGE_URL", "http://127.0.0.1:9/v1").set("DUCKDNS_URL", closed).set("PUBLIC_DNS", "127.0.0.98");
    variant.set("ADDRESS_SOURCES", "http://127.0.0.1:9/,http://127.0.0.1:10/");
    let said = variant.said(&world.namespace).await;
    said.names("no network at all", "name_servers", "127.0.0.99:53 ");
    for link in ["address", "public_dns", "aws", "function", "runs", "token", "page"] {
        assert_eq!(said.outcome(link), "not_conclusive", "{link}: {:#}", said.all);
    }
    assert!(said.saw("aws").contains("Could not connect to the endpoint URL"), "{}", said.saw("aws"));
}

#[tokio::test]
async fn a_router_that_answers_with_a_web_page_says_nothing_of_the_chain() {
    let Some(world) = World::new("router").await else { return };
    world.router.turn(Manner { is_a_web_page: true, ..Manner::UPNP });
    let said = world.variant("page").said(&world.namespace).await;
    assert_eq!(said.failed(), [""; 0], "{:#}", said.all);
    assert_eq!((said.outcome("cgnat"), said.outcome("router")), ("not_conclusive", "not_conclusive"));
    // For a person: each link has a line, and the last one is the sum of it.
    let (ended, _) = world.variant("lines").ended(&world.namespace).await;
    assert!(
        ended.stdout.contains("\nok      beacon          127.0.0.1:30008 answers with a valid proof\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.lines().last().is_some_and(|line| line.starts_with("No link is broken.")), "{}", ended.stdout);
    assert_eq!(ended.stderr, "", "no progress where nobody watches");
}

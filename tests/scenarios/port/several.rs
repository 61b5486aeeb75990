//! Several routers on one network: only the one that leads out is asked.

use std::time::Duration;

use tests::{
    namespace::Namespace,
    process::{Ended, ours, run},
    router::{Manner, Router},
    skip::skip,
};

/// A network with the home on it, and two routers in a namespace of their own, as two machines.
struct Network {
    home: Namespace,
    first: Namespace,
    second: Namespace,
    folder: tempfile::TempDir,
}

const FIRST: &str = "192.168.1.1";
const SECOND: &str = "192.168.1.2";

impl Network {
    /// `None`, and a skip, where that cannot be made.
    async fn new(test: &str) -> Option<Self> {
        let made = async {
            let name = |of: &str| format!("{of}-{}", &test[..9.min(test.len())]);
            Some((
                Namespace::new(&name("h")).await?,
                Namespace::new(&name("r")).await?,
                Namespace::new(&name("s")).await?,
            ))
        };
        let Some((home, first, second)) = made.await else {
            skip(test, "it takes root, ip and nft");
            return None;
        };
        home.run(&["ip", "link", "add", "lan", "type", "bridge"]).await;
        for (router, port, address) in [(&first, "p1", FIRST), (&second, "p2", SECOND)] {
            let add = ["ip", "link", "add", port, "type", "veth", "peer", "name", "lan", "netns", router.name()];
            home.run(&add).await;
            home.run(&["ip", "link", "set", port, "master", "lan"]).await;
            home.run(&["ip", "link", "set", port, "up"]).await;
            router.run(&["ip", "address", "add", &format!("{address}/24"), "dev", "lan"]).await;
            router.run(&["ip", "link", "set", "lan", "up"]).await;
        }
        home.run(&["ip", "address", "add", "192.168.1.7/24", "dev", "lan"]).await;
        home.run(&["ip", "link", "set", "lan", "up"]).await;
        home.run(&["ip", "route", "add", "default", "via", FIRST, "metric", "100"]).await;
        Some(Self { home, first, second, folder: tempfile::tempdir().expect("a temporary folder") })
    }

    async fn port(&self, words: &str) -> Ended {
        let mut command = ours("porchlight");
        command.arg("port").args(words.split_whitespace()).env("STATE_DIR", self.folder.path());
        command.env("ADDRESS_SOURCES", "http://127.0.0.1:9");
        run(self.home.inside(&command), Duration::from_secs(60)).await
    }
}

/// A router inside: its sockets stay where they were made, and so does this thread.
async fn inside(namespace: &Namespace, address: &str, manner: Manner) -> Router {
    namespace.enter();
    Router::on_network(address.parse().expect("an address"), manner).await
}

#[tokio::test]
async fn of_two_that_answer_only_the_one_that_leads_out_is_asked_and_the_other_is_named() {
    let Some(network) = Network::new("two-answer").await else { return };
    let first = inside(&network.first, FIRST, Manner::UPNP).await;
    let second = inside(&network.second, SECOND, Manner::GOOD).await;
    let ended = network.port("open").await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stdout.contains("open      port 30008 of 192.168.1.1, which leads to 192.168.1.7:8080 (by UPnP)"),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("192.168.1.2 says that it is a router, too; this machine does not go out by it"),
        "{}",
        ended.stdout
    );
    assert_eq!((first.table().len(), second.table().len()), (1, 0));
    // The other one, where it is named.
    let ended = network.port("open --router 192.168.1.2").await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert_eq!((first.table().len(), second.table().len()), (0, 1), "only what was asked for last stays open");
    assert_eq!(network.port("close").await.code, Some(0));
    assert_eq!((first.table().len(), second.table().len()), (0, 0));
}

#[tokio::test]
async fn one_that_speaks_nothing_is_not_passed_over_for_one_that_does() {
    let Some(network) = Network::new("one-silent").await else { return };
    let second = inside(&network.second, SECOND, Manner::GOOD).await;
    let ended = network.port("open").await;
    assert_eq!(ended.code, Some(1), "{}{}", ended.stdout, ended.stderr);
    let words = "the router 192.168.1.1 answers neither PCP, NAT-PMP nor UPnP (192.168.1.2 says that it is a router, and this \
                 machine does not go out by it; --router takes it)";
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert!(second.table().is_empty());
}

#[tokio::test]
async fn of_two_ways_out_the_preferred_one_counts_and_a_change_moves_the_port() {
    let Some(network) = Network::new("two-ways").await else { return };
    let first = inside(&network.first, FIRST, Manner::GOOD).await;
    let second = inside(&network.second, SECOND, Manner::GOOD).await;
    network.home.run(&["ip", "route", "add", "default", "via", SECOND, "metric", "50"]).await;
    assert_eq!(network.port("open").await.code, Some(0));
    assert_eq!((first.table().len(), second.table().len()), (0, 1));
    network.home.run(&["ip", "route", "del", "default", "via", SECOND]).await;
    assert_eq!(network.port("open").await.code, Some(0));
    assert_eq!((first.table().len(), second.table().len()), (1, 0), "the one before is closed");
}

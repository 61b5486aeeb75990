//! `up` alone never shows the home as up: not while its line is there, and not when it is cut.

use std::time::Duration;

use tests::{namespace::Namespace, skip::skip};
use tokio::time::{Instant, sleep};

use crate::world::{Up, porchlight};

/// How long the page is watched before the cut, and after it.
const WATCHED: Duration = Duration::from_secs(6);

#[tokio::test]
async fn not_one_second_of_green_before_and_after_the_line_is_cut() {
    let Some(network) = Namespace::new("up-dark").await else {
        return skip("not_one_second_of_green", "no namespace can be made");
    };
    network.run(&["ip", "link", "add", "line", "type", "veth", "peer", "name", "far"]).await;
    network.run(&["ip", "address", "add", "192.0.2.1/24", "dev", "line"]).await;
    network.run(&["ip", "link", "set", "line", "up"]).await;
    network.run(&["ip", "link", "set", "far", "up"]).await;
    network.enter();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut command = porchlight("up", &data);
    command.arg("--no-bandwidth").env("TARGET_HOST", "192.0.2.1");
    let home = Up::start(command).await;

    // The prober on this machine finds the beacon well, and writes so: that is what must not show.
    let until = Instant::now() + Duration::from_secs(20);
    while home.stored_status(&data).await.as_deref() != Some("operational") || !data.join("prober.json").exists() {
        assert!(Instant::now() < until, "the prober inside has not written: {:#?}", home.process.lines());
        sleep(Duration::from_millis(100)).await;
    }
    let mut seen = 0;
    let mut watch = async || {
        let until = Instant::now() + WATCHED;
        while Instant::now() < until {
            let page = home.page().await;
            let widget = home.get("widget").await;
            let status = home.get("api/v2/status.json").await;
            assert!(page.contains("Nobody has looked yet"), "{page}");
            for green in ["All Systems Operational", "overall operational", "class=\"status operational\""] {
                assert!(!page.contains(green), "{green}: {page}");
            }
            assert!(!status.contains("Operational") && !widget.contains("Operational"), "{status} {widget}");
            seen += 1;
            sleep(Duration::from_millis(200)).await;
        }
    };
    watch().await;
    network.run(&["ip", "link", "set", "line", "down"]).await;
    watch().await;
    eprintln!("the page was read {seen} times");
    assert!(seen >= 6, "the page was read {seen} times");
    assert_eq!(home.process.terminate().await.code(), Some(0));
}

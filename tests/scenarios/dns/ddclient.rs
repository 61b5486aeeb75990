//! The emulated DuckDNS, seen by Debian's ddclient, which was written against the real one. It takes every unusual server
//! for a mistake and calls www.duckdns.org instead, so it runs where that name is ours and nothing else can be reached.

use std::{net::Ipv4Addr, time::Duration};

use tests::{
    duckdns::{Duckdns, Fault, Held, TOKEN},
    front::Front,
    namespace::Namespace,
    process::{Ended, command, file, run},
    skip::{program, skip},
};

use crate::world::{HOME, MOVED};

const SERVER: &str = "www.duckdns.org";

/// Lets ddclient report to DuckDNS that `name` is at `address`, with its own HTTP or with curl's (libwww-curl-perl).
async fn update(
    test: &str,
    duckdns: &Duckdns,
    name: &str,
    token: &str,
    address: Ipv4Addr,
    curl: bool,
) -> Option<Ended> {
    let Some(ddclient) = program("ddclient") else {
        skip("ddclient", "ddclient is missing; tests/run installs it");
        return None;
    };
    let mut modules = command("perl");
    modules.args(["-MIO::Socket::SSL", "-MWWW::Curl::Easy", "-e", "1"]);
    if run(modules, Duration::from_secs(10)).await.code != Some(0) {
        skip("ddclient", "libio-socket-ssl-perl or libwww-curl-perl is missing; tests/run installs them");
        return None;
    }
    let Some(namespace) = Namespace::new(test).await else {
        skip("ddclient", "a network namespace takes root, ip and nft");
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    namespace.host(SERVER, "127.0.0.1");
    let listener = namespace.listen(([127, 0, 0, 1], 443).into());
    let front = Front::at(listener, SERVER, duckdns.address, folder.path());
    let config = format!(
        "use=ip, ip={address}\nssl=yes\nssl_ca_file={}\ncurl={}\nprotocol=duckdns, password={token} {name}\n",
        front.authority,
        if curl { "yes" } else { "no" },
    );
    let config = file(folder.path(), "ddclient.conf", &config);
    let mut ddclient = command(ddclient);
    ddclient.args(["-foreground", "-force", "-verbose", "-noquiet", "-nosyslog", "-daemon", "0", "-file", &config]);
    ddclient.arg("-cache").arg(folder.path().join("cache")).arg("-pid").arg(folder.path().join("pid"));
    Some(run(namespace.inside(&ddclient), Duration::from_secs(30)).await)
}

#[tokio::test]
async fn ddclient_sets_an_address_and_reads_the_answer_as_a_success() {
    let duckdns = Duckdns::open(None).await;
    for address in [HOME, MOVED] {
        let Some(ended) = update("ddgood", &duckdns, "home", TOKEN, address, true).await else { return };
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains(&format!("good: IP address set to {address}")), "{said}");
        assert_eq!(duckdns.zone.get("home"), Some(Held { ipv4: Some(address), ipv6: None }));
    }
}

/// FACTS.md D2: its own HTTP reads no chunks, so it takes the `OK` that real DuckDNS sends in one for a failure; version
/// 3.10 of ddclient, which Debian 12 has, still does (ddclient#503). An emulator whose answers it could read would not be
/// faithful.
#[tokio::test]
async fn ddclient_without_curl_stumbles_over_the_chunked_answer_as_it_does_over_the_real_one() {
    let duckdns = Duckdns::open(None).await;
    let Some(ended) = update("ddold", &duckdns, "home", TOKEN, HOME, false).await else { return };
    let said = ended.stdout + &ended.stderr;
    assert_eq!(duckdns.zone.get("home"), Some(Held { ipv4: Some(HOME), ipv6: None }), "{said}");
    assert!(said.contains("\r\n2\r\nOK\r\n0\r\n") || said.contains("RECEIVE:  OK"), "{said}");
    if said.contains("3.10") {
        assert!(said.contains("FAILED:   updating home: Server said:"), "{said}");
    }
}

#[tokio::test]
async fn ddclient_reads_a_refusal_and_an_error_as_failures() {
    let refused = "FAILED:   updating";
    for (name, token, fault, expected) in [
        ("home", "00000000-114e-40ef-ba1d-d217904a50f2", Fault::None, refused),
        ("somebody-elses", TOKEN, Fault::None, refused),
        ("home", TOKEN, Fault::Ko, refused),
        // Of these it says no more than what came.
        ("home", TOKEN, Fault::BadGateway, "HTTP/1.1 502 Bad Gateway"),
        ("home", TOKEN, Fault::Jetty, "HTTP/1.1 404 Not Found"),
    ] {
        let duckdns = Duckdns::open(None).await;
        duckdns.play([], fault);
        let Some(ended) = update("ddbad", &duckdns, name, token, HOME, true).await else { return };
        let said = ended.stdout + &ended.stderr;
        assert!(said.contains(expected) && !said.contains("good:"), "{fault:?}: {said}");
        assert_eq!(duckdns.calls().len(), 1, "{said}");
        assert_eq!(duckdns.zone.get("home"), Some(Held::default()));
    }
}

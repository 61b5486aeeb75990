//! The same targets, checked here and by Debian's `blackbox_exporter` in the same run: the same verdicts, and phases that are alike.

use std::{net::SocketAddr, time::Duration};

use tests::{
    home::{Home, Manner},
    process::{Process, command as program_at, file, own_address, run},
    skip::{program, skip},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::world::{LIMIT, checks_yml, command};

const MODULES: &str = "
modules:
  http: { prober: http, timeout: 3s, http: { preferred_ip_protocol: ip4 } }
  body: { prober: http, timeout: 3s, http: { preferred_ip_protocol: ip4, fail_if_body_not_matches_regexp: [\"^ok$\"] } }
  tcp: { prober: tcp, timeout: 3s, tcp: { preferred_ip_protocol: ip4 } }
  ssh: { prober: tcp, timeout: 3s, tcp: { preferred_ip_protocol: ip4, query_response: [{ expect: \"^SSH-2.0-\" }] } }
  icmp: { prober: icmp, timeout: 3s, icmp: { preferred_ip_protocol: ip4 } }
";

/// How long the slow server takes for its head, and then for its body.
const HEAD: Duration = Duration::from_millis(400);
const BODY: Duration = Duration::from_millis(700);

/// What two programs on a busy machine may differ by, in seconds.
const NOISE: f64 = 0.3;

struct Peer {
    _process: Process,
    address: SocketAddr,
    http: reqwest::Client,
}

impl Peer {
    async fn start(test: &str, folder: &std::path::Path) -> Option<Self> {
        let Some(exporter) = program("prometheus-blackbox-exporter") else {
            skip(test, "prometheus-blackbox-exporter is missing; tests/run installs it");
            return None;
        };
        let address = TcpListener::bind((own_address(), 0)).await.and_then(|it| it.local_addr()).expect("a port");
        let mut exporter = program_at(exporter);
        exporter.arg(format!("--config.file={}", file(folder, "blackbox.yml", MODULES)));
        exporter.arg(format!("--web.listen-address={address}"));
        let process = Process::start(exporter);
        let until = Instant::now() + LIMIT;
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < until, "it does not listen: {:#?}", process.lines());
            sleep(Duration::from_millis(50)).await;
        }
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Some(Self { _process: process, address, http })
    }

    /// The samples of a probe.
    async fn probe(&self, module: &str, target: &str) -> String {
        let url = format!("http://{}/probe?module={module}&target={target}", self.address);
        self.http.get(url).send().await.expect("it answers").text().await.expect("a text")
    }
}

/// The value of a sample by what stands before it.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(sample)?.trim().parse().ok());
    line.unwrap_or_else(|| panic!("{sample} is not in {text}"))
}

/// What one run here prints, and its exit code.
async fn once(kind: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!("  - {{ name: target, timeout: 3s, {kind} }}\n");
    let mut once = command(&folder, &checks_yml(&[line]));
    once.args(["--once", "target"]);
    let ended = run(once, LIMIT).await;
    (ended.code, format!("{}{}", ended.stdout, ended.stderr))
}

/// A server that greets, and one that takes its time for each part of its answer.
async fn server(is_slow: bool) -> SocketAddr {
    let listener = TcpListener::bind((own_address(), 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if !is_slow {
                    return stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.map(drop);
                }
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await?;
                sleep(HEAD).await;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n").await?;
                sleep(BODY).await;
                stream.write_all(b"ok").await
            });
        }
    });
    address
}

#[tokio::test]
async fn the_same_targets_have_the_same_verdicts_here_and_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(peer) = Peer::start("the_same_targets_have_the_same_verdicts", folder.path()).await else { return };
    let mut cases = Vec::new();
    let mut homes = Vec::new();
    for (manner, is_up) in [
        (Manner::Answers("HTTP/1.1 200 OK\r\nContent-Length: 0"), true),
        (Manner::Answers("HTTP/1.1 204 No Content"), true),
        (Manner::Answers("HTTP/1.1 404 Not Found\r\nContent-Length: 0"), false),
        (Manner::Answers("HTTP/1.1 503 Unavailable\r\nContent-Length: 0"), false),
        (Manner::Refuses, false),
        (Manner::BlackHole, false),
        (Manner::Silent, false),
        (Manner::HangsUp, false),
        (Manner::ResetsMidAnswer, false),
        (Manner::Trickles, false),
        (Manner::SpeaksSsh, false),
    ] {
        let home = Home::open(manner).await;
        cases.push((format!("{manner:?}"), "http", home.url(), format!("http: {{ url: \"{}\" }}", home.url()), is_up));
        homes.push(home);
    }
    let (ssh, slow) = (server(false).await, server(true).await);
    let closed = Home::open(Manner::Refuses).await;
    let of =
        |address: SocketAddr, more: &str| format!("tcp: {{ host: {}, port: {}{more} }}", address.ip(), address.port());
    let url = format!("http://{slow}/");
    for (name, module, target, kind, is_up) in [
        ("open", "tcp", ssh.to_string(), of(ssh, ""), true),
        ("closed", "tcp", closed.address.to_string(), of(closed.address, ""), false),
        ("ssh", "ssh", ssh.to_string(), of(ssh, ", banner: \"^SSH-2.0-\""), true),
        ("no ssh", "ssh", slow.to_string(), of(slow, ", banner: \"^SSH-2.0-\""), false),
        ("echoes", "icmp", "127.0.0.1".into(), "icmp: { host: 127.0.0.1 }".into(), true),
        (
            "body",
            "body",
            url.clone(),
            format!("http: {{ url: \"{url}\", expect: {{ body: {{ matches: \"^ok$\" }} }} }}"),
            true,
        ),
        (
            "no body",
            "body",
            homes[0].url(),
            format!("http: {{ url: \"{}\", expect: {{ body: {{ matches: \"^ok$\" }} }} }}", homes[0].url()),
            false,
        ),
    ] {
        cases.push((name.into(), module, target, kind, is_up));
    }
    let peer = &peer;
    let compared = cases.iter().map(async |(name, module, target, kind, is_up)| {
        let ((code, said), there) = tokio::join!(once(kind), peer.probe(module, target));
        assert_eq!(code, Some(i32::from(!*is_up)), "{name}, here: {said}");
        assert!((value(&there, "probe_success ") > 0.5) == *is_up, "{name}, there: {there}");
    });
    futures_util::future::join_all(compared).await;
}

#[tokio::test]
async fn the_phases_of_a_slow_answer_are_alike() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(peer) = Peer::start("the_phases_of_a_slow_answer", folder.path()).await else { return };
    let slow = server(true).await;
    // One after the other, so that neither waits for a processor that the other has.
    let (code, said) =
        once(&format!("http: {{ url: \"http://{slow}/\", expect: {{ body: {{ matches: ok }} }} }}")).await;
    assert_eq!(code, Some(0), "{said}");
    let there = peer.probe("body", &format!("http://{slow}/")).await;
    let (_, phases) = said.split_once("took").expect("how long it took");
    let here = |phase: &str| -> f64 {
        let (_, rest) = phases.split_once(&format!("{phase} ")).unwrap_or_else(|| panic!("{phase} is not in {said}"));
        rest.split(' ').next().and_then(|number| number.parse::<f64>().ok()).expect("milliseconds") / 1000.0
    };
    for (phase, theirs, least) in [
        ("connect", "connect", 0.0),
        ("answer", "processing", HEAD.as_secs_f64()),
        ("transfer", "transfer", BODY.as_secs_f64()),
    ] {
        let (ours, theirs) =
            (here(phase), value(&there, &format!("probe_http_duration_seconds{{phase=\"{theirs}\"}} ")));
        assert!((ours - theirs).abs() < NOISE, "{phase}: {ours} s here, {theirs} s there");
        // A phase begins when the program is told of the end of the one before.
        assert!(ours > least - 0.1 && ours < least + NOISE, "{phase}: {ours} s, of which the server takes {least}");
    }
}

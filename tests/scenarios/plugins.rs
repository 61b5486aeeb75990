//! Real plugins of Debian, run as a check runs them, against servers of the test's own: what state, figures, values and units come
//! of them.

use std::{net::SocketAddr, path::Path, time::Duration};

use checks::{
    cause::Cause,
    check::ScriptCheck,
    outcome::{Outcome, State},
    performance::{Figure, Range},
    probe::script,
};
use tests::{
    namespace::Namespace,
    process::{Process, command},
    skip::{program, skip},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::Instant,
};

/// Runs a plugin; `None` where it is not installed.
async fn plugin(name: &str, arguments: &[&str]) -> Option<Outcome> {
    let path = format!("/usr/lib/nagios/plugins/{name}");
    if !Path::new(&path).is_file() {
        skip(&format!("plugins::{name}"), "monitoring-plugins is not installed");
        return None;
    }
    // By its name alone: it is found where Debian keeps plugins.
    let command = [name].iter().chain(arguments).map(|word| (*word).to_owned()).collect();
    let check = ScriptCheck { command, environment: Vec::new(), folder: None, uid: None };
    let outcome = script::run(&check, Instant::now() + Duration::from_secs(30)).await;
    let unreadable = outcome.long_text.as_deref().is_some_and(|text| text.contains("could not be read"));
    assert!(!unreadable && outcome.took < Duration::from_secs(30), "{outcome:?}");
    Some(outcome)
}

fn figure<'a>(outcome: &'a Outcome, label: &str) -> &'a Figure {
    let found = outcome.figures.iter().find(|figure| figure.label == label);
    found.unwrap_or_else(|| panic!("{label} is among {outcome:?}"))
}

fn value(outcome: &Outcome, label: &str) -> f64 {
    figure(outcome, label).value.unwrap_or_else(|| panic!("{label} has a value in {outcome:?}"))
}

fn is(outcome: &Outcome, state: State, text: &str) {
    let cause = (state != State::Ok).then_some(Cause::Reported);
    assert_eq!((outcome.state, outcome.cause), (state, cause), "{outcome:?}");
    assert!(outcome.text.starts_with(text), "{outcome:?}");
}

fn range(written: Option<&String>) -> Range {
    written.expect("a range").parse().expect("one that keeps the guidelines")
}

/// Says the same to everybody, whether they ask or not, and closes.
async fn server(says: &'static str) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = client.write_all(says.as_bytes()).await;
                let _ = client.shutdown().await;
                let _ = client.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    (address, serving)
}

/// A port at which nobody listens.
async fn closed_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address").port().to_string()
}

#[tokio::test]
async fn check_http_gives_the_time_in_seconds_and_the_size_in_bytes() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n";
    let (address, _serving) = server(answer).await;
    let port = address.port().to_string();
    let asking = ["-H", "127.0.0.1", "-p", &port, "-w", "5", "-c", "10", "-u", "/"];
    let Some(outcome) = plugin("check_http", &asking).await else { return };
    is(&outcome, State::Ok, "HTTP OK: HTTP/1.1 200 OK - ");
    let time = figure(&outcome, "time");
    assert_eq!(time.unit, "s");
    assert!(time.value.is_some_and(|time| time > 0.0 && time < outcome.took.as_secs_f64()), "{outcome:?}");
    assert!(range(time.warning.as_ref()).alerts(5.1) && !range(time.critical.as_ref()).alerts(9.9), "{time:?}");
    #[expect(clippy::cast_precision_loss, reason = "it is short")]
    let expected = Figure { min: Some(0.0), ..Figure::new("size", answer.len() as f64, "B") };
    assert_eq!(figure(&outcome, "size"), &expected);
    let slow = plugin("check_http", &["-H", "127.0.0.1", "-p", &port, "-w", "0.000001"]).await.expect("it is there");
    is(&slow, State::Warning, "HTTP WARNING");
}

#[tokio::test]
async fn check_http_says_what_is_wrong_with_an_answer_and_with_none() {
    let (gone, _one) = server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    let (broken, _other) = server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await;
    for (port, state, text) in [
        (gone.port().to_string(), State::Warning, "HTTP WARNING: HTTP/1.1 404"),
        (broken.port().to_string(), State::Critical, "HTTP CRITICAL: HTTP/1.1 500"),
        (closed_port().await, State::Critical, "connect to address 127.0.0.1 and port"),
    ] {
        let Some(outcome) = plugin("check_http", &["-H", "127.0.0.1", "-p", &port]).await else { return };
        is(&outcome, state, text);
    }
}

#[tokio::test]
async fn check_tcp_gives_the_time_and_reads_a_banner() {
    let (address, _serving) = server("220 mail.example ESMTP\r\n").await;
    let port = address.port().to_string();
    let expecting = ["-H", "127.0.0.1", "-p", &port, "-w", "5", "-c", "10", "-e", "220"];
    let Some(outcome) = plugin("check_tcp", &expecting).await else { return };
    is(&outcome, State::Ok, "TCP OK - ");
    let time = figure(&outcome, "time");
    assert_eq!((time.unit.as_str(), time.min, time.max), ("s", Some(0.0), Some(10.0)));
    assert!(value(&outcome, "time") < outcome.took.as_secs_f64(), "{outcome:?}");
    let other = ["-H", "127.0.0.1", "-p", &port, "-e", "250", "-M", "crit"];
    is(&plugin("check_tcp", &other).await.expect("it is there"), State::Critical, "TCP CRITICAL");
    let closed = plugin("check_tcp", &["-H", "127.0.0.1", "-p", &closed_port().await]).await.expect("it is there");
    is(&closed, State::Critical, "connect to address 127.0.0.1 and port");
    assert!(closed.figures.is_empty(), "{closed:?}");
}

#[tokio::test]
async fn check_load_gives_the_load_averages_without_a_unit() {
    let Some(outcome) = plugin("check_load", &["-w", "1000,1000,1000", "-c", "2000,2000,2000"]).await else { return };
    is(&outcome, State::Ok, "LOAD OK");
    let text = std::fs::read_to_string("/proc/loadavg").expect("Linux has it");
    let now: Vec<f64> = text.split(' ').take(3).map(|load| load.parse().expect("a number")).collect();
    for (label, now) in ["load1", "load5", "load15"].into_iter().zip(now) {
        let figure = figure(&outcome, label);
        assert_eq!((figure.unit.as_str(), figure.min), ("", Some(0.0)));
        assert!(range(figure.warning.as_ref()).alerts(1000.1) && !range(figure.critical.as_ref()).alerts(2000.0));
        // The kernel moves them every five seconds, the first one by up to a twelfth of what is running.
        assert!((value(&outcome, label) - now).abs() < 5.0 + now / 5.0, "{label}: {now}, {outcome:?}");
    }
}

#[tokio::test]
async fn check_disk_gives_the_used_bytes_of_the_disk_and_its_size() {
    let whole = ["-w", "0%", "-c", "0%", "-p", "/"];
    let Some(outcome) = plugin("check_disk", &whole).await else { return };
    is(&outcome, State::Ok, "DISK OK");
    let used = figure(&outcome, "/");
    let df = tests::process::run(
        {
            let mut df = command(program("df").expect("coreutils"));
            df.args(["-B1", "--output=used,size", "/"]);
            df
        },
        Duration::from_secs(10),
    )
    .await
    .stdout;
    let bytes: Vec<f64> =
        df.lines().nth(1).expect("a line").split_whitespace().map(|n| n.parse().expect("bytes")).collect();
    assert_eq!((used.unit.as_str(), used.min), ("B", Some(0.0)));
    let near = |one: f64, other: f64| (one - other).abs() < other / 20.0 + 1e9;
    assert!(near(value(&outcome, "/"), bytes[0]), "{outcome:?} {df}");
    assert!(used.max.is_some_and(|size| near(size, bytes[1])), "{outcome:?} {df}");
    let full = plugin("check_disk", &["-w", "100%", "-c", "100%", "-p", "/"]).await.expect("it is there");
    is(&full, State::Critical, "DISK CRITICAL");
    assert!(range(figure(&full, "/").critical.as_ref()).alerts(value(&full, "/")), "{full:?}");
}

/// A network of the test's own, in which its thread is from now on.
async fn inside(purpose: &str) -> Option<Namespace> {
    let namespace = Namespace::new(purpose).await;
    match &namespace {
        Some(namespace) => namespace.enter(),
        None => skip(&format!("plugins::{purpose}"), "a network namespace takes root, ip and nft"),
    }
    namespace
}

#[tokio::test]
async fn check_ping_gives_round_trips_in_milliseconds_and_loss_in_percent() {
    let Some(namespace) = inside("plugin-ping").await else { return };
    namespace.run(&["sysctl", "-qw", "net.ipv4.ping_group_range=0 2147483647"]).await;
    let asking = ["-H", "127.0.0.1", "-w", "100,20%", "-c", "500,60%", "-p", "2", "-t", "10"];
    let Some(outcome) = plugin("check_ping", &asking).await else { return };
    is(&outcome, State::Ok, "PING OK - Packet loss = 0%");
    let (rta, loss) = (figure(&outcome, "rta"), figure(&outcome, "pl"));
    assert_eq!((rta.unit.as_str(), loss.unit.as_str(), loss.value), ("ms", "%", Some(0.0)));
    let stored = rta.in_base_unit();
    assert_eq!(stored.unit, "s");
    assert!(stored.value.is_some_and(|rta| rta > 0.0 && rta < 0.05), "{outcome:?}");
    assert!(range(stored.warning.as_ref()).alerts(0.11) && !range(stored.warning.as_ref()).alerts(0.09), "{stored:?}");
    assert!(range(loss.critical.as_ref()).alerts(61.0), "{loss:?}");

    namespace.drop_arriving(&["icmp", "type", "echo-request"]).await;
    let dead = plugin("check_ping", &["-H", "127.0.0.1", "-w", "100,20%", "-c", "500,60%", "-p", "1", "-t", "2"]);
    let dead = dead.await.expect("it is there");
    is(&dead, State::Critical, "PING CRITICAL - Packet loss = 100%");
    assert_eq!((figure(&dead, "rta").value, value(&dead, "pl")), (None, 100.0), "{dead:?}");
}

#[tokio::test]
async fn a_plugin_gets_no_privilege_from_a_capability_of_a_file() {
    let Some(_namespace) = inside("plugin-bare").await else { return };
    // Both that ping which check_ping calls and check_icmp may open raw sockets, by what their files say.
    let asking = ["-H", "127.0.0.1", "-w", "100,20%", "-c", "500,60%", "-p", "1", "-t", "5"];
    let Some(ping) = plugin("check_ping", &asking).await else { return };
    assert!(!ping.state.works(), "{ping:?}");
    let icmp = plugin("check_icmp", &["-H", "127.0.0.1"]).await.expect("it is there");
    assert!(!icmp.state.works(), "{icmp:?}");
}

#[tokio::test]
async fn check_dns_gives_the_time_of_an_answer() {
    let Some(dnsmasq) = program("dnsmasq") else { return skip("plugins::check_dns", "dnsmasq is missing") };
    let Some(namespace) = inside("plugin-dns").await else { return };
    let mut server = command(dnsmasq);
    server.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=-"]);
    server.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--user=root", "--pid-file=", "--cache-size=0"]);
    server.args(["--local=/example.test/", "--host-record=nas.example.test,192.0.2.7"]);
    let mut server = Process::start(namespace.inside(&server));
    let started = |lines: &[String]| lines.iter().any(|line| line.contains("started, version")).then_some(());
    server.wait_for("started", started).await;

    let asking = ["-H", "nas.example.test", "-s", "127.0.0.1", "-a", "192.0.2.7", "-w", "5", "-c", "10"];
    let Some(outcome) = plugin("check_dns", &asking).await else { return };
    is(&outcome, State::Ok, "DNS OK: ");
    let time = figure(&outcome, "time");
    assert_eq!((time.unit.as_str(), time.min), ("s", Some(0.0)));
    assert!(value(&outcome, "time") < outcome.took.as_secs_f64(), "{outcome:?}");
    let other = ["-H", "nas.example.test", "-s", "127.0.0.1", "-a", "192.0.2.8"];
    is(&plugin("check_dns", &other).await.expect("it is there"), State::Critical, "DNS CRITICAL");
    let missing = ["-H", "gone.example.test", "-s", "127.0.0.1"];
    is(&plugin("check_dns", &missing).await.expect("it is there"), State::Critical, "Domain");
}

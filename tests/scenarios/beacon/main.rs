//! The beacon's public port under strangers: it answers each client, whatever others do meanwhile.

mod families;
mod looks;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustix::process::{Resource, Signal, getrlimit, setrlimit};
use tests::{
    beacon::Beacon,
    keeper::Keeper,
    prober::prober_command,
    process::{Process, ours},
    skip::long,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

const STRANGERS: usize = 2_000;

/// Sends bytes and returns everything that comes back; empty when the connection breaks.
async fn ask(address: SocketAddr, bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(bytes).await?;
        stream.read_to_end(&mut answer).await
    };
    let _ = timeout(Duration::from_secs(5), exchange).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A stranger who sends a head slowly, and comes back at once whenever it is sent away.
async fn stranger(address: SocketAddr, visits: Arc<AtomicU64>) {
    loop {
        let visit = async {
            let mut stream = TcpStream::connect(address).await?;
            visits.fetch_add(1, Ordering::Relaxed);
            let mut sent_away = [0; 1];
            for byte in b"GET / HTTP/1.1\r\nHost: home\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
                stream.write_all(&[*byte]).await?;
                if timeout(Duration::from_millis(500), stream.read(&mut sent_away)).await.is_ok() {
                    break;
                }
            }
            std::io::Result::Ok(())
        };
        if visit.await.is_err() {
            // Two thousand clients on one machine must leave the beacon some of the processor.
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// One probe, and then the rest of its second: how long the answer took, if it came.
fn probe(address: SocketAddr) -> Option<Duration> {
    use std::io::{Read, Write};
    let start = std::time::Instant::now();
    let ask = || {
        let mut stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(4))?;
        stream.set_read_timeout(Some(Duration::from_secs(4)))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: home\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200 OK"))
    };
    let took = ask().is_ok_and(|answered| answered).then(|| start.elapsed());
    std::thread::sleep(Duration::from_secs(1).saturating_sub(start.elapsed()));
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_thousand_slow_strangers_do_not_keep_a_probe_from_its_answer() {
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files).expect("the hard limit is allowed");
    let beacon = Beacon::start().await;
    let visits = Arc::new(AtomicU64::new(0));
    let mut strangers = JoinSet::new();
    for _ in 0..STRANGERS {
        strangers.spawn(stranger(beacon.public, Arc::clone(&visits)));
    }
    let count = if long() { 100 } else { 25 };
    // On a thread of its own: a probe from elsewhere does not wait for the strangers' turn.
    let address = beacon.public;
    let probes = tokio::task::spawn_blocking(move || (0..count).map(|_| probe(address)).collect::<Vec<_>>());
    let probes = probes.await.expect("probing does not panic");
    let failed: Vec<usize> = (0..count).filter(|probe| probes[*probe].is_none()).collect();
    let slowest = probes.iter().flatten().max();
    let came = visits.load(Ordering::Relaxed);
    eprintln!(
        "{came} visits of strangers, {} of {count} probes answered, the slowest after {slowest:?}",
        count - failed.len()
    );
    assert!(failed.is_empty(), "probes {failed:?} of {count} failed");
    assert!(came > STRANGERS as u64 * 2, "they did come back: {came}");

    assert!(metric(&beacon, "connections_open").await <= 512);
    assert!(metric(&beacon, "connections_evicted_total").await > 0);
}

/// What the beacon says of itself at its private port.
async fn metric(beacon: &Beacon, name: &str) -> u64 {
    let metrics = ask(beacon.private, b"GET /metrics HTTP/1.1\r\nHost: home\r\n\r\n").await;
    let line = metrics.lines().find(|line| line.starts_with(&format!("porchlight_beacon_{name} ")));
    line.and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_else(|| panic!("{name} in {metrics}"))
}

/// A stranger who announces a body, never sends it, and stays.
async fn lingerer(address: SocketAddr) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let _ = stream.write_all(b"POST / HTTP/1.1\r\nHost: home\r\nContent-Length: 10\r\n\r\n").await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn strangers_who_linger_after_their_answer_keep_no_other_client_out() {
    let beacon = Beacon::start().await;
    let mut strangers = JoinSet::new();
    for _ in 0..1200 {
        strangers.spawn(lingerer(beacon.public));
    }
    let all_are_there = async {
        while metric(&beacon, "connections_evicted_total").await == 0 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), all_are_there).await.expect("more come than there is room for");
    let address = beacon.public;
    let probes = tokio::task::spawn_blocking(move || (0..20).map(|_| probe(address)).collect::<Vec<_>>());
    let answered = probes.await.expect("probing does not panic").iter().flatten().count();
    assert_eq!(answered, 20, "of 20 probes");
}

#[tokio::test]
async fn it_answers_get_and_head_and_nothing_else() {
    let beacon = Beacon::start().await;
    for path in ["/", "/healthz", "/any/thing?x=1"] {
        let answer = ask(beacon.public, format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("porchlight\n"), "{answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    let answer = ask(beacon.public, b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("\r\n\r\n"), "{answer}");
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "BREW"] {
        let target = if method == "CONNECT" { "h:80" } else { "/" };
        let answer = ask(beacon.public, format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 405"), "{method}: {answer}");
    }
    let answer = ask(beacon.public, b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(!answer.contains("porchlight_beacon"), "metrics are private: {answer}");
}

#[tokio::test]
async fn garbage_oversized_and_pipelined_requests_do_it_no_harm() {
    let beacon = Beacon::start().await;
    let oversized = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Big: {}\r\n\r\n", "x".repeat(100_000));
    let many = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "X-Many: 1\r\n".repeat(500));
    for (name, bytes) in [
        ("zeros", &[0; 5000][..]),
        ("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("ssh", b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
        ("no host, no version", b"GET\r\n\r\n"),
        ("oversized", oversized.as_bytes()),
        ("many headers", many.as_bytes()),
        ("two lengths", b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    ] {
        let answer = ask(beacon.public, bytes).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{name}: {answer}");
    }
    let pipelined = b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n";
    let answer = ask(beacon.public, pipelined).await;
    assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), 1, "one request to a connection: {answer}");
    let body = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 300000\r\n\r\n{}", "x".repeat(300_000));
    let answer = ask(beacon.public, body.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "the answer survives an unread body: {answer}");
    let answer = ask(beacon.public, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "and afterwards it still answers: {answer}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_let_go_after_three_seconds() {
    let beacon = Beacon::start().await;
    let mut stream = TcpStream::connect(beacon.public).await.expect("a connection");
    stream.write_all(b"GET / HTTP/1.1\r\n").await.expect("it reads");
    let start = Instant::now();
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.expect("it is let go");
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(2) && waited < Duration::from_secs(9), "{waited:?}");
}

#[tokio::test]
async fn a_signal_closes_the_port_and_ends_it_cleanly() {
    let beacon = Beacon::start().await;
    let _idle = TcpStream::connect(beacon.public).await.expect("a connection");
    let address = beacon.public;
    assert_eq!(beacon.process.terminate().await.code(), Some(0));
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_beacon_that_is_asked_to_end_goes_on_answering_for_as_long_as_is_set() {
    let mut command = ours("beacon");
    command.env("STOP_DELAY", "3s");
    let mut beacon = Beacon::run(command, "127.0.0.1:0").await;
    let asked = Instant::now();
    beacon.process.signal(Signal::TERM);
    beacon.process.wait_for_message("asked to end: going on for a moment").await;
    while asked.elapsed() < Duration::from_secs(1) {
        TcpStream::connect(beacon.public).await.expect("it still accepts");
    }
    assert_eq!(beacon.process.ended().await.code(), Some(0));
    assert!(asked.elapsed() >= Duration::from_secs(3), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_second_signal_and_that_of_a_terminal_end_it_at_once() {
    for signals in [&[Signal::TERM, Signal::TERM][..], &[Signal::INT]] {
        let mut command = ours("beacon");
        command.env("STOP_DELAY", "60s");
        let mut beacon = Beacon::run(command, "127.0.0.1:0").await;
        for (index, signal) in signals.iter().enumerate() {
            if index > 0 {
                beacon.process.wait_for_message("asked to end: going on for a moment").await;
            }
            beacon.process.signal(*signal);
        }
        // The wait for it has a limit, which is less than the delay.
        assert_eq!(beacon.process.ended().await.code(), Some(0), "{signals:?}");
    }
}

#[tokio::test]
async fn the_prober_keeps_on_until_a_signal() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let mut command = prober_command(&beacon.url(), &keeper.api());
    command.args(["--every", "15s"]);
    let mut prober = Process::start(command);
    let two =
        |lines: &[String]| (lines.iter().filter(|line| line.contains("\"event\":\"run\"")).count() >= 2).then_some(());
    prober.wait_for("two runs", two).await;
    assert_eq!(prober.terminate().await.code(), Some(0));
}

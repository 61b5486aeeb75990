//! The beacon beside Debian's nginx with one worker: idle memory, load without keep-alive, and answers under slow
//! clients.

use std::{net::SocketAddr, path::Path, process::Stdio, time::Duration};

use rustix::process::{Pid, Signal, kill_process};
use tests::{
    process::{command, file, run},
    skip::program,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    process::Child,
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{median, milliseconds, proc_mib, released};

const ROUNDS: usize = 5;
const SLOW_CLIENTS: usize = 1_000;

pub(super) async fn measure(release: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (free_address(), free_address());
    let beacon = start_beacon(&released(release, "beacon"), ours).await;
    let pid = beacon.id().expect("it runs");
    println!("beacon, idle: {:.2} MiB proportional set size (goal: below 3)", proc_mib(pid, "smaps_rollup", "Pss:"));
    let Some(nginx) = start_nginx(folder.path(), theirs).await else {
        println!("beacon beside nginx: not measured, nginx is missing (Debian: nginx-light)");
        return;
    };
    if program("wrk").is_some() {
        load(ours, theirs).await;
    } else {
        println!("beacon under load: not measured, wrk is missing (Debian: wrk)");
    }
    let (mut beacons, mut nginxes) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        beacons.extend(answers(ours).await);
        nginxes.extend(answers(theirs).await);
    }
    let (ours, theirs) = (median(&mut beacons), median(&mut nginxes));
    println!(
        "a plain GET under {SLOW_CLIENTS} slow clients: {ours:.2} ms, nginx {theirs:.2} ms, ratio {:.2} (goal: at most 1)",
        ours / theirs
    );
    println!("beacon, after all that: {:.2} MiB", proc_mib(pid, "smaps_rollup", "Pss:"));
    for child in [beacon, nginx] {
        terminate(child).await;
    }
}

/// Asks a server to end: a killed nginx would leave its workers behind.
pub(super) async fn terminate(mut child: Child) {
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).expect("it runs");
    kill_process(pid, Signal::TERM).expect("a child can be signalled");
    child.wait().await.expect("it ends");
}

pub(super) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port")
}

async fn start_beacon(binary: &Path, address: SocketAddr) -> Child {
    let mut beacon = command(binary);
    beacon.env("PUBLIC_ADDR", address.to_string()).env("PRIVATE_ADDR", "127.0.0.1:0").env("MAX_CONNECTIONS", "2048");
    let child = beacon.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the beacon starts");
    listening(address).await;
    child
}

pub(super) async fn start_nginx(folder: &Path, address: SocketAddr) -> Option<Child> {
    let here = folder.display();
    let config = format!(
        "daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log;\nevents {{ worker_connections 4096; }}\n\
         http {{ access_log off; client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; \
         uwsgi_temp_path {here}/u; scgi_temp_path {here}/s;\n\
         server {{ listen {address} backlog=4096; location / {{ return 200 \"porchlight\\n\"; }} }} }}"
    );
    let mut nginx = command(program("nginx")?);
    nginx.arg("-c").arg(file(folder, "nginx.conf", &config)).stdout(Stdio::null()).stderr(Stdio::null());
    let child = nginx.spawn().ok()?;
    listening(address).await;
    Some(child)
}

pub(super) async fn listening(address: SocketAddr) {
    for _ in 0..100 {
        if TcpStream::connect(address).await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing listens on {address}");
}

/// Requests per second and the 99th percentile, in turn.
async fn load(ours: SocketAddr, theirs: SocketAddr) {
    let (mut rates, mut tails) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
    for _ in 0..ROUNDS {
        for (address, rates, tails) in [(ours, &mut rates.0, &mut tails.0), (theirs, &mut rates.1, &mut tails.1)] {
            let mut wrk = command(program("wrk").expect("it was there"));
            wrk.args(["-t1", "-c32", "-d3s", "--latency", "-H", "Connection: close", &format!("http://{address}/")]);
            let said = run(wrk, Duration::from_secs(20)).await.stdout;
            let word = |name: &str| {
                let line = said.lines().find(|line| line.trim_start().starts_with(name));
                line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or_else(|| panic!("{name}: {said}"))
            };
            rates.push(word("Requests/sec:").parse().expect("a number"));
            tails.push(wrk_milliseconds(word("99%")));
        }
    }
    let (rate, nginx) = (median(&mut rates.0), median(&mut rates.1));
    println!(
        "32 connections, Connection: close: {rate:.0} requests/s, nginx {nginx:.0}, ratio {:.2} (goal: at least 1)",
        rate / nginx
    );
    let (tail, nginx) = (median(&mut tails.0), median(&mut tails.1));
    println!("  99th percentile: {tail:.2} ms, nginx {nginx:.2} ms, ratio {:.2} (goal: at most 1)", tail / nginx);
}

/// `512.00us`, `1.71ms`, `1.02s`
fn wrk_milliseconds(text: &str) -> f64 {
    let number = |unit: &str| text.strip_suffix(unit).and_then(|number| number.parse::<f64>().ok());
    number("us").map(|us| us / 1e3).or_else(|| number("ms")).or_else(|| number("s").map(|s| s * 1e3)).expect("a time")
}

/// Times of plain requests, one after the other, while slow clients send their heads.
async fn answers(address: SocketAddr) -> Vec<f64> {
    let mut slow = JoinSet::new();
    for _ in 0..SLOW_CLIENTS {
        slow.spawn(async move {
            loop {
                let Ok(mut stream) = TcpStream::connect(address).await else { continue };
                for byte in b"GET / HTTP/1.1\r\nHost: home\r\nX-Slow: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" {
                    if stream.write_all(&[*byte]).await.is_err() {
                        break;
                    }
                    sleep(Duration::from_millis(500)).await;
                }
            }
        });
    }
    sleep(Duration::from_secs(1)).await;
    let mut times = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(b"GET / HTTP/1.1\r\nHost: home\r\nConnection: close\r\n\r\n").await.expect("it reads");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("it answers");
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        times.push(milliseconds(start.elapsed()));
        sleep(Duration::from_millis(10)).await;
    }
    times
}

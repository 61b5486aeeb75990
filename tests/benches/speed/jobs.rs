//! What a run of a job costs: processor time, its start included, beside programs that do less; and peak memory.

use std::{path::Path, process::Stdio};

use tests::{
    address_source::{self, Source},
    cost,
    duckdns::{self, Duckdns},
    front::Front,
    keeper::{Keeper, TOKEN},
    name_server::{self, NameServer},
    process::command,
    skip::program,
};
use tokio::process::Command;
use wait4::Wait4;

use super::{median, milliseconds, released};

const RUNS: usize = 31;

pub(super) async fn measure(release: &Path) {
    let keeper = Keeper::start().await;
    let binary = released(release, "ping");
    let ping = |arguments: &[&str]| {
        let mut ping = command(&binary);
        ping.args(arguments).env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        ping
    };
    let five = ["--target-host", "127.0.0.1", "--interval", "10ms"];
    say("ping, five echoes and a keeper", || ping(&five));
    say("ping, its start alone", || ping(&["--version"]));
    for (what, words) in [
        ("fping, five echoes", &["fping", "-q", "-c", "5", "-p", "10", "127.0.0.1"][..]),
        ("iputils' ping, five echoes", &["ping", "-q", "-c", "5", "-i", "0.01", "127.0.0.1"]),
        ("a program that does nothing", &["true"]),
    ] {
        let Some(other) = program(words[0]) else { continue };
        say(what, || {
            let mut other = command(&other);
            other.args(&words[1..]);
            other
        });
    }
    let mut resident = ping(&five);
    resident.args(["--json", "--every", "300ms"]);
    println!("ping: {} (goal: below 8)", cost::resident(resident).await);
    dns(release).await;
}

/// Runs that each call DuckDNS over TLS, because nothing is remembered, and then ask public DNS.
async fn dns(release: &Path) {
    let (duckdns, folder) =
        (Duckdns::open(Some([81, 2, 69, 142].into())).await, tempfile::tempdir().expect("a folder"));
    let front = Front::open(duckdns.address, folder.path()).await;
    let source = address_source::Manner::Line([81, 2, 69, 142].into());
    let sources = [Source::open(source.clone()).await, Source::open(source).await];
    let server = NameServer::open(&duckdns.zone, name_server::Manner::Live).await;
    let binary = released(release, "dns");
    let dns = || {
        let mut dns = command(&binary);
        dns.env("DOMAIN", "home")
            .env("TOKEN", duckdns::TOKEN)
            .env("DUCKDNS_URL", front.url())
            .env("ADDRESS", "detect")
            .env("ADDRESS_SOURCES", sources.each_ref().map(Source::url).join(","))
            .env("PUBLIC_DNS", server.address.to_string())
            .env("JITTER", "0s");
        dns
    };
    // One that trusts a single authority, and one that knows all that this machine trusts, as at home.
    say("dns, a call over TLS", || {
        let mut dns = dns();
        dns.env("SSL_CERT_FILE", &front.authority);
        dns
    });
    let mut resident = dns();
    resident.env("SSL_CERT_FILE", front.among_others()).args(["--json", "--every", "300ms"]);
    println!("dns: {} (goal: below 8)", cost::resident(resident).await);
}

/// Prints the median of the processor time of whole runs.
fn say(what: &str, program: impl Fn() -> Command) {
    let mut times: Vec<f64> = (0..RUNS).map(|_| processor_time(program())).collect();
    println!("{what}: {:.2} ms of processor time", median(&mut times));
}

fn processor_time(program: Command) -> f64 {
    let mut program = program.into_std();
    let child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts");
    let used = child.wait4().expect("it ends").rusage;
    milliseconds(used.utime + used.stime)
}

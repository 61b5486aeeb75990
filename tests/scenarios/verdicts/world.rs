//! A small internet in a network namespace: a home, a stranger, witnesses, a keeper, and dnsmasq that knows their names.

use std::net::{IpAddr, SocketAddr};

use tempfile::TempDir;
use tests::{
    beacon::Beacon,
    keeper::Keeper,
    namespace::Namespace,
    prober::{Run, probe_with, prober_command},
    process::Process,
    skip::skip,
};
use tokio::process::Command;

/// The home's key, and another.
pub(crate) const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
pub(crate) const OTHER_KEY: &str = "_wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

const HOME: &str = "192.0.2.10";
const HOME_V6: &str = "2001:db8::10";
const STRANGER: &str = "192.0.2.20";
const KEYLESS: &str = "192.0.2.30";
/// Its port is closed.
const EMPTY_HOUSE: &str = "192.0.2.40";
pub(crate) const WITNESS: &str = "198.51.100.1";
pub(crate) const WITNESS_V6: &str = "2001:db8:1::1";

/// What of the internet has an address, and the name that dnsmasq gives it.
const ADDRESSES: [&str; 7] = [HOME, HOME_V6, STRANGER, KEYLESS, EMPTY_HOUSE, WITNESS, WITNESS_V6];
const RECORDS: [(&str, &str); 7] = [
    ("home", HOME),
    ("six", HOME_V6),
    ("both", "192.0.2.10,2001:db8::10"),
    ("stale", STRANGER),
    ("keyless", KEYLESS),
    ("gone", EMPTY_HOUSE),
    ("witness", WITNESS),
];

/// The test's thread is inside: all that it opens and starts is there.
pub(crate) struct World {
    pub(crate) namespace: Namespace,
    pub(crate) keeper: Keeper,
    pub(crate) folder: TempDir,
    _beacons: Vec<Beacon>,
    _names: Vec<Process>,
}

impl World {
    /// `None`, and a skip, where no namespace can be made.
    pub(crate) async fn new(test: &str) -> Option<Self> {
        let namespace = Namespace::new(test).await;
        let (Some(namespace), Some(dnsmasq)) = (namespace, tests::skip::program("dnsmasq")) else {
            skip(test, "a network namespace takes root, ip and nft; names take dnsmasq");
            return None;
        };
        namespace.enter();
        for address in ADDRESSES {
            let length = if address.contains(':') { 128 } else { 32 };
            namespace.run(&["ip", "address", "add", &format!("{address}/{length}"), "dev", "lo"]).await;
        }
        namespace.run(&["nft", "add", "table", "inet", "t"]).await;
        namespace.run(&["nft", "add", "chain", "inet", "t", "in", "{ type filter hook input priority 0; }"]).await;
        let names = vec![namespace.scripted_names("127.0.0.54").await, dnsmasq_inside(&namespace, &dnsmasq).await];
        for address in [WITNESS, WITNESS_V6] {
            let address: IpAddr = address.parse().expect("an address");
            let listener = tokio::net::TcpListener::bind(SocketAddr::new(address, 443)).await.expect("a port");
            tokio::spawn(async move { while listener.accept().await.is_ok() {} });
        }
        let home = Beacon::with_key("[::]:8080", KEY).await;
        let stranger = Beacon::with_key("192.0.2.20:8081", OTHER_KEY).await;
        let keyless = Beacon::start_at("192.0.2.30:8081").await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let keeper = Keeper::start().await;
        Some(Self { namespace, keeper, folder, _beacons: vec![home, stranger, keyless], _names: names })
    }

    /// The prober's command for that name; it has the home's key, and remembers.
    pub(crate) fn command(&self, name: &str) -> Command {
        // The home listens everywhere, so others have another port.
        let port = if matches!(name, "stale" | "keyless" | "gone") { 8081 } else { 8080 };
        let mut command = prober_command(&format!("http://{name}.example.test:{port}/"), &self.keeper.api());
        let witnesses = format!("{WITNESS}:443,witness.example.test:443,[{WITNESS_V6}]:443");
        command
            .env("WITNESSES", witnesses)
            .env("BEACON_KEY", KEY)
            .env("STATE_FILE", self.folder.path().join("state.json"));
        command
    }

    pub(crate) async fn probe(&self, name: &str) -> Run {
        self.run(&self.command(name)).await
    }

    pub(crate) async fn run(&self, command: &Command) -> Run {
        probe_with(self.namespace.inside(command)).await
    }

    /// Adds a rule for arriving packets.
    pub(crate) async fn rule(&self, words: &str) {
        let words: Vec<&str> = words.split(' ').collect();
        self.namespace.run(&[&["nft", "add", "rule", "inet", "t", "in"], &words[..]].concat()).await;
    }

    /// Probes a name with the page saying something else before, and sees what is concluded, and what the page says then.
    pub(crate) async fn comes_to(&self, name: &str, verdict: &str, cause: &str, page: &str) -> Run {
        let before = if page == "operational" { "major_outage" } else { "operational" };
        self.keeper.set_status(before).await;
        let run = self.probe(name).await;
        Self::came_to(&run, verdict, cause);
        assert_eq!(run.target["outcome"], "changed", "{:#}", run.report);
        assert_eq!(self.keeper.status().await, page);
        run
    }

    /// Probes a name of which nothing can be known: the page stays as it is, whatever it says.
    pub(crate) async fn is_unknown(&self, name: &str, cause: &str) -> Run {
        self.keeper.set_status("degraded_performance").await;
        let run = self.probe(name).await;
        Self::came_to(&run, "unknown", cause);
        assert_eq!(run.target["outcome"], "unknown", "{:#}", run.report);
        assert_eq!(self.keeper.status().await, "degraded_performance");
        run
    }

    fn came_to(run: &Run, verdict: &str, cause: &str) {
        let seen = [&run.target["verdict"], &run.target["cause"]].map(|value| value.as_str().unwrap_or_default());
        assert_eq!(seen, [verdict, cause], "{:#}", run.report);
        let took = run.report["duration_ms"].as_f64().expect("a time");
        assert!(took < 50_000.0, "a run ends within 50 s: {took} ms");
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
}

/// Answers for the names above; what begins with `servfail` or `silent` it asks the scripted server for.
async fn dnsmasq_inside(namespace: &Namespace, program: &std::path::Path) -> Process {
    let mut command = tests::process::command(program);
    command.args(["--keep-in-foreground", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--log-facility=-"]);
    command.args(["--listen-address=127.0.0.53", "--bind-interfaces", "--user=root", "--pid-file="]);
    command.args(["--cache-size=0", "--local=/example.test/", "--txt-record=empty.example.test,no address"]);
    for name in ["servfail", "silent", "half", "halfsilent"] {
        command.arg(format!("--server=/{name}.example.test/127.0.0.54"));
    }
    for (name, addresses) in RECORDS {
        command.arg(format!("--host-record={name}.example.test,{addresses}"));
    }
    let mut dnsmasq = Process::start(namespace.inside(&command));
    let started = |lines: &[String]| lines.iter().any(|line| line.contains("started, version")).then_some(());
    dnsmasq.wait_for("started", started).await;
    dnsmasq
}

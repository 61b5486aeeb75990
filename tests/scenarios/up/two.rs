//! An outside machine and a home on one host, as processes.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use tests::process::{Process, file, ours, own_address};
use tokio::{
    process::Command,
    time::{Instant, sleep},
};

use crate::world::{ended, page_in, porchlight};

/// As often as a prober may look.
const EVERY: &str = "15s";

/// How long a change may take to be seen: three looks, each with its attempts.
pub(super) const SEEN: Duration = Duration::from_secs(60);

/// Both sides, each with its folder and addresses.
pub(super) struct Two {
    pub(super) folder: tempfile::TempDir,
    pub(super) page: String,
    pub(super) beacon: String,
    public: String,
    tls: String,
    witnesses: String,
}

fn free(address: Ipv4Addr) -> String {
    TcpListener::bind((address, 0)).and_then(|it| it.local_addr()).expect("a free port").to_string()
}

/// What a prober asks where the home is silent, by name and by address.
fn witnesses() -> String {
    let [one, other] = ["127.0.0.1:0", "127.0.0.1:0"].map(|address| {
        let listener = TcpListener::bind(address).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || while listener.accept().is_ok() {});
        port
    });
    format!("127.0.0.1:{one},localhost:{other}")
}

impl Two {
    pub(super) fn new() -> Self {
        let (home, outside) = (own_address(), own_address());
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            folder,
            page: free(home),
            beacon: free(home),
            public: free(outside),
            tls: free(outside),
            witnesses: witnesses(),
        }
    }

    pub(super) fn data(&self, side: &str) -> PathBuf {
        self.folder.path().join(side)
    }

    pub(super) fn outside(&self) -> Command {
        let mut outside = porchlight("up", &self.data("outside"));
        outside.args(["--outside", "--every", EVERY, "--address", &self.tls, "--page-addr", &self.public]);
        // Both are on one host, which is not what this is about.
        outside.env("KEEPER_TLS_ADDR", &self.tls).env("VANTAGE", "outside").env("WITNESSES", &self.witnesses);
        outside
    }

    /// An outside machine that waits for its home, and the code.
    pub(super) async fn waiting(&self, start: Command) -> (Process, String) {
        let mut outside = Process::start(start);
        let code = outside
            .wait_for("a code", |lines| lines.iter().find(|line| line.starts_with("porchlight-join-")).cloned())
            .await;
        (outside, file(self.folder.path(), "code", &code))
    }

    /// A code of one that runs.
    pub(super) async fn another_code(&self) -> String {
        let mut code = ours("porchlight");
        code.arg("code").arg("--data").arg(self.data("outside"));
        let code = ended(code).await;
        assert_eq!(code.code, Some(0), "{code:?}");
        file(self.folder.path(), "code", code.stdout.trim())
    }

    pub(super) fn join(&self, code: &str) -> Command {
        self.join_as(code, &format!("http://{}/", self.beacon))
    }

    pub(super) fn join_as(&self, code: &str, home: &str) -> Command {
        let mut join = porchlight("up", &self.data("home"));
        join.args(["--join", "--no-bandwidth", "--page-addr", &self.page, "--beacon-addr", &self.beacon]);
        join.args(["--home-url", home]).env("JOIN_CODE_FILE", code);
        join
    }

    /// What the page of the outside machine says.
    pub(super) async fn says(&self) -> String {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let answer = http.get(format!("http://{}/api/v2/status.json", self.public)).send().await;
        let answer = match answer {
            Ok(answer) => answer.text().await,
            Err(fault) => return format!("no answer: {fault:?}"),
        };
        let text = answer.unwrap_or_else(|fault| format!("no text: {fault:?}"));
        let status: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        status["status"]["description"].as_str().map_or(text, str::to_owned)
    }

    pub(super) async fn comes_to_say(&self, expected: &str) {
        let begun = Instant::now();
        while self.says().await != expected {
            assert!(begun.elapsed() < SEEN, "the page does not come to say {expected}, but {}", self.says().await);
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Meanwhile the page says so all the time, and turns nobody away: also when the keeper begins anew.
    pub(super) async fn stays_up<T>(&self, meanwhile: impl Future<Output = T>) -> T {
        let read = async {
            loop {
                assert_eq!(self.says().await, "All Systems Operational");
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            biased;
            done = meanwhile => done,
            never = read => never,
        }
    }

    pub(super) fn key(&self, side: &str) -> String {
        fs::read_to_string(self.data(side).join("beacon.key")).expect("a key")
    }
}

pub(super) async fn joined(process: &mut Process) {
    let joined = |lines: &[String]| lines.iter().any(|line| line.starts_with("Joined the machine at")).then_some(());
    process.wait_for("that it joined", joined).await;
    process.wait_for("the page", |lines| lines.iter().find_map(|line| page_in(line))).await;
}

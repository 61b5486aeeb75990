//! A keeper, a home that can be taken down, and a prober that remembers.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use shared::proof::{CHALLENGE_HEADER, Challenge, Key, PROOF_HEADER, Proof, Running};
use tempfile::TempDir;
use tests::{
    keeper::{COMPONENT, Keeper, PAGE},
    outage::date_back,
    prober::{Run, probe_with, prober_command},
    process::{own_address, run},
    skip::{program, skip},
};
use tokio::{net::TcpListener, process::Command, task::JoinHandle};

/// The home's key.
const KEY: Key = Key::new([7; 32]);

pub(crate) struct World {
    pub(crate) keeper: Keeper,
    folder: TempDir,
    home: Home,
}

/// Answers and proves itself, or has its port closed.
struct Home {
    address: std::net::SocketAddr,
    /// What it says of how long it has been running.
    running: Running,
    answering: Option<JoinHandle<()>>,
}

/// The head of an answer to that request.
fn answer(request: &str, running: Running) -> String {
    let challenge = request.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case(CHALLENGE_HEADER).then(|| value.parse::<Challenge>().ok())?
    });
    let proof = challenge.map(|challenge| format!("{PROOF_HEADER}: {}\r\n", Proof::new(&KEY, &challenge, running)));
    format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\nConnection: close\r\n\r\n", proof.unwrap_or_default())
}

impl Drop for Home {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Home {
    fn cut(&mut self) {
        if let Some(task) = self.answering.take() {
            task.abort();
        }
    }

    fn answer(&mut self, listener: TcpListener) {
        let running = self.running;
        self.answering = Some(tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    use tokio::io::{AsyncReadExt, AsyncWriteExt};
                    let mut request = [0; 1024];
                    let read = stream.read(&mut request).await.unwrap_or(0);
                    let answer = answer(&String::from_utf8_lossy(&request[..read]), running);
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        }));
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a temporary folder"));
        let listener = TcpListener::bind((own_address(), 0)).await.expect("a port");
        let running = Running { up: 900_000, age: 900_000 };
        let mut home = Home { address: listener.local_addr().expect("an address"), running, answering: None };
        home.answer(listener);
        Self { keeper, folder, home }
    }

    /// Takes the home down.
    pub(crate) async fn cut(&mut self) {
        self.home.cut();
        // Until the port is closed.
        while tokio::net::TcpStream::connect(self.home.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn restore(&mut self) {
        let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
        socket.set_reuseaddr(true).expect("an option");
        socket.bind(self.home.address).expect("the port is still free");
        self.home.answer(socket.listen(64).expect("a listener"));
    }

    /// As [`World::restore`], with a home that says that it has been running so long, in seconds.
    pub(crate) fn restore_running(&mut self, up: u64, age: u64) {
        self.home.running = Running { up, age };
        self.restore();
    }

    /// The command of a prober with two attempts, which are 5 s apart.
    pub(crate) fn command(&self) -> Command {
        let mut command = prober_command(&format!("http://{}/", self.home.address), &self.keeper.api());
        command.env("ATTEMPTS", "2").env("STATE_FILE", self.state()).env("BEACON_KEY", KEY.expose());
        command
    }

    pub(crate) async fn probe(&self) -> Run {
        probe_with(self.command()).await
    }

    /// Two probers at once, both of which must end well.
    pub(crate) async fn probe_twice(&self) -> [Run; 2] {
        let (one, other) = tokio::join!(self.probe(), self.probe());
        for run in [&one, &other] {
            assert_eq!(run.code, Some(0), "{:#}{}", run.report, run.stderr);
        }
        [one, other]
    }

    /// Lets that much time have passed, as far as the prober knows.
    pub(crate) fn later(&self, seconds: u64) {
        date_back(&self.state(), seconds);
    }

    /// The same with a page on which everything has happened that much earlier; `None` where that cannot be done here. The keeper
    /// is started again, because nothing else can write its database meanwhile.
    pub(crate) async fn with_an_older_page(self, test: &str, seconds: u64) -> Option<Self> {
        const TIMES: [(&str, &[&str]); 4] = [
            ("components", &["updated_at"]),
            ("component_statuses", &["since"]),
            ("incidents", &["started_at", "monitoring_at", "resolved_at", "created_at", "updated_at"]),
            ("incident_updates", &["display_at", "created_at", "updated_at"]),
        ];
        let Some(sqlite) = program("sqlite3") else {
            skip(test, "sqlite3 is missing");
            return None;
        };
        let Self { keeper: Keeper { process, folder: data, .. }, folder, home } = self;
        assert!(process.terminate().await.success());
        let mut sqlite = tests::process::command(sqlite);
        sqlite.arg(data.path().join("keeper.db"));
        for (table, times) in TIMES {
            let earlier: Vec<_> = times.iter().map(|time| format!("{time} = {time} - {seconds} * 1000")).collect();
            sqlite.arg(format!("UPDATE {table} SET {}", earlier.join(", ")));
        }
        let ended = run(sqlite, Duration::from_secs(10)).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        Some(Self { keeper: Keeper::restart(data).await, folder, home })
    }

    /// What the prober remembers of the home.
    pub(crate) fn record(&self) -> Value {
        let text = std::fs::read_to_string(self.state()).expect("a state file");
        let records: Value = serde_json::from_str(&text).expect("an object");
        records[COMPONENT].clone()
    }

    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("state.json")
    }

    /// The page's incidents, the newest first.
    pub(crate) async fn incidents(&self) -> Vec<Value> {
        let path = format!("/pages/{PAGE}/incidents?limit=100");
        let listed = self.keeper.ok(Method::GET, &path, None).await;
        listed.as_array().expect("a list").clone()
    }

    /// A human's change of an incident.
    pub(crate) async fn change_incident(&self, incident: &Value, change: Value) {
        let path = format!("/pages/{PAGE}/incidents/{}", incident["id"].as_str().expect("an id"));
        self.keeper.ok(Method::PATCH, &path, Some(json!({ "incident": change }))).await;
    }
}

/// The statuses of an incident's updates, from the first to the last.
pub(crate) fn update_statuses(incident: &Value) -> Vec<&str> {
    let updates = incident["incident_updates"].as_array().expect("updates");
    updates.iter().rev().map(|update| update["status"].as_str().expect("a status")).collect()
}

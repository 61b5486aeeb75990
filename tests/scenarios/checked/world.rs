//! Targets that answer as they are told, and the program with its file.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tests::{
    checks::known,
    keeper::{Keeper, TOKEN},
    process::{Process, file, ours, own_address},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
    time::{Instant, sleep},
};

/// How long something may take to be seen.
pub(super) const LIMIT: Duration = Duration::from_secs(60);

/// A web server that answers each request with the same status.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    status: Arc<AtomicU16>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Target {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind((own_address(), 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (status, asked) = (Arc::new(AtomicU16::new(200)), Arc::<Mutex<Vec<Instant>>>::default());
        let target = Self { address, status: Arc::clone(&status), asked: Arc::clone(&asked) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                asked.lock().expect("nobody panics with it").push(Instant::now());
                tokio::spawn(answer(stream, status.load(Ordering::Relaxed)));
            }
        });
        target
    }

    pub(super) fn answers(&self, status: u16) {
        self.status.store(status, Ordering::Relaxed);
    }

    pub(super) fn asked(&self) -> usize {
        self.times().len()
    }

    /// When it was asked.
    pub(super) fn times(&self) -> Vec<Instant> {
        self.asked.lock().expect("nobody panics with it").clone()
    }

    /// A check of it, as a line of `checks.yml`.
    pub(super) fn check(&self, name: &str, more: &str) -> String {
        format!("  - {{ name: {name}, every: 5s, timeout: 4s, http: {{ url: \"http://{}/\" }}{more} }}\n", self.address)
    }
}

async fn answer(mut stream: TcpStream, status: u16) {
    let mut head = [0; 4096];
    let _ = stream.read(&mut head).await;
    let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 3\r\nconnection: close\r\n\r\nok\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The program, and its file.
pub(super) struct Checks {
    pub(super) process: Process,
    pub(super) folder: TempDir,
    metrics: SocketAddr,
}

pub(super) fn checks_yml(lines: &[String]) -> String {
    format!("defaults: {{ retries: 0 }}\nchecks:\n{}", lines.concat())
}

/// The command of the program, with that file in the folder.
pub(super) fn command(folder: &TempDir, text: &str) -> Command {
    let mut command = ours("checks");
    command.env("CHECKS_FILE", file(folder.path(), "checks.yml", text));
    command
}

impl Checks {
    pub(super) async fn start(keeper: &Keeper, lines: &[String]) -> Self {
        Self::start_with(lines, |command| {
            command.env("KEEPER_URL", &keeper.url).env("KEEPER_TOKEN", TOKEN);
        })
        .await
    }

    pub(super) async fn start_with(lines: &[String], change: impl FnOnce(&mut Command)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let metrics = TcpListener::bind((own_address(), 0)).await.and_then(|it| it.local_addr()).expect("a port");
        let mut command = command(&folder, &checks_yml(lines));
        command.env("CHECKS_ADDR", metrics.to_string());
        change(&mut command);
        let mut process = Process::start(command);
        process.wait_for_message("running").await;
        Self { process, folder, metrics }
    }

    pub(super) fn file(&self) -> PathBuf {
        self.folder.path().join("checks.yml")
    }

    /// Takes that text as the file from now on, whole.
    pub(super) fn write(&self, text: &str) {
        let new = file(self.folder.path(), "new.yml", text);
        std::fs::rename(new, self.file()).expect("it is in the same folder");
    }

    pub(super) async fn metric(&self, name: &str) -> u64 {
        let text = reqwest::get(format!("http://{}/metrics", self.metrics)).await.expect("metrics");
        let text = text.text().await.expect("text");
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        line.unwrap_or_else(|| panic!("{name} is not in {text}"))
    }
}

/// Waits until that is so of a check.
pub(super) async fn until(keeper: &Keeper, name: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let until = Instant::now() + LIMIT;
    loop {
        let known = known(keeper, name).await;
        if is_so(&known) {
            return known;
        }
        assert!(Instant::now() < until, "it takes too long until {name} {what}: {known}");
        sleep(Duration::from_millis(100)).await;
    }
}

pub(super) fn counts(state: &'static str) -> impl Fn(&Value) -> bool {
    move |known| known["counts"] == state
}

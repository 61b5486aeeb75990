//! A run that is killed between the call that makes something and its answer.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use reqwest::Method;
use tests::{keeper::PAGE, process::Process};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};

use super::world::World;

/// Stands before the page, and keeps the answer to one call to itself.
struct Between {
    address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

struct State {
    to: SocketAddr,
    /// How the path of the call ends whose answer is kept.
    keeps: Mutex<Option<&'static str>>,
    kept: Notify,
}

impl Drop for Between {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Between {
    async fn open(url: &str) -> Self {
        let to = url.trim_start_matches("http://").parse().expect("an address");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let state = Arc::new(State { to, keeps: Mutex::default(), kept: Notify::new() });
        let serving = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, Arc::clone(&serving)));
            }
        });
        Self { address, state, task }
    }

    /// Starts a setup, and kills it when what that path makes is made.
    async fn kills(&self, world: &World, words: &[&str], path: &'static str) {
        *self.state.keeps.lock().expect("nobody panics") = Some(path);
        let mut command = world.command(words);
        command.env("STATUSPAGE_URL", self.api());
        let setup = Process::start(command);
        let kept = timeout(Duration::from_secs(20), self.state.kept.notified()).await;
        assert!(kept.is_ok(), "{path} was never called: {:#?}", setup.lines());
        setup.kill().await;
        *self.state.keeps.lock().expect("nobody panics") = None;
    }

    fn api(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

async fn pass(mut client: TcpStream, state: Arc<State>) {
    let Ok(mut server) = TcpStream::connect(state.to).await else { return };
    let (mut asked, mut answered, mut is_kept) = (vec![0; 1 << 16], vec![0; 1 << 16], false);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Some(read) = read.ok().filter(|read| *read > 0) else { return };
                let text = String::from_utf8_lossy(&asked[..read]);
                let line = text.lines().next().unwrap_or_default();
                let keeps = *state.keeps.lock().expect("nobody panics");
                is_kept |= keeps.is_some_and(|path| line.starts_with("POST ") && line.ends_with(&format!("{path} HTTP/1.1")));
                if server.write_all(&asked[..read]).await.is_err() { return }
            }
            read = server.read(&mut answered) => {
                let Some(read) = read.ok().filter(|read| *read > 0) else { return };
                if is_kept {
                    state.kept.notify_one();
                } else if client.write_all(&answered[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn named(world: &World, list: &str, name: &str) -> usize {
    let all = world.keeper.ok(Method::GET, &format!("/pages/{PAGE}/{list}"), None).await;
    all.as_array().expect("a list").iter().filter(|it| it["name"] == name || it["type"] == name).count()
}

const WORDS: [&str; 9] =
    ["setup", "--yes", "--without-aws", "--home", "home", "--component-name", "The line", "--metrics", "true"];

#[tokio::test]
async fn what_a_killed_run_has_made_is_neither_made_twice_nor_forgotten() {
    let world = World::at_home().await;
    let between = Between::open(&world.keeper.url).await;
    for path in ["/components", "/metrics_providers", "/metrics"] {
        between.kills(&world, &WORDS, path).await;
    }
    let mut command = world.command(&WORDS);
    command.env("STATUSPAGE_URL", between.api());
    let ended = tests::process::run(command, Duration::from_mins(1)).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    let all =
        [("components", "The line"), ("metrics_providers", "Self"), ("metrics", "Latency"), ("metrics", "Bandwidth")];
    for (list, name) in all {
        assert_eq!(named(&world, list, name).await, 1, "{name}");
    }
    let dry = world.run(&["teardown", "--dry-run"]).await;
    assert_eq!(
        dry.stdout.lines().filter(|line| line.ends_with(&format!("of the page {PAGE}"))).count(),
        4,
        "{}",
        dry.stdout
    );
    let ended = world.run(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    for (list, name) in all {
        assert_eq!(named(&world, list, name).await, 0, "{name}");
    }
}

#[tokio::test]
async fn a_teardown_right_after_a_killed_run_removes_what_that_made() {
    let world = World::at_home().await;
    let between = Between::open(&world.keeper.url).await;
    between.kills(&world, &WORDS, "/components").await;
    assert_eq!(named(&world, "components", "The line").await, 1);
    let dry = world.run(&["teardown", "--dry-run"]).await;
    assert!(dry.stdout.contains("would look for  the component The line of the page"), "{}{}", dry.stdout, dry.stderr);
    let ended = world.run(&["teardown"]).await;
    assert_eq!(ended.code, Some(0), "{}{}", ended.stdout, ended.stderr);
    assert!(named(&world, "components", "The line").await == 0 && !world.folder().exists());
}

#[tokio::test]
async fn what_cannot_be_looked_for_ends_no_teardown_and_a_page_that_has_gone_has_nothing() {
    let world = World::at_home().await;
    let between = Between::open(&world.keeper.url).await;
    between.kills(&world, &WORDS, "/metrics_providers").await;
    let mut command = world.command(&["teardown"]);
    command.env("STATUSPAGE_TOKEN", "token-of-another");
    let ended = tests::process::run(command, Duration::from_mins(1)).await;
    for failed in ["failed   the provider of the metrics of the page", "failed   the component "] {
        assert!(ended.code == Some(1) && ended.stdout.contains(failed), "{}{}", ended.stdout, ended.stderr);
    }
    let record = world.folder().join("setup.toml");
    let text = std::fs::read_to_string(&record).expect("a record").replace(PAGE, "zzzzzzzzzzzz");
    std::fs::write(&record, text).expect("ours");
    let ended = world.run(&["teardown"]).await;
    assert!(ended.code == Some(0) && !world.folder().exists(), "{}{}", ended.stdout, ended.stderr);
}

//! An outside machine and a home on one host: joins that are cut off on either side, and what is made of them.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use tests::{
    process::{Ended, Process, command, file, ours, own_address, run},
    skip::{program, skip},
};
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};

use crate::world::{LIMIT, ended, page_in, porchlight, up};

/// As often as a prober may look.
const EVERY: &str = "15s";

/// How long a change may take to be seen: three looks, each with its attempts.
const SEEN: Duration = Duration::from_secs(60);

/// Both sides, each with its folder and addresses.
struct Two {
    folder: tempfile::TempDir,
    page: String,
    beacon: String,
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
    fn new() -> Self {
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

    fn data(&self, side: &str) -> PathBuf {
        self.folder.path().join(side)
    }

    fn outside(&self) -> Command {
        let mut outside = porchlight("up", &self.data("outside"));
        outside.args(["--outside", "--every", EVERY, "--address", &self.tls, "--page-addr", &self.public]);
        // Both are on one host, which is not what this is about.
        outside.env("KEEPER_TLS_ADDR", &self.tls).env("VANTAGE", "outside").env("WITNESSES", &self.witnesses);
        outside
    }

    /// An outside machine that waits for its home, and the code.
    async fn waiting(&self, start: Command) -> (Process, String) {
        let mut outside = Process::start(start);
        let code = outside
            .wait_for("a code", |lines| lines.iter().find(|line| line.starts_with("porchlight-join-")).cloned())
            .await;
        (outside, file(self.folder.path(), "code", &code))
    }

    /// A code of one that runs.
    async fn another_code(&self) -> String {
        let mut code = ours("porchlight");
        code.arg("code").arg("--data").arg(self.data("outside"));
        let code = ended(code).await;
        assert_eq!(code.code, Some(0), "{code:?}");
        file(self.folder.path(), "code", code.stdout.trim())
    }

    fn join(&self, code: &str) -> Command {
        let mut join = porchlight("up", &self.data("home"));
        join.args(["--join", "--no-bandwidth", "--page-addr", &self.page, "--beacon-addr", &self.beacon]);
        join.args(["--home-url", &format!("http://{}/", self.beacon)]).env("JOIN_CODE_FILE", code);
        join
    }

    /// What the page of the outside machine says.
    async fn says(&self) -> String {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().expect("a client");
        let answer = http.get(format!("http://{}/api/v2/status.json", self.public)).send().await;
        let Ok(answer) = answer else { return String::new() };
        let status: serde_json::Value = answer.json().await.unwrap_or_default();
        status["status"]["description"].as_str().unwrap_or_default().to_owned()
    }

    async fn comes_to_say(&self, expected: &str) {
        let begun = Instant::now();
        while self.says().await != expected {
            assert!(begun.elapsed() < SEEN, "the page does not come to say {expected}, but {}", self.says().await);
            sleep(Duration::from_millis(200)).await;
        }
    }

    fn key(&self, side: &str) -> String {
        fs::read_to_string(self.data(side).join("beacon.key")).expect("a key")
    }
}

/// The same command, ended by the kernel when it puts a file in its place for the time of that number.
fn killed_at_rename(plain: &Command, step: usize) -> Option<Command> {
    let mut traced = command(program("strace")?);
    traced.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=rename"]);
    traced.args(["-e", &format!("inject=rename:signal=SIGKILL:when={step}")]);
    traced.arg(plain.as_std().get_program()).args(plain.as_std().get_args());
    for (name, value) in plain.as_std().get_envs() {
        traced.env(name, value.expect("only values"));
    }
    Some(traced)
}

async fn joined(process: &mut Process) {
    let joined = |lines: &[String]| lines.iter().any(|line| line.starts_with("Joined the machine at")).then_some(());
    process.wait_for("that it joined", joined).await;
    process.wait_for("the page", |lines| lines.iter().find_map(|line| page_in(line))).await;
}

/// Whether the outside machine ends before the home runs.
async fn is_ended_first(outside: &mut Process, home: &Process) -> bool {
    loop {
        if timeout(Duration::from_millis(50), outside.ended()).await.is_ok() {
            return true;
        }
        if home.lines().iter().any(|line| page_in(line).is_some()) {
            return false;
        }
    }
}

#[tokio::test]
async fn an_outside_machine_that_is_killed_at_any_step_of_a_join_takes_the_home_later() {
    if program("strace").is_none() {
        return skip("an outside machine that is killed while a home joins", "strace is missing");
    }
    let mut kills = 0;
    // What a first start puts in its place comes before, and is killed with the code not printed yet.
    for step in 1..=12 {
        let two = Two::new();
        let start = killed_at_rename(&two.outside(), step).expect("strace is there");
        let mut outside = Process::start(start);
        let code = loop {
            let code = outside.lines().into_iter().find(|line| line.starts_with("porchlight-join-"));
            let has_ended = timeout(Duration::from_millis(50), outside.ended()).await.is_ok();
            if code.is_some() || has_ended {
                break code;
            }
        };
        let mut refused: Option<Ended> = None;
        if let Some(code) = code {
            let mut home = Process::start(two.join(&file(two.folder.path(), "code", &code)));
            if !is_ended_first(&mut outside, &home).await {
                assert_eq!(home.terminate().await.code(), Some(0));
                // Unless it is killed at its next file.
                outside.kill().await;
                break;
            }
            let code = home.ended().await.code();
            // What it said last may still be on its way.
            sleep(Duration::from_millis(100)).await;
            refused = Some(Ended { code, stdout: String::new(), stderr: home.lines().join("\n") });
        }
        kills += 1;
        if let Some(refused) = refused {
            assert!(refused.code == Some(1) && refused.stderr.contains("join again"), "step {step}: {refused:?}");
        }
        let (outside, code) = two.waiting(two.outside()).await;
        let mut home = Process::start(two.join(&code));
        joined(&mut home).await;
        assert_eq!(home.terminate().await.code(), Some(0), "step {step}");
        let tokens = ended({
            let mut tokens = ours("porchlight");
            tokens.arg("tokens").arg("--data").arg(two.data("outside"));
            tokens
        });
        assert_eq!(tokens.await.code, Some(0), "step {step}");
        assert_eq!(outside.terminate().await.code(), Some(0), "step {step}");
    }
    eprintln!("killed at {kills} steps");
    assert!(kills >= 7, "the kernel killed it {kills} times");
}

#[tokio::test]
async fn a_home_that_is_killed_while_it_joins_again_stays_up_and_keeps_what_it_had() {
    if program("strace").is_none() {
        return skip("a home that is killed while it joins again", "strace is missing");
    }
    let two = Two::new();
    let (outside, code) = two.waiting(two.outside()).await;
    let mut home = Process::start(two.join(&code));
    joined(&mut home).await;
    two.comes_to_say("All Systems Operational").await;

    // The outside machine has a new key and token for the home, which never got them.
    let key = two.key("home");
    let again = killed_at_rename(&two.join(&two.another_code().await), 1).expect("strace is there");
    assert_ne!(run(again, LIMIT).await.code, Some(0));
    let old = two.data("outside").join("beacon.key.old");
    assert!(two.key("home") == key && two.key("outside") != key && old.exists());
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        assert_eq!(two.says().await, "All Systems Operational");
        sleep(Duration::from_millis(500)).await;
    }
    let mut relay = ours("porchlight");
    relay.args(["keeper", "relay"]).env("KEEPER_TOKEN_FILE", two.data("home").join("keeper.token"));
    relay.env("KEEPER_ADDR", &two.page);
    let relay = ended(relay).await;
    assert!(relay.stdout.contains("condition: well"), "{relay:?}");

    // The next join replaces both, and what was before ends when the new ones are used.
    let again = ended(two.join(&two.another_code().await)).await;
    assert!(again.code == Some(0) && again.stdout.contains("Joined the machine at"), "{again:?}");
    let begun = Instant::now();
    while old.exists() {
        assert!(begun.elapsed() < SEEN, "the old key counts on");
        assert_eq!(two.says().await, "All Systems Operational");
        sleep(Duration::from_millis(200)).await;
    }
    assert!(two.key("home") == two.key("outside") && two.key("home") != key);
    let chosen = fs::read_to_string(two.data("home").join("up.toml")).expect("what was chosen");
    assert!(chosen.contains(&format!("home_url = \"http://{}/\"", two.beacon)), "{chosen}");
    assert_eq!(home.terminate().await.code(), Some(0));
    // With another key it would be a stranger.
    fs::remove_file(two.data("home").join("beacon.key")).expect("it is there");
    let refused = ended(porchlight("up", &two.data("home"))).await;
    assert!(
        refused.code == Some(2) && refused.stderr.contains("the key of this home is gone: join again"),
        "{refused:?}"
    );
    assert_eq!(outside.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn a_code_that_is_not_pasted_keeps_nobody_from_ending_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut join = up(&folder.path().join("data"));
    let (nothing, _open) = std::io::pipe().expect("a pipe");
    join.arg("--join").stdin(nothing);
    let asked = Process::start(join);
    // Nothing is printed while it waits for a line of a pipe.
    while !folder.path().join("data/seed.toml").exists() {
        sleep(Duration::from_millis(20)).await;
    }
    sleep(Duration::from_millis(300)).await;
    let begun = Instant::now();
    assert_eq!(asked.terminate().await.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

//! A home and a machine elsewhere, in two networks: the program that is released, out of its archive.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tests::{
    link::{FAR, Link, NEAR},
    namespace::Namespace,
    process::{Ended, Process, command, file, run},
    release::Release,
    skip::{long, skip},
};
use tokio::{process::Command, time::sleep};

use crate::world::{LIMIT, page_in};

/// How long a change may take to be seen on a page: some probes of 15 s, each with its attempts.
const SEEN: Duration = Duration::from_secs(120);

/// What a page says when all is well, and otherwise.
const UP: &str = "All Systems Operational";
const DOWN: &str = "Major System Outage";
const UNSEEN: &str = "Nobody has looked yet";

/// One of the two machines.
struct Machine<'a> {
    network: &'a Namespace,
    program: PathBuf,
    data: PathBuf,
    /// Where its page is, seen from itself.
    page: &'static str,
}

impl Machine<'_> {
    fn command(&self, words: &[&str]) -> Command {
        let mut porchlight = command(&self.program);
        porchlight.arg(words[0]).arg("--data").arg(&self.data).args(&words[1..]);
        // The home's line is all that there is, so its other end is what is pinged.
        porchlight.env("TARGET_HOST", FAR).env("WITNESSES", "127.0.0.1:7001,localhost:7002");
        self.network.inside(&porchlight)
    }

    async fn ended(&self, words: &[&str]) -> Ended {
        run(self.command(words), LIMIT).await
    }

    /// Joins by the code in that file.
    async fn join(&self, code: &str) -> Ended {
        let mut join = self.command(&["up", "--join", "--no-bandwidth"]);
        join.env("JOIN_CODE_FILE", code);
        run(join, Duration::from_secs(60)).await
    }

    /// The overall state on its page; `None` while it does not answer.
    async fn says(&self) -> Option<String> {
        let mut curl = command("curl");
        curl.args(["-s", "-m", "3", &format!("{}api/v2/status.json", self.page)]);
        let answer = run(self.network.inside(&curl), LIMIT).await;
        let status: serde_json::Value = serde_json::from_str(&answer.stdout).ok()?;
        Some(status["status"]["description"].as_str()?.to_owned())
    }

    /// Waits until the page says so, and never `wrong` before; returns how long that took.
    async fn comes_to_say(&self, expected: &str, wrong: &[&str]) -> Duration {
        let begun = Instant::now();
        loop {
            let says = self.says().await.unwrap_or_default();
            if says == expected {
                return begun.elapsed();
            }
            assert!(!wrong.contains(&says.as_str()), "{} said {says} before {expected}", self.page);
            assert!(begun.elapsed() < SEEN, "{} does not come to say {expected}, but {says}", self.page);
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// The condition of the home's relay comes to hold these words.
    async fn relay_comes_to_say(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            let mut relay = command(&self.program);
            relay.args(["keeper", "relay"]).env("KEEPER_TOKEN_FILE", self.data.join("keeper.token"));
            let said = run(self.network.inside(&relay), LIMIT).await.stdout;
            if said.contains(words) {
                return said;
            }
            assert!(begun.elapsed() < SEEN, "the relay does not come to say {words}: {said}");
            sleep(Duration::from_millis(500)).await;
        }
    }
}

/// The join code in what an outside machine printed.
async fn code_of(outside: &mut Process) -> String {
    outside
        .wait_for("a code", |lines| lines.iter().rev().find(|line| line.starts_with("porchlight-join-")).cloned())
        .await
}

/// A program that is unpacked from the archive.
async fn unpacked(release: &Release, folder: &Path) -> PathBuf {
    let mut tar = command("tar");
    tar.arg("-xzf").arg(release.tarball("amd64")).arg("-C").arg(folder);
    assert_eq!(run(tar, LIMIT).await.code, Some(0));
    folder.join(Release::name("amd64")).join("porchlight")
}

/// The short version, by a clock that is moved: `joined::codes`.
#[tokio::test]
async fn a_home_that_comes_after_a_quarter_of_an_hour_is_refused() {
    const TEST: &str = "a_home_that_comes_after_a_quarter_of_an_hour";
    if !long() {
        return;
    }
    let Some(link) = Link::new("late").await else { return skip(TEST, "no namespace can be made") };
    let Some(release) = Release::made(TEST).await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = unpacked(&release, folder.path()).await;
    let at =
        |network, name: &str, page| Machine { network, program: program.clone(), data: folder.path().join(name), page };
    let outside = at(&link.far, "outside", "http://127.0.0.1:8031/");
    let home = at(&link.near, "home", "http://127.0.0.1:8030/");
    let mut there = Process::start(outside.command(&["up", "--outside", "--address", FAR, "--every", "15s"]));
    let code = file(folder.path(), "code", &code_of(&mut there).await);
    sleep(Duration::from_secs(15 * 60 + 1)).await;
    let late = home.join(&code).await;
    assert!(late.code == Some(1) && late.stderr.contains("the code is older than 15 minutes"), "{late:?}");
    assert_eq!(outside.says().await.as_deref(), Some(UNSEEN));
    let another = outside.ended(&["code"]).await;
    let mut join = home.command(&["up", "--join", "--no-bandwidth"]);
    join.env("JOIN_CODE_FILE", file(folder.path(), "another", another.stdout.trim()));
    let mut here = Process::start(join);
    here.wait_for("the page", |lines| lines.iter().find_map(|line| page_in(line))).await;
    assert_eq!(here.terminate().await.code(), Some(0));
    assert_eq!(there.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn a_home_joins_a_machine_elsewhere_by_one_code_and_both_pages_tell_the_truth() {
    const TEST: &str = "a_home_joins_a_machine_elsewhere";
    let Some(link) = Link::new("two-machines").await else { return skip(TEST, "no namespace can be made") };
    let Some(release) = Release::made(TEST).await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let begun = Instant::now();
    let program = unpacked(&release, folder.path()).await;
    let at =
        |network, name: &str, page| Machine { network, program: program.clone(), data: folder.path().join(name), page };
    let outside = at(&link.far, "outside", "http://127.0.0.1:8031/");
    let home = at(&link.near, "home", "http://127.0.0.1:8030/");
    let other_home = at(&link.near, "other-home", "http://127.0.0.1:8030/");
    // What the prober asks where the home is silent.
    let witnesses = [
        link.far.listen("127.0.0.1:7001".parse().expect("an address")),
        link.far.listen("127.0.0.1:7002".parse().expect("an address")),
    ];
    for witness in witnesses {
        tokio::spawn(async move { while witness.accept().await.is_ok() {} });
    }
    let elsewhere = || outside.command(&["up", "--outside", "--address", FAR, "--every", "15s"]);

    // 1 of 3 commands: on the machine elsewhere.
    let mut there = Process::start(elsewhere());
    let code = code_of(&mut there).await;
    let code_file = file(folder.path(), "code", &code);
    outside.comes_to_say(UNSEEN, &[UP, DOWN]).await;

    // A slip of the hand is found before anything is asked; and a firewall that drops is named.
    let slip = file(folder.path(), "slip", &code.replacen("join-A", "join-B", 1));
    let refused = home.join(&slip).await;
    assert!(refused.code == Some(2) && refused.stderr.contains("the code has a typo or is cut off"), "{refused:?}");
    let mut pasted = home.command(&["up", "--join", "--no-bandwidth"]);
    pasted.stdin(Stdio::from(fs::File::open(&slip).expect("it is there")));
    let refused = run(pasted, LIMIT).await;
    assert!(refused.stderr.contains("the code has a typo or is cut off"), "{refused:?}");
    link.far.drop_arriving(&["tcp", "dport", "8443"]).await;
    let dropped = home.join(&code_file).await;
    assert!(dropped.code == Some(1) && dropped.stderr.contains("a firewall may drop it"), "{dropped:?}");
    link.far.run(&["nft", "delete", "table", "inet", "t"]).await;

    // 2 of 3: at home. (The third is the paste, or the file.)
    let mut join = home.command(&["up", "--join", "--no-bandwidth"]);
    join.env("JOIN_CODE_FILE", &code_file);
    let mut here = Process::start(join);
    here.wait_for("the page", |lines| lines.iter().find_map(|line| page_in(line))).await;
    outside.comes_to_say(UP, &[DOWN]).await;
    home.comes_to_say(UP, &[DOWN]).await;
    eprintln!("from tar x to two truthful pages: {:?}, with three refusals between", begun.elapsed());
    for secret in ["home/beacon.key", "home/upstream.token", "outside/keeper.token"] {
        let secret = fs::read_to_string(folder.path().join(secret)).expect("it is there");
        let said = [here.lines(), there.lines()].concat().join("\n");
        assert!(!said.contains(secret.trim()), "{said}");
    }
    let status = outside.ended(&["status"]).await;
    assert!(status.code == Some(0) && status.stdout.contains("looked at from outside"), "{status:?}");
    let status = home.ended(&["status"]).await;
    assert!(status.code == Some(0) && status.stdout.contains(&format!("by {FAR}")), "{status:?}");

    // The code opens nothing any more, and another one no room for a second home.
    let used = other_home.join(&code_file).await;
    assert!(used.code == Some(1) && used.stderr.contains("the code has been used"), "{used:?}");
    let another = outside.ended(&["code"]).await;
    let another = file(folder.path(), "another", another.stdout.trim());
    let second = other_home.join(&another).await;
    assert!(second.code == Some(1) && second.stderr.contains("has another home already"), "{second:?}");

    // The line is cut: the page elsewhere says so, and nothing of what is measured meanwhile is lost.
    link.far.drop_arriving(&["ip", "saddr", NEAR]).await;
    let cut = outside.comes_to_say(DOWN, &[]).await;
    link.far.run(&["nft", "delete", "table", "inet", "t"]).await;
    let restored = outside.comes_to_say(UP, &[]).await;
    home.comes_to_say(UP, &[]).await;
    home.relay_comes_to_say("waiting: 0 points").await;
    eprintln!("the cut was shown after {cut:?}, its end after {restored:?}");

    // Somebody else at the same address gets nothing from the home.
    assert_eq!(there.terminate().await.code(), Some(0));
    let stranger = at(&link.far, "stranger", "http://127.0.0.1:8031/");
    let strange = Process::start(stranger.command(&["up", "--outside", "--address", FAR, "--every", "15s"]));
    home.relay_comes_to_say("the certificate is another one").await;
    let refused = other_home.join(&another).await;
    assert!(refused.code == Some(1) && refused.stderr.contains("another server answers at"), "{refused:?}");
    assert_eq!(stranger.says().await.as_deref(), Some(UNSEEN), "nothing was written there");
    assert_eq!(strange.terminate().await.code(), Some(0));
    let there = Process::start(elsewhere());
    home.relay_comes_to_say("waiting: 0 points").await;

    // A token that leaked is revoked there; a new code and a paste at home replace it, and the key.
    let key = fs::read_to_string(home.data.join("beacon.key")).expect("a key");
    let tokens = outside.ended(&["tokens"]).await;
    let id = tokens.stdout.lines().nth(1).and_then(|line| line.split_whitespace().next()).expect("a token").to_owned();
    let revoked = outside.ended(&["tokens", "revoke", &id]).await;
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    home.relay_comes_to_say("revoked").await;
    let status = home.ended(&["status"]).await;
    assert!(status.code == Some(1) && status.stdout.contains("run `porchlight code` there"), "{status:?}");
    let code = outside.ended(&["code"]).await;
    let again = home.join(&file(folder.path(), "again", code.stdout.trim())).await;
    assert!(again.code == Some(0) && again.stdout.contains("Joined the machine at"), "{again:?}");
    assert_ne!(fs::read_to_string(home.data.join("beacon.key")).expect("a key"), key);
    home.relay_comes_to_say("condition: well").await;
    outside.comes_to_say(UP, &[DOWN]).await;

    assert_eq!(here.terminate().await.code(), Some(0));
    assert_eq!(there.terminate().await.code(), Some(0));
}

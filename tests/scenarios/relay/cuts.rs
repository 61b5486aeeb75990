//! A power cut, as the real program sees it: another boot, another uptime, and a clock that goes on from what was
//! saved.

use std::{fs, time::Duration};

use home_beacon::keeper::db::holder_of;
use jiff::{SignedDuration, Timestamp, Unit};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{
    keeper::Keeper,
    process::{command, run},
    seccomp::{ASKING_THE_CLOCK, refusing},
    skip::{libfaketime, program, skip},
};
use tokio::{process::Command, time::sleep};

/// A machine whose clocks and boots are made up.
struct Machine {
    files: TempDir,
    libfaketime: String,
    /// How long the real one has been running, in seconds.
    uptime: i64,
}

impl Machine {
    /// `None` where it cannot be made on this machine.
    async fn new(test: &str) -> Option<Self> {
        let files = tempfile::tempdir().expect("a temporary folder");
        let Some(libfaketime) = libfaketime() else {
            skip(test, "libfaketime is not installed");
            return None;
        };
        if program("python3").is_none() {
            skip(test, "python3 is missing");
            return None;
        }
        let uptime = fs::read_to_string("/proc/uptime").ok()?.split('.').next()?.parse().ok()?;
        let machine = Self { files, libfaketime, uptime };
        machine.boots("a");
        machine.is_off_by(0);
        let ended = run(machine.inside(&command("true"), 60), Duration::from_secs(10)).await;
        if ended.code != Some(0) {
            skip(test, &format!("it takes root, and namespaces of time: {}", ended.stderr));
            return None;
        }
        Some(machine)
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    fn boots(&self, boot: &str) {
        fs::write(self.file("boot"), format!("{boot}\n")).expect("it can be written");
    }

    /// The clock on the wall shows that many seconds more than it should, from now on.
    fn is_off_by(&self, seconds: i64) {
        fs::write(self.file("new"), format!("{seconds:+}\n")).expect("it can be written");
        fs::rename(self.file("new"), self.file("clock")).expect("it can be written");
    }

    /// The same command in it, as if it had been started `up` seconds before.
    fn inside(&self, outside: &Command, up: i64) -> Command {
        // The real one's clock may be in step, which is another story.
        let outside = refusing(ASKING_THE_CLOCK, outside).expect("it was there");
        let outside = outside.as_std();
        let mut inside = command(program("unshare").unwrap_or_else(|| "unshare".into()));
        let up = (up - self.uptime).to_string();
        inside.args(["--mount", "--time", "--boottime", &up, "--fork", "--kill-child", "sh", "-c"]);
        inside.arg(
            r#"if [ -d /run/systemd ]; then mount -t tmpfs none /run/systemd; fi
            mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec env "$@""#,
        );
        inside.arg("sh");
        inside.arg(self.file("boot"));
        inside.arg(format!("LD_PRELOAD={}", self.libfaketime));
        inside.arg(format!("FAKETIME_TIMESTAMP_FILE={}", self.file("clock")));
        inside.args(["FAKETIME_NO_CACHE=1", "DONT_FAKE_MONOTONIC=1"]);
        inside.arg(outside.get_program()).args(outside.get_args());
        for (name, value) in outside.get_envs() {
            if let Some(value) = value {
                inside.env(name, value);
            }
        }
        inside
    }

    /// A keeper on it.
    async fn keeper(&self, folder: TempDir, up: i64) -> Keeper {
        Keeper::restart_with(folder, |command| *command = self.inside(command, up)).await
    }
}

/// Measures something by a clock that is off by so much.
async fn ping(keeper: &Keeper, off: i64) -> Timestamp {
    let at = (Timestamp::now() + SignedDuration::from_secs(off)).round(Unit::Second).expect("a time");
    let reading = json!({"metric": "ping", "at": at.to_string(), "value": 7.0});
    let (status, said) = keeper.own(Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
    assert_eq!(status, 201, "{said}");
    at
}

async fn health(keeper: &Keeper) -> Value {
    let answer = keeper.http.get(format!("{}/healthz", keeper.url)).send().await.expect("it answers");
    answer.json().await.expect("JSON")
}

/// When something was measured, as far as it has a time.
async fn pings(keeper: &Keeper, now: Timestamp) -> Vec<Timestamp> {
    let (from, to) = (now - SignedDuration::from_hours(4), now + SignedDuration::from_mins(1));
    let path = format!("/series?metric=ping&from={from}&to={to}&step=5");
    let (status, series) = keeper.own(Method::GET, &path, None).await;
    assert_eq!(status, 200, "{series}");
    let points = series["points"].as_array().expect("points").iter();
    points.map(|point| point["at"].as_str().expect("a time").parse().expect("one")).collect()
}

async fn gaps(keeper: &Keeper) -> Vec<(Timestamp, Timestamp, bool)> {
    let (_, gaps) = keeper.own(Method::GET, "/gaps", None).await;
    let time = |gap: &Value, name: &str| gap[name].as_str().expect("a time").parse::<Timestamp>().expect("a time");
    let gaps = gaps.as_array().expect("a list").iter();
    gaps.map(|gap| (time(gap, "began"), time(gap, "ended"), gap["host_booted"] == true)).collect()
}

fn is_near(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() < SignedDuration::from_secs(10)
}

/// Ends it as a power cut does; its files.
async fn cut(keeper: Keeper) -> TempDir {
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    // That was who started it in there. It ends with that, but perhaps in the middle of a slow write.
    let database = format!("sqlite:{}", folder.path().join("keeper.db").display());
    let gone = async {
        while holder_of(&database).is_some() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("it ends");
    folder
}

const HOURS: i64 = 3 * 3600;

#[tokio::test]
async fn after_a_power_cut_a_saved_clock_is_not_believed_until_it_is_set() {
    let Some(machine) = Machine::new("after_a_power_cut").await else { return };
    let keeper = machine.keeper(tempfile::tempdir().expect("a folder"), 86400).await;
    let died = ping(&keeper, 0).await;
    assert_eq!(health(&keeper).await["clock"], "ok");
    let folder = cut(keeper).await;

    // Three hours later the line is still down, and the clock goes on from half a minute before the cut, twice.
    machine.boots("b");
    machine.is_off_by(-30);
    let keeper = machine.keeper(folder, 20).await;
    let second = ping(&keeper, -30).await + SignedDuration::from_secs(HOURS + 30 - 20);
    assert_eq!(health(&keeper).await["clock"], "not set");
    assert_eq!((pings(&keeper, died).await.len(), gaps(&keeper).await), (1, vec![]));
    let folder = cut(keeper).await;
    // In the same boot, 20 seconds later by both clocks.
    machine.is_off_by(-10);
    let mut keeper = machine.keeper(folder, 40).await;
    let third = ping(&keeper, -10).await + SignedDuration::from_secs(HOURS + 10);
    assert_eq!(health(&keeper).await["clock"], "not set", "the same boot");
    // The line is back.
    machine.is_off_by(HOURS);
    keeper.process.wait_for_message("the clock is set: what came before it is dated").await;
    let now = Timestamp::now() + SignedDuration::from_secs(HOURS);
    let measured = pings(&keeper, now).await;
    // What the first of them measured was so long ago as the uptime says.
    let expected = [died, second, third];
    assert!(
        measured.len() == 3 && measured.iter().zip(expected).all(|(one, other)| is_near(*one, other)),
        "{measured:?} {expected:?}"
    );
    let gap = gaps(&keeper).await;
    assert!(
        matches!(gap[..], [(began, ended, true)] if is_near(began, died) && is_near(ended, measured[1])),
        "{gap:?} {measured:?}"
    );
}

#[tokio::test]
async fn a_container_with_a_boot_of_its_own_was_not_restarted_with_its_host_and_loses_nothing() {
    let Some(machine) = Machine::new("a_container_with_a_boot").await else { return };
    let keeper = machine.keeper(tempfile::tempdir().expect("a folder"), 86400).await;
    ping(&keeper, 0).await;
    let folder = cut(keeper).await;
    // Off for a while: the clock of its host goes on, and so does the one on the wall.
    machine.boots("b");
    machine.is_off_by(600);
    let keeper = machine.keeper(folder, 86400 + 600).await;
    let at = ping(&keeper, 600).await;
    assert_eq!(health(&keeper).await["clock"], "ok");
    let gap = gaps(&keeper).await;
    assert!(matches!(gap[..], [(_, ended, false)] if is_near(ended, at)), "{gap:?}");
    let folder = cut(keeper).await;

    // Its host comes back from a power cut, and it is started twice before the clock is set.
    machine.boots("c");
    machine.is_off_by(590);
    let keeper = machine.keeper(folder, 30).await;
    let third = ping(&keeper, 590).await + SignedDuration::from_secs(HOURS - 590 - 30);
    assert_eq!(health(&keeper).await["clock"], "not set");
    let folder = cut(keeper).await;
    machine.boots("d");
    machine.is_off_by(HOURS);
    let keeper = machine.keeper(folder, 60).await;
    let now = Timestamp::now() + SignedDuration::from_secs(HOURS);
    let dated = async {
        loop {
            let measured = pings(&keeper, now).await;
            if measured.len() == 3 {
                return measured;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let measured = tokio::time::timeout(Duration::from_secs(20), dated).await.expect("all have a time");
    assert!(is_near(measured[2], third), "{measured:?} {third}");
    ping(&keeper, HOURS).await;
    let gap = gaps(&keeper).await;
    assert!(matches!(gap[..], [(_, _, true), (_, _, false)]), "{gap:?}");
}

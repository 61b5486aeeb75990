//! What a run of a job costs: processor time, its start included, beside programs that do less; and peak memory.

use std::{path::Path, process::Stdio};

use tests::{
    keeper::{Keeper, TOKEN},
    process::{Process, command},
    skip::program,
};
use tokio::process::Command;
use wait4::Wait4;

use super::{median, milliseconds, proc_mib, released};

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
    resident.args(["--every", "300ms"]);
    println!("ping: {:.1} MiB at most", peak(resident).await);
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

/// The most memory of a program that tells a line for each run, after some of them, in MiB.
async fn peak(resident: Command) -> f64 {
    let mut process = Process::start(resident);
    process.wait_for("some runs", |lines| (lines.len() >= 5).then_some(())).await;
    proc_mib(process.pid(), "status", "VmHWM")
}

//! Figures of the shipped binaries, as medians and as ratios to a peer measured in the same run. Nothing here passes or
//! fails: machines differ. Run it with `tests/speed`, which builds what is measured, or finds it in the folder `PROGRAMS`.

mod bandwidth;
mod beacon;
mod checks;
mod cloud;
mod function;
mod heartbeats;
mod jobs;
mod page;
mod up;

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::Duration,
};

use tests::cost::{median, mib};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let built = || tests::binaries::root().join("target/release");
    let release = env::var_os("PROGRAMS").map_or_else(built, PathBuf::from);
    let only = env::args().nth(1).filter(|word| !word.starts_with('-'));
    let wanted = |part: &str| only.as_ref().is_none_or(|only| only == part);
    if wanted("function") {
        function::measure(&release).await;
    }
    if wanted("heartbeats") {
        heartbeats::measure(&released(&release, "lambda-prober")).await;
    }
    if wanted("beacon") {
        beacon::measure(&release).await;
    }
    if wanted("bandwidth") {
        bandwidth::measure(&release).await;
    }
    if wanted("checks") {
        self::checks::measure(&release).await;
    }
    // `checks` runs it in a process of its own.
    if only.as_ref().is_some_and(|only| only == "scripts") {
        self::checks::scripts().await;
    }
    if wanted("page") {
        page::measure(&release).await;
    }
    if wanted("up") {
        up::measure(&release).await;
    }
    if wanted("jobs") {
        jobs::measure(&release).await;
    }
}

/// A binary of the release profile.
fn released(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run tests/speed", path.display());
    path
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A line `Name:  123 kB` of a file below `/proc/<pid>`, in MiB.
fn proc_mib(pid: u32, file: &str, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).expect("the process runs");
    mib(&text, name).expect("the line is there")
}

/// Processor time of all threads so far.
fn cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let nanos = threads.map(|thread| {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    });
    Duration::from_nanos(nanos.sum())
}

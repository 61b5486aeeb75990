//! What a program costs: processor time, and memory at most.

use std::{fmt, fs, io, process::Stdio, thread, time::Duration};

use tokio::{
    process::Command,
    task::spawn_blocking,
    time::{Instant, timeout},
};
use wait4::Wait4;

use crate::process::Process;

/// How long a program may run.
const RUN_TIMEOUT: Duration = Duration::from_secs(120);

/// How often the memory of a program that ends by itself is read.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// What a program has cost from its start to its end.
#[derive(Clone, Debug)]
pub struct Cost {
    pub code: Option<i32>,
    pub stdout: String,
    /// Processor time.
    pub cpu: Duration,
    pub took: Duration,
    pub memory: Peak,
}

/// The most memory that a program has had, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub struct Peak {
    pub whole: f64,
    /// Without what it has of files: those are the pages of its own executable, which the kernel can take back, and of which
    /// a debug build has many.
    pub own: f64,
}

impl fmt::Display for Peak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} MiB at most, {:.1} of them its own", self.whole, self.own)
    }
}

impl Peak {
    /// `None` of a process that has ended. (What it leaves to who waits for it counts that one's memory too.)
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let whole = mib(&status, "VmHWM")?;
        Some(Self { whole, own: whole - mib(&status, "RssFile")? })
    }
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started or does not end.
pub async fn cost(program: Command) -> Cost {
    let run = spawn_blocking(|| {
        let start = Instant::now();
        let mut program = program.into_std();
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let pid = child.id();
        let polling = thread::spawn(move || {
            let mut last = Peak::default();
            while let Some(peak) = Peak::of(pid) {
                last = peak;
                thread::sleep(POLL_INTERVAL);
            }
            last
        });
        let stdout = io::read_to_string(child.stdout.take().expect("it is piped")).expect("it says text");
        let ended = child.wait4().expect("it ends");
        let (cpu, took) = (ended.rusage.utime + ended.rusage.stime, start.elapsed());
        Cost { code: ended.status.code(), stdout, cpu, took, memory: polling.join().expect("it does not panic") }
    });
    timeout(RUN_TIMEOUT, run).await.expect("it ends in time").expect("it does not panic")
}

/// The most memory of a program that prints a line for each run, after some of them.
///
/// # Panics
/// When it ends before, or prints too little in time.
pub async fn resident(program: Command) -> Peak {
    let mut process = Process::start(program);
    let ran = |line: &&String| line.contains("\"ending\"");
    process.wait_for("some runs", |lines| (lines.iter().filter(ran).count() >= 5).then_some(())).await;
    Peak::of(process.pid()).expect("it still runs")
}

/// A line `Name:  123 kB` of a text as the kernel writes it, in MiB.
pub fn mib(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

/// # Panics
/// When there are none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Whether the programs are built as they are shipped. A debug build takes several times the processor time.
pub const SHIPPED: bool = !cfg!(debug_assertions);

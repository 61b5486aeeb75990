//! A program under test: started with nothing of our environment but what it is given, its log lines collected, ended
//! with the test.

use std::{
    ffi::OsStr,
    net::Ipv4Addr,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::watch,
    time::{sleep, timeout},
};

/// How long a program may take to print a line, to listen, or to end.
const TIMEOUT: Duration = Duration::from_secs(20);

/// What is written in Python takes a processor for seconds before it listens, and may share it with ten others.
const PYTHON: Duration = Duration::from_secs(90);

/// How long the last lines of a program that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A program that runs; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    said: watch::Receiver<usize>,
}

/// A command with a clean environment: settings of the machine must not leak into a test.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    for kept in ["PATH", "HOME", "SSL_CERT_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command
}

/// A binary of the workspace with a clean environment.
pub fn ours(name: &str) -> Command {
    let mut command = command(crate::binaries::binary(name));
    // Tests connect to no outside host: a prober that needs a witness is given one.
    command.env("WITNESSES", "127.0.0.1:9,localhost:9");
    command
}

/// An address of this machine that no other test uses: where a program of a test has gone, none of another test's may take its
/// port and answer in its place.
pub fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | high, low, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// How a program ended, and what it said.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end.
///
/// # Panics
/// When it cannot be started or does not end within `limit`.
pub async fn run(mut command: Command, limit: Duration) -> Ended {
    let output = timeout(limit, command.output()).await.expect("the program ends in time").expect("it starts");
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Process {
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} starts: {error}"));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (say, said) = watch::channel(0);
        let say = Arc::new(say);
        tokio::spawn(collect(child.stderr.take().expect("stderr is piped"), Arc::clone(&lines), Arc::clone(&say)));
        tokio::spawn(collect(child.stdout.take().expect("stdout is piped"), Arc::clone(&lines), say));
        Self { child, lines, said }
    }

    /// Everything said so far, on stdout and stderr.
    ///
    /// # Panics
    /// Never in practice: no collector panics.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no collector panics").clone()
    }

    /// Waits for a JSON line whose `message` is `message`, and returns the latest such line.
    pub async fn wait_for_message(&mut self, message: &str) -> Value {
        let find = |line: &String| {
            let value: Value = serde_json::from_str(line).ok()?;
            (value["message"] == message).then_some(value)
        };
        self.wait_for(message, |lines| lines.iter().rev().find_map(find)).await
    }

    /// Waits until `find` finds something in the lines.
    ///
    /// # Panics
    /// When it finds nothing in time, or the program ends before.
    pub async fn wait_for<T>(&mut self, what: &str, find: impl Fn(&[String]) -> Option<T>) -> T {
        self.wait_for_within(what, TIMEOUT, find).await
    }

    /// As [`Process::wait_for`], for what takes its time.
    ///
    /// # Panics
    /// When it finds nothing in time, or the program ends before.
    pub async fn wait_for_within<T>(
        &mut self,
        what: &str,
        limit: Duration,
        find: impl Fn(&[String]) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                if let Some(found) = find(&self.lines.lock().expect("no collector panics")) {
                    return Some(found);
                }
                if self.said.changed().await.is_err() {
                    return None;
                }
            }
        };
        let found = timeout(limit, search).await;
        let found = found.unwrap_or_else(|_| panic!("it did not say `{what}` in time: {:#?}", self.lines()));
        found.unwrap_or_else(|| panic!("it ended before it said `{what}`: {:#?}", self.lines()))
    }

    /// Waits until something listens on a port of this machine: for programs that do not say so.
    ///
    /// # Panics
    /// When nothing does in time.
    pub async fn listens(&self, port: u16) {
        let connect = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        assert!(timeout(PYTHON, connect).await.is_ok(), "nothing listens on {port}: {:#?}", self.lines());
    }

    /// # Panics
    /// When it has ended already.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it still runs")
    }

    /// Asks it to end, and waits until it has.
    pub async fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.ended().await
    }

    /// Ends it at once, and waits until it is gone.
    pub async fn kill(mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.ended().await
    }

    /// # Panics
    /// When it has ended already.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a child has a pid");
        kill_process(pid, signal).expect("a child can be signalled");
    }

    /// # Panics
    /// When it does not end in time.
    pub async fn ended(&mut self) -> ExitStatus {
        let ended = timeout(TIMEOUT, self.child.wait()).await.expect("it ends in time").expect("it can be waited for");
        // What it said last may still be on the way; a child that it left behind may hold the pipe open for ever.
        let all = async { while self.said.changed().await.is_ok() {} };
        let _ = timeout(LAST_WORDS, all).await;
        ended
    }
}

async fn collect(from: impl AsyncRead + Unpin, lines: Arc<Mutex<Vec<String>>>, say: Arc<watch::Sender<usize>>) {
    let mut from = BufReader::new(from).lines();
    while let Ok(Some(line)) = from.next_line().await {
        lines.lock().expect("no collector panics").push(line);
        say.send_modify(|count| *count += 1);
    }
}

/// Writes a file and returns its path as text.
///
/// # Panics
/// When the folder cannot be written.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("the folder can be written");
    path.display().to_string()
}

//! A program as a process of its own group.
//!
//! A thread starts it and waits for it, because what a process may not do is inherited from the thread that starts it, and because
//! its number must not be given to another process as long as we send signals to it: only who waits decides when it is free.

use std::{
    io,
    os::fd::OwnedFd,
    process::{Child, Command},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, test_kill_process_group, waitid},
};
use tokio::{net::unix::pipe, sync::oneshot};

use super::confine;

/// That thread does little.
const STACK: usize = 256 << 10;

/// How often, and how long apart, a program that is being written is tried.
const BUSY_TRIES: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// How often, and how long apart, it is seen whether what was left of a group has gone.
const REAPS: u32 = 20;
const REAP_PAUSE: Duration = Duration::from_millis(25);

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With that exit code.
    Code(i32),
    /// By that signal, which was not ours.
    Signal(i32),
    /// It did not in time.
    Late,
    /// The system does not say.
    Lost,
}

/// A program that runs.
pub(super) struct Started {
    pub(super) group: Group,
    pub(super) stdout: pipe::Receiver,
    pub(super) stderr: pipe::Receiver,
    /// Comes when the program has ended, whatever it started.
    pub(super) ended: oneshot::Receiver<Ended>,
}

/// Its process group. Dropped, all that is in it ends.
pub(super) struct Group {
    leader: Pid,
    /// Until this is dropped the leader's number stays its own.
    _release: mpsc::Sender<()>,
}

impl Group {
    /// Sends SIGTERM to all of it.
    pub(super) fn ask_to_end(&self) {
        // It fails only where nothing is left to be asked.
        let _ = kill_process_group(self.leader, Signal::TERM);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(self.leader, Signal::KILL);
        // Where the leader has gone to another group.
        let _ = kill_process(self.leader, Signal::KILL);
    }
}

/// What the thread hands over, before the runtime knows of it.
struct Handles {
    group: Group,
    stdout: OwnedFd,
    stderr: OwnedFd,
    ended: oneshot::Receiver<Ended>,
}

/// Starts a program. Where this is no longer awaited, it ends at once.
///
/// # Errors
/// When it cannot be started.
pub(super) async fn start(command: Command) -> io::Result<Started> {
    let (starting, started) = oneshot::channel();
    thread::Builder::new().name("script".into()).stack_size(STACK).spawn(move || supervise(command, starting))?;
    let gone = || io::Error::other("the thread that starts it has gone");
    let Handles { group, stdout, stderr, ended } = started.await.map_err(|_| gone())??;
    let (stdout, stderr) = (pipe::Receiver::from_owned_fd(stdout)?, pipe::Receiver::from_owned_fd(stderr)?);
    Ok(Started { group, stdout, stderr, ended })
}

fn supervise(mut command: Command, starting: oneshot::Sender<io::Result<Handles>>) {
    let (release, released) = mpsc::channel();
    let (ending, ended) = oneshot::channel();
    let handles = |mut child: Child| -> io::Result<(Pid, Handles)> {
        let leader = Pid::from_child(&child);
        let group = Group { leader, _release: release };
        let closed = || io::Error::other("its output is closed");
        let (stdout, stderr) =
            (child.stdout.take().ok_or_else(closed)?.into(), child.stderr.take().ok_or_else(closed)?.into());
        Ok((leader, Handles { group, stdout, stderr, ended }))
    };
    match confine::this_thread().and_then(|()| spawn(&mut command)).and_then(handles) {
        Ok((leader, handles)) => {
            // Handles that nobody takes end the program.
            let _ = starting.send(Ok(handles));
            let _ = ending.send(wait(leader));
            let _ = released.recv();
            reap(leader);
        }
        Err(error) => {
            let _ = starting.send(Err(error));
        }
    }
}

fn spawn(command: &mut Command) -> io::Result<Child> {
    let mut tries = 0;
    loop {
        let spawned = command.spawn();
        tries += 1;
        match &spawned {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                thread::sleep(BUSY_PAUSE);
            }
            _ => return spawned,
        }
    }
}

/// Waits until the leader has ended, and leaves it to be waited for again.
fn wait(leader: Pid) -> Ended {
    loop {
        match waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            Ok(Some(status)) => {
                let code = status.exit_status().map(Ended::Code);
                return code.or_else(|| status.terminating_signal().map(Ended::Signal)).unwrap_or(Ended::Lost);
            }
            Ok(None) | Err(Errno::INTR) => (),
            // Where SIGCHLD is ignored, it has ended, and nobody knows how.
            Err(_) => return Ended::Lost,
        }
    }
}

/// Takes leave of the leader, and of what it left behind where that is ours to do: as the first process of a container we inherit it.
fn reap(leader: Pid) {
    let _ = waitid(WaitId::Pid(leader), WaitIdOptions::EXITED);
    for _ in 0..REAPS {
        let ours = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        while matches!(waitid(WaitId::Pgid(Some(leader)), ours), Ok(Some(_))) {}
        if test_kill_process_group(leader).is_err() {
            return;
        }
        thread::sleep(REAP_PAUSE);
    }
}

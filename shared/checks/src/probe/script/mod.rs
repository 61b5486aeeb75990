//! Programs that keep the contract of monitoring plugins.
//!
//! - `surroundings`: what a program is given: variables, a folder, a user
//! - `child`: the program as a process, with all that it starts
//! - `confine`: privileges that it does not get
//! - `hidden`: files that it does not get to read
//! - `reading`: what it prints, bounded
//! - `printed`: what that says; pure
//! - `conclude`: the outcome of how it ended; pure
//!
//! What a program cannot do: gain privileges (`no_new_privs`: neither `sudo` nor a file capability gives it one), outlive its
//! deadline with what it started, or read what this process knows and the files of its secrets, once [`protect_this_process`] was
//! called. Where this process is root it runs as another user, by default 65534. Otherwise it runs as this process's own user: then
//! it can read the other files of that user, so scripts that are not trusted belong under root or in a container of their own.
//! Two that run as the same user can read each other's variables; `uid` keeps them apart. What leaves its process group by
//! `setsid` is not ended with it.

mod child;
mod conclude;
mod confine;
#[cfg(target_os = "linux")]
mod hidden;
mod printed;
mod reading;
mod surroundings;

#[cfg(test)]
mod tests;

use std::{io, pin::pin, process::Command, time::Duration};

use tokio::{
    select,
    time::{Instant, sleep_until, timeout_at},
};

use self::{
    child::{Ended, Started},
    conclude::{Run, conclude},
    reading::Printed,
    surroundings::Surroundings,
};
pub use self::{
    confine::protect_this_process,
    printed::{Said, said},
};
use crate::{check::ScriptCheck, outcome::Outcome};

/// The longest time that a program has between SIGTERM and SIGKILL; a tenth of its time where that is less.
const GRACE: Duration = Duration::from_secs(1);

/// How long what a program has printed is waited for after its end: what it started may keep its output open for ever.
const DRAIN: Duration = Duration::from_millis(250);

/// Runs the program, and ends it with all that it started, at the deadline at the latest.
pub async fn run(check: &ScriptCheck, until: Instant) -> Outcome {
    let start = Instant::now();
    let mut outcome = match Surroundings::of(check) {
        Ok(surroundings) => match run_command(surroundings.command(), until).await {
            Ok(run) => conclude(&run, surroundings.secrets()),
            Err(error) => surroundings.not_started(&error).into(),
        },
        Err(wrong) => wrong.into(),
    };
    outcome.took = start.elapsed();
    outcome
}

async fn run_command(command: Command, until: Instant) -> io::Result<Run> {
    let had = until.saturating_duration_since(Instant::now());
    let asked_at = until - GRACE.min(had / 10);
    let mut printed = Printed::default();
    let Ok(started) = timeout_at(until, child::start(command)).await else {
        return Ok(Run { ended: Ended::Late, printed, had });
    };
    let Started { group, stdout, stderr, ended: mut leader } = started?;
    let ended = {
        let mut reading = pin!(printed.read(stdout, stderr));
        let (mut is_asked, mut is_closed) = (false, false);
        let ended = loop {
            select! {
                // Whoever ends because it was asked to did not end in time.
                how = &mut leader => break if is_asked { Ended::Late } else { how.unwrap_or(Ended::Lost) },
                () = &mut reading, if !is_closed => is_closed = true,
                () = sleep_until(asked_at), if !is_asked => {
                    group.ask_to_end();
                    is_asked = true;
                }
                () = sleep_until(until) => break Ended::Late,
            }
        };
        if !is_closed {
            // What is there is read at once; longer than this it is what the program has left behind.
            let _ = timeout_at(until.min(Instant::now() + DRAIN), reading).await;
        }
        ended
    };
    drop(group);
    Ok(Run { ended, printed, had })
}

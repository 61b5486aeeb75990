//! Single keys from the terminal, without waiting for the end of a line.

use std::io::{self, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

use super::script::Act;

/// The keys that are understood, as they are pressed. The terminal is as it was when this is dropped.
pub(super) struct Keys {
    acts: mpsc::Receiver<Act>,
    before: Termios,
}

impl Keys {
    /// Listens, if stdin and stdout are a terminal.
    pub(super) fn listen() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let mut single = before.clone();
        // Keys come one by one and unseen; Ctrl-C stays what it is, and lines still end as they should.
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &single).ok()?;
        let (sender, acts) = mpsc::channel(1);
        // Reading a terminal cannot be given up, so this thread is left behind when the process ends.
        std::thread::spawn(move || {
            for key in io::stdin().lock().bytes().map_while(Result::ok) {
                let act = match key.to_ascii_lowercase() {
                    b'c' => Act::Cut,
                    b'r' => Act::Restore,
                    b'q' => Act::Quit,
                    _ => continue,
                };
                if sender.blocking_send(act).is_err() {
                    return;
                }
            }
        });
        Some(Self { acts, before })
    }

    pub(super) async fn next(&mut self) -> Act {
        match self.acts.recv().await {
            Some(act) => act,
            // The terminal is gone; signals still end the demo.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, &self.before) {
            tracing::warn!(%error, "the terminal could not be set back; try: stty sane");
        }
    }
}

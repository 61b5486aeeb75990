//! Single keys from the terminal, without waiting for the end of a line.

use std::io::{self, IsTerminal, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc;

use super::script::Act;

/// The keys, as they are pressed. Dropping this restores the terminal.
pub(super) struct Keys {
    acts: mpsc::Receiver<Act>,
    before: Termios,
}

impl Keys {
    /// Reads keys from now on, if stdin and stdout are a terminal.
    pub(super) fn listen() -> Option<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let mut single = before.clone();
        // Keys one by one and without an echo; Ctrl-C still interrupts, and output still ends its lines.
        single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &single).ok()?;
        let (sender, acts) = mpsc::channel(1);
        // A read of a terminal cannot be cancelled, so this thread ends with the process.
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
            tracing::warn!(%error, "the terminal could not be restored; try: stty sane");
        }
    }
}

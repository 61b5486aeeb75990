//! The terminal, where somebody types what is not to be seen.

use std::io;

use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};

/// A terminal that does not show what is typed, until this is dropped.
#[derive(Debug)]
pub(crate) struct Hidden(Option<Termios>);

impl Hidden {
    /// Hides what follows, and only then shows what is asked for: who pastes at once must not see it either.
    pub(crate) fn begin(prompt: &str) -> Self {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            // Where it cannot be hidden, it can still be pasted.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &hidden);
        }
        eprint!("{prompt}");
        Self(before)
    }

    /// Forgets what was typed behind the line that was read.
    pub(crate) fn forget_more(&self) {
        if self.0.is_some() {
            // Where it cannot, the next question shows what it takes for its answer.
            let _ = tcflush(io::stdin(), QueueSelector::IFlush);
        }
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
        eprintln!();
    }
}

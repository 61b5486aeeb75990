//! What is still looked at, on a terminal: one line, which is gone at the end.

use std::{
    cell::RefCell,
    io::{self, IsTerminal, Write},
};

/// The line. Elsewhere than on a terminal there is none.
#[derive(Debug)]
pub struct Progress {
    waiting: RefCell<Vec<&'static str>>,
    is_shown: bool,
}

impl Progress {
    /// On stderr, where that is a terminal.
    pub fn new() -> Self {
        Self { waiting: RefCell::default(), is_shown: io::stderr().is_terminal() }
    }

    /// Looks, and says so meanwhile.
    pub async fn during<T>(&self, what: &'static str, look: impl Future<Output = T>) -> T {
        self.waiting.borrow_mut().push(what);
        self.show();
        let seen = look.await;
        self.waiting.borrow_mut().retain(|waiting| *waiting != what);
        self.show();
        seen
    }

    fn show(&self) {
        if self.is_shown {
            let waiting = self.waiting.borrow();
            let line =
                if waiting.is_empty() { String::new() } else { format!("looking at {} …", waiting.join(", ")) };
            // A closed stderr is no reason to stop.
            let _ = write!(io::stderr(), "\r\u{1b}[K{line}");
            let _ = io::stderr().flush();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

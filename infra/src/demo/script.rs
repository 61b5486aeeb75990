//! What happens to the line, and when: stands in for the keys in runs without a terminal.

use std::collections::VecDeque;

use tokio::time::{Duration, Instant, sleep_until};

use crate::settings::DemoSettings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Cut,
    Restore,
    Quit,
}

/// The acts still to come, in their order.
pub(super) struct Script(VecDeque<(Instant, Act)>);

impl Script {
    /// A script that starts now. The settings have been checked, so its times are in order.
    pub(super) fn new(settings: &DemoSettings) -> Self {
        let start = Instant::now();
        let acts =
            [(settings.cut_after, Act::Cut), (settings.restore_after, Act::Restore), (settings.run_for, Act::Quit)];
        let due = |(after, act): (Option<Duration>, Act)| after.map(|after| (start + after, act));
        Self(acts.into_iter().filter_map(due).collect())
    }

    /// Waits for the next act; `None` when there is none. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Act> {
        let (due, act) = *self.0.front()?;
        sleep_until(due).await;
        self.0.pop_front();
        Some(act)
    }
}

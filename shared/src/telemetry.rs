//! Where log lines go, and in which shape: stderr, as JSON lines unless a person is looking at a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{Layer, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Starts logging at `level`. A second call changes nothing.
pub fn init(level: LevelFilter) {
    let lines = fmt::layer().with_writer(stderr).with_target(false);
    let lines = if stderr().is_terminal() {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(level)).try_init();
}

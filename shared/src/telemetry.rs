//! Where log lines go, and in which shape: stderr, as JSON lines unless a person is looking at a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// The AWS SDK logs whole answers at `trace`, decrypted secrets included, so it is never heard beyond this.
const OF_THE_SDK: LevelFilter = LevelFilter::INFO;

/// Starts logging at `level`. A second call changes nothing.
pub fn init(level: LevelFilter) {
    let lines = fmt::layer().with_writer(stderr).with_target(false);
    let lines = if stderr().is_terminal() {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    };
    let filter = Targets::new().with_default(level).with_target("aws", level.min(OF_THE_SDK));
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

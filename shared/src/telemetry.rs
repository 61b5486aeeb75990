//! Where log lines go, and in which shape: stderr; for a person at a terminal or over a journal in words, else as JSON lines.

use std::{
    env, fmt,
    fs::File,
    io::{IsTerminal, stderr},
    os::{fd::AsFd, unix::fs::MetadataExt},
};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Compact, Format, Writer},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// The AWS SDK logs whole answers at `trace`, decrypted secrets included, so its lines never go beyond this.
const SDK_LEVEL: LevelFilter = LevelFilter::INFO;

/// What reads the output of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A person at a terminal.
    Terminal,
    /// A person, later, in systemd's journal, which has the time of each line and whose it is.
    Journal,
    /// A machine: a log collector, a pipe, a file.
    Machine,
}

impl Reader {
    /// The reader of stdout, stderr or another output.
    pub fn of(output: &(impl AsFd + IsTerminal)) -> Self {
        Self::where_the_journal_is(output, env::var("JOURNAL_STREAM").ok().as_deref())
    }

    fn where_the_journal_is(output: &(impl AsFd + IsTerminal), journal: Option<&str>) -> Self {
        if output.is_terminal() {
            Self::Terminal
        } else if journal.is_some() && stream(output).as_deref() == journal {
            Self::Journal
        } else {
            Self::Machine
        }
    }
}

/// Device and inode of what is written to, as `JOURNAL_STREAM` has them (systemd.exec(5)). The variable alone says nothing:
/// children inherit it whose output goes elsewhere.
fn stream(output: &impl AsFd) -> Option<String> {
    let file = File::from(output.as_fd().try_clone_to_owned().ok()?).metadata().ok()?;
    Some(format!("{}:{}", file.dev(), file.ino()))
}

/// Starts logging at `level`. A second call changes nothing.
pub fn init(level: LevelFilter) {
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_target(false);
    let lines = match Reader::of(&stderr()) {
        Reader::Terminal => lines.compact().boxed(),
        Reader::Journal => lines
            .with_ansi(false)
            .event_format(Prioritised(tracing_subscriber::fmt::format().compact().without_time().with_target(false)))
            .boxed(),
        Reader::Machine => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed(),
    };
    let filter = Targets::new().with_default(level).with_target("aws", level.min(SDK_LEVEL));
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
}

/// A line that begins with its priority as the journal takes it (sd-daemon(3)), for `journalctl -p warning`.
struct Prioritised(Format<Compact, ()>);

impl<S, N> FormatEvent<S, N> for Prioritised
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut to: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let priority = match *event.metadata().level() {
            Level::ERROR => 3,
            Level::WARN => 4,
            Level::INFO => 6,
            Level::DEBUG | Level::TRACE => 7,
        };
        write!(to, "<{priority}>")?;
        self.0.format_event(context, to, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_goes_to_the_journal_is_for_its_readers() {
        let output = File::open("/dev/null").expect("every Linux has it");
        let its_own = stream(&output).expect("a device and an inode");
        for (journal, reader) in [
            (Some(its_own.as_str()), Reader::Journal),
            // Inherited from a process that writes to a journal.
            (Some("8:1234567"), Reader::Machine),
            (None, Reader::Machine),
        ] {
            assert_eq!(Reader::where_the_journal_is(&output, journal), reader, "{journal:?}");
        }
    }
}

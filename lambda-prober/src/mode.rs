//! Whether a run writes, or only says what it would write.

/// Whether changes are written, to the page and to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Publish,
    DryRun,
}

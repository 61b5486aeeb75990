//! Whether a run writes, or only reports what it would write.

/// Whether changes are written, to the page and to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are written.
    Publish,
    /// They are only reported.
    DryRun,
}

//! The chain of an error's sources.

use std::error::Error;

/// The error at the bottom of it, which says what happened where the others say what it was for.
pub fn root_cause<'a>(mut error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

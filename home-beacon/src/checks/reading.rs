//! A result in the form in which a keeper takes it.

use super::{results::Finished, shown::target};
use crate::reading::Reading;

/// The longest target, in characters: what a reading may hold.
const MAX_TARGET: usize = 300;

/// The reading of a run.
pub(super) fn reading(Finished { check, at, outcome, standing, .. }: &Finished) -> Reading {
    let target: String = target(&check.kind).chars().take(MAX_TARGET).collect();
    Reading {
        target: Some(target).filter(|target| !target.is_empty()),
        method: Some(check.kind.label().into()),
        ..Reading::of_check(&check.name, *at, outcome, standing.counts)
    }
}

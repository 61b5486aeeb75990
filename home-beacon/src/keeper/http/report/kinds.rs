//! A component's outages by why it was down, as both sides have it. Pure.

use super::read::OfComponent;
use crate::keeper::inside::Kind;

/// The outages of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfKind {
    /// What it was; `None` where nothing at home says why.
    pub(super) kind: Option<Kind>,
    pub(super) outages: usize,
    /// For how long it was down within the month, in milliseconds.
    pub(super) down: i64,
}

impl OfKind {
    /// For machines.
    pub(super) fn label(self) -> &'static str {
        self.kind.unwrap_or(Kind::NotKnown).label()
    }

    /// For people.
    pub(super) fn name(self) -> &'static str {
        self.kind.unwrap_or(Kind::NotKnown).name()
    }
}

/// Of the outages that are listed, what was longest first; nothing where of none is known why.
pub(super) fn by_kind(component: &OfComponent) -> Vec<OfKind> {
    let known = component.outages.iter().map(|listed| (listed.inside.as_ref().map(|it| it.kind), listed.clipped.down));
    sums(known)
}

fn sums(outages: impl Iterator<Item = (Option<Kind>, i64)>) -> Vec<OfKind> {
    let mut kinds: Vec<OfKind> = Vec::new();
    for (kind, down) in outages {
        match kinds.iter_mut().find(|of| of.kind == kind) {
            Some(of) => (of.outages, of.down) = (of.outages + 1, of.down + down),
            None => kinds.push(OfKind { kind, outages: 1, down }),
        }
    }
    kinds.sort_by_key(|of| std::cmp::Reverse(of.down));
    if kinds.iter().all(|of| of.kind.is_none()) { Vec::new() } else { kinds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outages_are_summed_by_kind_the_longest_first() {
        let (line, power) = (Some(Kind::Line), Some(Kind::Power));
        let shown = |list: &[(Option<Kind>, i64)]| -> Vec<_> {
            sums(list.iter().copied()).iter().map(|of| (of.kind, of.outages, of.down)).collect()
        };
        assert_eq!(
            shown(&[(power, 30), (line, 20), (None, 5), (line, 40)]),
            [(line, 2, 60), (power, 1, 30), (None, 1, 5)]
        );
        assert_eq!(shown(&[(None, 5)]), []);
    }
}

//! Times in which something holds.

use super::rng::Ms;

/// From `from` up to, but not, `to`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spell<T> {
    pub(crate) from: Ms,
    pub(crate) to: Ms,
    pub(crate) what: T,
}

/// Spells of one kind, one after another.
#[derive(Clone, Debug)]
pub(crate) struct Spells<T>(Vec<Spell<T>>);

impl<T> Spells<T> {
    /// Of those that overlap the earlier one stays.
    pub(crate) fn new(mut spells: Vec<Spell<T>>) -> Self {
        spells.sort_by_key(|spell| (spell.from, spell.to));
        let mut end = Ms::MIN;
        spells.retain(|spell| {
            let kept = spell.from >= end && spell.to > spell.from;
            end = if kept { spell.to } else { end };
            kept
        });
        Self(spells)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Spell<T>> {
        self.0.iter()
    }

    pub(crate) fn at(&self, time: Ms) -> Option<&T> {
        let next = self.0.partition_point(|spell| spell.from <= time);
        let latest = self.0[..next].last()?;
        (time < latest.to).then_some(&latest.what)
    }

    /// Those that hold at some time of `from..to`.
    pub(crate) fn within(&self, from: Ms, to: Ms) -> &[Spell<T>] {
        let first = self.0.partition_point(|spell| spell.to <= from);
        let end = self.0.partition_point(|spell| spell.from < to);
        &self.0[first..end.max(first)]
    }

    pub(crate) fn touch(&self, from: Ms, to: Ms) -> bool {
        !self.within(from, to).is_empty()
    }

    /// Whether one of them holds all the time of `from..to`.
    pub(crate) fn cover(&self, from: Ms, to: Ms) -> bool {
        self.within(from, to).first().is_some_and(|spell| spell.from <= from && to <= spell.to)
    }
}

impl Spells<()> {
    /// Spells with those that overlap, or are nearer to each other than `gap`, made one.
    pub(crate) fn joined(spells: impl IntoIterator<Item = (Ms, Ms)>, gap: Ms) -> Self {
        let mut spells: Vec<_> = spells.into_iter().filter(|(from, to)| from < to).collect();
        spells.sort_unstable();
        let mut joined: Vec<Spell<()>> = Vec::new();
        for (from, to) in spells {
            match joined.last_mut() {
                Some(last) if from <= last.to + gap => last.to = last.to.max(to),
                _ => joined.push(Spell { from, to, what: () }),
            }
        }
        Self(joined)
    }

    /// When the first begins that ends after `time`.
    pub(crate) fn next(&self, time: Ms) -> Option<Ms> {
        let next = self.0.partition_point(|spell| spell.to <= time);
        self.0.get(next).map(|spell| spell.from)
    }
}

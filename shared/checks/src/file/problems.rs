//! What is wrong with a file, and where: found by path, so that the way that is right pays nothing for lines, and JSON, which
//! has none, is read by the same code.

use std::{collections::HashSet, fmt};

use super::MAX_WRONG;

/// One step into a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Step {
    /// A key of a mapping.
    Key(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// A place in a file, as steps from its root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Place(pub(super) Vec<Step>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// A place while it is walked to: it costs nothing until something is wrong there.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    parent: Option<&'a At<'a>>,
    step: AtStep<'a>,
}

#[derive(Clone, Copy, Debug)]
enum AtStep<'a> {
    Root,
    Key(&'a str),
    Item(usize),
}

impl<'a> At<'a> {
    pub(super) const ROOT: At<'static> = At { parent: None, step: AtStep::Root };

    pub(super) fn key(&'a self, key: &'a str) -> At<'a> {
        At { parent: Some(self), step: AtStep::Key(key) }
    }

    pub(super) fn item(&'a self, item: usize) -> At<'a> {
        At { parent: Some(self), step: AtStep::Item(item) }
    }

    /// The last key on the way.
    pub(super) fn last_key(&self) -> &'a str {
        match (self.step, self.parent) {
            (AtStep::Key(key), _) => key,
            (_, Some(parent)) => parent.last_key(),
            _ => "",
        }
    }

    pub(super) fn place(&self) -> Place {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(here) = at {
            match here.step {
                AtStep::Root => (),
                AtStep::Key(key) => steps.push(Step::Key(key.to_owned())),
                AtStep::Item(item) => steps.push(Step::Item(item)),
            }
            at = here.parent;
        }
        steps.reverse();
        Place(steps)
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) place: Place,
    pub(super) sentence: String,
    /// The other place of two that do not go together.
    pub(super) other: Option<Place>,
}

/// What is wrong, in the order in which it was found; no more than people read.
#[derive(Clone, Debug, Default)]
pub(super) struct Problems {
    /// With the file.
    pub(super) wrong: Vec<Problem>,
    /// With the machine: what the file names and is not there, so that a check cannot run, and is one all the same.
    pub(super) missing: Vec<Problem>,
    /// The items of the file's list that something is wrong with, also those of which nothing more is said.
    items: HashSet<usize>,
    /// Whether something is wrong that is no single item's.
    is_of_all: bool,
    /// Whether each item has its own reader, so that none of it is too much.
    has_many_readers: bool,
}

impl Problems {
    /// Of items each of which is told by itself what is wrong with it.
    #[cfg(feature = "files")]
    pub(super) fn of_all() -> Self {
        Self { has_many_readers: true, ..Self::default() }
    }

    pub(super) fn add(&mut self, at: &At<'_>, sentence: impl Into<String>) {
        self.push(at.place(), sentence.into(), None);
    }

    pub(super) fn push(&mut self, place: Place, sentence: String, other: Option<Place>) {
        match place.0.as_slice() {
            [Step::Key(_), Step::Item(item), ..] => drop(self.items.insert(*item)),
            _ => self.is_of_all = true,
        }
        if self.wrong.len() < MAX_WRONG || self.has_many_readers {
            self.wrong.push(Problem { place, sentence, other });
        }
    }

    /// Something is not there that the file names.
    pub(super) fn add_missing(&mut self, at: &At<'_>, sentence: impl Into<String>) {
        if self.missing.len() < MAX_WRONG {
            self.missing.push(Problem { place: at.place(), sentence: sentence.into(), other: None });
        }
    }

    /// What was made of those items with which nothing is wrong; `None` where something is wrong with the file as a whole.
    #[cfg(feature = "files")]
    pub(super) fn usable<T>(&self, made: Vec<(usize, T)>) -> Option<Vec<T>> {
        let good = made.into_iter().filter(|(item, _)| !self.items.contains(item));
        (!self.is_of_all).then(|| good.map(|(_, made)| made).collect())
    }

    /// What is there, or a sentence.
    pub(super) fn take<T>(&mut self, at: &At<'_>, found: Result<T, impl fmt::Display>) -> Option<T> {
        found.map_err(|error| self.add(at, error.to_string())).ok()
    }

    /// Whether the file is in order; what is missing may be another thing.
    pub(super) fn is_empty(&self) -> bool {
        self.wrong.is_empty()
    }
}

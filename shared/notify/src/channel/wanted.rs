//! What a channel is for: `events=home,check` and `checks=disk,nas`. Pure.

use std::collections::BTreeSet;

use super::parts::Parts;
use crate::event::Subject;

/// What a channel is to be given; all of it where nothing is said.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) subjects: Option<Vec<Subject>>,
    /// Of checks, those of these names.
    checks: Option<BTreeSet<String>>,
}

impl Wanted {
    pub(super) fn read(parts: &mut Parts) -> Result<Self, String> {
        let wanted = Self { subjects: subjects(parts)?, checks: checks(parts)? };
        if wanted.checks.is_some() && !wanted.wants(Subject::Check) {
            return Err(
                "events leaves checks out, and checks names some: add check to events, or take checks out".into()
            );
        }
        Ok(wanted)
    }

    pub(super) fn wants(&self, subject: Subject) -> bool {
        self.subjects.as_ref().is_none_or(|subjects| subjects.contains(&subject))
    }

    pub(super) fn wants_key(&self, subject: Subject, key: &str) -> bool {
        let is_wanted = match (&self.checks, subject) {
            // `check/disk`, and what more there is of it: `check/disk/late`
            (Some(checks), Subject::Check) => key
                .strip_prefix("check/")
                .is_some_and(|rest| checks.contains(rest.split('/').next().unwrap_or_default())),
            _ => true,
        };
        is_wanted && self.wants(subject)
    }
}

fn subjects(parts: &mut Parts) -> Result<Option<Vec<Subject>>, String> {
    let written = parts.list("events");
    if written.is_empty() {
        return Ok(None);
    }
    let known = Subject::ALL.map(Subject::as_str).join(", ");
    let subjects = written.iter().map(|name| name.parse().map_err(|()| format!("events is a list of {known}")));
    subjects.collect::<Result<_, _>>().map(Some)
}

fn checks(parts: &mut Parts) -> Result<Option<BTreeSet<String>>, String> {
    let Some(written) = parts.take("checks") else { return Ok(None) };
    let names: BTreeSet<_> = written.split(',').map(|name| name.trim().to_owned()).collect();
    let is_letter = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b);
    if names.iter().any(|name| name.is_empty() || !name.bytes().all(is_letter)) {
        return Err("checks is a list of names of checks, as in checks=disk,nas.lan".into());
    }
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(parameters: &str) -> Wanted {
        Wanted::read(&mut Parts::read(&format!("ntfy://ntfy.sh/home?{parameters}")).unwrap()).unwrap()
    }

    #[test]
    fn a_channel_for_some_checks_is_given_all_that_there_is_of_those_and_of_no_other() {
        let some = wanted("checks=disk,nas.lan");
        for key in ["check/disk", "check/disk/warning", "check/disk/late", "check/nas.lan"] {
            assert!(some.wants_key(Subject::Check, key), "{key}");
        }
        for key in ["check/disk2", "check/dis", "check/nas", "job/disk", "check"] {
            assert!(!some.wants_key(Subject::Check, key), "{key}");
        }
        assert!(some.wants_key(Subject::Home, "home/8kbf7d35c070"), "what is no check is as without");
        let alone = wanted("events=check&checks=disk");
        assert!(alone.wants_key(Subject::Check, "check/disk") && !alone.wants_key(Subject::Home, "home/8kbf7d35c070"));
        assert!(wanted("").wants_key(Subject::Check, "check/anything"));
    }
}

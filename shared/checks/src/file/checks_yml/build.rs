//! From what `checks.yml` says of a check to the check.

use std::time::Duration;

use super::{
    build_kinds, build_programs,
    definition::{Defaults, Definition, KINDS, Notices as NoticesShape},
};
use crate::{
    check::{Check, CheckName, Dependency, Kind, LEAST_INTERVAL, Notices, Place},
    file::{
        problems::At,
        reading::Reading,
        words::{Words, written},
    },
    thresholds::Thresholds,
};

/// The most tries of a run.
const MOST_RETRIES: u8 = 10;

const EVERY: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const RETRIES: u8 = 1;

/// How often, how long, how many times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    pub(super) every: Duration,
    pub(super) timeout: Duration,
    pub(super) retries: u8,
    pub(super) thresholds: Thresholds,
}

/// What holds where neither a check nor the defaults say anything.
impl Default for Pace {
    fn default() -> Self {
        Self { every: EVERY, timeout: TIMEOUT, retries: RETRIES, thresholds: Thresholds::default() }
    }
}

/// The pace that is asked for; `start` holds where nothing is said.
pub(super) fn pace(reading: &mut Reading<'_>, at: &At<'_>, start: Pace, asked: &Defaults) -> Pace {
    let Defaults { every, timeout, retries, fail_after, recover_after } = asked;
    let every = reading.span(&at.key("every"), every.as_ref());
    let timeout = reading.span(&at.key("timeout"), timeout.as_ref());
    if let Some(short) = every.filter(|every| *every < LEAST_INTERVAL) {
        let (is, least) = (written(short), written(LEAST_INTERVAL));
        reading.wrong(
            &at.key("every"),
            format!("every is {is}, and the shortest interval is {least}: write {least} or more"),
        );
    }
    let every = every.unwrap_or(start.every).max(LEAST_INTERVAL);
    if let Some(long) = timeout.filter(|timeout| *timeout > every) {
        let (is, most) = (written(long), written(every));
        reading.wrong(
            &at.key("timeout"),
            format!("timeout is {is}, and every is {most}: a run must end before the next one begins, so write {most} or less"),
        );
    }
    // A deadline that the check has by default gives way to a shorter interval.
    let timeout = timeout.unwrap_or(start.timeout).min(every);
    if let Some(retries) = retries.filter(|retries| *retries > MOST_RETRIES) {
        reading.wrong(&at.key("retries"), format!("retries is {retries}: write {MOST_RETRIES} or less"));
    }
    for (key, value) in [("fail_after", fail_after), ("recover_after", recover_after)] {
        if *value == Some(0) {
            reading.wrong(&at.key(key), format!("{key} is 0: write 1 or more"));
        }
    }
    let thresholds = Thresholds {
        fail_after: fail_after.unwrap_or(start.thresholds.fail_after),
        recover_after: recover_after.unwrap_or(start.thresholds.recover_after),
    };
    Pace { every, timeout, retries: retries.unwrap_or(start.retries), thresholds }
}

/// A check, where nothing of it is wrong.
pub(super) fn check(reading: &mut Reading<'_>, at: &At<'_>, definition: &Definition, pace: Pace) -> Option<Check> {
    let name = name(reading, at, definition);
    let was = definition.was.as_ref().map(|words| check_name(reading, &at.key("was"), words));
    let title = definition.title.as_ref().map(|words| reading.title(&at.key("title"), &words.0));
    let group = definition.group.as_ref().map(|words| reading.title(&at.key("group"), &words.0));
    let pace = pace_of(reading, at, definition, pace);
    let depends_on = dependencies(reading, &at.key("depends_on"), &definition.depends_on.0);
    let component = place(reading, &at.key("component"), definition.component.as_ref());
    let notices = notices(definition.notices.as_ref());
    let kind = kind(reading, at, definition);
    let name = name?;
    Some(Check {
        was: crate::file::expect::lift(was)?,
        title: crate::file::expect::lift(title)?.unwrap_or_else(|| name.to_string()),
        name,
        group: crate::file::expect::lift(group)?,
        kind: kind?,
        every: pace.every,
        timeout: pace.timeout,
        retries: pace.retries,
        thresholds: pace.thresholds,
        depends_on: depends_on?,
        component: component?,
        notices,
    })
}

fn name(reading: &mut Reading<'_>, at: &At<'_>, definition: &Definition) -> Option<CheckName> {
    match (&definition.name, &definition.title) {
        (Some(name), _) => check_name(reading, &at.key("name"), name),
        (None, Some(title)) => {
            let made = CheckName::from_title(&title.0);
            if made.is_none() {
                reading.wrong(&at.key("title"), "title: no name can be made of it: write a name, too");
            }
            made
        }
        (None, None) => {
            reading.wrong(at, "this check has neither a name nor a title: write one");
            None
        }
    }
}

fn check_name(reading: &mut Reading<'_>, at: &At<'_>, words: &Words) -> Option<CheckName> {
    if words.0 == "home" {
        reading.wrong(at, format!("{}: home is the line of the home itself: take another name", at.last_key()));
        return None;
    }
    let parsed = words.0.parse().map_err(|error| format!("{}: {error}", at.last_key()));
    reading.problems.take(at, parsed)
}

fn pace_of(reading: &mut Reading<'_>, at: &At<'_>, definition: &Definition, start: Pace) -> Pace {
    let Definition { every, timeout, retries, fail_after, recover_after, .. } = definition;
    if definition.passive.is_some() {
        let keys = [
            ("every", every.is_some()),
            ("timeout", timeout.is_some()),
            ("retries", retries.is_some()),
            ("fail_after", fail_after.is_some()),
            ("recover_after", recover_after.is_some()),
        ];
        for (key, _) in keys.iter().filter(|(_, is_set)| *is_set) {
            reading.wrong(&at.key(key), format!("{key}: nothing is asked in a passive check: take it out"));
        }
    }
    let asked = Defaults {
        every: every.clone(),
        timeout: timeout.clone(),
        retries: *retries,
        fail_after: *fail_after,
        recover_after: *recover_after,
    };
    pace(reading, at, start, &asked)
}

fn dependencies(reading: &mut Reading<'_>, at: &At<'_>, words: &[Words]) -> Option<Vec<Dependency>> {
    let mut found = Vec::new();
    for (index, words) in words.iter().enumerate() {
        let dependency = match words.0.as_str() {
            "home" => Some(Dependency::Home),
            _ => check_name(reading, &at.item(index), words).map(Dependency::Check),
        };
        if dependency.is_none() || !found.contains(&dependency) {
            found.push(dependency);
        }
    }
    found.into_iter().collect()
}

fn place(reading: &mut Reading<'_>, at: &At<'_>, words: Option<&Words>) -> Option<Place> {
    match words.map(|words| words.0.trim()) {
        None | Some("own") => Some(Place::Own),
        Some("nowhere") => Some(Place::Nowhere),
        Some(id) => {
            let id = id.parse().map_err(
                |_| "component: write own, nowhere, or the component's id, which is 12 lower-case letters and digits",
            );
            reading.problems.take(at, id).map(Place::Component)
        }
    }
}

fn notices(shape: Option<&NoticesShape>) -> Notices {
    let default = Notices::default();
    let Some(shape) = shape else { return default };
    Notices {
        wanted: shape.wanted.unwrap_or(default.wanted),
        after_failures: shape.after_failures.unwrap_or(default.after_failures),
        all_changes: shape.all_changes.unwrap_or(default.all_changes),
    }
}

fn kind(reading: &mut Reading<'_>, at: &At<'_>, definition: &Definition) -> Option<Kind> {
    let Definition { http, tcp, tls, dns, icmp, grpc, script, passive, .. } = definition;
    let set = [
        http.is_some(),
        tcp.is_some(),
        tls.is_some(),
        dns.is_some(),
        icmp.is_some(),
        grpc.is_some(),
        script.is_some(),
        passive.is_some(),
    ];
    let named: Vec<_> = KINDS.into_iter().zip(set).filter(|(_, is_set)| *is_set).map(|(kind, _)| kind).collect();
    match named.as_slice() {
        [] => reading.wrong(at, format!("this check asks for nothing: write one of {}", KINDS.join(", "))),
        [_] => (),
        [_, second, ..] => {
            reading.wrong(
                &at.key(second),
                format!("this check is {} at once: make one check of each", named.join(" and ")),
            );
        }
    }
    let kinds = [
        http.as_ref().map(|shape| build_kinds::http(reading, &at.key("http"), shape)),
        tcp.as_ref().map(|shape| build_kinds::tcp(reading, &at.key("tcp"), shape)),
        tls.as_ref().map(|shape| build_kinds::tls(reading, &at.key("tls"), shape)),
        dns.as_ref().map(|shape| build_kinds::dns(reading, &at.key("dns"), shape)),
        icmp.as_ref().map(|shape| build_kinds::icmp(reading, &at.key("icmp"), shape)),
        grpc.as_ref().map(|shape| build_kinds::grpc(reading, &at.key("grpc"), shape)),
        script.as_ref().map(|shape| build_programs::script(reading, &at.key("script"), shape)),
        passive.as_ref().map(|shape| build_programs::passive(reading, &at.key("passive"), shape)),
    ];
    kinds.into_iter().flatten().next().flatten()
}

//! What is another between two lists of checks: what was added, changed, removed and renamed.

use std::collections::{HashMap, HashSet};

use crate::check::{Check, CheckName};

/// What became of one check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is new.
    Added(CheckName),
    /// It is as it was.
    Unchanged(CheckName),
    /// It has the same name, and something of it is another.
    Changed(CheckName),
    /// It goes on under another name, perhaps with more that is another.
    Renamed {
        /// Its name before.
        from: CheckName,
        /// Its name now.
        to: CheckName,
    },
    /// It is gone.
    Removed(CheckName),
}

/// A check that goes on under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// Its name before.
    pub from: CheckName,
    /// Its name now.
    pub to: CheckName,
}

/// Which checks of a new list, each with the name that it had before, go on with one that is known: in such an order that each
/// new name is free when it is given. A name may be given on (`b` was `a`, and `c` was `b`); one that is still that of its check
/// is nobody's former name, and what has been renamed already is not renamed again.
pub fn renames<'a>(
    is_known: impl Fn(&CheckName) -> bool,
    new: impl IntoIterator<Item = (&'a CheckName, Option<&'a CheckName>)>,
) -> Vec<Rename> {
    let new: Vec<_> = new.into_iter().collect();
    let was: HashMap<&CheckName, Option<&CheckName>> = new.iter().copied().collect();
    let (mut taken, mut renames) = (HashSet::new(), Vec::new());
    for (name, _) in new.iter().filter(|(name, was)| was.is_some() && !is_known(name)) {
        // From a name that is new along the names that were given on, to one that is no check's any more.
        let (mut chain, mut to) = (Vec::new(), *name);
        let is_moved = loop {
            let Some(from) = was.get(to).copied().flatten().filter(|from| is_known(from)) else { break false };
            // Whose is claimed twice, or goes in a circle, goes on once.
            if !taken.insert(from) {
                break false;
            }
            chain.push(Rename { from: from.clone(), to: to.clone() });
            if !was.contains_key(from) {
                break true;
            }
            to = from;
        };
        if is_moved {
            renames.append(&mut chain);
        }
    }
    renames
}

/// From an old list to a new one, in each of which a name is there once: one change for each check of the new list, in its order,
/// and behind them those that are gone, in the order of the old one.
pub fn between(old: &[Check], new: &[Check]) -> Vec<Change> {
    let before: HashMap<&CheckName, &Check> = old.iter().map(|check| (&check.name, check)).collect();
    let mut goes_on: HashSet<&CheckName> = HashSet::new();
    let renames = renames(|name| before.contains_key(name), new.iter().map(|check| (&check.name, check.was.as_ref())));
    let formers: HashMap<&CheckName, &CheckName> = renames.iter().map(|rename| (&rename.to, &rename.from)).collect();
    let mut changes: Vec<Change> = Vec::with_capacity(new.len());
    for check in new {
        let name = check.name.clone();
        changes.push(match (formers.get(&check.name), before.get(&check.name)) {
            (Some(from), _) => {
                goes_on.insert(*from);
                Change::Renamed { from: (*from).clone(), to: name }
            }
            (None, Some(same)) => {
                goes_on.insert(&same.name);
                if is_as(same, check) { Change::Unchanged(name) } else { Change::Changed(name) }
            }
            (None, None) => Change::Added(name),
        });
    }
    let gone = old.iter().map(|check| &check.name).filter(|name| !goes_on.contains(name));
    changes.extend(gone.cloned().map(Change::Removed));
    changes
}

/// Whether a check is as another one in all but its name before, which says nothing of what is done.
pub fn is_as(one: &Check, other: &Check) -> bool {
    let Check { name, was: _, title, group, kind, every, timeout, retries, thresholds, depends_on, component, notices } =
        one;
    (name, title, group, kind) == (&other.name, &other.title, &other.group, &other.kind)
        && (every, timeout, retries, thresholds) == (&other.every, &other.timeout, &other.retries, &other.thresholds)
        && (depends_on, component, notices) == (&other.depends_on, &other.component, &other.notices)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        check::Kind,
        file::{checks_yml, tests::World},
    };

    fn checks(text: &str) -> Vec<Check> {
        checks_yml::read(text, "checks.yml", &World).unwrap().checks
    }

    fn name(name: &str) -> CheckName {
        name.parse().unwrap()
    }

    #[test]
    fn what_was_added_changed_renamed_and_removed_is_said() {
        let old =
            checks("checks: [{name: a, icmp: {host: a}}, {name: b, icmp: {host: b}}, {name: c, icmp: {host: c}}]");
        let new = checks(
            "# moved\nchecks:\n- {name: x, was: c, icmp: {host: c2}}\n- {name: b, icmp: {host: b2}}\n- {name: d, icmp: {host: d}}\n",
        );
        let expected = [
            Change::Renamed { from: name("c"), to: name("x") },
            Change::Changed(name("b")),
            Change::Added(name("d")),
            Change::Removed(name("a")),
        ];
        assert_eq!(between(&old, &new), expected);
        // What it was before may stay in the file, or go.
        let later =
            checks("checks: [{name: x, icmp: {host: c2}}, {name: b, icmp: {host: b2}}, {name: d, icmp: {host: d}}]");
        let unchanged = ["x", "b", "d"].map(|it| Change::Unchanged(name(it)));
        assert_eq!(between(&new, &later), unchanged);
        assert_eq!(between(&new, &new), unchanged);
    }

    #[test]
    fn a_name_that_is_given_on_takes_each_history_along_and_only_once() {
        let line = |name: &str, was: &str| format!("{{name: {name}, {was}icmp: {{host: a}}}}");
        let list = |lines: &[(&str, &str)]| {
            let lines: Vec<_> = lines.iter().map(|(name, was)| line(name, was)).collect();
            lines.iter().map(|line| checks(&format!("checks: [{line}]")).remove(0)).collect::<Vec<_>>()
        };
        let renamed = |from: &str, to: &str| Change::Renamed { from: name(from), to: name(to) };
        let chain = list(&[("b", "was: a, "), ("c", "was: b, ")]);
        let both = list(&[("a", ""), ("b", "")]);
        assert_eq!(between(&both, &chain), [renamed("a", "b"), renamed("b", "c")]);
        let order = renames(|it| ["a", "b"].contains(&it.as_str()), chain.iter().map(|it| (&it.name, it.was.as_ref())));
        assert_eq!(order.iter().map(|it| it.to.as_str()).collect::<Vec<_>>(), ["c", "b"], "b is free then");
        // It stands in the file for as long as people leave it there.
        assert!(between(&chain, &chain).iter().all(|change| matches!(change, Change::Unchanged(_))));
        // What was of `b` stays there where `a` is none of those that are known: that rename was of an earlier day.
        assert_eq!(
            between(&list(&[("b", "was: a, ")]), &chain),
            [Change::Unchanged(name("b")), Change::Added(name("c"))]
        );
        // A swap would turn them at each reading.
        let swapped = list(&[("a", "was: b, "), ("b", "was: a, ")]);
        assert_eq!(between(&both, &swapped), ["a", "b"].map(|it| Change::Unchanged(name(it))));
        let third = list(&[("c", "was: b, "), ("b", "")]);
        let expected = [Change::Added(name("c")), Change::Unchanged(name("b")), Change::Removed(name("a"))];
        assert_eq!(between(&both, &third), expected, "it is still there");
    }

    #[test]
    fn a_change_of_each_thing_that_a_check_has_is_one() {
        let text = "name: a, title: A, group: G, every: 30s, timeout: 5s, retries: 1, fail_after: 2, recover_after: 1, depends_on: home, \
                    component: own, notices: {after_failures: 3}, http: {url: 'http://a/', headers: {A: b}, body: c, redirects: 1, \
                    verify: true, slow_above: 1s, expect: {status: 200, body: {matches: x}, json: [{path: $.a, equals: 1}], \
                    headers: {B: {matches: y}}, largest: 5, certificate: {warning: 9d}}}";
        let read = |text: &str| checks(&format!("checks: [{{{text}}}]"));
        let edits = [
            ("title: A", "title: B"),
            ("group: G", "group: H"),
            ("30s", "31s"),
            ("timeout: 5s", "timeout: 6s"),
            ("retries: 1", "retries: 2"),
            ("fail_after: 2", "fail_after: 3"),
            ("recover_after: 1", "recover_after: 2"),
            ("depends_on: home, ", ""),
            ("component: own", "component: nowhere"),
            ("after_failures: 3", "after_failures: 4"),
            ("http://a/", "http://a/b"),
            ("A: b", "A: c"),
            ("A: b", "A: {secret: NAS_TOKEN}"),
            ("body: c", "body: d"),
            ("redirects: 1", "redirects: 2"),
            ("verify: true", "verify: false"),
            ("slow_above: 1s", "slow_above: 2s"),
            ("status: 200", "status: 201"),
            ("matches: x", "matches: z"),
            ("$.a", "$.b"),
            ("equals: 1", "equals: '1'"),
            ("matches: y", "matches: z"),
            ("largest: 5", "largest: 6"),
            ("9d", "8d"),
        ];
        let old = read(text);
        for (from, to) in edits {
            let edited = text.replacen(from, to, 1);
            assert_ne!(edited, text, "{from}");
            assert_eq!(between(&old, &read(&edited)), [Change::Changed(name("a"))], "{from} to {to}");
        }
        assert_eq!(between(&old, &read(&text.replace("name: a,", "name: a, was: z,"))), [Change::Unchanged(name("a"))]);
    }

    #[test]
    fn another_secret_of_the_same_name_is_a_change() {
        let mut old = checks("checks: [{name: a, passive: {period: 1d, secret: BACKUP_PING}}]");
        let new = old.clone();
        let Kind::Passive(passive) = &mut old[0].kind else { panic!("{:?}", old[0].kind) };
        passive.secret = shared::secret::Secret::new("another").into();
        assert_eq!(between(&old, &new), [Change::Changed(name("a"))]);
    }

    /// A list of up to a dozen checks by numbers: each its number, its version, and perhaps the number that it had before.
    fn list(numbers: &[(u8, u8, Option<u8>)]) -> Vec<Check> {
        let mut seen = BTreeSet::new();
        let pattern = checks("checks: [{name: a, icmp: {host: a}}]").remove(0);
        let unique = numbers.iter().filter(|(number, ..)| seen.insert(*number));
        let make = |(number, version, was): &(u8, u8, Option<u8>)| Check {
            name: name(&format!("c{number}")),
            title: format!("version {version}"),
            was: was.map(|was| name(&format!("c{was}"))),
            ..pattern.clone()
        };
        unique.map(make).collect()
    }

    fn numbers() -> impl proptest::strategy::Strategy<Value = Vec<(u8, u8, Option<u8>)>> {
        proptest::collection::vec((0..12_u8, 0..3_u8, proptest::option::of(0..12_u8)), 0..14)
    }

    proptest::proptest! {
        #[test]
        fn no_check_is_ever_lost_or_doubled(old in numbers(), new in numbers()) {
            let (old, new) = (list(&old), list(&new));
            let changes = between(&old, &new);
            let (mut before, mut after) = (Vec::new(), Vec::new());
            for change in &changes {
                match change {
                    Change::Added(name) => after.push(name),
                    Change::Unchanged(name) | Change::Changed(name) => {
                        before.push(name);
                        after.push(name);
                    }
                    Change::Renamed { from, to } => {
                        before.push(from);
                        after.push(to);
                    }
                    Change::Removed(name) => before.push(name),
                }
            }
            before.sort();
            let mut all_before: Vec<_> = old.iter().map(|check| &check.name).collect();
            all_before.sort();
            proptest::prop_assert_eq!(before, all_before);
            proptest::prop_assert_eq!(after, new.iter().map(|check| &check.name).collect::<Vec<_>>());
            for check in &new {
                let same = old.iter().find(|old| old.name == check.name);
                let is_unchanged = changes.contains(&Change::Unchanged(check.name.clone()));
                let is_renamed = changes.iter().any(|it| matches!(it, Change::Renamed { to, .. } if *to == check.name));
                let is_same = same.is_some_and(|same| same.title == check.title);
                proptest::prop_assert_eq!(is_unchanged, is_same && !is_renamed);
            }
            // What has been done is not done again.
            let again = between(&new, &new);
            proptest::prop_assert!(again.iter().all(|change| matches!(change, Change::Unchanged(_))));
        }
    }
}

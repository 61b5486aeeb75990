//! What was pinged and asked from home, by what it is on the way to the world: what [`inside`](crate::keeper::inside) concludes from.

use std::{collections::BTreeMap, net::IpAddr, ops::Range};

use shared::network::is_at_home;

use crate::{
    keeper::{
        KeeperError,
        db::{Db, FromRow, Row, StorageError, query},
        inside::{Probe, Role},
    },
    ping::outside::is_shared,
};

/// How much is read at once, in milliseconds: a day of minutes of a few series.
const AT_ONCE: i64 = 24 * 60 * 60 * 1000;

/// Readings of one role that are as near to each other are of one run, in milliseconds, where each is of another series.
const ONE_RUN: i64 = 30_000;

/// The series in which the job `dns` says that an address has changed, and `ping` which one the router has now.
const ADDRESS: &str = "dns";
const ROUTERS: &str = "router_outside";

/// What was recorded, by role; and when the home's address became another one, and whether that is one that nobody can call.
pub(in crate::keeper) type OnTheWay = (BTreeMap<Role, Vec<Probe>>, Vec<(i64, bool)>);

/// What was recorded within a time, in milliseconds since 1970, the oldest first.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn read(db: &Db, time: Range<i64>) -> Result<OnTheWay, KeeperError> {
    let mut found = OnTheWay::default();
    let mut from = time.start;
    while from < time.end {
        let to = (from + AT_ONCE).min(time.end);
        let list = query(
            "SELECT name, at, value, failure, loss, mark, target FROM series CROSS JOIN readings ON series_id = series.id
             WHERE (name IN ('ping', 'resolve', 'router', 'first_hop', 'far', 'names', 'names_outside', 'beacon', 'dns',
                         'router_outside')
                     OR name LIKE 'ping:%' OR name LIKE 'resolve:%')
                 AND at >= ?1 AND at < ?2 AND skipped IS NULL
             ORDER BY at",
        );
        let rows: Vec<ReadingRow> = list.bind(from).bind(to).all(&mut db.read().await?).await?;
        add(&mut found, &rows);
        from = to;
    }
    Ok(found)
}

/// Adds what these rows say.
fn add((probes, addresses): &mut OnTheWay, rows: &[ReadingRow]) {
    // The series that the newest probe of a role is of: when one of them comes again, it is another run.
    let mut of_run: BTreeMap<Role, Vec<&str>> = BTreeMap::new();
    for row in rows {
        if [ADDRESS, ROUTERS].contains(&row.name.as_str()) && row.failure.is_none() {
            // Where the name leads is public, or it would not be set; what the router has may not be.
            let is_shared = row.name == ROUTERS && row.address().is_some_and(is_shared);
            addresses.push((row.at, is_shared));
        }
        let Some(role) = role_of(rows, row) else { continue };
        let probe = Probe {
            at: row.at,
            answered: row.failure.is_none(),
            loss: row.loss,
            latency: row.value,
            in_test: row.mark.is_some(),
        };
        let (of_role, names) = (probes.entry(role).or_default(), of_run.entry(role).or_default());
        let is_same_run = |last: &&mut Probe| row.at - last.at <= ONE_RUN && !names.contains(&row.name.as_str());
        if let Some(last) = of_role.last_mut().filter(is_same_run) {
            *last = better(*last, probe);
        } else {
            of_role.push(probe);
            names.clear();
        }
        names.push(&row.name);
    }
}

/// Of several hosts of a run the one that is best to reach counts.
fn better(one: Probe, other: Probe) -> Probe {
    let least = |one: Option<f64>, other: Option<f64>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    Probe {
        at: one.at,
        answered: one.answered || other.answered,
        loss: least(one.loss, other.loss),
        latency: least(one.latency, other.latency),
        in_test: one.in_test || other.in_test,
    }
}

/// What a reading is of; `None` where it says nothing of the way to the world.
fn role_of(rows: &[ReadingRow], row: &ReadingRow) -> Option<Role> {
    match (row.name.split(':').next().unwrap_or_default(), row.address()) {
        ("resolve" | "names", _) => Some(Role::HomeNames),
        ("names_outside", _) => Some(Role::OtherNames),
        ("router", _) => Some(Role::Router),
        ("first_hop", _) => Some(Role::FirstHop),
        ("far", _) => Some(Role::World),
        ("beacon", _) => Some(Role::Beacon),
        ("ping", Some(address)) => (!is_at_home(address)).then_some(Role::World),
        // Of a host that has no address because its name was not found, nothing is known.
        ("ping", None) => (row.failure.is_none() || !has_no_name(rows, row)).then_some(Role::World),
        _ => None,
    }
}

/// Whether the name of that ping's host was not found in the same run.
fn has_no_name(rows: &[ReadingRow], ping: &ReadingRow) -> bool {
    let name = ping.name.replacen("ping", "resolve", 1);
    let first = rows.partition_point(|row| row.at < ping.at);
    let same = rows[first..].iter().take_while(|row| row.at == ping.at);
    same.filter(|row| row.name == name).any(|row| row.failure.is_some())
}

struct ReadingRow {
    name: String,
    at: i64,
    value: Option<f64>,
    failure: Option<String>,
    loss: Option<f64>,
    mark: Option<String>,
    target: Option<String>,
}

impl ReadingRow {
    /// What it was measured against, where that is an address.
    fn address(&self) -> Option<IpAddr> {
        self.target.as_deref()?.parse().ok()
    }
}

impl FromRow for ReadingRow {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            name: row.get("name")?,
            at: row.get("at")?,
            value: row.get("value")?,
            failure: row.get("failure")?,
            loss: row.get("loss")?,
            mark: row.get("mark")?,
            target: row.get("target")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_role(rows: &[ReadingRow]) -> OnTheWay {
        let mut found = OnTheWay::default();
        add(&mut found, rows);
        found
    }

    fn row(name: &str, at: i64, failure: Option<&str>, target: &str) -> ReadingRow {
        ReadingRow {
            name: name.into(),
            at,
            value: failure.is_none().then_some(12.0),
            failure: failure.map(str::to_owned),
            loss: Some(if failure.is_none() { 0.0 } else { 100.0 }),
            mark: None,
            target: Some(target.into()),
        }
    }

    #[test]
    fn one_host_that_answers_is_enough_and_those_of_the_home_say_nothing_of_the_world() {
        let rows = [
            row("ping", 0, Some("none"), "1.1.1.1"),
            row("ping:192.168.1.20", 0, None, "192.168.1.20"),
            row("ping:9.9.9.9", 10, None, "9.9.9.9"),
            row("ping", 60_000, Some("none"), "1.1.1.1"),
            row("ping:192.168.1.20", 60_000, None, "192.168.1.20"),
        ];
        let world: Vec<_> = by_role(&rows).0[&Role::World].iter().map(|probe| (probe.at, probe.answered)).collect();
        assert_eq!(world, [(0, true), (60_000, false)]);
    }

    #[test]
    fn a_host_whose_name_is_not_found_is_no_host_that_does_not_answer() {
        let rows = [
            row("ping", 0, Some("no server answers"), "example.com"),
            row("resolve", 0, Some("no server answers"), "example.com"),
            row("ping", 60_000, Some("none of 5"), "example.com"),
            row("resolve", 60_000, None, "example.com"),
        ];
        let (found, _) = by_role(&rows);
        let answers = |role| found[&role].iter().map(|probe| (probe.at, probe.answered)).collect::<Vec<_>>();
        assert_eq!(answers(Role::World), [(60_000, false)]);
        assert_eq!(answers(Role::HomeNames), [(0, false), (60_000, true)]);
    }

    #[test]
    fn one_series_again_is_another_run_however_soon_it_comes() {
        let rows = [
            row("ping", 0, None, "1.1.1.1"),
            row("far", 100, None, "9.9.9.9"),
            row("ping", 30_000, Some("none"), "1.1.1.1"),
            row("far", 30_100, Some("none"), "9.9.9.9"),
            row("ping", 60_000, None, "1.1.1.1"),
            row("dns", 61_000, None, "203.0.113.7"),
            row("router_outside", 90_000, None, "100.64.3.4"),
            row("router_outside", 95_000, None, "81.2.69.142"),
        ];
        let (found, addresses) = by_role(&rows);
        let world: Vec<_> = found[&Role::World].iter().map(|probe| (probe.at, probe.answered)).collect();
        assert_eq!(world, [(0, true), (30_000, false), (60_000, true)]);
        assert_eq!(addresses, [(61_000, false), (90_000, true), (95_000, false)]);
    }
}

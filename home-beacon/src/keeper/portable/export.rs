//! What a keeper knows, page by page.
//!
//! Single readings come before hours: those of an hour that is rolled up between two pages are in both then, and who takes them in
//! takes an hour once.

use std::collections::HashMap;

use checks::check::CheckName;
use jiff::Timestamp;
use serde_json::Value;
use shared::id::{ComponentId, PageId};

pub(in crate::keeper) use super::cursor::{Cursor, NoCursor};
use super::{
    Columns, Component, Head, Incident, LookRow, Looks, Measured, Of, Record, Statuses, VERSION,
    tables::{COMPONENTS, GROUPS, HOURS, INCIDENTS, METRICS, READINGS, Table, UPDATES},
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, StorageError, built, query},
    measured::retention::{HOUR, sums_of_readings},
};

/// About how many rows a page has; few where pages are what is tested.
const ROWS: i64 = if cfg!(test) { 7 } else { 4000 };

/// How many components and incidents a page has, with their texts.
const COMPONENTS_OF_A_PAGE: i64 = if cfg!(test) { 2 } else { 500 };
const INCIDENTS_OF_A_PAGE: i64 = if cfg!(test) { 1 } else { 20 };

/// Some records, and what comes next; `None` behind the last of them.
#[derive(Debug)]
pub(in crate::keeper) struct Page {
    pub(in crate::keeper) records: Vec<Record>,
    pub(in crate::keeper) next: Option<Cursor>,
}

/// The records of the page that come at that cursor; `now` is the time by a clock that can be trusted.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::keeper) async fn page(db: &Db, of: &PageId, cursor: Cursor, now: Timestamp) -> Result<Page, KeeperError> {
    let conn = &mut db.snapshot().await?;
    match cursor {
        Cursor::Begin => begin(conn, of, now).await,
        Cursor::Components(after) => components(conn, of, &after).await,
        Cursor::Incidents(after) => incidents(conn, of, &after).await,
        Cursor::Statuses(component, before) => statuses(conn, of, &component, before).await,
        Cursor::Looks { component, location, inside, began } => {
            looks(conn, of, (&component, &location, inside, began)).await
        }
        Cursor::Readings(series, from) => readings(conn, of, series, from).await,
        Cursor::Hours(series, after) => hours(conn, of, series, after).await,
    }
}

async fn begin(conn: &mut Conn, of: &PageId, now: Timestamp) -> Result<Page, KeeperError> {
    let mut records = vec![Record::Porchlight(Head { version: VERSION, exported_at: now })];
    let groups = query("SELECT * FROM component_groups WHERE page_id = ? ORDER BY position, id");
    let groups: Vec<Columns> = groups.bind(of.as_str()).all(conn).await?;
    records.extend(groups.into_iter().map(|group| Record::Group(GROUPS.of_row(group))));
    let metrics = query("SELECT * FROM metrics WHERE page_id = ? ORDER BY id");
    let metrics: Vec<Columns> = metrics.bind(of.as_str()).all(conn).await?;
    records.extend(metrics.into_iter().map(|metric| Record::Metric(METRICS.of_row(metric))));
    Ok(Page { records, next: Some(Cursor::Components(String::new())) })
}

async fn components(conn: &mut Conn, of: &PageId, after: &str) -> Result<Page, KeeperError> {
    let list = query("SELECT * FROM components WHERE page_id = ? AND id > ? ORDER BY id LIMIT ?");
    let list: Vec<Columns> = list.bind(of.as_str()).bind(after).bind(COMPONENTS_OF_A_PAGE).all(conn).await?;
    let groups: Vec<(String, String)> = query("SELECT id, name FROM component_groups").all(conn).await?;
    let (groups, owners) = (groups.into_iter().collect::<HashMap<_, _>>(), owners(conn).await?);
    let mut next = Cursor::Incidents(String::new());
    let mut records = Vec::new();
    for component in list {
        let Some(id) = text(&component, "id") else { continue };
        let group = text(&component, "group_id").and_then(|id| groups.get(&id).cloned());
        let check = owners.get(&id).and_then(|owner| owner.check.clone());
        records.push(Record::Component(Component { check, group, columns: COMPONENTS.of_row(component) }));
        next = Cursor::Components(id);
    }
    Ok(Page { records, next: Some(next) })
}

async fn incidents(conn: &mut Conn, page: &PageId, after: &str) -> Result<Page, KeeperError> {
    let list = query("SELECT * FROM incidents WHERE page_id = ? AND id > ? ORDER BY id LIMIT ?");
    let list: Vec<Columns> = list.bind(page.as_str()).bind(after).bind(INCIDENTS_OF_A_PAGE).all(conn).await?;
    let owners = owners(conn).await?;
    let mut next = Cursor::Statuses(String::new(), i64::MAX);
    let mut records = Vec::new();
    for incident in list {
        let Some(id) = text(&incident, "id") else { continue };
        let named = query("SELECT component_id FROM incident_components WHERE incident_id = ? ORDER BY component_id");
        let named: Vec<ComponentId> = named.bind(&id).all(conn).await?;
        let updates = query("SELECT * FROM incident_updates WHERE incident_id = ? ORDER BY display_at, id");
        let updates: Vec<Columns> = updates.bind(&id).all(conn).await?;
        records.push(Record::Incident(Incident {
            columns: INCIDENTS.of_row(incident),
            components: named.into_iter().map(|id| of(&id, &owners)).collect(),
            updates: updates.into_iter().map(|update| UPDATES.of_row(update)).collect(),
        }));
        next = Cursor::Incidents(id);
    }
    Ok(Page { records, next: Some(next) })
}

/// The newest first: whoever takes them in adds what is older than what is there.
async fn statuses(conn: &mut Conn, page: &PageId, component: &str, before: i64) -> Result<Page, KeeperError> {
    let list = query(
        "SELECT component_id, since, component_statuses.status FROM component_statuses
         JOIN components ON components.id = component_id AND page_id = ?1
         WHERE component_id > ?2 OR (component_id = ?2 AND since < ?3) ORDER BY component_id, since DESC LIMIT ?4",
    );
    let list = list.bind(page.as_str()).bind(component).bind(before).bind(ROWS);
    let rows: Vec<(ComponentId, i64, String)> = list.all(conn).await?;
    let owners = owners(conn).await?;
    let looks = Cursor::Looks { component: String::new(), location: String::new(), inside: 0, began: i64::MIN };
    let next = rows.last().map_or(looks, |(id, since, _)| Cursor::Statuses(id.to_string(), *since));
    let records = rows.chunk_by(|one, other| one.0 == other.0).map(|rows| {
        let of = of(&rows[0].0, &owners);
        let rows = rows.iter().rev().map(|(_, since, status)| (*since, status.clone())).collect();
        Record::Statuses(Statuses { of, rows })
    });
    Ok(Page { records: records.collect(), next: Some(next) })
}

async fn looks(
    conn: &mut Conn,
    page: &PageId,
    (component, location, inside, began): (&str, &str, i64, i64),
) -> Result<Page, KeeperError> {
    let list = query(
        "SELECT look_spans.* FROM look_spans JOIN components ON components.id = component_id AND page_id = ?
         WHERE (component_id, location, inside, began) > (?, ?, ?, ?)
         ORDER BY component_id, location, inside, began LIMIT ?",
    );
    let list = list.bind(page.as_str()).bind(component).bind(location).bind(inside).bind(began).bind(ROWS);
    let rows: Vec<Columns> = list.all(conn).await?;
    let owners = owners(conn).await?;
    let place = |row: &Columns| (text(row, "component_id"), text(row, "location"), number(row, "inside"));
    let next = match rows.last() {
        None => Cursor::Readings(0, i64::MIN),
        Some(row) => {
            let (component, location, inside) = place(row);
            let (component, location) = (component.unwrap_or_default(), location.unwrap_or_default());
            Cursor::Looks { component, location, inside, began: number(row, "began") }
        }
    };
    let mut records = Vec::new();
    for rows in rows.chunk_by(|one, other| place(one) == place(other)) {
        let (Some(component), Some(location), inside) = place(&rows[0]) else { continue };
        let Ok(component) = component.parse() else { continue };
        let span = |row: &Columns| {
            let pause = Some(number(row, "pause")).filter(|pause| *pause > 0);
            LookRow(number(row, "began"), number(row, "ended"), text(row, "verdict"), text(row, "cause"), pause)
        };
        let (of, rows) = (of(&component, &owners), rows.iter().map(span).collect());
        records.push(Record::Looks(Looks { of, location, inside: inside != 0, rows }));
    }
    Ok(Page { records, next: Some(next) })
}

/// Whole hours: who takes one in takes it once. One that is rolled up in part comes with the hours.
async fn readings(conn: &mut Conn, page: &PageId, series: i64, from: i64) -> Result<Page, KeeperError> {
    let Some((series, from)) = next_of(conn, page, &READINGS, series, from).await? else {
        return Ok(Page { records: Vec::new(), next: Some(Cursor::Hours(0, i64::MIN)) });
    };
    let list = query("SELECT * FROM readings WHERE series_id = ? AND at >= ? ORDER BY at LIMIT ?");
    let mut rows: Vec<Columns> = list.bind(series).bind(from).bind(ROWS).all(conn).await?;
    let hour = |row: &Columns| number(row, "at").div_euclid(HOUR) * HOUR;
    let (first, newest) = (rows.first().map_or(0, hour), rows.last().map_or(0, hour));
    let is_cut = i64::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
    if is_cut && first < newest {
        rows.retain(|row| hour(row) < newest);
    } else if is_cut {
        let list = query("SELECT * FROM readings WHERE series_id = ? AND at >= ? AND at < ? ORDER BY at");
        rows = list.bind(series).bind(from).bind(newest + HOUR).all(conn).await?;
    }
    let next = rows.last().map_or(i64::MAX, |row| hour(row) + HOUR);
    let in_part = query("SELECT at FROM hours WHERE series_id = ? AND at >= ? AND at < ?");
    let in_part: Vec<i64> = in_part.bind(series).bind(first).bind(next).all(conn).await?;
    let (name, unit) = names(conn, series).await?;
    let whole = rows.chunk_by(|one, other| hour(one) == hour(other)).filter(|rows| !in_part.contains(&hour(&rows[0])));
    let records = whole.map(|rows| {
        let rows = rows.iter().map(|row| READINGS.of_row(row.clone())).collect();
        Record::Readings(Measured { series: name.clone(), unit: unit.clone(), rows })
    });
    Ok(Page { records: records.collect(), next: Some(Cursor::Readings(series, next)) })
}

async fn hours(conn: &mut Conn, page: &PageId, series: i64, after: i64) -> Result<Page, KeeperError> {
    let Some((series, from)) = next_of(conn, page, &HOURS, series, after.saturating_add(1)).await? else {
        return Ok(Page { records: Vec::new(), next: None });
    };
    let list = query("SELECT * FROM hours WHERE series_id = ? AND at >= ? ORDER BY at LIMIT ?");
    let mut rows: Vec<Columns> = list.bind(series).bind(from).bind(ROWS).all(conn).await?;
    let newest = rows.last().map_or(i64::MAX - 1, |row| number(row, "at"));
    // With the rest of what is rolled up in part.
    for rest in sums_of_readings(conn, series, from..newest.saturating_add(HOUR)).await? {
        if let Some(hour) = rows.iter_mut().find(|row| number(row, "at") == number(&rest, "at")) {
            add_sums(hour, &rest);
        }
    }
    let (name, unit) = names(conn, series).await?;
    let rows = rows.into_iter().map(|row| HOURS.of_row(row)).collect();
    let records = vec![Record::Hours(Measured { series: name, unit, rows })];
    Ok(Page { records, next: Some(Cursor::Hours(series, newest)) })
}

fn add_sums(hour: &mut Columns, rest: &Columns) {
    for (name, more) in rest.iter().filter(|(name, _)| name.as_str() != "at") {
        let (known, more) = (hour.get(name).cloned().unwrap_or(Value::Null), more.clone());
        let both = match (name.as_str(), known.as_f64(), more.as_f64()) {
            (_, None, _) => more,
            (_, _, None) => known,
            ("min", Some(one), Some(other)) => one.min(other).into(),
            ("max", Some(one), Some(other)) => one.max(other).into(),
            (_, Some(one), Some(other)) => match (known.as_i64(), more.as_i64()) {
                (Some(one), Some(other)) => (one + other).into(),
                _ => (one + other).into(),
            },
        };
        hour.insert(name.clone(), both);
    }
}

/// The first series that has something from there on, and when it does. Points of another page's metrics are that page's.
async fn next_of(
    conn: &mut Conn,
    page: &PageId,
    table: &Table,
    series: i64,
    from: i64,
) -> Result<Option<(i64, i64)>, StorageError> {
    let next = built(format!(
        "SELECT series_id, at FROM {} WHERE (series_id, at) >= (?, ?) AND series_id NOT IN (
             SELECT series.id FROM series JOIN metrics ON series.name = '@' || metrics.id WHERE page_id <> ?)
         ORDER BY series_id, at LIMIT 1",
        table.name
    ));
    next.bind(series).bind(from).bind(page.as_str()).optional(conn).await
}

async fn names(conn: &mut Conn, series: i64) -> Result<(String, Option<String>), StorageError> {
    query("SELECT name, unit FROM series WHERE id = ?").bind(series).one(conn).await
}

/// What is to be known of each component to find it again, by its id.
async fn owners(conn: &mut Conn) -> Result<HashMap<String, Of>, StorageError> {
    let made: Vec<(ComponentId, i64)> = query("SELECT id, created_at FROM components").all(conn).await?;
    let own = query("SELECT component_id, name FROM checks WHERE place = 'own' AND component_id IS NOT NULL");
    let own: HashMap<String, String> = own.all::<(String, String)>(conn).await?.into_iter().collect();
    let owner = |(id, made): (ComponentId, i64)| {
        let check: Option<CheckName> = own.get(id.as_str()).and_then(|name| name.parse().ok());
        (id.to_string(), Of { component: Some(id), check, made: Some(made) })
    };
    Ok(made.into_iter().map(owner).collect())
}

fn of(component: &ComponentId, owners: &HashMap<String, Of>) -> Of {
    let unknown = || Of { component: Some(component.clone()), check: None, made: None };
    owners.get(component.as_str()).cloned().unwrap_or_else(unknown)
}

fn text(row: &Columns, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

fn number(row: &Columns, name: &str) -> i64 {
    row.get(name).and_then(Value::as_i64).unwrap_or_default()
}

//! What a keeper knows, page by page.
//!
//! Single readings come before hours: one that is rolled up between two pages is in both then, and who takes them in takes an hour
//! once.

use std::collections::HashMap;

use checks::check::CheckName;
use jiff::Timestamp;
use shared::id::ComponentId;

pub(in crate::keeper) use super::cursor::{Cursor, NoCursor};
use super::{
    Columns, Component, Head, Incident, LookRow, Looks, Measured, Of, Record, Statuses, VERSION,
    tables::{CHECKS, COMPONENTS, GROUPS, HOURS, INCIDENTS, METRICS, READINGS, Table, UPDATES},
};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, StorageError, built, query},
    measured::retention::HOUR,
};

/// About how many rows a page has; few where pages are what is tested.
const ROWS: i64 = if cfg!(test) { 7 } else { 4000 };

/// How many incidents a page has.
const INCIDENTS_OF_A_PAGE: i64 = if cfg!(test) { 1 } else { 50 };

/// Some records, and what comes next; `None` behind the last of them.
#[derive(Debug)]
pub(in crate::keeper) struct Page {
    pub(in crate::keeper) records: Vec<Record>,
    pub(in crate::keeper) next: Option<Cursor>,
}

/// The records that come at that cursor; `now` is the time on the wall.
///
/// # Errors
/// When the database cannot be read.
pub(in crate::keeper) async fn page(db: &Db, cursor: Cursor, now: Timestamp) -> Result<Page, KeeperError> {
    let conn = &mut db.snapshot().await?;
    match cursor {
        Cursor::Begin => begin(conn, now).await,
        Cursor::Incidents(after) => incidents(conn, &after).await,
        Cursor::Statuses(component, before) => statuses(conn, &component, before).await,
        Cursor::Looks { component, location, inside, began } => looks(conn, &component, &location, inside, began).await,
        Cursor::Readings(series, from) => readings(conn, series, from).await,
        Cursor::Hours(series, after) => hours(conn, series, after).await,
    }
}

async fn begin(conn: &mut Conn, now: Timestamp) -> Result<Page, KeeperError> {
    let mut records = vec![Record::Porchlight(Head { version: VERSION, exported_at: now })];
    let groups: Vec<Columns> = query("SELECT * FROM component_groups ORDER BY position, id").all(conn).await?;
    let names: HashMap<String, String> =
        groups.iter().filter_map(|group| Some((text(group, "id")?, text(group, "name")?))).collect();
    records.extend(groups.into_iter().map(|group| Record::Group(GROUPS.of_row(group))));
    let own = own(conn).await?;
    let components: Vec<Columns> = query("SELECT * FROM components ORDER BY position, id").all(conn).await?;
    for component in components {
        let group = text(&component, "group_id").and_then(|id| names.get(&id).cloned());
        let check = text(&component, "id").and_then(|id| own.get(&id).cloned());
        records.push(Record::Component(Component { check, group, columns: COMPONENTS.of_row(component) }));
    }
    records.extend(all(conn, &METRICS, "SELECT * FROM metrics ORDER BY id").await?.into_iter().map(Record::Metric));
    records.extend(all(conn, &CHECKS, "SELECT * FROM checks ORDER BY name").await?.into_iter().map(Record::Check));
    Ok(Page { records, next: Some(Cursor::Incidents(String::new())) })
}

async fn incidents(conn: &mut Conn, after: &str) -> Result<Page, KeeperError> {
    let list = query("SELECT * FROM incidents WHERE id > ? ORDER BY id LIMIT ?");
    let list: Vec<Columns> = list.bind(after).bind(INCIDENTS_OF_A_PAGE).all(conn).await?;
    let own = own(conn).await?;
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
            components: named.into_iter().map(|id| of(id, &own)).collect(),
            updates: updates.into_iter().map(|update| UPDATES.of_row(update)).collect(),
        }));
        next = Cursor::Incidents(id);
    }
    Ok(Page { records, next: Some(next) })
}

/// The newest first: whoever takes them in adds what is older than what is there.
async fn statuses(conn: &mut Conn, component: &str, before: i64) -> Result<Page, KeeperError> {
    let list = query(
        "SELECT component_id, since, status FROM component_statuses
         WHERE component_id > ?1 OR (component_id = ?1 AND since < ?2) ORDER BY component_id, since DESC LIMIT ?3",
    );
    let rows: Vec<(ComponentId, i64, String)> = list.bind(component).bind(before).bind(ROWS).all(conn).await?;
    let own = own(conn).await?;
    let looks = Cursor::Looks { component: String::new(), location: String::new(), inside: 0, began: i64::MIN };
    let next = rows.last().map_or(looks, |(id, since, _)| Cursor::Statuses(id.to_string(), *since));
    let records = rows.chunk_by(|one, other| one.0 == other.0).map(|rows| {
        let of = of(rows[0].0.clone(), &own);
        let rows = rows.iter().rev().map(|(_, since, status)| (*since, status.clone())).collect();
        Record::Statuses(Statuses { of, rows })
    });
    Ok(Page { records: records.collect(), next: Some(next) })
}

async fn looks(conn: &mut Conn, component: &str, location: &str, inside: i64, began: i64) -> Result<Page, KeeperError> {
    let list = query(
        "SELECT * FROM look_spans WHERE (component_id, location, inside, began) > (?, ?, ?, ?)
         ORDER BY component_id, location, inside, began LIMIT ?",
    );
    let list = list.bind(component).bind(location).bind(inside).bind(began).bind(ROWS);
    let rows: Vec<Columns> = list.all(conn).await?;
    let own = own(conn).await?;
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
        let (of, rows) = (of(component, &own), rows.iter().map(span).collect());
        records.push(Record::Looks(Looks { of, location, inside: inside != 0, rows }));
    }
    Ok(Page { records, next: Some(next) })
}

/// Whole hours: who takes one in takes it once.
async fn readings(conn: &mut Conn, series: i64, from: i64) -> Result<Page, KeeperError> {
    let Some((series, from)) = next_of(conn, &READINGS, series, from).await? else {
        return Ok(Page { records: Vec::new(), next: Some(Cursor::Hours(0, i64::MIN)) });
    };
    let list = query("SELECT * FROM readings WHERE series_id = ? AND at >= ? ORDER BY at LIMIT ?");
    let mut rows: Vec<Columns> = list.bind(series).bind(from).bind(ROWS).all(conn).await?;
    let hour = |row: &Columns| number(row, "at").div_euclid(HOUR);
    let (first, newest) = (rows.first().map_or(0, hour), rows.last().map_or(0, hour));
    let is_cut = i64::try_from(rows.len()).is_ok_and(|rows| rows >= ROWS);
    if is_cut && first < newest {
        rows.retain(|row| hour(row) < newest);
    } else if is_cut {
        let list = query("SELECT * FROM readings WHERE series_id = ? AND at >= ? AND at < ? ORDER BY at");
        rows = list.bind(series).bind(from).bind((newest + 1) * HOUR).all(conn).await?;
    }
    let next = rows.last().map_or(i64::MAX, |row| (hour(row) + 1) * HOUR);
    let (name, unit) = names(conn, series).await?;
    let records = rows.chunk_by(|one, other| hour(one) == hour(other)).map(|rows| {
        let rows = rows.iter().map(|row| READINGS.of_row(row.clone())).collect();
        Record::Readings(Measured { series: name.clone(), unit: unit.clone(), rows })
    });
    Ok(Page { records: records.collect(), next: Some(Cursor::Readings(series, next)) })
}

async fn hours(conn: &mut Conn, series: i64, after: i64) -> Result<Page, KeeperError> {
    let Some((series, from)) = next_of(conn, &HOURS, series, after.saturating_add(1)).await? else {
        return Ok(Page { records: Vec::new(), next: None });
    };
    let list = query("SELECT * FROM hours WHERE series_id = ? AND at >= ? ORDER BY at LIMIT ?");
    let rows: Vec<Columns> = list.bind(series).bind(from).bind(ROWS).all(conn).await?;
    let newest = rows.last().map_or(i64::MAX - 1, |row| number(row, "at"));
    let (name, unit) = names(conn, series).await?;
    let rows = rows.into_iter().map(|row| HOURS.of_row(row)).collect();
    let records = vec![Record::Hours(Measured { series: name, unit, rows })];
    Ok(Page { records, next: Some(Cursor::Hours(series, newest)) })
}

/// The first series that has something from there on, and when it does.
async fn next_of(conn: &mut Conn, table: &Table, series: i64, from: i64) -> Result<Option<(i64, i64)>, StorageError> {
    let next = built(format!(
        "SELECT series_id, at FROM {} WHERE (series_id, at) >= (?, ?) ORDER BY series_id, at LIMIT 1",
        table.name
    ));
    next.bind(series).bind(from).optional(conn).await
}

async fn names(conn: &mut Conn, series: i64) -> Result<(String, Option<String>), StorageError> {
    query("SELECT name, unit FROM series WHERE id = ?").bind(series).one(conn).await
}

async fn all(conn: &mut Conn, table: &Table, list: &'static str) -> Result<Vec<Columns>, StorageError> {
    let rows: Vec<Columns> = query(list).all(conn).await?;
    Ok(rows.into_iter().map(|row| table.of_row(row)).collect())
}

/// The checks of the components that were made for them, by the components' ids.
async fn own(conn: &mut Conn) -> Result<HashMap<String, CheckName>, StorageError> {
    let list = query("SELECT component_id, name FROM checks WHERE place = 'own' AND component_id IS NOT NULL");
    let list: Vec<(String, String)> = list.all(conn).await?;
    Ok(list.into_iter().filter_map(|(id, name)| Some((id, name.parse().ok()?))).collect())
}

fn of(component: ComponentId, own: &HashMap<String, CheckName>) -> Of {
    let check = own.get(component.as_str()).cloned();
    Of { component: Some(component), check }
}

fn text(row: &Columns, name: &str) -> Option<String> {
    row.get(name)?.as_str().map(str::to_owned)
}

fn number(row: &Columns, name: &str) -> i64 {
    row.get(name).and_then(serde_json::Value::as_i64).unwrap_or_default()
}

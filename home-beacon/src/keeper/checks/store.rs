//! The rows of checks.

use std::time::Duration;

use checks::{
    cause::Cause,
    check::{CheckName, Place},
    outcome::{Phases, State},
};
use serde_json::{Value, json};
use shared::id::ComponentId;

use super::{
    definition::{Definition, Kind, Passive, WantedNotices, dependency_text, read_dependency},
    known::{Known, Run, Standing},
};
use crate::keeper::db::{Conn, FromRow, Moment, Row, StorageError, Tx, query};

/// All of them, by name.
pub(super) async fn all(conn: &mut Conn) -> Result<Vec<Known>, StorageError> {
    query("SELECT * FROM checks ORDER BY name").all(conn).await
}

/// The one of that name.
pub(super) async fn find(conn: &mut Conn, name: &CheckName) -> Result<Option<Known>, StorageError> {
    query("SELECT * FROM checks WHERE name = ?").bind(name.as_str()).optional(conn).await
}

/// What counts of all checks that a component shows.
pub(super) async fn counting(conn: &mut Conn, component: &ComponentId) -> Result<Vec<State>, StorageError> {
    let list = query("SELECT counts FROM checks WHERE component_id = ? AND counts IS NOT NULL");
    let list: Vec<String> = list.bind(component.as_str()).all(conn).await?;
    Ok(list.iter().filter_map(|label| state(label)).collect())
}

/// Writes a check as it is registered, new or not; what is known of it stays.
pub(super) async fn register(
    tx: &mut Tx,
    source: &str,
    check: &Definition,
    component: Option<&ComponentId>,
    now: Moment,
) -> Result<(), StorageError> {
    let place = match check.component {
        Place::Own => "own",
        Place::Nowhere => "nowhere",
        Place::Component(_) => "given",
    };
    let depends_on: Vec<String> = check.depends_on.iter().map(dependency_text).collect();
    let secret = check.passive.and_then(|passive| passive.secret_sha256).map(|secret| secret.to_string());
    // Who is given a secret has it alone: one whose own cannot be read now would go on with it.
    if let Some(secret) = &secret {
        let release = query("UPDATE checks SET secret_sha256 = NULL WHERE secret_sha256 = ? AND name <> ?");
        release.bind(secret).bind(check.name.as_str()).execute(tx).await?;
    }
    query(
        "INSERT INTO checks (name, source, title, group_name, kind, target, every_seconds, place, component_id, depends_on,
             notices_wanted, after_failures, all_changes, period_seconds, grace_seconds, secret_sha256, registered_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (name) DO UPDATE SET source = excluded.source, title = excluded.title,
             group_name = excluded.group_name, kind = excluded.kind, target = excluded.target,
             every_seconds = excluded.every_seconds, place = excluded.place, component_id = excluded.component_id,
             depends_on = excluded.depends_on, notices_wanted = excluded.notices_wanted,
             after_failures = excluded.after_failures, all_changes = excluded.all_changes,
             period_seconds = excluded.period_seconds, grace_seconds = excluded.grace_seconds,
             secret_sha256 = CASE WHEN excluded.kind = 'passive' THEN COALESCE(excluded.secret_sha256, secret_sha256) END,
             successes = CASE WHEN target = excluded.target THEN successes ELSE 0 END,
             failures = CASE WHEN target = excluded.target THEN failures ELSE 0 END",
    )
    .bind(check.name.as_str())
    .bind(source)
    .bind(&check.title)
    .bind(&check.group)
    .bind(check.kind.label())
    .bind(&check.target)
    .bind(check.every_seconds)
    .bind(place)
    .bind(component.map(ComponentId::as_str))
    .bind(json!(depends_on).to_string())
    .bind(check.notices.wanted)
    .bind(check.notices.after_failures)
    .bind(check.notices.all_changes)
    .bind(check.passive.map(|passive| passive.period_seconds))
    .bind(check.passive.map(|passive| passive.grace_seconds))
    .bind(secret)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Writes what is known of a check.
pub(super) async fn save(tx: &mut Tx, known: &Known) -> Result<(), StorageError> {
    let Known { check, standing, last, unknown_since, successes, failures, .. } = known;
    query(
        "UPDATE checks SET counts = ?, since = ?, down_runs = ?, ran_at = ?, state = ?, cause = ?, text = ?, took_ms = ?,
             phases = ?, figures = ?, certificate_ends = ?, successes = ?, failures = ?,
             unknown_since = ? WHERE name = ?",
    )
    .bind(standing.counts.map(State::label))
    .bind(standing.since)
    .bind(standing.down_runs)
    .bind(last.as_ref().map(|last| last.at))
    .bind(last.as_ref().map(|last| last.state.label()))
    .bind(last.as_ref().and_then(|last| last.cause).map(Cause::label))
    .bind(last.as_ref().map(|last| &last.text))
    .bind(last.as_ref().and_then(|last| last.took))
    .bind(last.as_ref().map(|last| phases(last.phases).to_string()))
    .bind(last.as_ref().map(|last| json!(last.figures).to_string()))
    .bind(last.as_ref().and_then(|last| last.certificate_ends).map(Moment::new))
    .bind(*successes)
    .bind(*failures)
    .bind(*unknown_since)
    .bind(check.name.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets a check.
pub(super) async fn delete(tx: &mut Tx, name: &CheckName) -> Result<(), StorageError> {
    query("DELETE FROM checks WHERE name = ?").bind(name.as_str()).execute(tx).await?;
    Ok(())
}

/// Durations of the phases that were entered, in seconds.
pub(super) fn phases(phases: Phases) -> Value {
    phases
        .entered()
        .map(|(name, took)| (name.to_owned(), json!(took.as_secs_f64())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn read_phases(written: &Value) -> Phases {
    let of = |name: &str| written[name].as_f64().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Phases {
        resolve: of("resolve"),
        connect: of("connect"),
        tls: of("tls"),
        answer: of("answer"),
        transfer: of("transfer"),
    }
}

fn state(label: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.label() == label)
}

impl FromRow for Known {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let component: Option<ComponentId> = row.get::<Option<String>>("component_id")?.and_then(|id| id.parse().ok());
        let place = match (row.get::<String>("place")?.as_str(), &component) {
            ("own", _) => Place::Own,
            ("given", Some(id)) => Place::Component(id.clone()),
            // A component that was deleted since shows nothing.
            _ => Place::Nowhere,
        };
        let counts: Option<String> = row.get("counts")?;
        Ok(Self {
            source: row.get("source")?,
            check: definition(row, place)?,
            component,
            registered_at: row.get("registered_at")?,
            standing: Standing {
                counts: counts.as_deref().and_then(state),
                since: row.get("since")?,
                down_runs: count(row, "down_runs")?,
            },
            last: last(row)?,
            unknown_since: row.get_or_default("unknown_since")?,
            successes: row.get("successes")?,
            failures: row.get("failures")?,
            started_at: row.get("started_at")?,
            body: row.get("body")?,
        })
    }
}

fn definition(row: &Row, place: Place) -> Result<Definition, StorageError> {
    let name: String = row.get("name")?;
    let kind: String = row.get("kind")?;
    let depends_on: Value = row.get("depends_on")?;
    let depends_on = depends_on.as_array().into_iter().flatten().filter_map(Value::as_str);
    let secret: Option<String> = row.get("secret_sha256")?;
    let secret = secret.map(|secret| secret.parse().map_err(StorageError::unreadable)).transpose()?;
    let passive = match row.get::<Option<i64>>("period_seconds")? {
        Some(_) => Some(Passive {
            period_seconds: count(row, "period_seconds")?,
            grace_seconds: count(row, "grace_seconds")?,
            secret_sha256: secret,
        }),
        None => None,
    };
    Ok(Definition {
        name: name.parse().map_err(StorageError::unreadable)?,
        was: None,
        title: row.get("title")?,
        group: row.get("group_name")?,
        // A kind of a later version is none that the keeper does anything for.
        kind: Kind::from_label(&kind).unwrap_or(Kind::Script),
        target: row.get("target")?,
        every_seconds: count(row, "every_seconds")?,
        component: place,
        depends_on: depends_on.filter_map(read_dependency).collect(),
        notices: WantedNotices {
            wanted: row.get("notices_wanted")?,
            after_failures: count(row, "after_failures")?,
            all_changes: row.get("all_changes")?,
        },
        passive,
    })
}

fn last(row: &Row) -> Result<Option<Run>, StorageError> {
    let (at, label): (Option<Moment>, Option<String>) = (row.get("ran_at")?, row.get("state")?);
    let Some((at, state)) = at.zip(label.as_deref().and_then(state)) else { return Ok(None) };
    let cause: Option<String> = row.get("cause")?;
    let phases: Option<Value> = row.get("phases")?;
    let figures: Option<Value> = row.get("figures")?;
    let ends: Option<Moment> = row.get("certificate_ends")?;
    Ok(Some(Run {
        at,
        state,
        cause: cause.as_deref().and_then(Cause::from_label),
        text: row.get::<Option<String>>("text")?.unwrap_or_default(),
        took: row.get("took_ms")?,
        phases: phases.map(|phases| read_phases(&phases)).unwrap_or_default(),
        figures: figures.and_then(|figures| serde_json::from_value(figures).ok()).unwrap_or_default(),
        certificate_ends: ends.map(Moment::timestamp),
    }))
}

fn count(row: &Row, column: &str) -> Result<u32, StorageError> {
    let stored: Option<i64> = row.get(column)?;
    Ok(stored.and_then(|stored| u32::try_from(stored).ok()).unwrap_or_default())
}

/// Whether the last run of another check of that component has seen how it is.
pub(super) async fn others_know(tx: &mut Tx, id: &ComponentId, name: &CheckName) -> Result<bool, StorageError> {
    let others = query(
        "SELECT EXISTS (SELECT 1 FROM checks WHERE component_id = ? AND name <> ? AND kind <> 'passive'
             AND state IN ('ok', 'warning', 'critical'))",
    );
    Ok(others.bind(id.as_str()).bind(name.as_str()).one::<i64>(tx).await? > 0)
}

/// Components with checks that call us which show something else than the worst of their checks, because a maintenance has ended
/// since: nobody calls to say it again.
pub(super) async fn misshown(conn: &mut Conn) -> Result<Vec<ComponentId>, StorageError> {
    let list = query(
        "SELECT id FROM components
         WHERE id IN (SELECT component_id FROM checks WHERE kind = 'passive' AND counts IS NOT NULL)
             AND NOT mirrored AND status <> 'under_maintenance'
             AND NOT EXISTS (SELECT 1 FROM incident_components JOIN incidents ON incidents.id = incident_id
                 WHERE incident_components.component_id = components.id AND incidents.status IN ('in_progress', 'verifying'))
             AND status <> (SELECT CASE MAX(CASE counts WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 WHEN 'ok' THEN 1 END)
                     WHEN 3 THEN 'major_outage' WHEN 2 THEN 'degraded_performance' WHEN 1 THEN 'operational'
                     ELSE components.status END
                 FROM checks WHERE component_id = components.id)
         LIMIT 100",
    );
    list.all(conn).await
}

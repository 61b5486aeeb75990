//! Incidents as the page lists them: what is planned, soonest first, and what is over, latest first. Neither pushes the other
//! off.

use jiff::Timestamp;
use shared::id::{ComponentId, IncidentId, PageId};

use super::{Incident, incident_rows::fill};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, Moment, Query, built, query},
};

/// Maintenance that is planned and was to end after `since`, the soonest first; and how many there are in all.
pub(in crate::keeper) async fn planned(
    db: &Db,
    page: &PageId,
    since: Timestamp,
    limit: u32,
) -> Result<(Vec<Incident>, i64), KeeperError> {
    const PLANNED: &str = "FROM incidents WHERE page_id = ?1 AND status = 'scheduled'
                           AND COALESCE(scheduled_until, scheduled_for, ?2) >= ?2";
    let mut conn = db.read().await?;
    let since = Moment::new(since);
    let count = built(format!("SELECT COUNT(*) {PLANNED}")).bind(page.as_str()).bind(since).one(&mut conn).await?;
    let list = built(format!("SELECT * {PLANNED} ORDER BY scheduled_for, id LIMIT ?3"));
    Ok((filled(list.bind(page.as_str()).bind(since).bind(limit), &mut conn).await?, count))
}

/// What is over, and has been since some time after `since`, the latest first.
pub(in crate::keeper) async fn over(
    db: &Db,
    page: &PageId,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Incident>, KeeperError> {
    // What is entered afterwards is over since its time, not since its entry.
    let list = query(
        "SELECT * FROM incidents WHERE page_id = ?1 AND status IN ('resolved', 'completed')
             AND COALESCE(resolved_at, updated_at) >= ?2
         ORDER BY COALESCE(resolved_at, updated_at) DESC, id LIMIT ?3",
    );
    filled(list.bind(page.as_str()).bind(Moment::new(since)).bind(limit), &mut db.read().await?).await
}

/// What began within that time, the latest first: incidents by their start, maintenance by its time.
pub(in crate::keeper) async fn began(
    db: &Db,
    page: &PageId,
    (from, to): (Moment, Moment),
    limit: u32,
) -> Result<Vec<Incident>, KeeperError> {
    let list = query(
        "SELECT * FROM incidents WHERE page_id = ?1 AND COALESCE(scheduled_for, started_at) >= ?2
             AND COALESCE(scheduled_for, started_at) < ?3
         ORDER BY COALESCE(scheduled_for, started_at) DESC, id LIMIT ?4",
    );
    filled(list.bind(page.as_str()).bind(from).bind(to).bind(limit), &mut db.read().await?).await
}

/// The incidents and maintenance that name a component and went on within that time, in milliseconds since 1970; the latest
/// first.
pub(in crate::keeper) async fn naming(
    db: &Db,
    component: &ComponentId,
    (from, to): (i64, i64),
    limit: u32,
) -> Result<Vec<IncidentId>, KeeperError> {
    let list = query(
        "SELECT i.id FROM incidents i JOIN incident_components ic ON ic.incident_id = i.id
         WHERE ic.component_id = ?1 AND COALESCE(i.scheduled_for, i.started_at) < ?3 AND COALESCE(i.resolved_at, ?3) >= ?2
         ORDER BY COALESCE(i.scheduled_for, i.started_at) DESC, i.id LIMIT ?4",
    );
    Ok(list.bind(component.as_str()).bind(from).bind(to).bind(limit).all(&mut db.read().await?).await?)
}

async fn filled(list: Query, conn: &mut Conn) -> Result<Vec<Incident>, KeeperError> {
    let mut incidents: Vec<Incident> = list.all(conn).await?;
    for incident in &mut incidents {
        fill(conn, incident).await?;
    }
    Ok(incidents)
}

//! The rows of looks. They are written in transactions of others, or where a verdict turns, in their own.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use shared::{
    id::ComponentId,
    look::{Location, Vantage},
    verdict::{NO_CAUSE, Verdict},
};

use super::{
    Looks, Now,
    carried::{self, RowChange},
    known::{Known, Place},
    places::{MAX_PLACES, Mark, RowKey, Unsaved},
    span::{KEPT, MAX_PAUSE, Span, Track},
};
use crate::keeper::{
    KeeperError,
    checks::pauses,
    db::{Conn, Db, FromRow, Row, StorageError, Tx, query},
};

/// What a transaction has written, to be forgotten once it is committed; and what it has yet to carry.
#[derive(Debug)]
pub(in crate::keeper) struct Saved {
    rows: Vec<RowChange>,
    marks: Vec<(ComponentId, Location, i64)>,
    /// For the heartbeat's row: what is not in rows.
    pub(in crate::keeper) carried: Option<String>,
}

impl Looks {
    /// What the database knows of each place; `now` is the time on the wall.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::keeper) async fn load(db: &Db, now: Timestamp) -> Result<Self, StorageError> {
        let looks = Self::default();
        let mut conn = db.read().await?;
        looks.set_pauses(pauses(&mut conn).await?, None);
        let carried: Option<String> = query("SELECT looks FROM heartbeat").optional(&mut conn).await?.flatten();
        let carried: HashMap<_, _> = carried.map(|text| carried::changes(&text)).into_iter().flatten().collect();
        let components: Vec<ComponentId> = query("SELECT id FROM components ORDER BY id").all(&mut conn).await?;
        for component in components {
            let marks = query("SELECT location, at FROM look_marks WHERE component_id = ? LIMIT ?");
            let marks = marks.bind(component.as_str()).bind(i64::try_from(MAX_PLACES).unwrap_or(i64::MAX));
            for (location, at) in marks.all::<(String, i64)>(&mut conn).await? {
                if let Ok(location) = location.parse() {
                    looks.lock().marks.insert((component.clone(), location), Mark { at, saved: Some(at) });
                }
            }
            looks.learn_places(&mut conn, &component, now, &carried).await?;
        }
        // A place that has looked once has no row yet.
        let places: HashSet<_> = carried.keys().map(|(place, _)| place.clone()).collect();
        for place in places.into_iter().filter(|place| looks.lock().known.get(place).is_none()) {
            let known = known(&mut conn, &place, now.as_millisecond(), &carried).await?;
            *looks.lock().known.get_or_new(&place) = known;
        }
        let unsaved = carried.into_iter().map(|(key, span)| (key, Unsaved { span, is_new: false }));
        looks.lock().unsaved.extend(unsaved);
        Ok(looks)
    }

    /// Learns of the places from which a component was looked at, by the disk; of one that is known, that there is something older.
    async fn learn_places(
        &self,
        conn: &mut Conn,
        component: &ComponentId,
        now: Timestamp,
        carried: &HashMap<RowKey, Option<Span>>,
    ) -> Result<(), StorageError> {
        let mut last = (String::new(), 0);
        // One after the other, by the index: a place may have many rows.
        for _ in 0..MAX_PLACES {
            let next = query(
                "SELECT location, inside FROM look_spans WHERE component_id = ? AND (location, inside) > (?, ?)
                 ORDER BY location, inside LIMIT 1",
            );
            let next = next.bind(component.as_str()).bind(&last.0).bind(last.1);
            let Some((location, inside)) = next.optional::<(String, i64)>(conn).await? else { break };
            if let Ok(location) = location.parse() {
                let place = Place { component: component.clone(), location, vantage: vantage(inside) };
                let on_disk = known(conn, &place, now.as_millisecond(), carried).await?;
                let mut places = self.lock();
                match places.known.get_mut(&place) {
                    Some(known) => known.track.older_on_disk(),
                    None => *places.known.get_or_new(&place) = on_disk,
                }
            }
            last = (location, inside);
        }
        Ok(())
    }

    /// Something older than what is in memory has come to the disk.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(in crate::keeper) async fn has_older(
        &self,
        db: &Db,
        component: &ComponentId,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        self.learn_places(&mut db.read().await?, component, now, &HashMap::new()).await
    }

    /// Has what the disk does not know yet written by a transaction of the caller's: little of it with the heartbeat, which the
    /// caller writes next.
    pub(in crate::keeper) async fn save(&self, tx: &mut Tx, now: Option<Now>) -> Result<Saved, KeeperError> {
        let (rows, marks) = self.unsaved(now);
        if marks.is_empty()
            && let Some(carried) = carried::text(&rows)
        {
            return Ok(Saved { rows: Vec::new(), marks, carried: Some(carried).filter(|_| !rows.is_empty()) });
        }
        self.hand_over(&rows);
        write_all(tx, &rows, &marks).await?;
        Ok(Saved { rows, marks, carried: None })
    }

    /// These may be on the disk from now on, so that one that goes meanwhile is deleted there.
    fn hand_over(&self, rows: &[RowChange]) {
        let mut places = self.lock();
        for (key, _) in rows {
            if let Some(unsaved) = places.unsaved.get_mut(key) {
                unsaved.is_new = false;
            }
        }
    }

    fn unsaved(&self, now: Option<Now>) -> (Vec<RowChange>, Vec<(ComponentId, Location, i64)>) {
        let mut places = self.lock();
        if let Some(now) = now {
            places.settle(now);
        }
        let rows = places.unsaved.iter().map(|(key, unsaved)| (key.clone(), unsaved.span)).collect();
        (rows, places.unsaved_marks())
    }

    /// That transaction is on disk.
    pub(in crate::keeper) fn forget_saved(&self, Saved { rows, marks, .. }: &Saved) {
        let mut places = self.lock();
        for (key, span) in rows {
            if places.unsaved.get(key).is_some_and(|unsaved| unsaved.span == *span) {
                places.unsaved.remove(key);
            }
        }
        for (component, location, at) in marks {
            if let Some(mark) = places.marks.get_mut(&(component.clone(), location.clone())) {
                mark.saved = Some(*at);
            }
        }
    }

    /// Writes what the disk does not know yet, in a transaction of its own.
    ///
    /// # Errors
    /// When the disk cannot be written; it is retried with the next transaction then.
    pub(in crate::keeper) async fn flush(&self, db: &Db, now: Option<Now>) -> Result<(), KeeperError> {
        let (rows, marks) = self.unsaved(now);
        if rows.is_empty() && marks.is_empty() {
            return Ok(());
        }
        let mut tx = db.begin().await?;
        // Once more: others may have written while this waited for its turn.
        let (rows, marks) = self.unsaved(now);
        self.hand_over(&rows);
        write_all(&mut tx, &rows, &marks).await?;
        tx.commit().await?;
        self.forget_saved(&Saved { rows, marks, carried: None });
        Ok(())
    }
}

/// Writes rows, so that nothing is carried any more.
async fn write_all(tx: &mut Tx, rows: &[RowChange], marks: &[(ComponentId, Location, i64)]) -> Result<(), KeeperError> {
    for ((place, began), span) in rows {
        match span {
            Some(span) => write(tx, place, span).await?,
            None => delete(tx, place, *began).await?,
        }
    }
    for (component, location, at) in marks {
        write_mark(tx, component, location, *at).await?;
    }
    query("UPDATE heartbeat SET looks = NULL WHERE looks IS NOT NULL").execute(tx).await?;
    Ok(())
}

async fn known(
    conn: &mut Conn,
    place: &Place,
    now: i64,
    carried: &HashMap<RowKey, Option<Span>>,
) -> Result<Known, StorageError> {
    let newest = query(
        "SELECT * FROM look_spans WHERE component_id = ? AND location = ? AND inside = ?
         ORDER BY began DESC LIMIT ?",
    );
    let newest = newest.bind(place.component.as_str()).bind(place.location.as_str()).bind(inside(place.vantage));
    let mut spans: Vec<Span> = newest.bind(i64::try_from(KEPT).unwrap_or(i64::MAX) + 1).all(conn).await?;
    spans.reverse();
    let older = spans.first().map_or(i64::MAX, |first| first.began);
    let spans = carried::changed(spans, place, carried);
    let newest = spans.iter().rev().find(|span| span.is_looked());
    let looked = if let Some(newest) = newest {
        Some(newest.ended)
    } else {
        let looked = query(
            "SELECT ended FROM look_spans WHERE component_id = ? AND location = ? AND inside = ? AND began < ?
                     AND (verdict IS NULL OR verdict <> 'unknown') ORDER BY began DESC LIMIT 1",
        );
        let looked = looked.bind(place.component.as_str()).bind(place.location.as_str());
        looked.bind(inside(place.vantage)).bind(older).optional(conn).await?
    };
    Ok(Known::on_disk(Track::new(spans), looked, now))
}

async fn write(tx: &mut Tx, place: &Place, span: &Span) -> Result<(), KeeperError> {
    // A component that was deleted meanwhile must not keep the reading that this goes with from being stored.
    query(
        "INSERT INTO look_spans (component_id, location, inside, began, ended, verdict, cause, pause)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM components WHERE id = ?1
         ON CONFLICT (component_id, location, inside, began) DO UPDATE SET ended = excluded.ended,
             verdict = excluded.verdict, cause = excluded.cause, pause = excluded.pause",
    )
    .bind(place.component.as_str())
    .bind(place.location.as_str())
    .bind(inside(place.vantage))
    .bind(span.began)
    .bind(span.ended)
    .bind(span.seen.map(Verdict::label))
    .bind(span.seen.and_then(Verdict::cause))
    .bind(Some(span.pause).filter(|pause| *pause != MAX_PAUSE))
    .execute(tx)
    .await?;
    Ok(())
}

async fn write_mark(tx: &mut Tx, component: &ComponentId, location: &Location, at: i64) -> Result<(), KeeperError> {
    let write = query(
        "INSERT INTO look_marks (component_id, location, at) SELECT id, ?2, ?3 FROM components WHERE id = ?1
         ON CONFLICT (component_id, location) DO UPDATE SET at = excluded.at",
    );
    write.bind(component.as_str()).bind(location.as_str()).bind(at).execute(tx).await?;
    Ok(())
}

async fn delete(tx: &mut Tx, place: &Place, began: i64) -> Result<(), KeeperError> {
    query("DELETE FROM look_spans WHERE component_id = ? AND location = ? AND inside = ? AND began = ?")
        .bind(place.component.as_str())
        .bind(place.location.as_str())
        .bind(inside(place.vantage))
        .bind(began)
        .execute(tx)
        .await?;
    Ok(())
}

/// What these labels say; a word of a later version is a look whose verdict is not known.
pub(super) fn seen(verdict: Option<&str>, cause: Option<&str>) -> Option<Verdict> {
    Verdict::from_labels(verdict?, cause.or(Some(NO_CAUSE)))
}

fn inside(vantage: Vantage) -> bool {
    vantage == Vantage::Inside
}

fn vantage(inside: i64) -> Vantage {
    if inside == 0 { Vantage::Outside } else { Vantage::Inside }
}

/// For how long what a row has seen holds.
pub(super) fn pause(row: &Row) -> Result<i64, StorageError> {
    Ok(row.get_or_default::<Option<i64>>("pause")?.unwrap_or(MAX_PAUSE))
}

impl FromRow for Span {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (verdict, cause): (Option<String>, Option<String>) = (row.get("verdict")?, row.get("cause")?);
        let seen = seen(verdict.as_deref(), cause.as_deref());
        Ok(Self { began: row.get("began")?, ended: row.get("ended")?, seen, pause: pause(row)? })
    }
}

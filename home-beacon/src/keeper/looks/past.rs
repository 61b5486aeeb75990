//! The looks of a time that is past, as [`history`](crate::keeper::history) reads them.

use std::{collections::BTreeMap, ops::Range};

use shared::{
    id::ComponentId,
    look::Vantage,
    verdict::{UnknownCause, Verdict},
};

use super::{Looks, carried::RowChange, places::Place, span::Span};
use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Row, StorageError, query},
    history::{COVERED_BY_A_LOOK, Look},
};

/// The most spans that are read: a home that flaps all the time has a few hundred a day.
const MAX_SPANS: i64 = 50_000;

/// What was seen of a component from outside in a time that is past.
#[derive(Clone, Debug, Default)]
pub(in crate::keeper) struct Seen {
    /// The oldest first for each place.
    pub(in crate::keeper) looks: Vec<Look>,
    /// The locations, by the number that a look calls its place.
    pub(in crate::keeper) locations: Vec<String>,
    /// Whether there was more than is read: what is oldest is missing then.
    pub(in crate::keeper) is_cut: bool,
}

impl Looks {
    /// What was seen of a component from outside, as far as it speaks for a time in milliseconds since 1970.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn within(
        &self,
        db: &Db,
        component: &ComponentId,
        time: Range<i64>,
    ) -> Result<Seen, KeeperError> {
        // Before the rows: what is written meanwhile is in both.
        let unsaved = self.unsaved_of(component);
        // A look speaks for five minutes; one of a check that runs less often for longer, so its span ends that much later.
        let longer = (self.lock().pause(component) - COVERED_BY_A_LOOK).max(0);
        let list = query(
            "SELECT * FROM (SELECT location, began, ended, verdict, cause FROM look_spans
                 WHERE component_id = ?1 AND inside = 0 AND ended >= ?2 AND began < ?3 ORDER BY began DESC LIMIT ?4)
                 AS newest
             ORDER BY location, began",
        );
        let begins = time.start.saturating_sub(COVERED_BY_A_LOOK + longer);
        let list = list.bind(component.as_str()).bind(begins).bind(time.end).bind(MAX_SPANS);
        let rows: Vec<SpanRow> = list.all(&mut db.read().await?).await?;
        let is_cut = i64::try_from(rows.len()).is_ok_and(|rows| rows >= MAX_SPANS);
        let mut rows: BTreeMap<(String, i64), SpanRow> =
            rows.into_iter().map(|row| ((row.location.clone(), row.began), row)).collect();
        for ((place, began), span) in unsaved {
            let location = place.location.to_string();
            match span {
                Some(Span { ended, seen, .. }) if ended >= begins && began < time.end => {
                    rows.insert((location.clone(), began), SpanRow { location, began, ended, verdict: seen })
                }
                _ => rows.remove(&(location, began)),
            };
        }
        let mut seen = Seen { is_cut, ..Seen::default() };
        for SpanRow { location, began, ended, verdict } in rows.into_values() {
            // A place is a number here: the next one where another location begins.
            if seen.locations.last() != Some(&location) {
                seen.locations.push(location);
            }
            let place = u32::try_from(seen.locations.len()).unwrap_or(u32::MAX) - 1;
            seen.looks.push(Look { began, ended: ended.saturating_add(longer), verdict, place });
        }
        Ok(seen)
    }

    /// When a component was looked at first, in milliseconds since 1970, as far as that is still known.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn first(&self, db: &Db, component: &ComponentId) -> Result<Option<i64>, KeeperError> {
        let unsaved = self.unsaved_of(component).into_iter().filter_map(|(_, span)| span);
        let unsaved = unsaved.filter(Span::is_looked).map(|span| span.began).min();
        let first = query(
            "SELECT MIN(began) FROM look_spans WHERE component_id = ? AND inside = 0
                 AND (verdict IS NULL OR verdict <> 'unknown')",
        );
        let saved: Option<i64> = first.bind(component.as_str()).one(&mut db.read().await?).await?;
        Ok([saved, unsaved].into_iter().flatten().min())
    }

    /// What the disk does not know yet of looks from outside.
    fn unsaved_of(&self, component: &ComponentId) -> Vec<RowChange> {
        let places = self.lock();
        let is_ours = |place: &Place| place.component == *component && place.vantage == Vantage::Outside;
        let ours = places.unsaved.iter().filter(|((place, _), _)| is_ours(place));
        ours.map(|(key, unsaved)| (key.clone(), unsaved.span)).collect()
    }
}

struct SpanRow {
    location: String,
    began: i64,
    ended: i64,
    verdict: Option<Verdict>,
}

impl FromRow for SpanRow {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (verdict, cause): (Option<String>, Option<String>) = (row.get("verdict")?, row.get("cause")?);
        Ok(Self {
            location: row.get("location")?,
            began: row.get("began")?,
            ended: row.get("ended")?,
            // What this version does not know says nothing of the component.
            verdict: verdict.map(|verdict| {
                let known = Verdict::from_labels(&verdict, cause.as_deref());
                known.unwrap_or(Verdict::Unknown(UnknownCause::Blind))
            }),
        })
    }
}

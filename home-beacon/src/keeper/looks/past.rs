//! The looks of a time that is past, as [`history`](crate::keeper::history) reads them.

use std::{collections::BTreeMap, ops::Range};

use shared::{
    id::ComponentId,
    look::Vantage,
    verdict::{UnknownCause, Verdict},
};

use super::{Looks, carried::RowChange, known::Place, span::Span};
use crate::keeper::{
    KeeperError,
    db::{Conn, Db, FromRow, Row, StorageError, query},
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
        let mut conn = db.read().await?;
        // Of a check that ran seldom, a look of long before may speak for it.
        let longest = longest_pause(&mut conn, component).await?.max(COVERED_BY_A_LOOK);
        let speaks = |span: &Span| span.ended.saturating_add(span.pause) >= time.start && span.began < time.end;
        let list = query(
            "SELECT * FROM (SELECT * FROM look_spans
                 WHERE component_id = ?1 AND inside = 0 AND ended >= ?2 AND began < ?3 ORDER BY began DESC LIMIT ?4)
                 AS newest
             ORDER BY location, began",
        );
        let list =
            list.bind(component.as_str()).bind(time.start.saturating_sub(longest)).bind(time.end).bind(MAX_SPANS);
        let rows: Vec<SpanRow> = list.all(&mut conn).await?;
        drop(conn);
        let is_cut = i64::try_from(rows.len()).is_ok_and(|rows| rows >= MAX_SPANS);
        let mut rows: BTreeMap<(String, i64), Span> =
            rows.into_iter().map(|SpanRow { location, span }| ((location, span.began), span)).collect();
        for ((place, began), span) in unsaved {
            let key = (place.location.to_string(), began);
            match span {
                Some(span) => rows.insert(key, span),
                None => rows.remove(&key),
            };
        }
        let mut seen = Seen { is_cut, ..Seen::default() };
        for ((location, began), span) in rows.into_iter().filter(|(_, span)| speaks(span)) {
            // A place is a number here: the next one where another location begins.
            if seen.locations.last() != Some(&location) {
                seen.locations.push(location);
            }
            let place = u32::try_from(seen.locations.len()).unwrap_or(u32::MAX) - 1;
            // A look speaks for five minutes; one of a check that ran less often for longer, so its span ends that much later.
            let longer = (span.pause - COVERED_BY_A_LOOK).max(0);
            seen.looks.push(Look { began, ended: span.ended.saturating_add(longer), verdict: span.seen, place });
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

/// The longest pause of the looks at a component. A database of an earlier version has none.
async fn longest_pause(conn: &mut Conn, component: &ComponentId) -> Result<i64, StorageError> {
    let is_there = query("SELECT EXISTS (SELECT 1 FROM pragma_table_info('look_spans') WHERE name = 'pause')");
    if is_there.one::<i64>(conn).await? == 0 {
        return Ok(0);
    }
    let longest = query("SELECT MAX(pause) FROM look_spans WHERE component_id = ? AND pause IS NOT NULL");
    Ok(longest.bind(component.as_str()).one::<Option<i64>>(conn).await?.unwrap_or_default())
}

struct SpanRow {
    location: String,
    span: Span,
}

impl FromRow for SpanRow {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        let (verdict, cause): (Option<String>, Option<String>) = (row.get("verdict")?, row.get("cause")?);
        // What this version does not know says nothing of the component.
        let seen = verdict.map(|verdict| {
            let known = Verdict::from_labels(&verdict, cause.as_deref());
            known.unwrap_or(Verdict::Unknown(UnknownCause::Blind))
        });
        Ok(Self { location: row.get("location")?, span: Span { seen, ..Span::from_row(row)? } })
    }
}

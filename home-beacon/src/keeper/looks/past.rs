//! The looks of a time that is past, as [`history`](crate::keeper::history) reads them.

use std::collections::BTreeMap;

use shared::{
    id::ComponentId,
    look::Vantage,
    verdict::{UnknownCause, Verdict},
};

use super::{Looks, carried::RowChange, span::Span};
use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Row, StorageError, query},
    history::{COVERED_BY_A_LOOK, Look},
};

/// The most spans that are read: a home that flaps all the time has a few hundred a day.
const MAX_SPANS: i64 = 50_000;

impl Looks {
    /// What was seen of a component from outside since `from`, in milliseconds since 1970, the oldest first for each place.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn since(
        &self,
        db: &Db,
        component: &ComponentId,
        from: i64,
    ) -> Result<Vec<Look>, KeeperError> {
        // Before the rows: what is written meanwhile is in both.
        let unsaved: Vec<RowChange> = {
            let places = self.lock();
            let ours = places.unsaved.iter().filter(|((place, _), _)| place.component == *component);
            ours.map(|(key, unsaved)| (key.clone(), unsaved.span)).collect()
        };
        let list = query(
            "SELECT * FROM (SELECT location, began, ended, verdict, cause FROM look_spans
                 WHERE component_id = ?1 AND inside = 0 AND ended >= ?2 ORDER BY began DESC LIMIT ?3) AS newest
             ORDER BY location, began",
        );
        let list = list.bind(component.as_str()).bind(from - COVERED_BY_A_LOOK).bind(MAX_SPANS);
        let rows: Vec<SpanRow> = list.all(&mut db.read().await?).await?;
        let mut rows: BTreeMap<(String, i64), SpanRow> =
            rows.into_iter().map(|row| ((row.location.clone(), row.began), row)).collect();
        for ((place, began), span) in unsaved.into_iter().filter(|((place, _), _)| place.vantage == Vantage::Outside) {
            let location = place.location.to_string();
            match span {
                Some(Span { ended, seen, .. }) => {
                    rows.insert((location.clone(), began), SpanRow { location, began, ended, verdict: seen })
                }
                None => rows.remove(&(location, began)),
            };
        }
        // A place is a number here: the next one where another location begins.
        let (mut place, mut before) = (0, None);
        let look = |SpanRow { location, began, ended, verdict }| {
            if before.as_ref().is_some_and(|before| *before != location) {
                place += 1;
            }
            before = Some(location);
            Look { began, ended, verdict, place }
        };
        Ok(rows.into_values().map(look).collect())
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

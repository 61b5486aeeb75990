//! A check's figures over time, each under the label that the check gives it.

use std::collections::{BTreeMap, HashMap};

use checks::check::CheckName;

use super::{figures::slugs, known::Known};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, query},
};

/// The figures of some runs by when these were, the oldest first.
pub(in crate::keeper) type Past = BTreeMap<Moment, BTreeMap<String, f64>>;

/// The newest figures before a time, of as many runs as are asked for, and whether there are older ones. In base units, as they
/// are stored; single values are kept for 30 days.
pub(in crate::keeper) async fn newest(
    db: &Db,
    known: &Known,
    before: Moment,
    limit: u32,
) -> Result<(Past, bool), KeeperError> {
    let name: &CheckName = &known.check.name;
    let mut conn = db.snapshot().await?;
    // Everything between the colon and the character after it.
    let series = query("SELECT id, name FROM series WHERE name > ? AND name < ?");
    let series = series.bind(format!("check:{name}:")).bind(format!("check:{name};"));
    let series: Vec<(i64, String)> = series.all(&mut conn).await?;
    let labels = labels(known);
    let mut past = Past::new();
    for (id, series) in series {
        let slug = &series["check::".len() + name.as_str().len()..];
        let label = labels.get(slug).map_or(slug, String::as_str);
        // The newest of each are more than enough for the newest of all.
        let values = query(
            "SELECT at, value FROM readings WHERE series_id = ? AND at < ? AND value IS NOT NULL ORDER BY at DESC LIMIT ?",
        );
        let values: Vec<(Moment, f64)> = values.bind(id).bind(before).bind(i64::from(limit) + 1).all(&mut conn).await?;
        for (at, value) in values {
            past.entry(at).or_default().insert(label.to_owned(), value);
        }
    }
    let more = past.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    for _ in 0..more {
        past.pop_first();
    }
    Ok((past, more > 0))
}

/// The labels as the newest run has them, by how their series are called.
fn labels(known: &Known) -> HashMap<String, String> {
    let figures = known.last.as_ref().map(|last| last.figures.as_slice()).unwrap_or_default();
    slugs(figures).into_iter().map(|(slug, figure)| (slug, figure.label.clone())).collect()
}

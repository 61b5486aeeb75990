//! Latency and loss of a month, over all of it and in the worst hour, while no bandwidth test filled the line.

use super::monthly::{Between, average};
use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Row, StorageError, query},
    measured::series_rows,
};

const HOUR: i64 = 3_600_000;

/// What was measured of the line at rest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::keeper) struct AtRest {
    /// In milliseconds.
    pub(in crate::keeper) latency: Option<OverHours>,
    /// In per cent.
    pub(in crate::keeper) loss: Option<OverHours>,
}

/// What many hours came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::keeper) struct OverHours {
    /// Of all that was measured.
    pub(in crate::keeper) average: f64,
    /// The average of the worst hour.
    pub(in crate::keeper) worst: f64,
    /// When that began, in milliseconds since 1970.
    pub(in crate::keeper) worst_at: i64,
}

struct Hour {
    at: i64,
    measured: i64,
    total: f64,
    losses: i64,
    loss: f64,
}

/// Latency and loss of that time, as `ping` measured them.
///
/// # Errors
/// When the storage fails.
pub(in crate::keeper) async fn at_rest(db: &Db, (from, to): Between) -> Result<AtRest, KeeperError> {
    let mut conn = db.snapshot().await?;
    let Some(id) = series_rows::find(&mut conn, "ping").await? else { return Ok(AtRest::default()) };
    let list = query(
        "SELECT hour, SUM(measured) AS measured, TOTAL(total) AS total, SUM(losses) AS losses, TOTAL(loss) AS loss FROM
             (SELECT at / ?4 * ?4 AS hour, measured, value_sum AS total, loss_count AS losses, loss_sum AS loss
                 FROM hours
                 WHERE series_id = ?1 AND at >= ?2 AND at < ?3
             UNION ALL
             SELECT at / ?4 * ?4, COUNT(value), TOTAL(value), COUNT(loss), TOTAL(loss) FROM readings
                 WHERE series_id = ?1 AND at >= ?2 AND at < ?3 AND mark IS NULL GROUP BY 1)
         GROUP BY hour ORDER BY hour",
    );
    let hours: Vec<Hour> = list.bind(id).bind(from).bind(to).bind(HOUR).all(&mut conn).await?;
    Ok(AtRest {
        latency: over(hours.iter().map(|hour| (hour.at, hour.total, hour.measured))),
        loss: over(hours.iter().map(|hour| (hour.at, hour.loss, hour.losses))),
    })
}

/// The average, and the first of the worst hours: of when each begins, its sum, and of how many.
fn over(hours: impl Iterator<Item = (i64, f64, i64)>) -> Option<OverHours> {
    let (mut total, mut count, mut worst) = (0.0, 0, None);
    for (at, sum, of) in hours {
        let Some(value) = average(sum, of) else { continue };
        (total, count) = (total + sum, count + of);
        if worst.is_none_or(|(_, most)| value > most) {
            worst = Some((at, value));
        }
    }
    let ((worst_at, worst), average) = (worst?, average(total, count)?);
    Some(OverHours { average, worst, worst_at })
}

impl FromRow for Hour {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self {
            at: row.get("hour")?,
            measured: row.get("measured")?,
            total: row.get("total")?,
            losses: row.get("losses")?,
            loss: row.get("loss")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_hour_is_the_one_with_the_worst_average() {
        let hours = [(0, 100.0, 10), (1, 90.0, 3), (2, 0.0, 0), (3, 60.0, 2)];
        let over_all = over(hours.into_iter()).unwrap();
        assert!((over_all.average - 250.0 / 15.0).abs() < 1e-9);
        assert!((over_all.worst_at, over_all.worst) == (1, 30.0), "{over_all:?}");
        assert_eq!(over([(2, 0.0, 0)].into_iter()), None);
    }
}

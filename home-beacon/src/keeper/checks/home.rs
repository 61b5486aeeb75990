//! Whether the home's line is up, for checks that depend on it: by who looks from outside, or newer than that, by pings from inside.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};

use crate::keeper::{
    KeeperError,
    db::{Db, FromRow, Moment, Row, StorageError, query},
    looks::{Looks, Now, shown::Looked},
    status::{Component, StatusChange, components},
};

/// How long a ping says something of now.
const FRESH: SignedDuration = SignedDuration::from_mins(3);

/// The home's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::keeper) struct Home {
    pub(in crate::keeper) state: Line,
    pub(in crate::keeper) since: Option<Moment>,
    /// How old the word is that says so, in seconds.
    pub(in crate::keeper) age_seconds: Option<i64>,
    /// The component that is this home.
    pub(in crate::keeper) component_id: Option<ComponentId>,
}

/// Whether it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::keeper) enum Line {
    Up,
    Down,
    Unknown,
}

/// The newest ping from inside that was neither skipped nor spoilt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ping {
    at: Moment,
    is_failed: bool,
    /// The first one of those that failed since one did not.
    failing_since: Option<Moment>,
}

/// How the home of that page is; `home` is its component, where that is known.
pub(in crate::keeper) async fn home(
    db: &Db,
    (looks, looking): (&Looks, Option<Now>),
    page: &PageId,
    home: Option<ComponentId>,
    now: Timestamp,
) -> Result<Home, KeeperError> {
    let ping = ping(db, now).await?;
    let Some(id) = home else { return Ok(judged(None, ping, now)) };
    let component = match components::get(db, page, &id).await {
        Ok(component) => component,
        Err(KeeperError::NotFound(_)) => return Ok(judged(None, ping, now)),
        Err(error) => return Err(error),
    };
    let changed = components::status_changes(db, &id, 1).await?;
    let looked = looks.at(&id, looking);
    Ok(judged(Some((&component, &looked, changed.first())), ping, now))
}

async fn ping(db: &Db, now: Timestamp) -> Result<Option<Ping>, KeeperError> {
    let newest = query(
        "SELECT at, failure IS NOT NULL AS failed, (SELECT MIN(at) FROM readings AS failing
             WHERE failing.series_id = newest.series_id AND failing.failure IS NOT NULL AND failing.mark IS NULL
                 AND failing.at > COALESCE((SELECT MAX(at) FROM readings AS good WHERE good.series_id = newest.series_id
                     AND good.value IS NOT NULL AND good.mark IS NULL), 0)) AS since
         FROM readings AS newest WHERE series_id = (SELECT id FROM series WHERE name = 'ping') AND at <= ?
             AND skipped IS NULL AND mark IS NULL ORDER BY at DESC LIMIT 1",
    );
    Ok(newest.bind(Moment::new(now)).optional(&mut db.read().await?).await?)
}

fn judged(component: Option<(&Component, &Looked, Option<&StatusChange>)>, ping: Option<Ping>, now: Timestamp) -> Home {
    let component_id = component.map(|(component, ..)| component.id.clone());
    let fresh = ping.filter(|ping| now.duration_since(ping.at.timestamp()) <= FRESH);
    // When somebody's word of it is from; a component that nobody is expected to look at has the status's time.
    let said = component.and_then(|(component, looked, changed)| {
        let status = looked.corrected(component.status)?;
        let at = if component.looks { looked.at().filter(|_| looked.is_recent())? } else { changed?.since };
        let line = if status == ComponentStatus::MajorOutage { Line::Down } else { Line::Up };
        Some((line, at, changed.map(|changed| changed.since)))
    });
    let (state, since, at) = match (said, fresh) {
        (Some((Line::Down, at, since)), _) => (Line::Down, since, Some(at)),
        (said, Some(ping)) if ping.is_failed && said.is_none_or(|(_, at, _)| at < ping.at) => {
            (Line::Down, ping.failing_since.or(Some(ping.at)), Some(ping.at))
        }
        // A ping that came back says that the line was up then, too.
        (Some((line, at, since)), ping) => (line, since, Some(ping.map_or(at, |ping| at.max(ping.at)))),
        (None, Some(ping)) if !ping.is_failed => (Line::Up, None, Some(ping.at)),
        (None, _) => (Line::Unknown, None, None),
    };
    let age_seconds = at.map(|at| now.duration_since(at.timestamp()).as_secs().max(0));
    Home { state, since, age_seconds, component_id }
}

impl FromRow for Ping {
    fn from_row(row: &Row) -> Result<Self, StorageError> {
        Ok(Self { at: row.get("at")?, is_failed: row.get("failed")?, failing_since: row.get("since")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::status::components::fresh;

    const NOW: i64 = 1_795_953_600_000;

    fn at(ago: i64) -> Moment {
        Moment::try_from(NOW - ago * 1000).unwrap()
    }

    fn state(status: ComponentStatus, looked: Option<i64>, ping: Option<(i64, bool)>) -> Line {
        let page = "gytm4qzbx9t6".parse().unwrap();
        let component = fresh("8kbf7d35c070".parse().unwrap(), &page, "Home".into(), 1, at(9000));
        let component = Component { status: Some(status), ..component };
        let ago = looked.map(|ago| (NOW, ago * 1000));
        let looked = Looked::new(looked.is_some(), ago, "eu-central-1".parse().unwrap(), None, 300_000);
        let changed = StatusChange { status: Some(status), since: at(9000) };
        let ping = ping.map(|(ago, is_failed)| Ping { at: at(ago), is_failed, failing_since: None });
        let now = Timestamp::from_millisecond(NOW).unwrap();
        judged(Some((&component, &looked, Some(&changed))), ping, now).state
    }

    #[test]
    fn the_newest_word_counts_and_what_is_old_is_none() {
        use ComponentStatus::{DegradedPerformance, MajorOutage, Operational};
        for (status, looked, ping, expected) in [
            (Operational, Some(60), None, Line::Up),
            (DegradedPerformance, Some(60), None, Line::Up),
            (MajorOutage, Some(60), Some((10, false)), Line::Down),
            (Operational, Some(60), Some((10, true)), Line::Down),
            (Operational, Some(10), Some((60, true)), Line::Up),
            (Operational, Some(301), None, Line::Unknown),
            (Operational, None, Some((180, false)), Line::Up),
            (Operational, None, Some((180, true)), Line::Down),
            (Operational, None, Some((181, true)), Line::Unknown),
        ] {
            assert_eq!(state(status, looked, ping), expected, "{status:?} {looked:?} {ping:?}");
        }
    }
}

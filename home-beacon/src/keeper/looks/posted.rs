//! What probers put here: all of a run's looks at the components of a page, in one transaction where one is due.

use jiff::Timestamp;
use shared::look::{MAX_LOOKS, PostedLooks};

use super::{Looks, Now, known::Place};
use crate::keeper::{
    KeeperClock, KeeperError,
    db::Db,
    status::{components, pages},
};

/// How old a look may be that comes in, in milliseconds.
pub(super) const MAX_AGE: i64 = 24 * 3_600_000;

impl KeeperClock {
    /// What counts as now for looks; `None` while the clock cannot be trusted.
    pub(in crate::keeper) fn now_for_looks(&self) -> Option<Now> {
        Some(Now::new(self.trusted_now()?, self.host().uptime.now()))
    }
}

impl Looks {
    /// Takes a run's looks, all or none; how many there were. `now` is the time by a clock that can be trusted.
    ///
    /// # Errors
    /// When the page or a component is not there, or the time cannot be right: nothing is taken then. When a verdict has
    /// turned and the disk cannot be written: it is written with the next transaction then.
    pub(in crate::keeper) async fn take(&self, db: &Db, now: Now, posted: &PostedLooks) -> Result<usize, KeeperError> {
        let PostedLooks { page_id, at, location, looks } = posted;
        if looks.len() > MAX_LOOKS {
            return Err(KeeperError::Invalid(format!("looks: one call may bring {MAX_LOOKS}")));
        }
        // By a clock that is ahead of ours, the look is of now.
        let at = at.saturating_mul(1000).min(now.wall);
        if now.wall.saturating_sub(at) > MAX_AGE {
            return Err(KeeperError::Invalid(format!(
                "at: {} is not within the last 24 hours, because it is {} here: check the clocks",
                posted.at,
                Timestamp::from_millisecond(now.wall).unwrap_or_default()
            )));
        }
        let mut conn = db.read().await?;
        pages::find(&mut conn, page_id).await?;
        for look in looks {
            components::find(&mut conn, page_id, &look.component_id).await?;
        }
        drop(conn);
        let has_turned = {
            let mut places = self.lock();
            let place = |look: &shared::look::PostedLook| Place {
                component: look.component_id.clone(),
                location: location.clone(),
                vantage: look.from,
            };
            for look in looks {
                places.check_room(&place(look))?;
            }
            let mut has_turned = false;
            for look in looks {
                has_turned |= places.add_posted(&place(look), at, look.verdict, now);
            }
            has_turned
        };
        if has_turned {
            self.flush(db, Some(now)).await?;
        }
        Ok(looks.len())
    }
}

//! Which checks nobody is written to about, by the keeper, which has the mutes: objects show them.

use std::{collections::HashMap, time::Duration};

use checks::check::CheckName;
use home_beacon::job::keeper::{KeeperClient, KnownCheck};
use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};

/// How often the keeper is asked: one call, of however many checks.
const EVERY: Duration = Duration::from_secs(30);

/// Until when each check is muted that is.
pub(crate) type Mutes = HashMap<CheckName, Timestamp>;

/// Asks again and again; while the keeper does not answer, what was known stays.
pub(crate) async fn follow(keeper: KeeperClient, mutes: watch::Sender<Mutes>) {
    loop {
        if let Ok(known) = keeper.known_checks().await {
            let until = |(name, known): (CheckName, KnownCheck)| Some((name, known.muted_until?));
            let new: Mutes = known.into_iter().filter_map(until).collect();
            mutes.send_if_modified(|known| {
                let is_news = *known != new;
                *known = new;
                is_news
            });
        }
        sleep(EVERY).await;
    }
}

//! What a person asks of notices and says of them: what was not given to whom, and what nobody wants to be written to about.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use shared::id::ComponentId;

use super::{
    Mute, Notices, Tried, mutes,
    queue::{self, Undelivered},
    store,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, StorageError},
};

/// How a channel is.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelState {
    /// Its address, without what is secret of it.
    pub channel: String,
    /// How many it has taken since the keeper began.
    pub sent: u64,
    /// When it last took one, since the keeper began.
    pub sent_at: Option<Moment>,
    /// When it last did not take one, since the keeper began.
    pub failed_at: Option<Moment>,
    /// Why.
    pub failure: Option<String>,
    /// How many wait for it.
    pub waiting: i64,
    /// How many it has not been given, and will not be.
    pub undelivered: i64,
}

/// All that there is to say of notices.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Overview {
    /// Who is written to.
    pub channels: Vec<ChannelState>,
    /// What waits, or was not taken.
    pub notices: Vec<Listed>,
    /// What nobody is written to about.
    pub mutes: Vec<Mute>,
    /// Whether it is quiet hours, in which only what is serious may be sent.
    pub is_quiet: bool,
    /// What goes on now, by its key.
    pub lasting: Vec<String>,
}

/// A notice that a channel has not been given.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Who was to be given it.
    pub channel: String,
    #[serde(flatten)]
    /// The notice, and why.
    pub notice: Undelivered,
}

/// A component whose owner is not to be written to.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::keeper) struct MutedComponent<'a> {
    component_id: &'a ComponentId,
    until: Moment,
}

impl Notices {
    /// Mutes a key until then.
    ///
    /// # Errors
    /// When it is none, there are too many, or the storage fails.
    pub(in crate::keeper) async fn mute(
        &self,
        db: &Db,
        now: Timestamp,
        key: &str,
        until: Timestamp,
    ) -> Result<(), KeeperError> {
        mutes::set(db, now, key, until).await?;
        self.read_mutes(db, now).await
    }

    /// Ends a mute.
    ///
    /// # Errors
    /// When there is none, or the storage fails.
    pub(in crate::keeper) async fn unmute(&self, db: &Db, now: Timestamp, key: &str) -> Result<(), KeeperError> {
        mutes::end(db, key).await?;
        self.read_mutes(db, now).await
    }

    /// What nobody is written to about for now.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn mutes(&self, db: &Db, now: Timestamp) -> Result<Vec<Mute>, KeeperError> {
        Ok(mutes::list(db, now).await?)
    }

    /// The components whose owner does not want to be written to: a prober leaves them out.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn muted<'a>(
        &self,
        db: &Db,
        components: impl Iterator<Item = &'a ComponentId>,
        now: Timestamp,
    ) -> Result<Vec<MutedComponent<'a>>, KeeperError> {
        let mutes = mutes::list(db, now).await?;
        let until = |id: &ComponentId| {
            let key = format!("home/{id}");
            mutes.iter().filter(|mute| mute.holds(&key, now)).map(|mute| mute.until).max()
        };
        Ok(components.filter_map(|id| Some(MutedComponent { component_id: id, until: until(id)? })).collect())
    }

    /// Reads them again, after what has changed some of them.
    ///
    /// # Errors
    /// When the storage fails.
    pub(in crate::keeper) async fn read_mutes(&self, db: &Db, now: Timestamp) -> Result<(), KeeperError> {
        if let Some(shared) = &self.0 {
            let mutes = mutes::list(db, now).await?;
            shared.known().mutes = mutes;
        }
        Ok(())
    }

    /// How each channel is; none where nobody is written to.
    pub(in crate::keeper) async fn channel_states(&self, db: &Db) -> Result<Vec<ChannelState>, StorageError> {
        let Some(shared) = &self.0 else { return Ok(Vec::new()) };
        let counts = queue::counts(db).await?;
        let known = shared.known();
        let states = known.channels.iter().map(|channel| {
            let (_, waiting, undelivered) =
                counts.iter().find(|(id, ..)| id == channel.id()).cloned().unwrap_or_default();
            let Tried { sent, sent_at, failure } = known.tried.get(channel.id()).cloned().unwrap_or_default();
            let (failed_at, failure) = failure.map(|(at, why)| (Moment::new(at), why)).unzip();
            let sent_at = sent_at.map(Moment::new);
            ChannelState { channel: channel.to_string(), sent, sent_at, failed_at, failure, waiting, undelivered }
        });
        Ok(states.collect())
    }

    /// All that there is to say of them; `None` where nobody is written to.
    pub(in crate::keeper) async fn overview(&self, db: &Db, now: Timestamp) -> Result<Option<Overview>, StorageError> {
        let Some(shared) = &self.0 else { return Ok(None) };
        let known = Arc::clone(&shared.known().channels);
        let named = |id: &str| {
            let channel = known.iter().find(|channel| channel.id() == id);
            channel.map_or_else(|| "a former channel".into(), ToString::to_string)
        };
        let notices = queue::undelivered(db).await?;
        let notices = notices.into_iter().map(|notice| Listed { channel: named(&notice.channel), notice }).collect();
        Ok(Some(Overview {
            channels: self.channel_states(db).await?,
            notices,
            mutes: mutes::list(db, now).await?,
            is_quiet: shared.is_quiet(now),
            lasting: store::lasting(db).await?,
        }))
    }
}

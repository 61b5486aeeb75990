//! What is written about an incident when it is over: a draft, which is nobody's but its author's, until it is published. Then it
//! is the newest of the incident's updates, and the incident's status is `postmortem`, as on statuspage.io.

use serde::{Serialize, Serializer};
use shared::{
    id::{IncidentId, PageId},
    statuspage::IncidentStatus,
};

use super::{
    Incident, IncidentState, IncidentUpdate,
    incident_rows::{find, save, save_update},
    incidents::ours,
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, Row, StorageError, Tx, new_id, query},
};

/// The API's word for an incident with a published one, and for the update that is it.
pub(in crate::keeper) const POSTMORTEM: &str = "postmortem";

/// A postmortem, as the API sends it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Postmortem {
    /// There is no preview of a draft here.
    pub preview_key: Option<String>,
    /// What is public.
    pub body: Option<String>,
    /// When that was changed last.
    pub body_updated_at: Option<Moment>,
    /// What is not public yet.
    pub body_draft: Option<String>,
    /// When that was changed last.
    pub body_draft_updated_at: Option<Moment>,
    /// Since when it is public.
    pub published_at: Option<Moment>,
    /// Whether subscribers are to be notified.
    pub notify_subscribers: bool,
    /// Nothing is sent there.
    pub notify_twitter: bool,
    /// Nothing is sent there.
    pub custom_tweet: Option<String>,
    /// When its first draft was written.
    pub created_at: Moment,
    /// When it was changed last.
    pub updated_at: Moment,
}

/// What an incident says of its postmortem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the API names them so")]
pub struct PostmortemFields {
    postmortem_body: Option<String>,
    postmortem_body_last_updated_at: Option<Moment>,
    postmortem_ignored: bool,
    /// There are no subscribers yet.
    postmortem_notified_subscribers: bool,
    postmortem_notified_twitter: bool,
    postmortem_published_at: Option<Moment>,
}

impl Postmortem {
    /// What is public of it; `None` while nothing is.
    pub fn published(&self) -> Option<PostmortemFields> {
        self.published_at.map(|published_at| PostmortemFields {
            postmortem_body: self.body.clone(),
            postmortem_body_last_updated_at: self.body_updated_at,
            postmortem_published_at: Some(published_at),
            ..PostmortemFields::default()
        })
    }
}

#[expect(clippy::ref_option, reason = "serde asks for this shape")]
pub(super) fn of_incident<S: Serializer>(postmortem: &Option<Postmortem>, serializer: S) -> Result<S::Ok, S::Error> {
    postmortem.as_ref().and_then(Postmortem::published).unwrap_or_default().serialize(serializer)
}

/// Read from an incident's row.
pub(super) fn from_row(row: &Row) -> Result<Option<Postmortem>, StorageError> {
    let Some(created_at) = row.get_or_default::<Option<Moment>>("postmortem_created_at")? else { return Ok(None) };
    Ok(Some(Postmortem {
        preview_key: None,
        body: row.get("postmortem_body")?,
        body_updated_at: row.get("postmortem_body_updated_at")?,
        body_draft: row.get("postmortem_draft")?,
        body_draft_updated_at: row.get("postmortem_draft_updated_at")?,
        published_at: row.get("postmortem_published_at")?,
        notify_subscribers: row.get("postmortem_notify")?,
        notify_twitter: false,
        custom_tweet: None,
        created_at,
        updated_at: row.get::<Option<Moment>>("postmortem_updated_at")?.unwrap_or(created_at),
    }))
}

/// The postmortem of an incident.
pub(in crate::keeper) async fn get(db: &Db, page: &PageId, id: &IncidentId) -> Result<Postmortem, KeeperError> {
    of(&find(&mut db.read().await?, page, id).await?)
}

/// Writes a draft, the first one or another.
pub(in crate::keeper) async fn draft(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &IncidentId,
    body: String,
) -> Result<Postmortem, KeeperError> {
    change(db, page, id, |incident| {
        let fresh = Postmortem {
            preview_key: None,
            body: None,
            body_updated_at: None,
            body_draft: None,
            body_draft_updated_at: None,
            published_at: None,
            notify_subscribers: false,
            notify_twitter: false,
            custom_tweet: None,
            created_at: now,
            updated_at: now,
        };
        let before = incident.postmortem.take().unwrap_or(fresh);
        let updated_at = now.after(before.updated_at);
        incident.postmortem =
            Some(Postmortem { body_draft: Some(body), body_draft_updated_at: Some(now), updated_at, ..before });
        Ok(())
    })
    .await
}

/// Shows the draft to everyone, in place of what was shown before. Without a draft nothing changes.
pub(in crate::keeper) async fn publish(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &IncidentId,
    notify: Option<bool>,
) -> Result<Postmortem, KeeperError> {
    change(db, page, id, |incident| {
        let mut postmortem = of(incident)?;
        if !incident.state.status.is_over() {
            return Err(KeeperError::Invalid(format!("incident {id} is not over yet: resolve it first")));
        }
        postmortem.notify_subscribers = notify.unwrap_or(postmortem.notify_subscribers);
        if let Some(body) = postmortem.body_draft.take() {
            (postmortem.body, postmortem.body_updated_at) = (Some(body), postmortem.body_draft_updated_at.take());
            postmortem.published_at = Some(postmortem.published_at.unwrap_or(now));
            postmortem.updated_at = now.after(postmortem.updated_at);
            incident.times.updated_at = now.after(incident.times.updated_at);
        }
        incident.state.word = postmortem.published_at.map(|_| POSTMORTEM.to_owned());
        incident.postmortem = Some(postmortem);
        Ok(())
    })
    .await
}

/// Makes a draft of what is public; a draft that is newer stays.
pub(in crate::keeper) async fn revert(
    db: &Db,
    now: Moment,
    page: &PageId,
    id: &IncidentId,
) -> Result<Postmortem, KeeperError> {
    change(db, page, id, |incident| {
        let mut postmortem = of(incident)?;
        if postmortem.published_at.take().is_some() {
            let (body, at) = (postmortem.body.take(), postmortem.body_updated_at.take());
            if postmortem.body_draft.is_none() {
                (postmortem.body_draft, postmortem.body_draft_updated_at) = (body, at);
            }
            postmortem.updated_at = now.after(postmortem.updated_at);
            withdraw(incident, now);
        }
        incident.postmortem = Some(postmortem);
        Ok(())
    })
    .await
}

/// Deletes it, public or not.
pub(in crate::keeper) async fn delete(db: &Db, now: Moment, page: &PageId, id: &IncidentId) -> Result<(), KeeperError> {
    let mut tx = db.begin().await?;
    let mut incident = ours(find(&mut tx, page, id).await?)?;
    if of(&incident)?.published_at.is_some() {
        withdraw(&mut incident, now);
    }
    incident.postmortem = None;
    write(&mut tx, &incident).await?;
    tx.commit().await?;
    Ok(())
}

/// The incident's status is its own again.
fn withdraw(incident: &mut Incident, now: Moment) {
    incident.times.updated_at = now.after(incident.times.updated_at);
    if incident.state.word.as_deref() == Some(POSTMORTEM) {
        incident.state.word = None;
    }
}

fn of(incident: &Incident) -> Result<Postmortem, KeeperError> {
    let id = &incident.id;
    incident.postmortem.clone().ok_or_else(|| KeeperError::NotFound(format!("a postmortem of incident {id}")))
}

async fn change(
    db: &Db,
    page: &PageId,
    id: &IncidentId,
    change: impl FnOnce(&mut Incident) -> Result<(), KeeperError>,
) -> Result<Postmortem, KeeperError> {
    let mut tx = db.begin().await?;
    let mut incident = ours(find(&mut tx, page, id).await?)?;
    change(&mut incident)?;
    write(&mut tx, &incident).await?;
    tx.commit().await?;
    of(&incident)
}

/// Writes it, and the update that is it while it is public.
async fn write(tx: &mut Tx, incident: &Incident) -> Result<(), KeeperError> {
    save(tx, incident).await?;
    let it = incident.postmortem.as_ref();
    query(
        "UPDATE incidents SET postmortem_body = ?, postmortem_body_updated_at = ?, postmortem_draft = ?,
             postmortem_draft_updated_at = ?, postmortem_published_at = ?, postmortem_notify = ?,
             postmortem_created_at = ?, postmortem_updated_at = ?
         WHERE id = ?",
    )
    .bind(it.and_then(|it| it.body.clone()))
    .bind(it.and_then(|it| it.body_updated_at))
    .bind(it.and_then(|it| it.body_draft.clone()))
    .bind(it.and_then(|it| it.body_draft_updated_at))
    .bind(it.and_then(|it| it.published_at))
    .bind(it.is_some_and(|it| it.notify_subscribers))
    .bind(it.map(|it| it.created_at))
    .bind(it.map(|it| it.updated_at))
    .bind(incident.id.as_str())
    .execute(tx)
    .await?;
    // Its own update alone: people write others beside it.
    let known = query("SELECT postmortem_update_id FROM incidents WHERE id = ?").bind(incident.id.as_str());
    let known: Option<String> = known.one(tx).await?;
    query("DELETE FROM incident_updates WHERE id = ?").bind(&known).execute(tx).await?;
    let published = it.and_then(|it| Some((it, it.published_at?)));
    let id = published.map(|_| known.unwrap_or_else(new_id));
    let remember = query("UPDATE incidents SET postmortem_update_id = ? WHERE id = ?");
    remember.bind(&id).bind(incident.id.as_str()).execute(tx).await?;
    let (Some((it, published_at)), Some(id)) = (published, id) else { return Ok(()) };
    let update = IncidentUpdate {
        id,
        incident_id: incident.id.clone(),
        state: IncidentState { status: IncidentStatus::Other, word: Some(POSTMORTEM.into()) },
        body: it.body.clone().unwrap_or_default(),
        deliver_notifications: it.notify_subscribers,
        affected_components: None,
        display_at: published_at,
        created_at: published_at,
        updated_at: it.body_updated_at.unwrap_or(published_at),
    };
    save_update(tx, &update).await
}

//! `/api/v2`: the public status API, for badges and status readers. No token is needed, as on statuspage.io.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderName, StatusCode, header},
    routing::get,
};
use serde::Serialize;
use serde_json::{Value, json};
use shared::{
    id::{IncidentId, PageId},
    statuspage::Impact,
};

use super::{
    AppState, HttpError, component_rows,
    links::{Links, RequestOrigin},
    present::Present,
};
use crate::keeper::{
    db::Moment,
    status::{
        Component, Incident, IncidentState, IncidentUpdate,
        incidents::{self as all_incidents, IncidentFilter},
        postmortems::{Postmortem, PostmortemFields},
    },
};

/// More than this no document lists.
const MAX_INCIDENTS: u32 = 50;

/// Any origin may read it, and no cache is to keep it.
const HEADERS: [(HeaderName, &str); 2] =
    [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"), (header::CACHE_CONTROL, "no-store")];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/summary.json", get(summary))
        .route("/status.json", get(status))
        .route("/components.json", get(components))
        .route("/incidents.json", get(incidents))
        .route("/incidents/unresolved.json", get(unresolved))
        .route("/scheduled-maintenances.json", get(maintenances))
        .route("/scheduled-maintenances/upcoming.json", get(upcoming))
        .route("/scheduled-maintenances/active.json", get(active))
        .fallback(async || StatusCode::NOT_FOUND)
}

#[derive(Serialize)]
struct PageHead {
    id: PageId,
    name: String,
    /// Where the page can be reached.
    url: String,
    time_zone: String,
    updated_at: Moment,
}

/// What is public of an incident.
#[derive(Serialize)]
struct PublicIncident {
    id: IncidentId,
    name: String,
    #[serde(rename = "status")]
    state: IncidentState,
    created_at: Moment,
    updated_at: Moment,
    monitoring_at: Option<Moment>,
    resolved_at: Option<Moment>,
    impact: Impact,
    shortlink: Option<String>,
    started_at: Moment,
    page_id: PageId,
    /// Newest first.
    incident_updates: Vec<PublicUpdate>,
    components: Vec<Component>,
    /// Hours between reminders, as a list in a text; kept because the API has it.
    reminder_intervals: Option<String>,
    /// Of maintenance only.
    #[serde(flatten)]
    planned: Option<Planned>,
    /// Once there is one that is published.
    #[serde(flatten)]
    postmortem: Option<PostmortemFields>,
}

/// An update, with what the API has of another service: nothing, because nothing is sent there.
#[derive(Serialize)]
struct PublicUpdate {
    #[serde(flatten)]
    update: IncidentUpdate,
    custom_tweet: Option<String>,
    tweet_id: Option<String>,
}

#[derive(Serialize)]
struct Planned {
    scheduled_for: Moment,
    scheduled_until: Option<Moment>,
}

impl From<Incident> for PublicIncident {
    fn from(incident: Incident) -> Self {
        let postmortem = incident.postmortem.as_ref().and_then(Postmortem::published);
        let Incident { id, name, state, impact, shortlink, page_id, reminder_intervals, components, times, .. } =
            incident;
        let updates = incident.incident_updates.into_iter();
        let planned = |scheduled_for| Planned { scheduled_for, scheduled_until: times.scheduled_until };
        Self {
            planned: times.scheduled_for.map(planned),
            postmortem,
            created_at: times.created_at,
            updated_at: times.updated_at,
            monitoring_at: times.monitoring_at,
            resolved_at: times.resolved_at,
            started_at: times.started_at,
            id,
            name,
            state,
            impact,
            shortlink,
            page_id,
            incident_updates: updates
                .map(|update| PublicUpdate { update, custom_tweet: None, tweet_id: None })
                .collect(),
            components,
            reminder_intervals,
        }
    }
}

/// What the documents are made of.
struct Document {
    state: AppState,
    present: Present,
    links: Links,
}

impl Document {
    async fn read(state: AppState, origin: &RequestOrigin) -> Result<Self, HttpError> {
        let present = Present::read(&state).await?;
        let links = Links::of(&present.page, origin);
        Ok(Self { state, present, links })
    }

    /// The `page` of every document: it was updated when the last thing on it was.
    fn head(&self) -> PageHead {
        let Present { page, components, .. } = &self.present;
        let updated = components.iter().map(|(component, _)| component.updated_at).max();
        PageHead {
            id: page.id.clone(),
            name: page.name.clone(),
            url: self.links.page().to_owned(),
            time_zone: page.time_zone.clone(),
            updated_at: updated.map_or(page.updated_at, |updated| updated.max(page.updated_at)),
        }
    }

    /// The whole page's. The API has no word for what nobody looks at, so that is said in the description.
    fn status(&self) -> Value {
        json!({ "indicator": self.present.overall().indicator, "description": self.present.said().words })
    }

    /// Each with when it was looked at beside its status; a group before its components.
    async fn components(&self) -> Result<Vec<Value>, HttpError> {
        component_rows::rows(&self.state, &self.present.components).await
    }

    async fn incidents(&self, filter: IncidentFilter) -> Result<Vec<PublicIncident>, HttpError> {
        let mut incidents = all_incidents::list(&self.state.db, &self.state.page, &filter, 0, MAX_INCIDENTS).await?;
        for incident in &mut incidents {
            self.links.complete(incident);
        }
        Ok(incidents.into_iter().map(PublicIncident::from).collect())
    }

    /// One that lists incidents, under that name.
    async fn listing(&self, name: &str, filter: IncidentFilter) -> Answer {
        Ok((HEADERS, Json(json!({ "page": self.head(), name: self.incidents(filter).await? }))))
    }
}

type Answer = Result<([(HeaderName, &'static str); 2], Json<Value>), HttpError>;

async fn status(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    let document = Document::read(state, &origin).await?;
    Ok((HEADERS, Json(json!({ "page": document.head(), "status": document.status() }))))
}

async fn components(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    let document = Document::read(state, &origin).await?;
    Ok((HEADERS, Json(json!({ "page": document.head(), "components": document.components().await? }))))
}

async fn incidents(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    Document::read(state, &origin).await?.listing("incidents", IncidentFilter::Realtime).await
}

async fn unresolved(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    Document::read(state, &origin).await?.listing("incidents", IncidentFilter::Unresolved).await
}

async fn maintenances(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    Document::read(state, &origin).await?.listing("scheduled_maintenances", IncidentFilter::Maintenance).await
}

async fn upcoming(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    Document::read(state, &origin).await?.listing("scheduled_maintenances", IncidentFilter::Upcoming).await
}

async fn active(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    Document::read(state, &origin).await?.listing("scheduled_maintenances", IncidentFilter::ActiveMaintenance).await
}

async fn summary(State(state): State<AppState>, origin: RequestOrigin) -> Answer {
    let document = Document::read(state, &origin).await?;
    Ok((
        HEADERS,
        Json(json!({
            "page": document.head(),
            "status": document.status(),
            "components": document.components().await?,
            "incidents": document.incidents(IncidentFilter::Unresolved).await?,
            "scheduled_maintenances": document.incidents(IncidentFilter::Scheduled).await?,
        })),
    ))
}

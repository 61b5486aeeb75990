//! `/v1/pages/{page}/incidents`

use std::collections::{BTreeMap, HashMap};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::Response,
    routing::{get, patch as patching},
};
use jiff::{SignedDuration, tz::TimeZone};
use shared::{
    id::{IncidentId, PageId},
    statuspage::{Impact, IncidentStatus},
};

use super::super::{
    AppState, HttpError,
    fields::{Components, Fields},
    links::{Links, RequestOrigin},
    listing::Listing,
    path::{InPath, InQuery},
    payload::Payload,
    strays,
};
use super::postmortems::SentBack;
use crate::keeper::status::{
    Incident, IncidentPatch, IncidentUpdate, PlanPatch,
    incidents::{self, IncidentFilter, NewIncident, UpdatePatch},
    pages,
};

/// statuspage.io's limits, in characters.
const MAX_NAME: usize = 255;
const MAX_BODY: usize = 25_000;

/// What says something only inside the wrapper.
const INSIDE: [&str; 13] = [
    "backfill_date",
    "backfilled",
    "body",
    "component_ids",
    "components",
    "deliver_notifications",
    "impact_override",
    "message",
    "metadata",
    "name",
    "scheduled_for",
    "scheduled_until",
    "status",
];

/// Fields that an incident is sent with, and that cannot be set.
const READ_ONLY: [&str; 13] = [
    "created_at",
    "id",
    "impact",
    "incident_updates",
    "monitoring_at",
    "page_id",
    "postmortem_body_last_updated_at",
    "postmortem_published_at",
    "resolved_at",
    "scheduled_reminded_at",
    "shortlink",
    "started_at",
    "updated_at",
];

/// The same of an update of one.
const READ_ONLY_OF_UPDATE: [&str; 6] =
    ["affected_components", "created_at", "id", "incident_id", "status", "updated_at"];

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/pages/{page}/incidents", get(all).post(create))
        .route("/pages/{page}/incidents/unresolved", get(unresolved))
        .route("/pages/{page}/incidents/scheduled", get(scheduled))
        .route("/pages/{page}/incidents/upcoming", get(upcoming))
        .route("/pages/{page}/incidents/active_maintenance", get(active))
        .route("/pages/{page}/incidents/{incident}", get(one).patch(update).put(update).delete(remove))
        .route("/pages/{page}/incidents/{incident}/incident_updates/{update}", patching(edit).put(edit))
}

/// What an incident's handlers know of the page.
struct Context {
    links: Links,
    /// What times without a zone are read in.
    zone: TimeZone,
}

impl Context {
    async fn of(state: &AppState, page: &PageId, origin: &RequestOrigin) -> Result<Self, HttpError> {
        let page = pages::get(&state.db, page).await?;
        Ok(Self { links: Links::of(&page, origin), zone: page.zone() })
    }

    fn answer(&self, state: &AppState, mut incident: Incident, status: StatusCode) -> Response {
        self.links.complete(&mut incident);
        strays::of_incident(state, incident, status)
    }
}

fn patch(fields: &Fields, zone: &TimeZone, is_sent_back: bool) -> Result<IncidentPatch, HttpError> {
    let mut component_ids = fields.component_ids("component_ids")?;
    let components = match fields.components("components")? {
        Components::Statuses(statuses) => statuses,
        Components::Ids(ids) => {
            component_ids.get_or_insert_default().extend(ids);
            BTreeMap::new()
        }
    };
    Ok(IncidentPatch {
        name: fields.name(MAX_NAME)?,
        status: if is_sent_back { None } else { status(fields)? },
        body: body(fields)?,
        impact_override: fields.clearable_one_of("impact_override", &Impact::ALL, Impact::as_str)?,
        component_ids,
        components,
        metadata: fields.metadata("metadata")?,
        reminder_intervals: fields.clearable_text("reminder_intervals", 100)?,
        scheduled_for: fields.time("scheduled_for", zone)?,
        scheduled_until: fields.time("scheduled_until", zone)?,
        plan: plan(fields)?,
        deliver_notifications: fields.boolean("deliver_notifications")?,
    })
}

fn status(fields: &Fields) -> Result<Option<IncidentStatus>, HttpError> {
    fields.one_of("status", &IncidentStatus::ALL, IncidentStatus::as_str)
}

/// What it does by itself. The beginning has two names.
fn plan(fields: &Fields) -> Result<PlanPatch, HttpError> {
    let names = ["scheduled_auto_in_progress", "scheduled_auto_transition"];
    let begins = match (fields.boolean(names[0])?, fields.boolean(names[1])?) {
        (Some(one), Some(other)) if one != other => {
            let what = format!("{}: is another name of {}: send one of them", names[1], names[0]);
            return Err(HttpError::unprocessable(what));
        }
        (one, other) => one.or(other),
    };
    Ok(PlanPatch {
        begins,
        ends: fields.boolean("scheduled_auto_completed")?,
        to_maintenance: fields.boolean("auto_transition_to_maintenance_state")?,
        to_operational: fields.boolean("auto_transition_to_operational_state")?,
        notify_at_start: fields.boolean("auto_transition_deliver_notifications_at_start")?,
        notify_at_end: fields.boolean("auto_transition_deliver_notifications_at_end")?,
        remind_prior: fields.boolean("scheduled_remind_prior")?,
    })
}

/// The text, which older clients send as `message`.
fn body(fields: &Fields) -> Result<Option<String>, HttpError> {
    match (fields.text("body", MAX_BODY)?, fields.text("message", MAX_BODY)?) {
        (Some(body), Some(message)) if body != message => {
            Err(HttpError::unprocessable("message: is the old name of body: send one of them"))
        }
        (body, message) => Ok(body.or(message)),
    }
}

async fn list(
    (State(state), origin, InPath(page), InQuery(query)): Listed,
    filter: impl FnOnce(&HashMap<String, String>) -> IncidentFilter,
) -> Result<Json<Vec<Incident>>, HttpError> {
    let listing = Listing::from_query(&query)?;
    let context = Context::of(&state, &page, &origin).await?;
    let mut listed = incidents::list(&state.db, &page, &filter(&query), listing.skip, listing.limit).await?;
    for incident in &mut listed {
        context.links.complete(incident);
    }
    Ok(Json(listed))
}

type Listed = (State<AppState>, RequestOrigin, InPath<PageId>, InQuery);

async fn all(listed: Listed) -> Result<Json<Vec<Incident>>, HttpError> {
    list(listed, |query| IncidentFilter::All(query.get("q").filter(|text| !text.is_empty()).cloned())).await
}

async fn unresolved(listed: Listed) -> Result<Json<Vec<Incident>>, HttpError> {
    list(listed, |_| IncidentFilter::Unresolved).await
}

async fn scheduled(listed: Listed) -> Result<Json<Vec<Incident>>, HttpError> {
    list(listed, |_| IncidentFilter::Scheduled).await
}

async fn upcoming(listed: Listed) -> Result<Json<Vec<Incident>>, HttpError> {
    list(listed, |_| IncidentFilter::Upcoming).await
}

async fn active(listed: Listed) -> Result<Json<Vec<Incident>>, HttpError> {
    list(listed, |_| IncidentFilter::ActiveMaintenance).await
}

/// So far ahead an incident of the past may be dated: clocks and time zones differ.
const DAY_AHEAD: SignedDuration = SignedDuration::from_hours(24);

async fn create(
    State(state): State<AppState>,
    origin: RequestOrigin,
    InPath(page): InPath<PageId>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let fields = payload.wrapped("incident", &INSIDE)?;
    let context = Context::of(&state, &page, &origin).await?;
    let mut patch = patch(&fields, &context.zone, false)?;
    let name = patch.name.take().ok_or_else(|| HttpError::unprocessable("name: can't be blank"))?;
    let date = fields.time("backfill_date", &context.zone)?.flatten();
    let backfilled = match (fields.boolean("backfilled")?, date) {
        (Some(true), _)
            if !patch.components.is_empty() || patch.component_ids.as_ref().is_some_and(|ids| !ids.is_empty()) =>
        {
            return Err(HttpError::unprocessable("components: a backfilled incident cannot name components"));
        }
        (Some(true), None) => return Err(HttpError::unprocessable("backfill_date: a backfilled incident needs one")),
        (Some(true), date) => date,
        (_, Some(_)) => {
            return Err(HttpError::unprocessable("backfill_date: is of a backfilled incident: send backfilled, too"));
        }
        (_, None) => None,
    };
    if let (Some(now), Some(date)) = (state.clock.trusted_now(), backfilled)
        && date.timestamp().duration_since(now) > DAY_AHEAD
    {
        return Err(HttpError::unprocessable("backfill_date: must be in the past"));
    }
    fields.nothing_is_lost(&READ_ONLY)?;
    let new = NewIncident { name, patch, backfilled };
    let incident = incidents::create(&state.db, state.clock.now(), &page, new).await?;
    state.plans.changed();
    Ok(context.answer(&state, incident, StatusCode::CREATED))
}

async fn one(
    State(state): State<AppState>,
    origin: RequestOrigin,
    InPath((page, incident)): InPath<(PageId, IncidentId)>,
) -> Result<Response, HttpError> {
    let context = Context::of(&state, &page, &origin).await?;
    Ok(context.answer(&state, incidents::get(&state.db, &page, &incident).await?, StatusCode::OK))
}

async fn update(
    State(state): State<AppState>,
    origin: RequestOrigin,
    InPath((page, incident)): InPath<(PageId, IncidentId)>,
    payload: Payload,
) -> Result<Response, HttpError> {
    let fields = payload.wrapped("incident", &INSIDE)?;
    let context = Context::of(&state, &page, &origin).await?;
    let is_sent_back = SentBack::read(&fields)?.check(&state, &page, &incident).await?;
    let patch = patch(&fields, &context.zone, is_sent_back)?;
    if fields.has("backfill_date") {
        return Err(HttpError::unprocessable("backfill_date: cannot be changed afterwards"));
    }
    fields.nothing_is_lost(&READ_ONLY)?;
    let updated = incidents::update(&state.db, state.clock.now(), &page, &incident, patch).await?;
    state.plans.changed();
    Ok(context.answer(&state, updated, StatusCode::OK))
}

async fn remove(
    State(state): State<AppState>,
    origin: RequestOrigin,
    InPath((page, incident)): InPath<(PageId, IncidentId)>,
) -> Result<Response, HttpError> {
    let context = Context::of(&state, &page, &origin).await?;
    Ok(context.answer(&state, incidents::delete(&state.db, &page, &incident).await?, StatusCode::OK))
}

async fn edit(
    State(state): State<AppState>,
    InPath((page, incident, update)): InPath<(PageId, IncidentId, String)>,
    payload: Payload,
) -> Result<Json<IncidentUpdate>, HttpError> {
    let fields = payload.wrapped("incident_update", &["body", "display_at", "message"])?;
    let zone = pages::get(&state.db, &page).await?.zone();
    let patch = UpdatePatch {
        body: body(&fields)?,
        display_at: fields.time("display_at", &zone)?.flatten(),
        deliver_notifications: fields.boolean("deliver_notifications")?,
    };
    fields.nothing_is_lost(&READ_ONLY_OF_UPDATE)?;
    let now = state.clock.now();
    Ok(Json(incidents::edit_update(&state.db, now, &page, &incident, &update, patch).await?))
}

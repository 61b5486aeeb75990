//! `/maintenance.ics`: maintenance that is planned, goes on, or was, as an iCalendar file (RFC 5545) to subscribe to.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};

use super::{
    super::{
        AppState,
        links::{Links, RequestOrigin},
        page::state_words,
    },
    FOR_ALL,
    ics::Lines,
    revision, unavailable,
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    status::{
        Incident, IncidentUpdate, Page,
        incidents::{self, IncidentFilter},
        pages,
    },
};

/// How many it has of what is planned or goes on, and of all.
const MAX_EVENTS: u32 = 50;

/// How many updates an event has, the newest first.
const MAX_UPDATES: usize = 20;

pub(super) async fn read(State(state): State<AppState>, origin: RequestOrigin) -> Response {
    match calendar(&state, &origin).await {
        Ok(calendar) => (FOR_ALL, [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], calendar).into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn calendar(state: &AppState, origin: &RequestOrigin) -> Result<String, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let listed = state.elsewhere.calendar.get((), revision(state), listed(state)).await?;
    Ok(written(&page, &listed, &Links::of(&page, origin)))
}

/// What is to come is never pushed off by what is over.
async fn listed(state: &AppState) -> Result<Vec<Incident>, KeeperError> {
    let list = async |filter| incidents::list(&state.db, &state.page, &filter, 0, MAX_EVENTS).await;
    let mut listed = list(IncidentFilter::Scheduled).await?;
    for incident in list(IncidentFilter::Maintenance).await? {
        if !listed.iter().any(|known| known.id == incident.id) {
            listed.push(incident);
        }
    }
    Ok(listed)
}

fn written(page: &Page, listed: &[Incident], links: &Links) -> String {
    let mut file = Lines::default();
    file.put("BEGIN", "VCALENDAR");
    file.put("VERSION", "2.0");
    file.put("PRODID", "-//Porchlight//Status page//EN");
    file.put("CALSCALE", "GREGORIAN");
    file.put("METHOD", "PUBLISH");
    file.text("X-WR-CALNAME", &format!("{}: maintenance", page.name));
    file.put("REFRESH-INTERVAL;VALUE=DURATION", "PT1H");
    file.put("X-PUBLISHED-TTL", "PT1H");
    let events = listed.iter().filter_map(|incident| Some((incident, incident.times.scheduled_for?)));
    let mut is_empty = true;
    for (incident, from) in events {
        is_empty = false;
        event(&mut file, incident, from, links);
    }
    if is_empty {
        nothing(&mut file);
    }
    file.put("END", "VCALENDAR");
    file.written()
}

/// A calendar has at least one component: where there is no maintenance, the zone that it does not need.
fn nothing(file: &mut Lines) {
    for (name, value) in [
        ("BEGIN", "VTIMEZONE"),
        ("TZID", "Etc/UTC"),
        ("BEGIN", "STANDARD"),
        ("DTSTART", "19700101T000000"),
        ("TZOFFSETFROM", "+0000"),
        ("TZOFFSETTO", "+0000"),
        ("TZNAME", "UTC"),
        ("END", "STANDARD"),
        ("END", "VTIMEZONE"),
    ] {
        file.put(name, value);
    }
}

fn event(file: &mut Lines, incident: &Incident, from: Moment, links: &Links) {
    let times = &incident.times;
    let changed = incident.incident_updates.iter().map(|update| update.updated_at);
    let changed = changed.fold(times.updated_at, Moment::max);
    file.put("BEGIN", "VEVENT");
    file.put("UID", &format!("{}@{}.porchlight", incident.id, incident.page_id));
    file.time("DTSTAMP", changed.timestamp());
    file.time("CREATED", times.created_at.timestamp());
    file.time("LAST-MODIFIED", changed.timestamp());
    file.put("SEQUENCE", &sequence(times.created_at, changed).to_string());
    file.time("DTSTART", from.timestamp());
    if let Some(until) = times.scheduled_until.filter(|until| *until > from) {
        file.time("DTEND", until.timestamp());
    }
    file.text("SUMMARY", &incident.name);
    let description: Vec<_> = incident.incident_updates.iter().take(MAX_UPDATES).map(said).collect();
    if !description.is_empty() {
        file.text("DESCRIPTION", &description.join("\n"));
    }
    file.put("URL", &links.incident(&incident.id));
    // What was ended before it began was called off.
    let is_off = times.resolved_at.is_some_and(|at| at <= from);
    file.put("STATUS", if is_off { "CANCELLED" } else { "CONFIRMED" });
    // It takes nobody's time.
    file.put("TRANSP", "TRANSPARENT");
    file.put("CATEGORIES", "MAINTENANCE");
    file.put("END", "VEVENT");
}

fn said(update: &IncidentUpdate) -> String {
    let state = state_words(update.state.as_str());
    if update.body.is_empty() { state } else { format!("{state}: {}", update.body) }
}

/// A number that grows with each change: seconds since it was entered.
fn sequence(created: Moment, changed: Moment) -> i64 {
    let seconds = changed.timestamp().as_second() - created.timestamp().as_second();
    seconds.clamp(0, i32::MAX.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_has_a_greater_number() {
        let at = |seconds: i64| Moment::try_from(seconds * 1000).unwrap();
        assert_eq!((sequence(at(10), at(10)), sequence(at(10), at(70))), (0, 60));
        assert_eq!(sequence(at(70), at(10)), 0, "entered afterwards");
    }
}

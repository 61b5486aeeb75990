//! `/history.atom`: the newest incidents and maintenance as Atom (RFC 4287), an entry each. It is written by a template, as the
//! page is: a library for it would bring a second one for times along.

use askama::Template;
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use jiff::tz::TimeZone;

use super::{
    super::{
        AppState,
        links::{Links, RequestOrigin},
        page::state_words,
    },
    FOR_ALL,
    badge::escaped,
    is_text, revision, unavailable,
};
use crate::keeper::{
    KeeperError,
    db::Moment,
    status::{
        Incident, IncidentUpdate, Page,
        incidents::{self, IncidentFilter},
        overall::in_words,
        pages,
    },
};

/// How many entries it has.
const MAX_ENTRIES: u32 = 25;

/// How many updates an entry has, the newest first.
const MAX_UPDATES: usize = 50;

#[derive(Template)]
#[template(path = "history.atom", escape = "html")]
struct Feed {
    /// The same whichever host is asked.
    id: String,
    title: String,
    page: String,
    base: String,
    updated: String,
    entries: Vec<Entry>,
}

struct Entry {
    id: String,
    title: String,
    link: String,
    published: String,
    updated: String,
    /// In HTML.
    content: String,
}

pub(super) async fn read(State(state): State<AppState>, origin: RequestOrigin) -> Response {
    match feed(&state, &origin).await.map(|feed| feed.render()) {
        Ok(Ok(feed)) => {
            (FOR_ALL, [(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], feed).into_response()
        }
        Ok(Err(error)) => unavailable(&error),
        Err(error) => unavailable(&error),
    }
}

async fn feed(state: &AppState, origin: &RequestOrigin) -> Result<Feed, KeeperError> {
    let page = pages::get(&state.db, &state.page).await?;
    let newest = incidents::list(&state.db, &state.page, &IncidentFilter::All(None), 0, MAX_ENTRIES);
    let incidents = state.elsewhere.feed.get((), revision(state), newest).await?;
    Ok(Feed::new(&page, &incidents, &Links::of(&page, origin)))
}

impl Feed {
    fn new(page: &Page, incidents: &[Incident], links: &Links) -> Self {
        let zone = page.zone();
        let mut listed: Vec<_> = incidents.iter().map(|incident| (changed(incident), incident)).collect();
        listed.sort_by_key(|(changed, _)| std::cmp::Reverse(*changed));
        let entry = |(changed, incident): &(Moment, &Incident)| Entry {
            id: format!("urn:porchlight:incident:{}", incident.id),
            title: text(&incident.name),
            link: links.incident(&incident.id),
            published: machine(incident.times.created_at),
            updated: machine(*changed),
            content: content(incident, &zone),
        };
        Self {
            id: format!("urn:porchlight:page:{}", page.id),
            title: text(&format!("{}: incidents and maintenance", page.name)),
            page: text(&page.name),
            base: text(links.page()),
            updated: machine(listed.first().map_or(page.created_at, |(changed, _)| *changed)),
            entries: listed.iter().map(entry).collect(),
        }
    }
}

/// When anything of it was changed last.
fn changed(incident: &Incident) -> Moment {
    let updates = incident.incident_updates.iter().map(|update| update.updated_at);
    updates.fold(incident.times.updated_at, Moment::max)
}

fn content(incident: &Incident, zone: &TimeZone) -> String {
    let words = |moment: Moment| in_words(moment.timestamp(), zone);
    let mut parts = Vec::new();
    if let Some(from) = incident.times.scheduled_for {
        let until = incident.times.scheduled_until.map(|until| format!(" to {}", words(until)));
        parts.push(format!("<p>From {}{}</p>", words(from), until.unwrap_or_default()));
    }
    if !incident.components.is_empty() {
        let names: Vec<_> = incident.components.iter().map(|component| html(&component.name)).collect();
        parts.push(format!("<p>Concerns {}.</p>", names.join(", ")));
    }
    let update = |update: &IncidentUpdate| {
        let (state, at) = (html(&state_words(update.state.as_str())), update.display_at);
        let body = html(&update.body).replace('\n', "<br>");
        format!("<p><strong>{state}</strong>, <time datetime=\"{}\">{}</time><br>{body}</p>", machine(at), words(at))
    };
    parts.extend(incident.incident_updates.iter().take(MAX_UPDATES).map(update));
    parts.concat()
}

fn machine(moment: Moment) -> String {
    moment.timestamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Without what XML forbids even where it is escaped.
fn text(text: &str) -> String {
    text.chars().filter(|letter| is_text(*letter)).collect()
}

fn html(words: &str) -> String {
    escaped(&text(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_forbids_is_left_out_and_the_rest_escaped() {
        assert_eq!(html("a\u{0}\u{b}\u{fffe} <b>&\nß"), "a &lt;b&gt;&amp;\nß");
    }
}

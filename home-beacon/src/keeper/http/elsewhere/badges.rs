//! `/badge/<component>.svg` and `.json`: a component's state; `/badge/<component>/uptime.svg`: its uptime; `/badge/overall.svg`:
//! the state of the page.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    super::{AppState, page, present::Present},
    FOR_ALL,
    badge::{Badge, Tone},
};
use crate::keeper::{KeeperError, looks::shown::Looked, status::Component};

/// The page's own name among those of components.
const OVERALL: &str = "overall";

/// Of how many days an uptime is given where none are asked for.
const DAYS: i64 = 30;

/// How a badge is sent.
#[derive(Clone, Copy)]
enum Form {
    Svg,
    Json,
}

#[derive(Debug, Deserialize)]
pub(super) struct Stretch {
    days: Option<String>,
}

/// A badge, or what stands in its place.
struct Sent(StatusCode, Badge);

pub(super) async fn state(State(state): State<AppState>, file: Result<Path<String>, PathRejection>) -> Response {
    let Ok(Path(file)) = file else { return Sent::missing("there is no such badge").answer(Form::Svg) };
    let (name, form) = parts(&file);
    let sent = match (form, Present::read(&state).await) {
        (None, _) => Sent::missing("a badge ends in .svg or .json"),
        (_, Err(error)) => Sent::failed(error),
        (Some(_), Ok(present)) => state_of(&present, name),
    };
    sent.answer(form.unwrap_or(Form::Svg))
}

pub(super) async fn uptime(
    State(state): State<AppState>,
    path: Result<Path<(String, String)>, PathRejection>,
    stretch: Result<Query<Stretch>, QueryRejection>,
) -> Response {
    let Ok(Path((name, file))) = path else { return Sent::missing("there is no such badge").answer(Form::Svg) };
    // Of a query that cannot be read none of the days are right.
    let stretch = stretch.map_or(Stretch { days: Some(String::new()) }, |Query(stretch)| stretch);
    let (what, form) = parts(&file);
    let sent = match form {
        Some(_) if what == "uptime" => uptime_of(&state, &name, &stretch).await.unwrap_or_else(Sent::failed),
        _ => Sent::missing("a component has uptime.svg and uptime.json"),
    };
    sent.answer(form.unwrap_or(Form::Svg))
}

fn state_of(present: &Present, name: &str) -> Sent {
    if name == OVERALL {
        let said = present.said();
        let tone = said.known.map_or(Tone::Unseen, |overall| Tone::from(overall.indicator));
        return Sent::found(present.page.name.clone(), said.words, tone);
    }
    match named(&present.components, name) {
        Ok((component, looked)) => {
            let said = present.said_of(component, looked);
            Sent::found(component.name.clone(), said.words, Tone::from(said.known))
        }
        Err(why) => Sent::missing(why),
    }
}

async fn uptime_of(state: &AppState, name: &str, stretch: &Stretch) -> Result<Sent, KeeperError> {
    let present = Present::read(state).await?;
    let component = match named(&present.components, name) {
        Ok((component, _)) => component,
        Err(why) => return Ok(Sent::missing(why)),
    };
    let days = stretch.days.as_deref().map_or(Some(DAYS), |days| days.parse().ok()).unwrap_or_default();
    let Some(uptime) = page::uptime(state, component, present.now, &present.zone(), days).await? else {
        let badge = Badge::missing("uptime", "days is 1, 7, 30 or 90");
        return Ok(Sent(StatusCode::BAD_REQUEST, badge));
    };
    let message = match (uptime.words, uptime.unseen) {
        (Some(words), Some(unseen)) => format!("{words} up, {unseen} not looked at"),
        (Some(words), None) => format!("{words} up"),
        (None, _) => "not looked at".into(),
    };
    let label = format!(
        "{}, {}",
        shortened(&component.name),
        if days == 1 { "24 hours".into() } else { format!("{days} days") }
    );
    Ok(Sent::found(label, message, Tone::of_uptime(uptime.share)))
}

/// A name that leaves room for what is said after it.
fn shortened(name: &str) -> String {
    if name.chars().count() <= 40 { name.to_owned() } else { name.chars().take(39).chain(['…']).collect() }
}

/// A file's name without its ending, and the form that the ending stands for.
fn parts(file: &str) -> (&str, Option<Form>) {
    let ending = |form, ending| Some((file.strip_suffix(ending)?, Some(form)));
    ending(Form::Svg, ".svg").or_else(|| ending(Form::Json, ".json")).unwrap_or((file, None))
}

/// The component with that id, or the only one with that name.
fn named<'a>(components: &'a [(Component, Looked)], name: &str) -> Result<&'a (Component, Looked), &'static str> {
    if let Some(found) = components.iter().find(|(component, _)| component.id.as_str() == name) {
        return Ok(found);
    }
    let wanted = slug(name);
    let mut found = components.iter().filter(|(component, _)| !wanted.is_empty() && slug(&component.name) == wanted);
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err("several components have this name: use the id"),
        (None, _) => Err("no such component"),
    }
}

/// `Home internet` as it stands in an address: `home-internet`.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts: Vec<&str> = lower.split(|it: char| !it.is_alphanumeric()).filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

impl Sent {
    fn found(label: String, message: String, tone: Tone) -> Self {
        Self(StatusCode::OK, Badge { label, message, tone, is_error: false })
    }

    fn missing(why: &str) -> Self {
        Self(StatusCode::NOT_FOUND, Badge::missing("badge", why))
    }

    #[expect(clippy::needless_pass_by_value, reason = "it stands in for a badge")]
    fn failed(error: KeeperError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "a badge cannot be drawn");
        Self(StatusCode::SERVICE_UNAVAILABLE, Badge::missing("badge", "not known right now"))
    }

    fn answer(self, form: Form) -> Response {
        let Self(status, badge) = self;
        match form {
            Form::Svg => {
                (status, FOR_ALL, [(header::CONTENT_TYPE, "image/svg+xml; charset=utf-8")], badge.svg()).into_response()
            }
            Form::Json => (status, FOR_ALL, Json(badge.json())).into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keeper::{db::Moment, status::components::fresh};

    fn components(names: &[(&str, &str)]) -> Vec<(Component, Looked)> {
        let made = |(id, name): &(&str, &str)| {
            let page = "gytm4qzbx9t6".parse().unwrap();
            (fresh(id.parse().unwrap(), &page, (*name).into(), 1, Moment::try_from(0).unwrap()), Looked::default())
        };
        names.iter().map(made).collect()
    }

    #[test]
    fn a_component_is_found_by_its_id_or_by_a_name_that_it_alone_has() {
        let all = components(&[
            ("8kbf7d35c070", "Home internet"),
            ("aaaaaaaaaaaa", "DNS"),
            ("bbbbbbbbbbbb", "dns!"),
            ("cccccccccccc", "Кабель & <Fiber>"),
            ("dddddddddddd", "***"),
            ("eeeeeeeeeeee", "aaaaaaaaaaaa"),
        ]);
        let found = |name: &str| named(&all, name).map(|(component, _)| component.id.as_str());
        assert_eq!(found("8kbf7d35c070"), Ok("8kbf7d35c070"));
        assert_eq!(found("home-internet"), Ok("8kbf7d35c070"));
        assert_eq!(found("кабель-fiber"), Ok("cccccccccccc"));
        assert_eq!(found("aaaaaaaaaaaa"), Ok("aaaaaaaaaaaa"), "an id is never somebody else's name");
        assert_eq!(found("dns"), Err("several components have this name: use the id"));
        for unknown in ["", "-", "***", "nothing", "8kbf7d35c07"] {
            assert_eq!(found(unknown), Err("no such component"), "{unknown}");
        }
    }

    #[test]
    fn an_ending_says_the_form() {
        assert!(matches!(parts("a.b.svg"), ("a.b", Some(Form::Svg))));
        assert!(matches!(parts("a.json"), ("a", Some(Form::Json))));
        assert!(matches!(parts("a.png"), ("a.png", None)));
    }
}

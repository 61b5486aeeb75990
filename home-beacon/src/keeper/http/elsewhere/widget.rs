//! `/widget`: the state of the page and of its components in a few lines, for a frame on somebody's own page. It needs no script,
//! and is the one address that others may frame.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{Html, IntoResponse, Response},
};

use super::{
    super::{AppState, present::Present},
    FOR_ALL, Tone, unavailable,
};
use crate::keeper::status::overall::in_words;

/// The most components that are listed.
const MAX_COMPONENTS: usize = 50;

const STYLE: &str = include_str!("../../../../templates/widget.css");

/// Anybody may frame it; it loads its style sheet and nothing else.
const POLICY: [(HeaderName, &str); 1] = [(
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *",
)];

#[derive(Template)]
#[template(path = "widget.html")]
struct Widget {
    overall: Line,
    components: Vec<Line>,
    /// How many more there are.
    more: usize,
    drawn: String,
}

/// Something, and what is said of it.
struct Line {
    name: String,
    words: String,
    class: &'static str,
}

pub(super) async fn draw(State(state): State<AppState>) -> Response {
    match Present::read(&state).await.map(|present| Widget::new(&present).render()) {
        Ok(Ok(html)) => (FOR_ALL, POLICY, Html(html)).into_response(),
        Ok(Err(error)) => unavailable(&error),
        Err(error) => unavailable(&error),
    }
}

pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")], STYLE)
}

impl Widget {
    fn new(present: &Present) -> Self {
        let said = present.said();
        let class = said.known.map_or(Tone::Unseen, |overall| Tone::from(overall.indicator)).class();
        let mut components: Vec<_> = present
            .components
            .iter()
            .map(|(component, looked)| {
                let said = present.said_of(component, looked);
                Line { name: component.name.clone(), words: said.words, class: Tone::from(said.known).class() }
            })
            .collect();
        let more = components.len().saturating_sub(MAX_COMPONENTS);
        components.truncate(MAX_COMPONENTS);
        Self {
            overall: Line { name: present.page.name.clone(), words: said.words, class },
            components,
            more,
            drawn: in_words(present.now, &present.zone()),
        }
    }
}

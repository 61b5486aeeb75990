//! Whether search engines list the page: `KEEPER_ROBOTS`.
//!
//! A crawler that is not to list it reads so in each answer (`X-Robots-Tag`), and may therefore ask: a `robots.txt` that forbids
//! that would keep the word from them, and a page that others link to would be listed all the same, by its address.

use axum::{Router, http::header, response::IntoResponse, routing::get};

use super::super::AppState;

const ROBOTS_TXT: &str = "# Each answer says in X-Robots-Tag where it is not to be listed, so it may be asked for.\n\
                          User-agent: *\nAllow: /\n";

/// What search engines may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Robots {
    /// To list the page.
    Index,
    /// Not to.
    #[default]
    Noindex,
}

impl Robots {
    /// The value of `X-Robots-Tag`, where there is something to say.
    pub(super) const fn tag(self) -> Option<&'static str> {
        match self {
            Self::Index => None,
            Self::Noindex => Some("noindex, nofollow"),
        }
    }
}

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/robots.txt", get(text))
}

async fn text() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")], ROBOTS_TXT)
}

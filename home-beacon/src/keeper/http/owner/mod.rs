//! `/owner`, at the private listener alone: what is nobody's business but the owner's, behind a form that asks for the keeper's token.
//! The token is in no address and in no cookie.
//!
//! - `session`: who is logged in; `view`: what they see

mod session;
mod view;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use jiff::SignedDuration;
use subtle::ConstantTimeEq;
use tokio::time::Instant;
use url::form_urlencoded;

pub(super) use self::session::Sessions;
use self::{
    session::LASTS,
    view::{login_page, owner_page},
};
use super::{AppState, own::notices::resolved};

/// The name of the cookie.
const COOKIE: &str = "porchlight_session";

/// The longest form, in bytes.
const MAX_FORM: usize = 4096;

/// The longest that something is muted here, in hours.
const MAX_HOURS: i64 = 24 * 365;

const HEADERS: [(HeaderName, &str); 3] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(super) fn router(state: &AppState) -> Router<AppState> {
    let owners = Router::new()
        .route("/owner", get(show))
        .route("/owner/mute", post(mute))
        .route("/owner/unmute", post(unmute))
        .route("/logout", post(logout))
        .layer(middleware::from_fn_with_state(state.clone(), logged_in));
    owners
        .route("/login", get(form).post(login))
        .layer(middleware::from_fn(of_this_origin))
        .layer(DefaultBodyLimit::max(MAX_FORM))
}

/// What changes something must come from a page of ours: browsers say from where it does.
async fn of_this_origin(request: Request, next: Next) -> Response {
    if request.method().is_safe() || is_of_this_origin(request.headers()) {
        return next.run(request).await;
    }
    let words = "This must be sent from the keeper's own page. If it was: the proxy in between has to pass the header Host on as \
                 the browser sent it.\n";
    (StatusCode::FORBIDDEN, words).into_response()
}

fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    // Browsers say it themselves, and no script can.
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let (Some((scheme, origin)), Some(host)) =
        (text(header::ORIGIN).and_then(|origin| origin.split_once("://")), text(header::HOST))
    else {
        return false;
    };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let without_port = |authority: &str| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    without_port(origin) == without_port(host)
}

async fn logged_in(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match (cookie(request.headers()), state.token.current()) {
        (Some(secret), Ok(token)) if state.sessions.is_one(secret, &token, Instant::now()) => next.run(request).await,
        _ => Redirect::to("/login").into_response(),
    }
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn set_cookie(value: &str, seconds: u64, is_over_tls: bool) -> [(HeaderName, HeaderValue); 1] {
    let secure = if is_over_tls { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    [(header::SET_COOKIE, HeaderValue::from_str(&cookie).unwrap_or_else(|_| HeaderValue::from_static("")))]
}

/// A field of a form.
fn field(body: &Bytes, name: &str) -> Option<String> {
    form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

async fn form() -> Response {
    page(StatusCode::OK, login_page(None))
}

async fn login(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Response {
    let now = Instant::now();
    let is_over_tls = headers.get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"));
    if let Err(wait) = state.sessions.admit(now) {
        let seconds = wait.as_secs() + 1;
        let words = format!("That was wrong too often. Please try again in {seconds} seconds.");
        let retry = [(header::RETRY_AFTER, HeaderValue::from(seconds))];
        return (retry, page(StatusCode::TOO_MANY_REQUESTS, login_page(Some(&words)))).into_response();
    }
    let Ok(token) = state.token.current() else {
        let words = "The keeper cannot read its own token now: see its log.";
        return page(StatusCode::SERVICE_UNAVAILABLE, login_page(Some(words)));
    };
    let sent = field(&body, "token").unwrap_or_default();
    if !bool::from(sent.trim().as_bytes().ct_eq(token.expose().as_bytes())) {
        state.sessions.failed(now);
        tracing::warn!("somebody tried to log in with a wrong token");
        return page(StatusCode::FORBIDDEN, login_page(Some("That is not the keeper's token.")));
    }
    match state.sessions.begin(token, now) {
        Ok(secret) => (set_cookie(&secret, LASTS.as_secs(), is_over_tls), Redirect::to("/owner")).into_response(),
        Err(error) => page(StatusCode::SERVICE_UNAVAILABLE, login_page(Some(&error.to_string()))),
    }
}

async fn logout(State(state): State<AppState>, headers: HeaderMap) -> Response {
    if let Some(secret) = cookie(&headers) {
        state.sessions.end(secret);
    }
    (set_cookie("", 0, false), Redirect::to("/login")).into_response()
}

async fn show(State(state): State<AppState>) -> Response {
    page(StatusCode::OK, owner_page(&state, None).await)
}

async fn mute(State(state): State<AppState>, body: Bytes) -> Response {
    let key = field(&body, "key").unwrap_or_default();
    let hours =
        field(&body, "hours").and_then(|hours| hours.trim().parse().ok()).filter(|it| (1..=MAX_HOURS).contains(it));
    let Some(hours) = hours else {
        let words = "A mute lasts for a whole number of hours, up to a year.";
        return page(StatusCode::UNPROCESSABLE_ENTITY, owner_page(&state, Some(words)).await);
    };
    let now = state.clock.wall();
    let until = now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now);
    let done = async {
        let key = resolved(&state, key).await?;
        Ok(state.recorder.notices().mute(&state.db, now, &key, until).await?)
    };
    changed(&state, done.await).await
}

async fn unmute(State(state): State<AppState>, body: Bytes) -> Response {
    let key = field(&body, "key").unwrap_or_default();
    let done = state.recorder.notices().unmute(&state.db, state.clock.wall(), &key).await;
    changed(&state, done.map_err(Into::into)).await
}

/// Shows the page anew; a reload does nothing a second time.
async fn changed(state: &AppState, done: Result<(), super::HttpError>) -> Response {
    match done {
        Ok(()) => Redirect::to("/owner").into_response(),
        Err(error) => page(error.status(), owner_page(state, Some(&error.words())).await),
    }
}

fn page(status: StatusCode, html: Result<String, String>) -> Response {
    match html {
        Ok(html) => (status, HEADERS, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(error, "the owner's page cannot be drawn");
            (StatusCode::SERVICE_UNAVAILABLE, "This page cannot be drawn right now. Please try again in a minute.\n")
                .into_response()
        }
    }
}

//! What is sent. Pure.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::Value;
use url::Url;

/// A request of a channel. Its address, its headers and its body may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// GET or POST.
    pub method: Method,
    /// Where to.
    pub url: Url,
    /// Besides those that every request has.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// With its type.
    pub body: Option<(&'static str, Vec<u8>)>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Request {
    pub(super) fn json(url: Url, body: &Value) -> Self {
        let body = Some(("application/json", body.to_string().into_bytes()));
        Self { method: Method::POST, url, headers: Vec::new(), body }
    }

    pub(super) fn text(url: Url, body: String) -> Self {
        let body = Some(("text/plain; charset=utf-8", body.into_bytes()));
        Self { method: Method::POST, url, headers: Vec::new(), body }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        // What no header can hold was refused with the channel.
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.push((HeaderName::from_static(name), value));
        }
        self
    }

    /// With a login, if there is one; a password without a user is a token.
    #[must_use]
    pub(super) fn with_login(self, login: Option<&Login>) -> Self {
        match login {
            None => self,
            Some(Login::Token(token)) => self.with(AUTHORIZATION_NAME, &format!("Bearer {token}")),
            Some(Login::Basic(user, password)) => {
                self.with(AUTHORIZATION_NAME, &format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
        }
    }
}

const AUTHORIZATION_NAME: &str = "authorization";

/// How one logs in at a server.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    Token(String),
    Basic(String, String),
}

impl Login {
    /// What of it must not be shown, and the form in which it is sent.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Token(token) => vec![token.clone()],
            Self::Basic(user, password) => vec![password.clone(), STANDARD.encode(format!("{user}:{password}"))],
        }
    }

    pub(super) fn of(user: Option<&String>, password: Option<&String>) -> Option<Self> {
        match (user, password) {
            (None, None) => None,
            (None, Some(token)) => Some(Self::Token(token.clone())),
            (Some(user), password) => Some(Self::Basic(user.clone(), password.cloned().unwrap_or_default())),
        }
    }
}

//! From a service that Statping asks over HTTP to what is asked.

use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName};
use shared::secret::{Secret, SecretSource};
use url::Url;

use super::{build::flag, go_regex, service::Service};
use crate::{
    check::{BodyExpectation, Expect, HttpCheck, Kind, Text},
    file::{
        login,
        problems::At,
        reading::Reading,
        words::{TextOrSecret, Words},
    },
};

/// What Statping expects where a service says nothing.
const STATUS: u16 = 200;
/// As often as its client follows.
const REDIRECTS: u8 = 10;

pub(super) fn kind(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, title: &str) -> Option<Kind> {
    let (url, login) = address(reading, at, service)?;
    let method = service.text("method").map(|method| Words(method.to_owned()));
    let method = reading.method(&at.key("method"), method.as_ref())?;
    let mut headers = headers(reading, at, service, title);
    headers.extend(login.map(|login| (AUTHORIZATION, login)));
    let is_set = |headers: &[(HeaderName, Text)], name: &HeaderName| headers.iter().any(|(set, _)| set == name);
    // What Statping itself sends, and services may go by.
    if !is_set(&headers, &ACCEPT) {
        headers.push((ACCEPT, Text::Plain("text/html".into())));
    }
    let body = service.text("post_data").map(|data| Text::Secret(Secret::new(data).into()));
    if method == hyper::Method::POST || (body.is_some() && !is_set(&headers, &CONTENT_TYPE)) {
        headers.retain(|(name, _)| *name != CONTENT_TYPE);
        headers.push((CONTENT_TYPE, Text::Plain("application/json".into())));
    }
    let expect = expect(reading, at, service);
    Some(Kind::Http(Box::new(HttpCheck {
        url,
        method,
        headers,
        body,
        redirects: if flag(reading, at, service, "redirect").unwrap_or(false) { REDIRECTS } else { 0 },
        verify: flag(reading, at, service, "verify_ssl").unwrap_or(false),
        expect: expect?,
        slow_above: None,
    })))
}

/// The address, and what Go makes of a user name in it.
fn address(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Option<(Url, Option<Text>)> {
    let at = at.key("domain");
    let text = service.text("domain").unwrap_or_default();
    let Ok(mut url) = Url::parse(text) else {
        reading.wrong(&at, "domain: an address is written like https://example.com/path");
        return None;
    };
    let login = login::taken_from(&mut url);
    Some((reading.url(&at, &Words(url.into()))?, login))
}

/// Any of them may be a secret, and the file does not say which: all are kept as if they were.
fn headers(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, title: &str) -> Vec<(HeaderName, Text)> {
    let at = at.key("headers");
    let mut found: Vec<(HeaderName, Text)> = Vec::new();
    for pair in &service.headers {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name.trim().is_empty() || value.trim().is_empty() {
            let why =
                "a header is written as name=value, and a comma ends it: Statping leaves out what is not, and so do we";
            reading.notes.push(format!("{title}, headers: {why}"));
            continue;
        }
        let value = TextOrSecret::Plain(value.trim().to_owned());
        if let Some((name, Text::Plain(value))) = reading.header(&at, name.trim(), &value) {
            found.retain(|(set, _)| *set != name);
            found.push((name, Text::Secret(SecretSource::Value(Secret::new(value)))));
        }
    }
    found
}

fn expect(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Option<Expect> {
    let key = at.key("expected_status");
    let status = reading.problems.take(&key, service.number("expected_status"))?.filter(|status| *status != 0);
    let status = status.map_or(Some(STATUS), |status| u16::try_from(status).ok().filter(|it| (100..600).contains(it)));
    if status.is_none() {
        reading.wrong(&key, "expected_status: write a status from 100 to 599");
    }
    let expected = service.text("expected").map(|pattern| {
        let words = Words(go_regex::translated(pattern));
        reading.regex(&at.key("expected"), &words).map(BodyExpectation::Matches)
    });
    let body = match expected {
        Some(expected) => vec![expected?],
        None => Vec::new(),
    };
    let status = status?;
    Some(Expect { status: vec![status..=status], body, ..Expect::default() })
}

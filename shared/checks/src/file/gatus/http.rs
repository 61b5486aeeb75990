//! From an endpoint that Gatus asks over HTTP to what is asked.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use shared::{secret::Secret, settings::OURS};
use url::Url;

use super::{
    condition::Wanted,
    definition::{Client, Endpoint},
};
use crate::{
    check::{BodyExpectation, CertificateAges, Expect, HttpCheck, Kind, Text},
    file::{
        login,
        problems::At,
        reading::Reading,
        words::{TextOrSecret, Words},
    },
};

/// As often as its client follows.
const REDIRECTS: u8 = 10;

pub(super) fn kind(
    reading: &mut Reading<'_>,
    at: &At<'_>,
    endpoint: &Endpoint,
    url: &str,
    wanted: &Wanted,
    title: &str,
) -> Option<Kind> {
    let (url, login) = bare(url);
    let url = reading.url(&at.key("url"), &Words(url));
    let method = reading.method(&at.key("method"), endpoint.method.as_ref());
    let mut headers = headers(reading, at, endpoint);
    if !headers.iter().any(|(name, _)| *name == AUTHORIZATION) {
        headers.extend(login.map(|login| (AUTHORIZATION, login)));
    }
    let mut body = endpoint.body.as_ref().map(|body| expanded(reading, &body.0));
    if endpoint.graphql {
        body = body.map(|query| serde_json::json!({ "query": query }).to_string());
        if !headers.iter().any(|(name, _)| *name == CONTENT_TYPE) {
            headers.push((CONTENT_TYPE, Text::Plain("application/json".into())));
        }
    }
    if wanted.fast.is_some() {
        reading.notes.push(format!("{title}, [RESPONSE_TIME]: an answer that is too slow is a warning here"));
    }
    let expect = expect(reading, at, wanted);
    let Client { insecure, ignore_redirect, .. } = endpoint.client;
    Some(Kind::Http(Box::new(HttpCheck {
        url: url?,
        method: method?,
        headers,
        body: body.map(|body| Text::Secret(Secret::new(body).into())),
        redirects: if ignore_redirect { 0 } else { REDIRECTS },
        verify: !insecure,
        expect: expect?,
        slow_above: wanted.fast,
    })))
}

/// Without what is sent to nobody, and with what Go makes of a user name in it.
fn bare(url: &str) -> (String, Option<Text>) {
    let Ok(mut url) = Url::parse(url) else { return (url.to_owned(), None) };
    url.set_fragment(None);
    let login = login::taken_from(&mut url);
    (url.into(), login)
}

/// Any of them may be a secret: all are kept as if they were.
fn headers(reading: &mut Reading<'_>, at: &At<'_>, endpoint: &Endpoint) -> Vec<(HeaderName, Text)> {
    let list = at.key("headers");
    let mut found = Vec::new();
    for (name, Words(value)) in &endpoint.headers {
        let value = expanded(reading, value);
        if value.trim().is_empty() {
            // Of a variable that is not set, which is noted.
            continue;
        }
        let value = TextOrSecret::Plain(value);
        if let Some((name, Text::Plain(value))) = reading.header(&list.key(name), name, &value) {
            found.push((name, Text::Secret(Secret::new(value).into())));
        }
    }
    found
}

fn expect(reading: &mut Reading<'_>, at: &At<'_>, wanted: &Wanted) -> Option<Expect> {
    let at = at.key("conditions");
    let status = wanted.statuses();
    if status.is_empty() {
        reading.wrong(&at, "conditions: no status is left that all of them take: take one of them out");
    }
    let mut body = Vec::new();
    for (pattern, is_wanted) in &wanted.body {
        let regex = reading.regex(&at, &Words(pattern.clone()))?;
        body.push(if *is_wanted { BodyExpectation::Matches(regex) } else { BodyExpectation::MatchesNot(regex) });
    }
    for (path, pattern) in &wanted.json {
        let path = reading.json_path(&at, &Words(path.clone()))?;
        let matches = match pattern {
            Some(pattern) => Some(reading.regex(&at, &Words(pattern.clone()))?),
            None => None,
        };
        body.push(BodyExpectation::Json { path, equals: None, matches });
    }
    let certificate = CertificateAges { warning: None, critical: wanted.certificate };
    Some(Expect { status, body, certificate, ..Expect::default() })
}

/// Whether a setting of Porchlight is a secret, which is sent nowhere else; others may have names that people take, too.
fn is_our_secret(name: &str) -> bool {
    let bare = name.trim_end_matches("_FILE");
    let is_secret = ["KEY", "KEY_OLD", "TOKEN", "NOTIFY_URLS", "DATABASE_URL"].iter().any(|end| bare.ends_with(end));
    is_secret && OURS.contains(&name)
}

/// With the variables that it names, `$NAME` or `${NAME}`; `$$` is a dollar. One that is not set is empty, as in Gatus, and noted;
/// so is one that is a secret of Porchlight.
pub(super) fn expanded(reading: &mut Reading<'_>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, behind) = match (after.strip_prefix('{'), after.strip_prefix('$')) {
            (_, Some(behind)) => {
                out.push('$');
                rest = behind;
                continue;
            }
            (Some(braced), _) => braced.split_once('}').unwrap_or((braced, "")),
            _ => after.split_at(after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len())),
        };
        let is_ours = is_our_secret(name);
        let value = reading.machine().variable(name).and_then(|value| value.into_string().ok());
        let value = value.filter(|_| !is_ours);
        if value.is_none() {
            let why = if is_ours { "is a secret of Porchlight itself" } else { "is not set" };
            let note = format!("{name}: this variable {why}, and what names it is empty");
            if !reading.notes.contains(&note) {
                reading.notes.push(note);
            }
        }
        out.push_str(&value.unwrap_or_default());
        rest = behind;
    }
    out.push_str(rest);
    out
}

//! From a monitor that asks over HTTP to what is asked.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName};
use serde_json::{Map, Value};
use shared::secret::Secret;
use url::Url;

use super::monitor::Monitor;
use crate::{
    check::{BodyExpectation, Expect, HttpCheck, Kind, StatusRange, Text},
    file::{
        dotted, login,
        problems::At,
        reading::Reading,
        words::{TextOrSecret, Words},
    },
};

/// How many redirects are followed at most.
const MOST_REDIRECTS: u8 = 20;

pub(super) fn kind(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Kind> {
    let at = At::ROOT;
    let mut url = Url::parse(monitor.text("url").unwrap_or_default());
    let login = url.as_mut().ok().and_then(login::taken_from);
    let written = url.as_ref().map_or_else(|_| monitor.text("url").unwrap_or_default(), Url::as_str);
    let url = reading.url(&at.key("url"), &Words(written.to_owned()))?;
    let method = monitor.text("method").map(|method| Words(method.to_owned()));
    let method = reading.method(&at.key("method"), method.as_ref())?;
    let body = monitor.text("body").map(ToOwned::to_owned);
    let mut headers = headers(reading, monitor, body.is_some())?;
    if !has(&headers, &AUTHORIZATION) {
        headers.extend(login.map(|login| (AUTHORIZATION, login)));
    }
    let redirects = monitor.number("maxredirects").map_or(10, |most| most.clamp(0, MOST_REDIRECTS.into()));
    let expect = Expect {
        status: statuses(reading, monitor)?,
        body: expected_body(reading, monitor)?.into_iter().collect(),
        ..Expect::default()
    };
    Some(Kind::Http(Box::new(HttpCheck {
        url,
        method,
        headers,
        // It may hold a secret.
        body: body.map(|body| Text::Secret(Secret::new(body).into())),
        redirects: u8::try_from(redirects).unwrap_or(MOST_REDIRECTS),
        verify: monitor.flag("ignore_tls") != Some(true),
        expect,
        slow_above: None,
    })))
}

/// Each value may be a secret: they are kept as if all were.
fn headers(reading: &mut Reading<'_>, monitor: &Monitor<'_>, has_body: bool) -> Option<Vec<(HeaderName, Text)>> {
    let at = At::ROOT.key("headers");
    let written: Map<String, Value> = match monitor.text("headers").map(serde_json::from_str) {
        None => Map::new(),
        Some(Ok(written)) => written,
        Some(Err(_)) => {
            reading.wrong(&at, "its headers are no JSON object");
            return None;
        }
    };
    let mut found = Vec::new();
    for (name, value) in &written {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        if let (name, Text::Plain(value)) = reading.header(&at.key(name), name, &TextOrSecret::Plain(value))?
            && !value.trim().is_empty()
            && !has(&found, &name)
        {
            found.push((name, Text::Secret(Secret::new(value).into())));
        }
    }
    if has_body && !has(&found, &CONTENT_TYPE) {
        let kind = match monitor.text("http_body_encoding") {
            Some("form") => "application/x-www-form-urlencoded",
            Some("xml") => "text/xml; charset=utf-8",
            _ => "application/json",
        };
        found.push((CONTENT_TYPE, Text::Plain(kind.into())));
    }
    match monitor.text("auth_method") {
        // What stands beside it is of before it was switched off. A version without this column had only one method.
        None if monitor.0.contains_key("auth_method") => (),
        None | Some("basic") => {
            let user = monitor.text("basic_auth_user").filter(|_| !has(&found, &AUTHORIZATION));
            let password = monitor.text("basic_auth_pass").unwrap_or_default();
            found.extend(user.map(|user| (AUTHORIZATION, login::basic(user, password))));
        }
        Some(method) => {
            reading.wrong(&At::ROOT.key("auth_method"), format!("there is no authentication by {method} here"));
            return None;
        }
    }
    Some(found)
}

fn has(headers: &[(HeaderName, Text)], name: &HeaderName) -> bool {
    headers.iter().any(|(known, _)| known == name)
}

fn statuses(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Vec<StatusRange>> {
    let written = monitor.text("accepted_statuscodes_json").unwrap_or("[\"200-299\"]");
    let list: Vec<String> = serde_json::from_str(written).unwrap_or_default();
    let range = |text: &String| {
        let (start, end) = text.split_once('-').unwrap_or((text, text));
        let (start, end) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
        (100 <= start && start <= end && end <= 599).then_some(start..=end)
    };
    let ranges: Option<Vec<StatusRange>> = list.iter().map(range).collect();
    let ranges = ranges.filter(|ranges| !ranges.is_empty());
    if ranges.is_none() {
        reading.wrong(&At::ROOT.key("accepted_statuscodes_json"), "the statuses that it accepts cannot be read");
    }
    ranges
}

/// `None` where it cannot be asked for here; nothing is an answer, too.
fn expected_body(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Option<BodyExpectation>> {
    match monitor.kind() {
        "keyword" => {
            let keyword = monitor.text("keyword").unwrap_or_default();
            if keyword.contains('"') {
                let why = "its keyword is looked for in a body as it was sent, and was in one without blanks between its parts";
                reading.notes.push(format!("{}: {why}", monitor.title()));
            }
            let regex = reading.regex(&At::ROOT.key("keyword"), &Words(regex::escape(keyword)))?;
            let is_inverted = monitor.flag("invert_keyword") == Some(true);
            Some(Some(if is_inverted { BodyExpectation::MatchesNot(regex) } else { BodyExpectation::Matches(regex) }))
        }
        "json-query" => {
            let (at, value) = (At::ROOT.key("json_path"), monitor.text("expected_value"));
            let path = monitor.text("json_path").and_then(dotted::json_path);
            let is_equality = monitor.text("json_path_operator").is_none_or(|operator| operator == "==");
            let (Some(path), Some(value), true) = (path, value, is_equality) else {
                reading.wrong(&at, "its JSON query is more than a path and a value, which is all that is asked here");
                return None;
            };
            let path = reading.json_path(&at, &Words(path))?;
            let matches = reading.regex(&at, &Words(format!("^{}$", regex::escape(value))))?;
            Some(Some(BodyExpectation::Json { path, equals: None, matches: Some(matches) }))
        }
        _ => Some(None),
    }
}

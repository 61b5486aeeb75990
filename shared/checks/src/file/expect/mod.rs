//! What an answer must be: of `checks.yml`, and of JSON, for the targets of a prober.
//!
//! - `shape`: its shape, from which it is read

pub(super) mod shape;

use std::path::Path;

use serde_json::Value;

use self::shape::{Body, Certificate, Expect as Shape, Header, Json};
use crate::{
    answer::MAX_BODY,
    check::{BodyExpectation, CertificateAges, Expect, HeaderExpectation, StatusRange},
    file::{
        machine::Machine,
        problems::{At, Place, Problem, Problems},
        reading::Reading,
        shape as any_shape,
        words::{Words, size, written},
    },
};

/// Reads `expect` of JSON, in the form that `checks.yml` has.
///
/// # Errors
/// Everything that is wrong, each as `<place>: <sentence>`.
pub fn expect_of_json(value: &Value) -> Result<Expect, Vec<String>> {
    let mut reading = Reading::new(&Nowhere);
    let mut problems = Problems::default();
    let shape: Option<Shape> = any_shape::read(value.clone(), &Place::default(), &mut problems);
    reading.problems = problems;
    let expect = shape.and_then(|shape| expect(&mut reading, &At::ROOT, &shape));
    match expect {
        Some(expect) if reading.problems.is_empty() => Ok(expect),
        _ => Err(reading.problems.wrong.iter().map(with_place).collect()),
    }
}

/// A sentence behind its place, which ends with the key that most sentences begin with.
fn with_place(problem: &Problem) -> String {
    let place = problem.place.to_string();
    let key = problem.sentence.split(": ").next().unwrap_or_default();
    let sentence =
        if !key.contains(' ') && place.ends_with(key) { &problem.sentence[key.len() + 2..] } else { &problem.sentence };
    format!("{place}: {sentence}")
}

/// `expect` refers to nothing of a machine.
struct Nowhere;

impl Machine for Nowhere {
    fn variable(&self, _: &str) -> Option<std::ffi::OsString> {
        None
    }

    fn program(&self, _: &Path) -> Result<(), String> {
        Err("is not there".into())
    }

    fn is_folder(&self, _: &Path) -> bool {
        false
    }
}

pub(in crate::file) fn expect(reading: &mut Reading<'_>, at: &At<'_>, shape: &Shape) -> Option<Expect> {
    let status = statuses(reading, &at.key("status"), &shape.status.0);
    let body = bodies(reading, at, shape.body.as_ref(), &shape.json);
    let headers = headers(reading, &at.key("headers"), &shape.headers);
    let largest = largest(reading, &at.key("largest"), shape.largest.as_ref());
    let certificate = certificate(reading, &at.key("certificate"), shape.certificate.as_ref());
    Some(Expect { status: status?, body: body?, headers: headers?, largest: largest?, certificate: certificate? })
}

fn statuses(reading: &mut Reading<'_>, at: &At<'_>, words: &[Words]) -> Option<Vec<StatusRange>> {
    let mut good = Some(Vec::new());
    for words in words {
        let found = status(&words.0);
        if found.is_none() {
            reading.wrong(at, "status: write a status from 100 to 599, or a range of them, like \"301-308\"");
        }
        good = good.zip(found).map(|(mut good, found)| {
            good.push(found);
            good
        });
    }
    good
}

fn status(text: &str) -> Option<StatusRange> {
    let one = |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..600).contains(status));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (one(first)?, one(last)?),
        None => (one(text)?, one(text)?),
    };
    (first <= last).then_some(first..=last)
}

fn bodies(reading: &mut Reading<'_>, at: &At<'_>, body: Option<&Body>, json: &[Json]) -> Option<Vec<BodyExpectation>> {
    let mut found = Vec::new();
    if let Some(body) = body {
        let at = at.key("body");
        let matches = body.matches.0.iter().map(|words| reading.regex(&at.key("matches"), words));
        found.extend(matches.map(|regex| regex.map(BodyExpectation::Matches)));
        let not = body.matches_not.0.iter().map(|words| reading.regex(&at.key("matches_not"), words));
        found.extend(not.map(|regex| regex.map(BodyExpectation::MatchesNot)));
        if body.matches.0.is_empty() && body.matches_not.0.is_empty() {
            reading.wrong(&at, "body: write what it must match (matches) or must not (matches_not)");
        }
    }
    let list = at.key("json");
    for (index, json) in json.iter().enumerate() {
        let at = list.item(index);
        let path = reading.json_path(&at.key("path"), &json.path);
        let matches = json.matches.as_ref().map(|words| reading.regex(&at.key("matches"), words));
        let is_well = matches.as_ref().is_none_or(Option::is_some);
        let made = path.filter(|_| is_well).map(|path| BodyExpectation::Json {
            path,
            equals: json.equals.clone(),
            matches: matches.flatten(),
        });
        found.push(made);
    }
    found.into_iter().collect()
}

fn headers(
    reading: &mut Reading<'_>,
    at: &At<'_>,
    headers: &std::collections::BTreeMap<String, Option<Header>>,
) -> Option<Vec<HeaderExpectation>> {
    let mut found = Vec::new();
    for (key, header) in headers {
        let at = at.key(key);
        let name = reading.header_name(&at, key);
        let words = header.as_ref().and_then(|header| header.matches.as_ref());
        let matches = words.map(|words| reading.regex(&at.key("matches"), words));
        let is_well = matches.as_ref().is_none_or(Option::is_some);
        found.push(name.filter(|_| is_well).map(|name| HeaderExpectation { name, matches: matches.flatten() }));
    }
    found.into_iter().collect()
}

fn largest(reading: &mut Reading<'_>, at: &At<'_>, words: Option<&Words>) -> Option<Option<u64>> {
    let Some(words) = words else { return Some(None) };
    let read = size(&words.0).map_err(|error| format!("largest: {error}"));
    let size = reading.problems.take(at, read)?;
    if size > MAX_BODY as u64 {
        reading.wrong(at, "largest: no more than the first MiB of a body is read: write 1MiB or less");
        return None;
    }
    Some(Some(size))
}

pub(in crate::file) fn certificate(
    reading: &mut Reading<'_>,
    at: &At<'_>,
    shape: Option<&Certificate>,
) -> Option<CertificateAges> {
    let Some(shape) = shape else { return Some(CertificateAges::default()) };
    let warning = shape.warning.as_ref().map(|span| reading.span(&at.key("warning"), Some(span)));
    let critical = shape.critical.as_ref().map(|span| reading.span(&at.key("critical"), Some(span)));
    let (warning, critical) = (lift(warning)?, lift(critical)?);
    if let (Some(warning), Some(critical)) = (warning, critical)
        && critical > warning
    {
        let (warning, critical) = (written(warning), written(critical));
        reading
            .wrong(at, format!("certificate: critical ({critical}) is more than warning ({warning}): exchange them"));
        return None;
    }
    Some(CertificateAges { warning, critical })
}

/// What was not asked for is well; what was asked for and is wrong is not.
pub(in crate::file) fn lift<T>(asked: Option<Option<T>>) -> Option<Option<T>> {
    match asked {
        None => Some(None),
        Some(found) => found.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_target_of_a_prober_has_the_same_expect_as_a_check() {
        let value = json!({
            "status": [200, "301-308"],
            "body": {"matches": "ok", "matches_not": ["error", "fatal"]},
            "json": [{"path": "$.state", "equals": "up"}, {"path": "$.error", "equals": null}],
            "headers": {"X-Served-By": null, "Content-Type": {"matches": "^text/"}},
            "largest": "64KiB",
            "certificate": {"warning": "14d", "critical": "3d"}
        });
        let expect = expect_of_json(&value).unwrap();
        let accepted = [200, 301, 308, 201, 404].map(|status| expect.accepts(StatusCode::from_u16(status).unwrap()));
        assert_eq!(accepted, [true, true, true, false, false]);
        assert_eq!((expect.body.len(), expect.headers.len(), expect.largest), (5, 2, Some(65_536)));
        assert!(matches!(&expect.body[4], BodyExpectation::Json { equals: Some(Value::Null), .. }));
        assert_eq!(expect.certificate.warning.unwrap().as_secs(), 14 * 86_400);
        assert!(expect_of_json(&json!({})).unwrap().accepts(StatusCode::FOUND));
    }

    #[test]
    fn everything_that_is_wrong_with_it_is_said_at_once_with_its_place() {
        let value = json!({"status": ["20x", 99], "boddy": {}, "json": [{"path": "$["}], "body": {"matches": "("}});
        let wrong = expect_of_json(&value).unwrap_err();
        let starts = [
            "boddy: boddy is no key here: was body meant?",
            "status: ",
            "status: ",
            "body.matches: ",
            "json[0].path: ",
        ];
        assert_eq!(wrong.len(), starts.len(), "{wrong:#?}");
        assert!(wrong.iter().zip(starts).all(|(wrong, start)| wrong.starts_with(start)), "{wrong:#?}");
    }
}

//! Whether an answer is what was expected. What stands in it is quoted by `quote`, which bounds it.

use hyper::StatusCode;
use regex::Regex;
use serde_json::Value;

use super::{Finding, MAX_BODY};
use crate::{
    cause::Cause,
    check::{BodyExpectation, Expect, HeaderExpectation},
};

/// Status and headers; `values` are those of the headers of a name, which is in lower case.
///
/// # Errors
/// What is not as expected, first of all the status.
pub fn judge_head(
    expect: &Expect,
    status: u16,
    values: impl Fn(&str) -> Vec<String>,
    quote: impl Fn(&str) -> String,
) -> Result<(), Finding> {
    if !StatusCode::from_u16(status).is_ok_and(|status| expect.accepts(status)) {
        let text = format!("HTTP {status} instead of {}", statuses(expect));
        return Err(Finding::new(Cause::Status, text));
    }
    for HeaderExpectation { name, matches } in &expect.headers {
        let values = values(name.as_str());
        let Some(first) = values.first() else {
            return Err(Finding::new(Cause::Header, format!("its answer has no header {name}")));
        };
        if let Some(pattern) = matches.as_ref().filter(|pattern| !values.iter().any(|it| pattern.is_match(it))) {
            let text = format!("the header {name} is {}, in which /{pattern}/ is not found", quote(first));
            return Err(Finding::new(Cause::Header, text));
        }
    }
    Ok(())
}

/// The statuses that are accepted: `200-399`.
fn statuses(expect: &Expect) -> String {
    let range = |range: &std::ops::RangeInclusive<u16>| match (range.start(), range.end()) {
        (start, end) if start == end => start.to_string(),
        (start, end) => format!("{start}-{end}"),
    };
    let ranges: Vec<_> = expect.status.iter().map(range).collect();
    if ranges.is_empty() { "200-399".into() } else { ranges.join(", ") }
}

/// What the body must hold; `is_whole` is whether `bytes` are all of it, and not only its beginning.
///
/// # Errors
/// The first thing that is not as expected.
pub fn judge_body(
    expect: &Expect,
    (bytes, is_whole): (&[u8], bool),
    quote: impl Fn(&str) -> String,
) -> Result<(), Finding> {
    if expect.body.is_empty() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(bytes);
    let json = expect.body.iter().any(|it| matches!(it, BodyExpectation::Json { .. }));
    let json = json.then(|| serde_json::from_slice::<Value>(bytes));
    let of_it = if is_whole { "its body" } else { BEGINNING };
    for expectation in &expect.body {
        let wrong = match (expectation, &json) {
            (BodyExpectation::Matches(pattern), _) if !pattern.is_match(&text) => {
                format!("/{pattern}/ is not found in {of_it}, which begins with {}", quote(&text))
            }
            (BodyExpectation::MatchesNot(pattern), _) if pattern.is_match(&text) => {
                format!("/{pattern}/ is found in {of_it}, where it must not be")
            }
            (BodyExpectation::Json { .. }, Some(Err(_))) => {
                format!("{of_it} is no JSON; it begins with {}", quote(&text))
            }
            (BodyExpectation::Json { path, equals, matches }, Some(Ok(json))) => {
                let found = path.query(json).all();
                if found.iter().any(|value| is_wanted(value, equals.as_ref(), matches.as_ref())) {
                    continue;
                }
                match found.first() {
                    None => format!("there is nothing at {path} of {of_it}"),
                    Some(value) => {
                        let wanted = equals.as_ref().map(|wanted| format!(" instead of {wanted}"));
                        let pattern = matches.as_ref().map(|pattern| format!(", in which /{pattern}/ is not found"));
                        let expected = wanted.or(pattern).unwrap_or_default();
                        format!("{path} is {}{expected}", quote(&written(value)))
                    }
                }
            }
            _ => continue,
        };
        return Err(Finding::new(Cause::Body, wrong));
    }
    Ok(())
}

/// What is judged of a body that has more than is read.
const BEGINNING: &str = "the first MiB of its body";
const _: () = assert!(MAX_BODY == 1 << 20, "the text says so");

fn is_wanted(value: &Value, equals: Option<&Value>, matches: Option<&Regex>) -> bool {
    equals.is_none_or(|wanted| is_same(value, wanted))
        && matches.is_none_or(|pattern| pattern.is_match(&written(value)))
}

/// JSON has numbers of one kind: 1 and 1.0 are the same.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) if a.is_f64() || b.is_f64() => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        _ => one == other,
    }
}

/// A text as it is, everything else as JSON.
fn written(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_json_is_compared_as_json() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for (one, other, is) in [
            ("1", "1.0", true),
            ("\"1\"", "1", false),
            ("true", "true", true),
            ("{\"a\":[1]}", "{\"a\":[1.0]}", true),
            ("{\"a\":1}", "{\"b\":1}", false),
            ("[1]", "[1, 1]", false),
            ("9007199254740993", "9007199254740992", false),
            ("null", "false", false),
            ("18446744073709551615", "18446744073709551615", true),
        ] {
            assert_eq!(is_same(&value(one), &value(other)), is, "{one} {other}");
        }
    }
}

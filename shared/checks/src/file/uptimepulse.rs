//! The variables of UpTimePulse's agent, with their meaning there: each target is asked by HTTP, by default for its first byte
//! alone, and is down at a status of 400 or more.

use std::time::Duration;

use hyper::{
    Method,
    header::{HeaderName, RANGE, USER_AGENT},
};

use super::{
    Loaded, MAX_CHECKS, Wrong,
    names::Names,
    words::{duration, written},
};
use url::Position;

use crate::{
    check::{Check, Expect, HttpCheck, Kind, LEAST_INTERVAL, Notices, Place, Text},
    thresholds::Thresholds,
};

/// The variables that are read.
pub const VARIABLES: [&str; 6] = [
    "PING_TARGET_URLS",
    "PING_INTERVAL_SECONDS",
    "PING_CONCURRENCY",
    "PING_BODY_MAX_BYTES",
    "PING_HTTP_METHOD",
    "PING_RANGE_REQUEST",
];

/// Of its agent, where a variable says nothing.
const INTERVAL: Duration = Duration::from_secs(30);
const CONCURRENCY: u32 = 5;
const TIMEOUT: Duration = Duration::from_secs(10);
/// As many as Go's client follows.
const REDIRECTS: u8 = 10;
/// By this name services may know it.
const AGENT: &str = "iyup-ping-agent";

/// What the variables came to.
#[derive(Clone, Debug)]
pub struct Agent {
    /// A check for each target, and what is not done.
    pub loaded: Loaded,
    /// How many targets are asked at a time.
    pub concurrency: u32,
}

/// Reads the variables as they are handed in; `None` where no targets are set: the agent's own two are of no use.
///
/// # Errors
/// Everything that is wrong; the variable is in the place of a file.
pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Agent>, Vec<Wrong>> {
    let value = |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let Some(targets) = value("PING_TARGET_URLS") else { return Ok(None) };
    let mut wrong = Vec::new();
    let mut take = |name: &str, read: Result<u64, String>| {
        read.map_err(|sentence| wrong.push(Wrong { file: name.to_owned(), line: None, sentence })).ok()
    };
    let number = |name: &str, default: u64| match value(name) {
        Some(text) => text.parse().map_err(|_| "write a whole number".to_owned()),
        None => Ok(default),
    };
    let every =
        take("PING_INTERVAL_SECONDS", interval(value("PING_INTERVAL_SECONDS").as_deref()).map(|it| it.as_secs()));
    let concurrency = take(
        "PING_CONCURRENCY",
        number("PING_CONCURRENCY", CONCURRENCY.into()).and_then(|number| {
            if (1..=1000).contains(&number) { Ok(number) } else { Err("write a whole number from 1 to 1000".into()) }
        }),
    );
    take("PING_BODY_MAX_BYTES", number("PING_BODY_MAX_BYTES", 0));
    let method = method(value("PING_HTTP_METHOD").as_deref());
    let range = flag(value("PING_RANGE_REQUEST").as_deref());
    for (name, error) in [("PING_HTTP_METHOD", method.as_ref().err()), ("PING_RANGE_REQUEST", range.as_ref().err())] {
        wrong.extend(error.map(|error| Wrong { file: name.to_owned(), line: None, sentence: error.clone() }));
    }
    let every = Duration::from_secs(every.unwrap_or(INTERVAL.as_secs()));
    let pattern = Pattern { every, method: method.unwrap_or(Method::GET), range: range.unwrap_or(true) };
    let checks = checks(&targets, &pattern, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let mut notes = Vec::new();
    if value("PING_BODY_MAX_BYTES").is_some() {
        notes.push("PING_BODY_MAX_BYTES: of a body no more than the first MiB is read, whatever is set".to_owned());
    }
    let concurrency = u32::try_from(concurrency.unwrap_or_default()).unwrap_or(CONCURRENCY);
    Ok(Some(Agent { loaded: Loaded { checks, notes, has_list: true, ..Loaded::default() }, concurrency }))
}

struct Pattern {
    every: Duration,
    method: Method,
    range: bool,
}

fn interval(text: Option<&str>) -> Result<Duration, String> {
    let Some(text) = text else { return Ok(INTERVAL) };
    let seconds = if text.bytes().all(|b| b.is_ascii_digit()) { format!("{text}s") } else { text.to_owned() };
    let every = duration(&seconds).map_err(|_| "write a number of seconds".to_owned())?;
    if every < LEAST_INTERVAL {
        let least = written(LEAST_INTERVAL);
        return Err(format!("the shortest interval is {least}: write {} or more", LEAST_INTERVAL.as_secs()));
    }
    Ok(every)
}

fn method(text: Option<&str>) -> Result<Method, String> {
    match text.map(str::to_ascii_uppercase).as_deref() {
        None | Some("GET") => Ok(Method::GET),
        Some("HEAD") => Ok(Method::HEAD),
        Some(_) => Err("write GET or HEAD".into()),
    }
}

fn flag(text: Option<&str>) -> Result<bool, String> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("true" | "1" | "t" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "f" | "no" | "off") => Ok(false),
        Some(_) => Err("write true or false".into()),
    }
}

fn checks(targets: &str, pattern: &Pattern, wrong: &mut Vec<Wrong>) -> Vec<Check> {
    let mut names = Names::default();
    let mut seen = std::collections::HashSet::new();
    let mut checks = Vec::new();
    let targets: Vec<_> = targets.split(',').map(str::trim).filter(|target| !target.is_empty()).collect();
    let mut say = |sentence: String| wrong.push(Wrong { file: "PING_TARGET_URLS".into(), line: None, sentence });
    if targets.len() > MAX_CHECKS {
        say(format!("there are more than {MAX_CHECKS} targets: share them between two programs"));
        return checks;
    }
    for (index, target) in targets.iter().enumerate().filter(|(_, target)| seen.insert(**target)) {
        match check(target, pattern, &mut names) {
            Ok(check) => checks.push(check),
            // The target itself is not repeated: there may be a password in it.
            Err(error) => say(format!("target {} is wrong: {error}", index + 1)),
        }
    }
    checks
}

fn check(target: &str, pattern: &Pattern, names: &mut Names) -> Result<Check, String> {
    let url = shared::settings::web_address(target)?;
    let path = url.path().trim_end_matches('/');
    let port = url.port().map(|port| format!("-{port}")).unwrap_or_default();
    let mut headers: Vec<(HeaderName, Text)> = vec![(USER_AGENT, Text::Plain(AGENT.into()))];
    if pattern.range {
        headers.push((RANGE, Text::Plain("bytes=0-0".into())));
    }
    Ok(Check {
        name: names.make(&format!("{}{port}{path}", url.host_str().unwrap_or_default())),
        was: None,
        title: url[Position::BeforeHost..Position::AfterPath].to_owned(),
        group: None,
        kind: Kind::Http(Box::new(HttpCheck {
            url,
            method: pattern.method.clone(),
            headers,
            body: None,
            redirects: REDIRECTS,
            verify: true,
            expect: Expect { status: vec![100..=399], ..Expect::default() },
            slow_above: None,
        })),
        every: pattern.every,
        timeout: TIMEOUT.min(pattern.every),
        retries: 0,
        thresholds: Thresholds { fail_after: 1, recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Own,
        notices: Notices::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(set: &[(&str, &str)]) -> Result<Option<Agent>, Vec<String>> {
        let variable = |name: &str| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        read(variable).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_target_is_asked_for_its_first_byte_and_is_down_at_400() {
        let urls = "https://google.com, https://github.com/status ,http://nas.lan:8080/,http://nas.lan:8080/,";
        let agent = agent(&[("PING_TARGET_URLS", urls)]).unwrap().unwrap();
        let names: Vec<_> = agent.loaded.checks.iter().map(|check| check.name.as_str()).collect();
        assert_eq!(names, ["google.com", "github.com-status", "nas.lan-8080"]);
        assert_eq!((agent.concurrency, agent.loaded.notes.len()), (5, 0));
        let check = &agent.loaded.checks[2];
        assert_eq!((check.every, check.timeout, check.title.as_str()), (INTERVAL, TIMEOUT, "nas.lan:8080/"));
        let Kind::Http(http) = &check.kind else { panic!("{:?}", check.kind) };
        assert!(
            http.headers
                .iter()
                .any(|(name, text)| *name == RANGE && matches!(text, Text::Plain(it) if it == "bytes=0-0"))
        );
        let accepts =
            [206, 304, 399, 400, 404].map(|status| http.expect.accepts(hyper::StatusCode::from_u16(status).unwrap()));
        assert_eq!(accepts, [true, true, true, false, false]);
    }

    #[test]
    fn the_other_variables_count_too() {
        let set = [
            ("PING_TARGET_URLS", "http://nas.lan/"),
            ("PING_INTERVAL_SECONDS", "7"),
            ("PING_CONCURRENCY", "20"),
            ("PING_BODY_MAX_BYTES", "1024"),
            ("PING_HTTP_METHOD", "head"),
            ("PING_RANGE_REQUEST", "False"),
        ];
        let agent = agent(&set).unwrap().unwrap();
        let check = &agent.loaded.checks[0];
        assert_eq!(
            (agent.concurrency, agent.loaded.notes.len(), check.every.as_secs(), check.timeout.as_secs()),
            (20, 1, 7, 7)
        );
        let Kind::Http(http) = &check.kind else { panic!("{:?}", check.kind) };
        assert_eq!((&http.method, http.headers.len()), (&Method::HEAD, 1));
    }

    #[test]
    fn without_targets_there_is_no_agent_and_what_is_wrong_is_said_by_its_variable() {
        assert!(agent(&[("PING_CONCURRENCY", "x")]).unwrap().is_none());
        let set = [
            ("PING_TARGET_URLS", "nas.lan,http://a:hunter2@nas.lan/"),
            ("PING_INTERVAL_SECONDS", "3"),
            ("PING_CONCURRENCY", "0"),
            ("PING_BODY_MAX_BYTES", "many"),
            ("PING_HTTP_METHOD", "PSOT"),
            ("PING_RANGE_REQUEST", "maybe"),
        ];
        let said = agent(&set).unwrap_err();
        let expected = [
            "PING_INTERVAL_SECONDS: the shortest interval is 5s: write 5 or more",
            "PING_CONCURRENCY: write a whole number from 1 to 1000",
            "PING_BODY_MAX_BYTES: write a whole number",
            "PING_HTTP_METHOD: write GET or HEAD",
            "PING_RANGE_REQUEST: write true or false",
            "PING_TARGET_URLS: target 1 is wrong: an address is written like https://example.com/path",
            "PING_TARGET_URLS: target 2 is wrong: an address must not hold a user name or password",
        ];
        assert_eq!(said, expected);
    }
}

//! What Gatus's conditions ask for (pure): `[STATUS] == 200`, `[BODY].state == up`, `[CERTIFICATE_EXPIRATION] > 48h`. All of an
//! endpoint must hold.

use std::time::Duration;

use crate::{
    check::StatusRange,
    file::{dotted, words::duration},
};

const STATUSES: std::ops::Range<u16> = 100..600;

/// What the conditions of an endpoint come to.
#[derive(Debug)]
pub(super) struct Wanted {
    /// For each status whether it is a good one; all are, as long as no condition names any.
    statuses: Vec<bool>,
    /// Patterns that a body must match, or must not.
    pub(super) body: Vec<(String, bool)>,
    /// Places in a body of JSON, and the pattern of what is there, if any.
    pub(super) json: Vec<(String, Option<String>)>,
    /// A record that must be in the answer.
    pub(super) records: Vec<String>,
    /// The certificate must be valid for longer.
    pub(super) certificate: Option<Duration>,
    /// It must be faster.
    pub(super) fast: Option<Duration>,
}

impl Default for Wanted {
    fn default() -> Self {
        let statuses = STATUSES.map(|_| true).collect();
        Self { statuses, body: Vec::new(), json: Vec::new(), records: Vec::new(), certificate: None, fast: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Equal,
    Other,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

const COMPARISONS: [(&str, Is); 6] = [
    (" == ", Is::Equal),
    (" != ", Is::Other),
    (" <= ", Is::LessOrEqual),
    (" >= ", Is::MoreOrEqual),
    (" > ", Is::More),
    (" < ", Is::Less),
];

impl Wanted {
    /// Adds a condition of an endpoint with that scheme; whether it can be kept here.
    pub(super) fn add(&mut self, condition: &str, scheme: &str) -> bool {
        let split = COMPARISONS
            .iter()
            .find_map(|(sign, is)| condition.split_once(sign).map(|(left, right)| (left, *is, right)));
        let Some((left, is, right)) = split else { return false };
        let (left, right) = (left.trim(), right.trim());
        let upper = left.to_ascii_uppercase();
        let is_known = match scheme {
            "http" | "https" => upper != "[DNS_RCODE]",
            "dns in part" => matches!(upper.as_str(), "[CONNECTED]" | "[DNS_RCODE]"),
            "dns" => matches!(upper.as_str(), "[CONNECTED]" | "[DNS_RCODE]" | "[BODY]"),
            "icmp" => matches!(upper.as_str(), "[CONNECTED]" | "[RESPONSE_TIME]"),
            "tls" => matches!(upper.as_str(), "[CONNECTED]" | "[CERTIFICATE_EXPIRATION]"),
            _ => upper == "[CONNECTED]",
        };
        if !is_known {
            return false;
        }
        match upper.as_str() {
            "[STATUS]" => self.status(is, right),
            "[CONNECTED]" => is == Is::Equal && right == "true",
            "[DNS_RCODE]" => is == Is::Equal && right == "NOERROR",
            "[RESPONSE_TIME]" if matches!(is, Is::Less | Is::LessOrEqual) => {
                let most = milliseconds(right);
                self.fast = self.fast.into_iter().chain(most).min();
                most.is_some()
            }
            "[CERTIFICATE_EXPIRATION]" if matches!(is, Is::More | Is::MoreOrEqual) => {
                let least = milliseconds(right);
                self.certificate = self.certificate.into_iter().chain(least).max();
                least.is_some()
            }
            "[BODY]" if scheme == "dns" => self.record(is, right),
            "[BODY]" => self.body(is, right),
            _ => self.json(left, &upper, is, right),
        }
    }

    /// The statuses that are good, as ranges.
    pub(super) fn statuses(&self) -> Vec<StatusRange> {
        let mut ranges: Vec<StatusRange> = Vec::new();
        for status in STATUSES.zip(&self.statuses).filter_map(|(status, good)| good.then_some(status)) {
            match ranges.last_mut() {
                Some(last) if *last.end() + 1 == status => *last = *last.start()..=status,
                _ => ranges.push(status..=status),
            }
        }
        ranges
    }

    fn status(&mut self, is: Is, right: &str) -> bool {
        let number: Option<u16> = right.parse().ok();
        let listed: Option<Vec<&str>> = function(right, "any").map(|list| list.split(',').map(str::trim).collect());
        let pattern = function(right, "pat");
        if number.is_none() && listed.is_none() && pattern.is_none() {
            return false;
        }
        let is_one = |status: u16| match (&listed, pattern) {
            (Some(listed), _) => listed.contains(&status.to_string().as_str()),
            (_, Some(pattern)) => matches_wildcard(pattern, &status.to_string()),
            _ => number == Some(status),
        };
        let holds = |status: u16| match (is, number) {
            (Is::Equal, _) => is_one(status),
            (Is::Other, _) => !is_one(status),
            (Is::Less, Some(number)) => status < number,
            (Is::LessOrEqual, Some(number)) => status <= number,
            (Is::More, Some(number)) => status > number,
            (Is::MoreOrEqual, Some(number)) => status >= number,
            _ => true,
        };
        for (status, good) in STATUSES.zip(&mut self.statuses) {
            *good = *good && holds(status);
        }
        number.is_some() || matches!(is, Is::Equal | Is::Other)
    }

    fn body(&mut self, is: Is, right: &str) -> bool {
        if !matches!(is, Is::Equal | Is::Other) {
            return false;
        }
        self.body.push((pattern(right), is == Is::Equal));
        true
    }

    fn record(&mut self, is: Is, right: &str) -> bool {
        let is_plain = is == Is::Equal && function(right, "pat").is_none() && function(right, "any").is_none();
        if is_plain {
            self.records.push(right.to_owned());
        }
        is_plain
    }

    fn json(&mut self, left: &str, upper: &str, is: Is, right: &str) -> bool {
        let has = upper.starts_with("HAS([BODY]") && left.ends_with(')');
        let path = if has { &left[4..left.len() - 1] } else { left };
        if !path.to_ascii_uppercase().starts_with("[BODY]") || is != Is::Equal || (has && right != "true") {
            return false;
        }
        let Some(path) = dotted::json_path(&path["[BODY]".len()..]) else { return false };
        self.json.push((path, (!has).then(|| pattern(right))));
        true
    }
}

/// The argument of `any(…)` or `pat(…)`.
fn function<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')')
}

/// A number of milliseconds, or a duration.
fn milliseconds(text: &str) -> Option<Duration> {
    let span = text.parse().ok().map(Duration::from_millis).or_else(|| duration(text).ok());
    span.filter(|span| !span.is_zero())
}

/// The regular expression of a value: the whole text is it.
fn pattern(right: &str) -> String {
    let inner = match (function(right, "pat"), function(right, "any")) {
        (Some(wildcard), _) => of_wildcard(wildcard),
        (_, Some(list)) => list.split(',').map(|one| regex::escape(one.trim())).collect::<Vec<_>>().join("|"),
        _ => regex::escape(right),
    };
    format!(r"(?s)^\s*(?:{inner})\s*$")
}

fn of_wildcard(wildcard: &str) -> String {
    let one = |c: char| match c {
        '*' => ".*".to_owned(),
        '?' => ".".to_owned(),
        c => regex::escape(c.encode_utf8(&mut [0; 4])),
    };
    wildcard.chars().map(one).collect()
}

fn matches_wildcard(wildcard: &str, text: &str) -> bool {
    regex::Regex::new(&format!("^(?:{})$", of_wildcard(wildcard))).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests;

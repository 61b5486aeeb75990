//! What is going on while a file is read: the machine that is asked, what is wrong so far, what is noted; and how the values that
//! all files have in common are made.

#![cfg_attr(not(feature = "files"), expect(dead_code, reason = "values that `expect` has none of"))]

use std::{collections::HashMap, time::Duration};

use hyper::{
    Method,
    header::{HeaderName, HeaderValue},
};
use regex::{Regex, RegexBuilder};
use serde_json_path::JsonPath;
use shared::secret::SecretSource;
use url::Url;

use super::{
    machine::Machine,
    problems::{At, Problems},
    words::{Span, TextOrSecret, Words, duration},
};
use crate::check::Text;

/// The longest regular expression, and the largest that one becomes.
const MAX_REGEX: usize = 4096;
const MAX_COMPILED: usize = 1 << 20;

/// The longest JSON path: it is read by a function that calls itself.
const MAX_PATH: usize = 512;

/// The longest title, in characters.
const MAX_TITLE: usize = 255;

/// Headers that are of the connection, which is not the file's business.
const OF_THE_CONNECTION: [&str; 6] =
    ["connection", "content-length", "keep-alive", "te", "transfer-encoding", "upgrade"];

/// One reading of a file.
pub(super) struct Reading<'a> {
    machine: &'a dyn Machine,
    pub(super) problems: Problems,
    pub(super) notes: Vec<String>,
    /// Whether something that may be a secret stands in what is none here, as in an address.
    pub(super) is_confidential: bool,
    /// Compiling is most of the work, and the checks of a file often ask for the same.
    compiled: HashMap<String, Option<Regex>>,
    paths: HashMap<String, JsonPath>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(machine: &'a dyn Machine) -> Self {
        Self {
            machine,
            problems: Problems::default(),
            notes: Vec::new(),
            is_confidential: false,
            compiled: HashMap::new(),
            paths: HashMap::new(),
        }
    }

    pub(super) fn machine(&self) -> &'a dyn Machine {
        self.machine
    }

    pub(super) fn wrong(&mut self, at: &At<'_>, sentence: impl Into<String>) {
        self.problems.add(at, sentence);
    }

    /// What the file names is not there on this machine; there would be nothing wrong with it elsewhere.
    pub(super) fn missing(&mut self, at: &At<'_>, sentence: impl Into<String>) {
        self.problems.add_missing(at, sentence);
    }

    /// A duration, where one is written.
    pub(super) fn span(&mut self, at: &At<'_>, span: Option<&Span>) -> Option<Duration> {
        let read = duration(&span?.0.0).map_err(|error| format!("{}: {error}", at.last_key()));
        self.problems.take(at, read)
    }

    pub(super) fn regex(&mut self, at: &At<'_>, words: &Words) -> Option<Regex> {
        let pattern = words.0.as_str();
        if let Some(known) = self.compiled.get(pattern) {
            let known = known.clone();
            if known.is_none() {
                self.wrong(at, format!("{}: this regular expression is wrong here, too", at.last_key()));
            }
            return known;
        }
        let compiled = compile(pattern).map_err(|error| format!("{}: {error}", at.last_key()));
        let compiled = self.problems.take(at, compiled);
        self.compiled.insert(pattern.to_owned(), compiled.clone());
        compiled
    }

    pub(super) fn json_path(&mut self, at: &At<'_>, words: &Words) -> Option<JsonPath> {
        if words.0.len() > MAX_PATH {
            self.wrong(at, format!("{}: a JSON path has at most {MAX_PATH} bytes: write a shorter one", at.last_key()));
            return None;
        }
        if let Some(known) = self.paths.get(&words.0) {
            return Some(known.clone());
        }
        let parsed = JsonPath::parse(&words.0).map_err(|error| {
            let place = error.position();
            format!("{}: this JSON path is wrong at its character {}: write one like $.state", at.last_key(), place + 1)
        });
        let parsed = self.problems.take(at, parsed)?;
        self.paths.insert(words.0.clone(), parsed.clone());
        Some(parsed)
    }

    pub(super) fn url(&mut self, at: &At<'_>, words: &Words) -> Option<Url> {
        let read = shared::settings::web_address(&words.0).map_err(|error| {
            let hint = if error.contains("user name") { ": send it as a header from a secret" } else { "" };
            format!("{}: {error}{hint}", at.last_key())
        });
        self.problems.take(at, read)
    }

    pub(super) fn method(&mut self, at: &At<'_>, words: Option<&Words>) -> Option<Method> {
        let Some(Words(text)) = words else { return Some(Method::GET) };
        let method = Method::from_bytes(text.trim().to_ascii_uppercase().as_bytes());
        match method {
            Ok(method) if method != Method::CONNECT && method != Method::TRACE => Some(method),
            _ => {
                self.wrong(at, "method: there is none of this name: write GET, HEAD, POST, PUT or another one of HTTP");
                None
            }
        }
    }

    pub(super) fn header_name(&mut self, at: &At<'_>, name: &str) -> Option<HeaderName> {
        let read = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| format!("{}: a header's name has letters, digits and -", at.last_key()));
        self.problems.take(at, read)
    }

    /// A header that is sent.
    pub(super) fn header(&mut self, at: &At<'_>, name: &str, value: &TextOrSecret) -> Option<(HeaderName, Text)> {
        let read = self.header_name(at, name);
        let text = self.text(at, value);
        if let Some(name) = &read
            && OF_THE_CONNECTION.contains(&name.as_str())
        {
            self.wrong(at, format!("{name}: this header is of the connection, and sent as it must be: take it out"));
        }
        let cannot = |value: &str| HeaderValue::from_str(value).is_err();
        let sentence =
            || format!("{name}: its value has a character that no header can have, such as the end of a line");
        match &text {
            Some(Text::Plain(text)) if cannot(text) => self.wrong(at, sentence()),
            // A secret's value is asked for as well: it would fail at each run.
            Some(Text::Secret(source)) if source.current().is_ok_and(|secret| cannot(secret.expose())) => {
                self.missing(at, sentence());
            }
            _ => (),
        }
        Some((read?, text?))
    }

    pub(super) fn text(&mut self, at: &At<'_>, text: &TextOrSecret) -> Option<Text> {
        match text {
            TextOrSecret::Plain(text) => Some(Text::Plain(text.clone())),
            TextOrSecret::Secret(named) => self.secret(at, &named.secret).map(Text::Secret),
        }
    }

    pub(super) fn secret(&mut self, at: &At<'_>, name: &str) -> Option<SecretSource> {
        let machine = self.machine;
        let found = SecretSource::named(name, |name| machine.variable(name));
        let source = self.problems.take(at, found)?;
        if let Err(why) = source.current() {
            self.missing(at, why.to_string());
        }
        Some(source)
    }

    /// A name or an address, without anything around it.
    pub(super) fn host(&mut self, at: &At<'_>, words: &Words) -> Option<String> {
        let found = host(&words.0).map(ToOwned::to_owned);
        if found.is_none() {
            let sentence = "write a name or an address alone, like nas.lan or 192.168.1.1";
            self.wrong(at, format!("{}: {sentence}", at.last_key()));
        }
        found
    }

    pub(super) fn port(&mut self, at: &At<'_>, port: u16) -> Option<u16> {
        if port == 0 {
            self.wrong(at, "port: a port is 1 to 65535");
        }
        (port > 0).then_some(port)
    }

    /// What people read.
    pub(super) fn title(&mut self, at: &At<'_>, title: &str) -> Option<String> {
        let title = title.trim();
        if title.is_empty() || title.chars().count() > MAX_TITLE || title.chars().any(char::is_control) {
            let sentence = format!("{}: write one line of at most {MAX_TITLE} characters", at.last_key());
            self.wrong(at, sentence);
            return None;
        }
        Some(title.to_owned())
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    if pattern.len() > MAX_REGEX {
        return Err(format!("this regular expression is longer than {MAX_REGEX} bytes: write a shorter one"));
    }
    RegexBuilder::new(pattern).size_limit(MAX_COMPILED).build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "this regular expression becomes too large: write a simpler one".to_owned(),
        error => {
            // The library draws the expression with a mark below it; its last line says what is wrong.
            let text = error.to_string();
            let why = text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("this regular expression does not compile ({why}): correct it")
        }
    })
}

/// The name or address that a text is, brackets of an IPv6 address taken off.
pub(super) fn host(text: &str) -> Option<&str> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    if bare.parse::<std::net::IpAddr>().is_ok() {
        return Some(bare);
    }
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.') || !b.is_ascii();
    let good = text.len() <= 253 && !text.starts_with(['-', '.']) && !text.is_empty() && text.bytes().all(known);
    good.then_some(text)
}

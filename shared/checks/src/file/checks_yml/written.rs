//! Checks as a `checks.yml` for people: what says no more than the defaults is left out, and secrets are named.

use std::time::Duration;

use hyper::header::{ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, HeaderName, USER_AGENT};
use regex::Regex;
use serde_json::json;
use shared::secret::{Secret, SecretSource};

use super::{
    build::Pace,
    build_kinds::{ECHOES, REDIRECTS, label},
    keys::Keys,
};
use crate::{
    check::{
        BodyExpectation, CertificateAges, Check, Dependency, DnsCheck, Expect, HttpCheck, IcmpCheck, Kind, Notices,
        Place, ScriptCheck, TcpCheck, Text, TlsCheck, TlsVersion,
    },
    file::words::written as span,
};

/// Headers that are no secret, whatever a file that was read took them for.
const HARMLESS: [HeaderName; 5] = [ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, USER_AGENT];

/// A file, and the secrets that it names.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file.
    pub text: String,
    /// By the names that the file has for them.
    pub secrets: Vec<(String, Secret)>,
}

/// Writes these.
///
/// # Errors
/// When a value cannot be written as YAML.
pub fn written(checks: &[Check]) -> Result<Written, serde_saphyr::ser::Error> {
    let mut secrets = Secrets::default();
    let list = checks.iter().map(|check| one(check, &mut secrets)).collect();
    let text = serde_saphyr::to_string(&Keys::default().list("checks", list))?;
    Ok(Written { text, secrets: secrets.0 })
}

/// The secrets so far.
#[derive(Debug, Default)]
struct Secrets(Vec<(String, Secret)>);

impl Secrets {
    /// The name of a secret, which stands for one already, or is made of whose and what it is.
    fn name(&mut self, check: &Check, what: &str, source: &SecretSource) -> String {
        let secret = match source {
            SecretSource::Value(secret) => secret,
            SecretSource::File { setting, .. } => return (*setting).to_owned(),
            SecretSource::Named { name, .. } | SecretSource::Missing { name, .. } => return name.clone(),
        };
        if let Some((name, _)) = self.0.iter().find(|(_, known)| known == secret) {
            return name.clone();
        }
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
        let name: String = format!("CHECK_{}_{what}", check.name).chars().map(letter).collect();
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered);
        let name = free.into_iter().find(|name| self.0.iter().all(|(known, _)| known != name)).unwrap_or(name);
        self.0.push((name.clone(), secret.clone()));
        name
    }

    fn text(&mut self, check: &Check, what: &str, text: &Text) -> serde_json::Value {
        match text {
            Text::Plain(text) => json!(text),
            Text::Secret(source) => json!({ "secret": self.name(check, what, source) }),
        }
    }
}

fn one(check: &Check, secrets: &mut Secrets) -> Keys {
    let usual = Pace::default();
    let mut keys = Keys::default().value("name", check.name.as_str());
    keys = keys.unless("title", &check.title, check.title == check.name.as_str());
    keys = keys.maybe("was", check.was.as_ref().map(ToString::to_string));
    keys = keys.maybe("group", check.group.as_ref());
    if !matches!(check.kind, Kind::Passive(_)) {
        keys = keys.unless("every", span(check.every), check.every == usual.every);
        keys = keys.unless("timeout", span(check.timeout), check.timeout == usual.timeout.min(check.every));
        keys = keys.unless("retries", check.retries, check.retries == usual.retries);
        let (is, was) = (check.thresholds, usual.thresholds);
        keys = keys.unless("fail_after", is.fail_after, is.fail_after == was.fail_after);
        keys = keys.unless("recover_after", is.recover_after, is.recover_after == was.recover_after);
    }
    let depends_on: Vec<String> = check.depends_on.iter().map(dependency).collect();
    keys = keys.unless("depends_on", &depends_on, depends_on.is_empty());
    keys = match &check.component {
        Place::Own => keys,
        Place::Nowhere => keys.value("component", "nowhere"),
        Place::Component(id) => keys.value("component", id.as_str()),
    };
    let (is, was) = (check.notices, Notices::default());
    let notices = Keys::default()
        .unless("wanted", is.wanted, is.wanted == was.wanted)
        .unless("after_failures", is.after_failures, is.after_failures == was.after_failures)
        .unless("all_changes", is.all_changes, is.all_changes == was.all_changes);
    keys.keys_unless_empty("notices", notices).keys(check.kind.label(), kind(check, secrets))
}

fn dependency(dependency: &Dependency) -> String {
    match dependency {
        Dependency::Home => "home".to_owned(),
        Dependency::Check(name) => name.to_string(),
    }
}

fn kind(check: &Check, secrets: &mut Secrets) -> Keys {
    match &check.kind {
        Kind::Http(http) => of_http(check, http, secrets),
        Kind::Tcp(tcp) => of_tcp(check, tcp, secrets),
        Kind::Tls(tls) => of_tls(tls),
        Kind::Dns(dns) => of_dns(dns),
        Kind::Icmp(icmp) => of_icmp(icmp),
        Kind::Grpc(grpc) => Keys::default()
            .value("host", &grpc.host)
            .value("port", grpc.port)
            .unless("service", &grpc.service, grpc.service.is_empty())
            .unless("tls", true, !grpc.tls)
            .unless("verify", false, grpc.verify || !grpc.tls),
        Kind::Script(script) => of_script(check, script, secrets),
        Kind::Passive(passive) => Keys::default()
            .value("period", span(passive.period))
            .value("grace", span(passive.grace))
            .value("secret", secrets.name(check, "PING", &passive.secret)),
    }
}

fn of_http(check: &Check, http: &HttpCheck, secrets: &mut Secrets) -> Keys {
    let mut headers = Keys::default();
    for (name, text) in &http.headers {
        headers = match text {
            Text::Secret(SecretSource::Value(value)) if HARMLESS.contains(name) => {
                headers.value(name.as_str(), value.expose())
            }
            text => headers.value(name.as_str(), secrets.text(check, name.as_str(), text)),
        };
    }
    Keys::default()
        .value("url", http.url.as_str())
        .unless("method", http.method.as_str(), http.method == hyper::Method::GET)
        .keys_unless_empty("headers", headers)
        .maybe("body", http.body.as_ref().map(|body| secrets.text(check, "BODY", body)))
        .unless("redirects", http.redirects, http.redirects == REDIRECTS)
        .unless("verify", false, http.verify)
        .maybe("slow_above", http.slow_above.map(span))
        .keys_unless_empty("expect", of_expect(&http.expect))
}

fn of_expect(expect: &Expect) -> Keys {
    let status = |range: &crate::check::StatusRange| match (range.start(), range.end()) {
        (start, end) if start == end => json!(start),
        (start, end) => json!(format!("{start}-{end}")),
    };
    let status: Vec<_> = expect.status.iter().map(status).collect();
    let (mut matches, mut matches_not, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for wanted in &expect.body {
        match wanted {
            BodyExpectation::Matches(regex) => matches.push(regex.as_str()),
            BodyExpectation::MatchesNot(regex) => matches_not.push(regex.as_str()),
            BodyExpectation::Json { path, equals, matches } => values.push(
                Keys::default()
                    .value("path", path.to_string())
                    .maybe("equals", equals.clone())
                    .maybe("matches", matches.as_ref().map(Regex::as_str)),
            ),
        }
    }
    let body = Keys::default().unless("matches", &matches, matches.is_empty()).unless(
        "matches_not",
        &matches_not,
        matches_not.is_empty(),
    );
    let headers = expect.headers.iter().fold(Keys::default(), |headers, header| {
        let matches = header.matches.as_ref().map(|regex| json!({ "matches": regex.as_str() }));
        headers.value(header.name.as_str(), matches)
    });
    Keys::default()
        .unless("status", &status, status.is_empty())
        .keys_unless_empty("body", body)
        .list_unless_empty("json", values)
        .keys_unless_empty("headers", headers)
        .maybe("largest", expect.largest.map(|bytes| bytes.to_string()))
        .keys_unless_empty("certificate", certificate(expect.certificate))
}

fn certificate(ages: CertificateAges) -> Keys {
    Keys::default().maybe("warning", ages.warning.map(span)).maybe("critical", ages.critical.map(span))
}

fn of_tcp(check: &Check, tcp: &TcpCheck, secrets: &mut Secrets) -> Keys {
    Keys::default()
        .value("host", &tcp.host)
        .value("port", tcp.port)
        .maybe("send", tcp.send.as_ref().map(|text| secrets.text(check, "SEND", text)))
        .maybe("banner", tcp.banner.as_ref().map(Regex::as_str))
        .unless("tls", true, !tcp.tls)
        .unless("verify", false, tcp.verify || !tcp.tls)
}

fn of_tls(tls: &TlsCheck) -> Keys {
    let version = tls.least_version.map(|version| match version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    });
    Keys::default()
        .value("host", &tls.host)
        .unless("port", tls.port, tls.port == 443)
        .maybe("name", tls.name.as_ref())
        .unless("verify", false, tls.verify)
        .maybe("least_version", version)
        .keys("certificate", certificate(tls.certificate))
}

fn of_dns(dns: &DnsCheck) -> Keys {
    Keys::default()
        .value("name", &dns.name)
        .value("record", label(dns.record))
        .maybe("server", dns.server.map(|server| server.to_string()))
        .unless("expect", &dns.expect, dns.expect.is_empty())
        .unless("exactly", true, !dns.exactly)
}

fn of_icmp(icmp: &IcmpCheck) -> Keys {
    let echoes =
        |loss: Option<f64>, rtt: Option<Duration>| Keys::default().maybe("loss", loss).maybe("rtt", rtt.map(span));
    Keys::default()
        .value("host", &icmp.host)
        .unless("count", icmp.count, icmp.count == ECHOES)
        .keys_unless_empty("warning", echoes(icmp.loss_warning, icmp.rtt_warning))
        .keys_unless_empty("critical", echoes(icmp.loss_critical, icmp.rtt_critical))
}

fn of_script(check: &Check, script: &ScriptCheck, secrets: &mut Secrets) -> Keys {
    let environment = script
        .environment
        .iter()
        .fold(Keys::default(), |environment, (name, text)| environment.value(name, secrets.text(check, name, text)));
    Keys::default()
        .value("command", &script.command)
        .keys_unless_empty("environment", environment)
        .maybe("folder", script.folder.as_ref().map(|folder| folder.to_string_lossy()))
        .maybe("uid", script.uid)
}

#[cfg(test)]
mod tests;

//! From an endpoint of Gatus to a check.

use std::time::Duration;

use shared::secret::Secret;

use super::{
    condition::Wanted,
    definition::{Alert, Dns, Endpoint},
    http,
};
use crate::{
    check::{
        CertificateAges, Check, DnsCheck, GrpcCheck, IcmpCheck, Kind, LEAST_INTERVAL, Notices, Place, RecordType,
        TcpCheck, Text, TlsCheck,
    },
    file::{
        checks_yml::record_type,
        names::Names,
        problems::At,
        reading::Reading,
        words::{Words, duration, written},
    },
    thresholds::Thresholds,
};

/// What Gatus has where an endpoint says nothing.
const INTERVAL: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const FAILURES: u32 = 3;
const ECHOES: u8 = 3;

/// A check, where nothing of the endpoint is wrong and there is a kind for it.
pub(super) fn check(reading: &mut Reading<'_>, at: &At<'_>, endpoint: &Endpoint, names: &mut Names) -> Option<Check> {
    let Some(Words(title)) = &endpoint.name else {
        reading.wrong(at, "name is missing: write what the endpoint is called");
        return None;
    };
    let title = http::expanded(reading, title);
    let title = reading.title(&at.key("name"), &title)?;
    if endpoint.enabled == Some(false) {
        reading.notes.push(format!("{title}: it is not enabled, so it is not checked"));
        return None;
    }
    for key in endpoint.rest.0.iter().filter(|key| !matches!(key.as_str(), "ui" | "extra-labels")) {
        reading.notes.push(format!("{title}, {key}: this is not done here"));
    }
    for key in &endpoint.client.rest.0 {
        reading.notes.push(format!("{title}, client.{key}: this is not done here"));
    }
    let (every, timeout) = pace(reading, at, endpoint, &title);
    let kind = kind(reading, at, endpoint, &title)?;
    let group = endpoint.group.as_ref().map(|Words(group)| http::expanded(reading, group));
    let name = match &group {
        Some(group) => names.make(&format!("{group} {title}")),
        None => names.make(&title),
    };
    Some(Check {
        name,
        was: None,
        group: group.and_then(|group| reading.title(&at.key("group"), &group)),
        title,
        kind,
        every,
        timeout,
        retries: 0,
        thresholds: Thresholds { fail_after: 1, recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Own,
        notices: notices(&endpoint.alerts),
    })
}

fn pace(reading: &mut Reading<'_>, at: &At<'_>, endpoint: &Endpoint, title: &str) -> (Duration, Duration) {
    let mut span = |at: At<'_>, words: Option<&Words>| {
        let read = words.map(|words| duration(&words.0).map_err(|error| format!("{}: {error}", at.last_key())));
        read.and_then(|read| reading.problems.take(&at, read))
    };
    let client = at.key("client");
    let asked = span(at.key("interval"), endpoint.interval.as_ref()).unwrap_or(INTERVAL);
    let timeout = span(client.key("timeout"), endpoint.client.timeout.as_ref()).unwrap_or(TIMEOUT);
    let every = asked.max(LEAST_INTERVAL);
    if every > asked {
        let least = written(LEAST_INTERVAL);
        reading.notes.push(format!("{title}, interval: it is checked every {least}, the shortest interval"));
    }
    (every, timeout.min(every))
}

fn notices(alerts: &[Alert]) -> Notices {
    let enabled = || alerts.iter().filter(|alert| alert.enabled != Some(false));
    let after = enabled().map(|alert| alert.failure_threshold.unwrap_or(FAILURES).max(1)).min();
    Notices { wanted: after.is_some(), after_failures: after.unwrap_or(FAILURES), all_changes: false }
}

/// What the conditions ask for; `None` where without those that are not checked here the check would say something else.
fn wanted(reading: &mut Reading<'_>, endpoint: &Endpoint, title: &str, scheme: &str) -> Option<Wanted> {
    let (mut wanted, mut kept, mut is_other) = (Wanted::default(), 0, false);
    for Words(condition) in &endpoint.conditions {
        let condition = http::expanded(reading, condition);
        if wanted.add(&condition, scheme) {
            kept += 1;
            continue;
        }
        // What of these is not kept asks for a failure.
        let upper = condition.to_ascii_uppercase();
        is_other |= upper.starts_with("[CONNECTED]") || (upper.starts_with("[DNS_RCODE]") && scheme.starts_with("dns"));
        reading.notes.push(format!("{title}, {condition}: this condition is not checked here"));
    }
    if is_other || (kept == 0 && !endpoint.conditions.is_empty()) {
        reading.notes.push(format!("{title}: without its conditions it would be another check, so it is left out"));
        return None;
    }
    Some(wanted)
}

fn kind(reading: &mut Reading<'_>, at: &At<'_>, endpoint: &Endpoint, title: &str) -> Option<Kind> {
    let at_url = at.key("url");
    let Some(Words(url)) = &endpoint.url else {
        reading.wrong(at, "url is missing: write what is asked");
        return None;
    };
    let written = url;
    let url = http::expanded(reading, url);
    if *written != url {
        reading.notes.push(format!("{title}, url: what its variables hold stands in the open in it"));
        reading.is_confidential = true;
    }
    let (scheme, rest) = match &endpoint.dns {
        // Of these, Gatus compares a part.
        Some(dns)
            if dns
                .query_type
                .as_ref()
                .is_some_and(|kind| ["MX", "SRV"].contains(&kind.0.to_ascii_uppercase().as_str())) =>
        {
            ("dns in part", url.as_str())
        }
        Some(_) => ("dns", url.as_str()),
        None => url.split_once("://").unwrap_or(("", &url)),
    };
    let wanted = wanted(reading, endpoint, title, scheme)?;
    match scheme {
        "dns" | "dns in part" => of_dns(reading, at, title, (rest, endpoint.dns.as_ref()?), &wanted),
        "http" | "https" => http::kind(reading, at, endpoint, &url, &wanted, title),
        "icmp" => icmp(reading, &at_url, rest, &wanted),
        "tcp" | "ssh" => {
            let (host, port) = place(reading, &at_url, rest, 22)?;
            let banner = if scheme == "ssh" { reading.regex(&at_url, &Words("^SSH-".into())) } else { None };
            // It may hold a secret, as that over HTTP.
            let send = endpoint.body.as_ref().map(|body| Secret::new(http::expanded(reading, &body.0)));
            let send = send.map(|secret| Text::Secret(secret.into()));
            Some(Kind::Tcp(TcpCheck { host, port, send, banner, tls: false, verify: true }))
        }
        "tls" => {
            let (host, port) = place(reading, &at_url, rest, 443)?;
            let certificate = CertificateAges { warning: None, critical: wanted.certificate };
            let verify = !endpoint.client.insecure;
            Some(Kind::Tls(TlsCheck { host, port, name: None, verify, least_version: None, certificate }))
        }
        "grpc" | "grpcs" => {
            let (host, port) = place(reading, &at_url, rest, 443)?;
            let (tls, verify) = (scheme == "grpcs", !endpoint.client.insecure);
            Some(Kind::Grpc(GrpcCheck { host, port, service: String::new(), tls, verify }))
        }
        "udp" | "sctp" | "starttls" | "ws" | "wss" => {
            reading.notes.push(format!("{title}: there is no kind of check for {scheme} here, so it is not checked"));
            None
        }
        _ => {
            reading.wrong(
                &at_url,
                "url: write http, https, tcp, tls, icmp, grpc, grpcs or ssh before ://, or dns below it",
            );
            None
        }
    }
}

fn icmp(reading: &mut Reading<'_>, at: &At<'_>, host: &str, wanted: &Wanted) -> Option<Kind> {
    Some(Kind::Icmp(IcmpCheck {
        host: reading.host(at, &Words(host.to_owned()))?,
        count: ECHOES,
        loss_warning: None,
        loss_critical: None,
        rtt_warning: None,
        rtt_critical: wanted.fast,
    }))
}

fn of_dns(
    reading: &mut Reading<'_>,
    at: &At<'_>,
    title: &str,
    (server, dns): (&str, &Dns),
    wanted: &Wanted,
) -> Option<Kind> {
    let key = at.key("dns");
    let record = match &dns.query_type {
        None => RecordType::A,
        Some(Words(text)) => {
            let record = record_type(text);
            if record.is_none() {
                reading.wrong(&key.key("query-type"), "query-type: write A, AAAA, CNAME, MX, NS, PTR, SRV or TXT");
            }
            record?
        }
    };
    let Some(Words(name)) = &dns.query_name else {
        reading.wrong(&key, "query-name is missing: write the name that is asked about");
        return None;
    };
    let address = server.parse().map(|address| std::net::SocketAddr::new(address, 53)).or_else(|_| server.parse());
    let Ok(server) = address else {
        let why = "its name server is named, and asked by its address here, like 8.8.8.8";
        reading.notes.push(format!("{title}, url: {why}: it is left out"));
        return None;
    };
    Some(Kind::Dns(DnsCheck {
        name: name.clone(),
        record,
        server: Some(server),
        expect: wanted.records.clone(),
        exactly: false,
    }))
}

fn place(reading: &mut Reading<'_>, at: &At<'_>, text: &str, default: u16) -> Option<(String, u16)> {
    let text = text.split('/').next().unwrap_or_default();
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, port.parse().ok().filter(|port| *port > 0)),
        None => (text, Some(default)),
    };
    if port.is_none() {
        reading.wrong(at, "url: its port is 1 to 65535");
    }
    Some((reading.host(at, &Words(name.to_owned()))?, port?))
}

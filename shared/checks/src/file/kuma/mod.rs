//! The monitors of Uptime Kuma, as the rows of its table `monitor` have them. Pure: who reads them from the database hands them over.
//! What it does and we do not is named, once for each monitor.
//!
//! - `monitor`: a row; `http`: what is asked over HTTP

mod http;
mod monitor;

use std::{collections::HashMap, time::Duration};

use serde_json::{Map, Value};
use shared::secret::{Secret, SecretSource};

use self::monitor::Monitor;
use super::{
    Loaded, ThisMachine,
    names::Names,
    problems::At,
    reading::Reading,
    words::{Words, written},
};
use crate::{
    check::{Check, DnsCheck, IcmpCheck, Kind, LEAST_INTERVAL, Notices, PassiveCheck, Place, TcpCheck},
    file::checks_yml::record_type,
    thresholds::Thresholds,
};

const ECHOES: u8 = 3;

/// What becomes of what tells that certificates end, which is no state of a monitor there.
const CERTIFICATES: &str =
    "that certificates end is told of where a check has expect.certificate, or is of the kind tls";

/// The shortest token that a passive check takes for its secret.
const LEAST_TOKEN: usize = 22;

/// How much later a call may be, and how much more so where it may be missed.
const GRACE: Duration = Duration::from_secs(60);
const MOST_GRACE: Duration = Duration::from_hours(24 * 30);

/// The checks of these rows. A monitor that cannot be checked here is noted, and is no obstacle for the others.
#[must_use]
pub fn read(rows: &[Map<String, Value>]) -> Loaded {
    let monitors: Vec<Monitor<'_>> = rows.iter().map(Monitor).collect();
    let groups: HashMap<i64, &str> = monitors
        .iter()
        .filter(|monitor| monitor.kind() == "group")
        .filter_map(|monitor| Some((monitor.number("id")?, monitor.text("name")?)))
        .collect();
    let (mut checks, mut notes, mut names) = (Vec::new(), Vec::new(), Names::default());
    for monitor in monitors.iter().filter(|monitor| monitor.kind() != "group") {
        let mut reading = Reading::new(&ThisMachine);
        let made = check(&mut reading, monitor, &groups, &mut names);
        notes.append(&mut reading.notes);
        let title = monitor.title();
        match made {
            Some(check) if reading.problems.is_empty() => checks.push(check),
            _ => notes.extend(
                reading.problems.wrong.iter().map(|problem| format!("{title}: {}; it is left out", problem.sentence)),
            ),
        }
    }
    if monitors.iter().any(|monitor| monitor.kind() != "group" && monitor.flag("expiry_notification") == Some(true)) {
        notes.push(CERTIFICATES.to_owned());
    }
    let is_confidential =
        checks.iter().any(|check| matches!(&check.kind, Kind::Http(http) if http.url.query().is_some()));
    Loaded { checks, notes, has_list: true, is_confidential, ..Loaded::default() }
}

fn check(
    reading: &mut Reading<'_>,
    monitor: &Monitor<'_>,
    groups: &HashMap<i64, &str>,
    names: &mut Names,
) -> Option<Check> {
    let title = monitor.title();
    if monitor.flag("active") == Some(false) {
        reading.notes.push(format!("{title}: it is paused, and is left out"));
        return None;
    }
    if monitor.flag("upside_down") == Some(true) {
        reading.notes.push(format!("{title}: it is to fail (upside down), which no check here is; it is left out"));
        return None;
    }
    for (column, nothing, what) in [
        ("conditions", "[]", "conditions"),
        ("expected_tls_alert", "none", "an alert of TLS that is expected"),
        ("proxy_id", "", "a proxy"),
    ] {
        let is_set = monitor.text(column).is_some_and(|text| text != nothing) || monitor.number(column).is_some();
        if is_set {
            reading.notes.push(format!("{title}: there is nothing like {what} for it here; it is left out"));
            return None;
        }
    }
    let kind = kind(reading, monitor)?;
    let every = monitor.seconds("interval").unwrap_or(Duration::from_secs(60)).max(LEAST_INTERVAL);
    let timeout = monitor.seconds("timeout").unwrap_or_else(|| every.mul_f64(0.8));
    // There a retry is a run of its own, at once or after a while.
    let retries = monitor.number("maxretries").and_then(|retries| u32::try_from(retries).ok()).unwrap_or(0);
    let retry = monitor.seconds("retry_interval").filter(|retry| *retry < every && retries > 0);
    if let (Some(retry), false) = (retry, matches!(kind, Kind::Passive(_))) {
        let (retry, every) = (written(retry), written(every));
        reading.notes.push(format!("{title}: it is tried again after {every} here, and was after {retry}"));
    }
    if monitor.flag("cache_bust") == Some(true) {
        reading.notes.push(format!("{title}: its address is asked for as it is, and a cache may answer"));
    }
    let group = monitor.number("parent").and_then(|parent| groups.get(&parent).copied());
    let title = reading.title(&At::ROOT.key("name"), title)?;
    Some(Check {
        name: names.make(&title),
        was: None,
        group: group.and_then(|group| reading.title(&At::ROOT.key("parent"), group)),
        title,
        kind,
        every,
        timeout: timeout.clamp(Duration::from_secs(1), every),
        retries: 0,
        thresholds: Thresholds { fail_after: retries.saturating_add(1), recover_after: 1 },
        depends_on: Vec::new(),
        component: Place::Own,
        notices: Notices::default(),
    })
}

fn kind(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Kind> {
    let (hostname, port) = (At::ROOT.key("hostname"), At::ROOT.key("port"));
    let host = Words(monitor.text("hostname").unwrap_or_default().to_owned());
    match monitor.kind() {
        "http" | "keyword" | "json-query" => http::kind(reading, monitor),
        "port" => {
            let number = monitor.number("port").and_then(|number| u16::try_from(number).ok()).unwrap_or(0);
            let (host, port) = (reading.host(&hostname, &host)?, reading.port(&port, number)?);
            Some(Kind::Tcp(TcpCheck { host, port, send: None, banner: None, tls: false, verify: true }))
        }
        "ping" => {
            let host = reading.host(&hostname, &host)?;
            let (loss_warning, loss_critical, rtt_warning, rtt_critical) = (None, None, None, None);
            Some(Kind::Icmp(IcmpCheck { host, count: ECHOES, loss_warning, loss_critical, rtt_warning, rtt_critical }))
        }
        "dns" => dns(reading, monitor),
        "push" => push(reading, monitor),
        other => {
            reading
                .notes
                .push(format!("{}: there is no kind of check for {other} here; it is left out", monitor.title()));
            None
        }
    }
}

fn dns(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Kind> {
    let record = record_type(monitor.text("dns_resolve_type").unwrap_or("A"));
    if record.is_none() {
        reading.wrong(&At::ROOT.key("dns_resolve_type"), "no records of that type are asked for here");
    }
    // Several may be named there, of which one is asked.
    let servers = monitor.text("dns_resolve_server").unwrap_or_default();
    if servers.contains(',') {
        reading.notes.push(format!("{}: of its name servers the first is asked", monitor.title()));
    }
    let server = servers.split(',').next().map(str::trim);
    let port = monitor.number("port").and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0).unwrap_or(53);
    let server = match server.filter(|server| !server.is_empty()) {
        Some(server) => {
            let address = server.parse().map(|address| std::net::SocketAddr::new(address, port));
            let address = reading.problems.take(
                &At::ROOT.key("dns_resolve_server"),
                address.map_err(
                    |_| "its name server is named, and no address: a name server is asked by its address here",
                ),
            );
            Some(address?)
        }
        None => None,
    };
    let name = monitor.text("hostname").unwrap_or_default();
    let name = reading.host(&At::ROOT.key("hostname"), &Words(name.to_owned()))?;
    Some(Kind::Dns(DnsCheck { name, record: record?, server, expect: Vec::new(), exactly: false }))
}

/// Its token becomes the secret, so that only the beginning of the address is another one.
fn push(reading: &mut Reading<'_>, monitor: &Monitor<'_>) -> Option<Kind> {
    let token = monitor.text("push_token").unwrap_or_default();
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    if token.len() < LEAST_TOKEN || !token.bytes().all(known) {
        let sentence =
            format!("its token has fewer than {LEAST_TOKEN} letters and digits: write a passive check with a secret");
        reading.wrong(&At::ROOT.key("push_token"), sentence);
        return None;
    }
    let period = monitor.seconds("interval").unwrap_or(Duration::from_secs(60)).max(Duration::from_secs(60));
    let title = monitor.title();
    // So often it may have been missed there.
    let retries = monitor.number("maxretries").and_then(|retries| u32::try_from(retries).ok()).unwrap_or(0);
    let grace = GRACE + monitor.seconds("retry_interval").unwrap_or(period).saturating_mul(retries).min(MOST_GRACE);
    reading.notes.push(format!(
        "{title}: it calls /porchlight/v1/ping/ and its token at the keeper from now on, each {}, and /fail behind it where it failed",
        written(period)
    ));
    Some(Kind::Passive(PassiveCheck { period, grace, secret: SecretSource::Value(Secret::new(token)) }))
}

#[cfg(test)]
mod tests;

//! From a service of Statping to a check.

use std::time::Duration;

use super::{
    Groups, http,
    service::{Service, Services},
};
use crate::{
    check::{Check, GrpcCheck, IcmpCheck, Kind, LEAST_INTERVAL, Notices, Place, TcpCheck},
    file::{
        names::Names,
        problems::At,
        reading::{Reading, host},
        words::{Words, written},
    },
    thresholds::Thresholds,
};

/// What Statping has where a service says nothing.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const ECHOES: u8 = 3;

/// What Statping does with a key and we do not, unless the value says nothing.
const NOT_DONE: [(&str, &str); 5] = [
    ("permalink", "a component of the page has the address of its id"),
    ("tls_cert", "no certificate of a client is shown to a service"),
    ("tls_cert_key", "no certificate of a client is shown to a service"),
    ("tls_cert_root", "authorities are those that this machine trusts: add this one to them"),
    ("id", "it counts only where a whole Statping is imported"),
];

/// A check, where nothing of the service is wrong and there is a kind for it.
pub(super) fn check(
    reading: &mut Reading<'_>,
    at: &At<'_>,
    service: &Service,
    groups: &Groups,
    names: &mut Names,
) -> Option<Check> {
    let Some(title) = service.text("name") else {
        reading.wrong(at, "name is missing: write what the service is called");
        return None;
    };
    let title = reading.title(&at.key("name"), title)?;
    // A service that is wrong has its number all the same: `web-2` must not become `web` until the first `web` is mended.
    let name = names.make(&title);
    note_keys(reading, service, &title);
    let (every, timeout) = pace(reading, at, service, &title);
    let notices = notices(reading, at, service);
    let component = if flag(reading, at, service, "public").unwrap_or(true) {
        Place::Own
    } else {
        reading.notes.push(format!("{title}, public: what is not public is shown nowhere on the page"));
        Place::Nowhere
    };
    let group = reading.problems.take(&at.key("group_id"), service.number("group_id")).flatten();
    let group = group.filter(|number| *number != 0);
    let kind = kind(reading, at, service, &title)?;
    Some(Check {
        name,
        was: None,
        title,
        group: group.map(|number| groups.get(&number).cloned().unwrap_or_else(|| format!("Group {number}"))),
        kind,
        every,
        timeout,
        retries: 0,
        // A failure is one at once, as it was; when that is written to people is another matter.
        thresholds: Thresholds { fail_after: 1, recover_after: 1 },
        depends_on: Vec::new(),
        component,
        notices,
    })
}

fn note_keys(reading: &mut Reading<'_>, service: &Service, title: &str) {
    for (key, why) in NOT_DONE {
        if service.text(key).is_some() {
            reading.notes.push(format!("{title}, {key}: {why}"));
        }
    }
    for key in &service.unknown {
        reading.notes.push(format!("{title}, {key}: this is no key of a service, and is left out"));
    }
}

pub(super) fn flag(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, key: &str) -> Option<bool> {
    reading.problems.take(&at.key(key), service.flag(key)).flatten()
}

fn pace(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, title: &str) -> (Duration, Duration) {
    let mut span = |key| reading.problems.take(&at.key(key), service.span(key)).flatten();
    let asked = span("check_interval").unwrap_or(INTERVAL);
    let timeout = span("timeout").unwrap_or(TIMEOUT);
    let every = asked.max(LEAST_INTERVAL);
    if every > asked {
        let least = written(LEAST_INTERVAL);
        reading.notes.push(format!("{title}, check_interval: it is checked every {least}, the shortest interval"));
    }
    if timeout > every && service.text("timeout").is_some() {
        reading
            .notes
            .push(format!("{title}, timeout: a run ends before the next one begins, after {}", written(every)));
    }
    (every, timeout.min(every))
}

fn notices(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Notices {
    let after = reading.problems.take(&at.key("notify_after"), service.number("notify_after")).flatten();
    let after = after.and_then(|after| u32::try_from(after).ok()).unwrap_or_default();
    Notices {
        wanted: flag(reading, at, service, "allow_notifications").unwrap_or(true),
        // "After the first failure" is 0, "after two failures" 2. It counts anew in each outage.
        after_failures: after.max(1),
        all_changes: flag(reading, at, service, "notify_all_changes").unwrap_or(true),
    }
}

/// Which services are asked without their certificates being verified: Statping's default, and worth a second thought.
pub(super) fn note_unverified(reading: &mut Reading<'_>, services: &Services) {
    let is_unverified = |service: &&Service| {
        let is_https = service.text("domain").is_some_and(|domain| domain.starts_with("https://"));
        is_https && service.text("verify_ssl").is_none()
    };
    let all = services.services.iter().flatten().flatten().filter(is_unverified);
    let names: Vec<_> = all.filter_map(|service| service.text("name")).take(5).collect();
    if !names.is_empty() {
        let names = names.join(", ");
        reading.notes.push(format!(
            "verify_ssl is not set ({names} …): their certificates are not verified, as in Statping: set it to true"
        ));
    }
}

fn kind(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, title: &str) -> Option<Kind> {
    let kind = service.text("type").map(str::to_ascii_lowercase);
    match kind.as_deref() {
        Some("http") => http::kind(reading, at, service, title),
        Some("tcp") => tcp(reading, at, service),
        Some("icmp") => icmp(reading, at, service),
        Some("grpc") => grpc(reading, at, service, title),
        Some("udp") => {
            let why = "nothing is known of a UDP port that does not answer, so this service is not checked";
            reading.notes.push(format!("{title}, type udp: {why}"));
            None
        }
        Some(kind @ ("imap" | "smtp")) => {
            reading
                .notes
                .push(format!("{title}, type {kind}: there is no kind of check for it here, so it is not checked"));
            None
        }
        Some("static") => {
            reading
                .notes
                .push(format!("{title}, type static: nothing is checked in it: make a component of the page for it"));
            None
        }
        Some(_) => {
            reading.wrong(&at.key("type"), "type: there is no such type: write http, tcp, udp, icmp, grpc or static");
            None
        }
        None => {
            reading.wrong(at, "type is missing: write http, tcp, udp, icmp, grpc or static");
            None
        }
    }
}

/// A host and a port, of which Statping takes both in one as well.
fn place(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Option<(String, u16)> {
    let text = service.text("domain").unwrap_or_default();
    // For gRPC, an address is taken too.
    let bare = text.split_once("://").map_or(text, |(_, rest)| rest).trim_end_matches('/');
    let port = reading.problems.take(&at.key("port"), service.number("port"))?.filter(|port| *port != 0);
    let (name, port) = match (port, bare.rsplit_once(':')) {
        (Some(port), Some((name, _))) if host(bare).is_none() && host(name).is_some() => {
            (name, u16::try_from(port).ok())
        }
        (Some(port), _) => (bare, u16::try_from(port).ok()),
        (None, Some((name, port))) => (name, port.parse().ok()),
        (None, None) => (bare, None),
    };
    let name = reading.host(&at.key("domain"), &Words(name.to_owned()));
    if port.is_none_or(|port| port == 0) {
        reading.wrong(&at.key("port"), "port: write the port, from 1 to 65535");
        return None;
    }
    Some((name?, port?))
}

fn tcp(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Option<Kind> {
    let (host, port) = place(reading, at, service)?;
    // With a client's certificate, Statping speaks TLS and verifies nothing unless it has the authority.
    let tls = service.text("tls_cert").is_some() && service.text("tls_cert_key").is_some();
    Some(Kind::Tcp(TcpCheck { host, port, send: None, banner: None, tls, verify: false }))
}

fn icmp(reading: &mut Reading<'_>, at: &At<'_>, service: &Service) -> Option<Kind> {
    let host = Words(service.text("domain").unwrap_or_default().to_owned());
    Some(Kind::Icmp(IcmpCheck {
        host: reading.host(&at.key("domain"), &host)?,
        count: ECHOES,
        loss_warning: None,
        loss_critical: None,
        rtt_warning: None,
        rtt_critical: None,
    }))
}

fn grpc(reading: &mut Reading<'_>, at: &At<'_>, service: &Service, title: &str) -> Option<Kind> {
    let (host, port) = place(reading, at, service)?;
    // One key for both: whether TLS is spoken, and whether it is verified then.
    let tls = flag(reading, at, service, "verify_ssl").unwrap_or(false);
    if !flag(reading, at, service, "grpc_health_check").unwrap_or(false) {
        reading
            .notes
            .push(format!("{title}, grpc_health_check: it is not set, so that it connects is all that is checked"));
        return Some(Kind::Tcp(TcpCheck { host, port, send: None, banner: None, tls, verify: tls }));
    }
    let is_serving = |status: Option<i64>| status.is_none_or(|status| status == 1);
    let status = reading.problems.take(&at.key("expected_status"), service.number("expected_status"))?;
    if !is_serving(status) || service.text("expected").is_some_and(|expected| expected != "status:SERVING") {
        reading.notes.push(format!("{title}, expected: a server that says SERVING is up, and no other"));
    }
    Some(Kind::Grpc(GrpcCheck { host, port, service: String::new(), tls, verify: tls }))
}

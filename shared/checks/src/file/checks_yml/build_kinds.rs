//! From what `checks.yml` says of each kind of check to what is asked.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use hyper::header::HeaderName;
use shared::{secret::Secret, settings::nearness};

use super::kinds::{Dns, Echoes, Grpc, Http, Icmp, Tcp, Tls};
use crate::{
    check::{
        CONFIDENTIAL_HEADERS, CertificateAges, DnsCheck, Expect, GrpcCheck, HttpCheck, IcmpCheck, Kind, RecordType,
        TcpCheck, Text, TlsCheck, TlsVersion,
    },
    file::{
        expect::{certificate, expect, lift},
        problems::At,
        reading::Reading,
        words::{TextOrSecret, Words},
    },
};

pub(super) const REDIRECTS: u8 = 5;
const MOST_REDIRECTS: u8 = 20;
pub(super) const ECHOES: u8 = 3;
const DAY: Duration = Duration::from_hours(24);

const RECORDS: [(&str, RecordType); 10] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::Aaaa),
    ("CNAME", RecordType::Cname),
    ("MX", RecordType::Mx),
    ("NS", RecordType::Ns),
    ("PTR", RecordType::Ptr),
    ("SOA", RecordType::Soa),
    ("SRV", RecordType::Srv),
    ("TXT", RecordType::Txt),
    ("CAA", RecordType::Caa),
];

pub(super) fn http(reading: &mut Reading<'_>, at: &At<'_>, shape: &Http) -> Option<Kind> {
    let url = reading.url(&at.key("url"), &shape.url);
    let method = reading.method(&at.key("method"), shape.method.as_ref());
    let list = at.key("headers");
    let headers: Vec<_> =
        shape.headers.iter().map(|(name, value)| header(reading, &list.key(name), name, value)).collect();
    let body = shape.body.as_ref().map(|text| reading.text(&at.key("body"), text));
    let slow_above = shape.slow_above.as_ref().map(|span| reading.span(&at.key("slow_above"), Some(span)));
    let redirects = shape.redirects.unwrap_or(REDIRECTS);
    if redirects > MOST_REDIRECTS {
        reading.wrong(&at.key("redirects"), format!("redirects is {redirects}: write {MOST_REDIRECTS} or less"));
    }
    let expect = match &shape.expect {
        Some(shape) => expect(reading, &at.key("expect"), shape),
        None => Some(Expect::default()),
    };
    Some(Kind::Http(Box::new(HttpCheck {
        url: url?,
        method: method?,
        headers: headers.into_iter().collect::<Option<_>>()?,
        body: lift(body)?,
        redirects,
        verify: shape.verify.unwrap_or(true),
        expect: expect?,
        slow_above: lift(slow_above)?,
    })))
}

/// One that is a secret by its name is kept as one, and should not stand in the file.
fn header(reading: &mut Reading<'_>, at: &At<'_>, name: &str, value: &TextOrSecret) -> Option<(HeaderName, Text)> {
    let (name, text) = reading.header(at, name, value)?;
    match text {
        Text::Plain(value) if CONFIDENTIAL_HEADERS.contains(&name) => {
            let place = at.place();
            reading
                .notes
                .push(format!("{place}: a secret stands in the file: give it by its variable, {{ secret: NAME }}"));
            Some((name, Text::Secret(Secret::new(value).into())))
        }
        text => Some((name, text)),
    }
}

pub(super) fn tcp(reading: &mut Reading<'_>, at: &At<'_>, shape: &Tcp) -> Option<Kind> {
    let host = reading.host(&at.key("host"), &shape.host);
    let port = reading.port(&at.key("port"), shape.port);
    let send = shape.send.as_ref().map(|text| reading.text(&at.key("send"), text));
    let banner = shape.banner.as_ref().map(|words| reading.regex(&at.key("banner"), words));
    let tls = shape.tls.unwrap_or(false);
    if shape.verify.is_some() && !tls {
        reading
            .wrong(&at.key("verify"), "verify: there is a certificate over TLS alone: write tls: true, or take it out");
    }
    Some(Kind::Tcp(TcpCheck {
        host: host?,
        port: port?,
        send: lift(send)?,
        banner: lift(banner)?,
        tls,
        verify: shape.verify.unwrap_or(true),
    }))
}

pub(super) fn tls(reading: &mut Reading<'_>, at: &At<'_>, shape: &Tls) -> Option<Kind> {
    let host = reading.host(&at.key("host"), &shape.host);
    let port = reading.port(&at.key("port"), shape.port.unwrap_or(443));
    let name = shape.name.as_ref().map(|words| reading.host(&at.key("name"), words));
    let least_version = shape.least_version.as_ref().map(|words| match words.0.trim() {
        "1.2" => Some(TlsVersion::V1_2),
        "1.3" => Some(TlsVersion::V1_3),
        _ => {
            reading.wrong(&at.key("least_version"), "least_version: write 1.2 or 1.3, which are spoken here");
            None
        }
    });
    let certificate = match &shape.certificate {
        Some(ages) => certificate(reading, &at.key("certificate"), Some(ages)),
        None => Some(CertificateAges { warning: Some(14 * DAY), critical: Some(3 * DAY) }),
    };
    Some(Kind::Tls(TlsCheck {
        host: host?,
        port: port?,
        name: lift(name)?,
        verify: shape.verify.unwrap_or(true),
        least_version: lift(least_version)?,
        certificate: certificate?,
    }))
}

pub(super) fn dns(reading: &mut Reading<'_>, at: &At<'_>, shape: &Dns) -> Option<Kind> {
    let name = shape.name.0.trim();
    if name.is_empty() || name.len() > 255 || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        reading.wrong(&at.key("name"), "name: write the name that is asked about, like example.com");
    }
    let record = record(reading, &at.key("record"), shape.record.as_ref());
    let server = shape.server.as_ref().map(|words| {
        let found = server(&words.0);
        if found.is_none() {
            reading.wrong(
                &at.key("server"),
                "server: write its address, like 192.168.1.1, 192.168.1.1:53 or [fd00::1]:53",
            );
        }
        found
    });
    let exactly = shape.exactly.unwrap_or(false);
    if exactly && shape.expect.0.is_empty() {
        reading.wrong(&at.key("exactly"), "exactly: write the records in expect, or take it out");
    }
    Some(Kind::Dns(DnsCheck {
        name: name.to_owned(),
        record: record?,
        server: lift(server)?,
        expect: shape.expect.0.iter().map(|words| words.0.trim().to_owned()).collect(),
        exactly,
    }))
}

/// A type of records as the file names it.
pub(super) fn label(record: RecordType) -> &'static str {
    RECORDS.iter().find(|(_, known)| *known == record).map_or("A", |(name, _)| name)
}

/// The type that a file names.
pub(in crate::file) fn record_type(text: &str) -> Option<RecordType> {
    RECORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, record)| *record)
}

fn record(reading: &mut Reading<'_>, at: &At<'_>, words: Option<&Words>) -> Option<RecordType> {
    let Some(Words(text)) = words else { return Some(RecordType::A) };
    let found = record_type(text);
    if found.is_none() {
        let all = RECORDS.map(|(name, _)| name);
        let meant = nearness::question(text, all);
        let rest = if meant.is_empty() { format!(": write one of {}", all.join(", ")) } else { meant };
        reading.wrong(at, format!("record: no such records are asked for{rest}"));
    }
    found
}

fn server(text: &str) -> Option<SocketAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address, 53));
    address.or_else(|| text.parse().ok()).filter(|address: &SocketAddr| address.port() > 0)
}

pub(super) fn icmp(reading: &mut Reading<'_>, at: &At<'_>, shape: &Icmp) -> Option<Kind> {
    let host = reading.host(&at.key("host"), &shape.host);
    let count = shape.count.unwrap_or(ECHOES);
    if !(1..=20).contains(&count) {
        reading.wrong(&at.key("count"), format!("count is {count}: write 1 to 20"));
    }
    let (loss_warning, rtt_warning) = echoes(reading, &at.key("warning"), shape.warning.as_ref())?;
    let (loss_critical, rtt_critical) = echoes(reading, &at.key("critical"), shape.critical.as_ref())?;
    Some(Kind::Icmp(IcmpCheck { host: host?, count, loss_warning, loss_critical, rtt_warning, rtt_critical }))
}

fn echoes(reading: &mut Reading<'_>, at: &At<'_>, shape: Option<&Echoes>) -> Option<(Option<f64>, Option<Duration>)> {
    let Some(shape) = shape else { return Some((None, None)) };
    if shape.loss.is_some_and(|loss| !(0.0..=100.0).contains(&loss)) {
        reading.wrong(&at.key("loss"), "loss: write percent, from 0 to 100");
    }
    let rtt = shape.rtt.as_ref().map(|span| reading.span(&at.key("rtt"), Some(span)));
    Some((shape.loss, lift(rtt)?))
}

pub(super) fn grpc(reading: &mut Reading<'_>, at: &At<'_>, shape: &Grpc) -> Option<Kind> {
    let host = reading.host(&at.key("host"), &shape.host);
    let port = reading.port(&at.key("port"), shape.port);
    let tls = shape.tls.unwrap_or(false);
    if shape.verify.is_some() && !tls {
        reading
            .wrong(&at.key("verify"), "verify: there is a certificate over TLS alone: write tls: true, or take it out");
    }
    Some(Kind::Grpc(GrpcCheck {
        host: host?,
        port: port?,
        service: shape.service.as_ref().map(|words| words.0.trim().to_owned()).unwrap_or_default(),
        tls,
        verify: shape.verify.unwrap_or(true),
    }))
}

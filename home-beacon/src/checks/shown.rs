//! A check and its outcome, in words.

use std::{fmt::Write as _, time::Duration};

use checks::{
    check::{Check, Kind},
    outcome::Outcome,
    performance::Figure,
};
use url::Url;

/// What it asks, as it is shown to people: without secrets, which are in none of these.
pub(super) fn target(kind: &Kind) -> String {
    match kind {
        Kind::Http(http) => without_query(&http.url),
        Kind::Tcp(tcp) => format!("{}:{}", tcp.host, tcp.port),
        Kind::Tls(tls) => format!("{}:{}", tls.host, tls.port),
        Kind::Dns(dns) => dns.name.clone(),
        Kind::Icmp(icmp) => icmp.host.clone(),
        Kind::Grpc(grpc) => format!("{}:{}", grpc.host, grpc.port),
        Kind::Script(script) => script.command.first().cloned().unwrap_or_default(),
        Kind::Passive(_) => "calls from it".into(),
    }
}

/// An address without what stands behind its `?`, which may be a password.
fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    if url.query().is_some() {
        url.set_query(Some("…"));
    }
    url.to_string()
}

/// What came of a run, for the person who asked for it.
pub(super) fn outcome(check: &Check, outcome: &Outcome) -> String {
    let mut text = format!("{}: {}: {}", check.name, outcome.state.label(), outcome.text);
    if let Some(cause) = outcome.cause {
        let _ = write!(text, "\n  cause     {}: {}", cause.label(), cause.sentence());
    }
    let _ = write!(text, "\n  took      {}", milliseconds(outcome.took));
    let phases: Vec<_> =
        outcome.phases.entered().map(|(name, took)| format!("{name} {}", milliseconds(took))).collect();
    if !phases.is_empty() {
        let _ = write!(text, " ({})", phases.join(", "));
    }
    if let Some(ends) = outcome.certificate_ends {
        let _ = write!(text, "\n  valid     until {ends}");
    }
    for figure in &outcome.figures {
        let _ = write!(text, "\n  figure    {}", of_figure(figure));
    }
    for line in outcome.long_text.iter().flat_map(|text| text.lines()) {
        let _ = write!(text, "\n  {line}");
    }
    text
}

fn of_figure(figure: &Figure) -> String {
    let value = figure.value.map_or_else(|| "not determined".into(), |value| format!("{value}{}", figure.unit));
    format!("{} = {value}", figure.label)
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1e3)
}

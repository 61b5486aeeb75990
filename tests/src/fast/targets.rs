//! The servers: their addresses are signed and expire.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::Ordering::Relaxed,
};

use serde_json::{Value, json};

use super::{Fault, State, html, now, refusal};
use crate::web::{Body, Reply, Request};

/// The whole object has 25 MiB (FACTS.md F2).
pub const OBJECT: u64 = 26_214_400;

impl State {
    /// `/speedtest?c=…&n=…&v=…&e=<unix expiry>&t=<signature>` (FACTS.md F2).
    pub(super) fn named(&self, base: &str, n: u64, expiry: u64) -> Value {
        let signature = self.signature(&n.to_string(), &expiry.to_string());
        let url = format!("{base}/speedtest?c=de&n={n}&v=16&e={expiry}&t={signature}");
        json!({"name": url, "url": url, "location": {"city": "Frankfurt", "country": "DE"}})
    }

    fn signature(&self, n: &str, expiry: &str) -> String {
        let mut hasher = DefaultHasher::new();
        (self.secret, n, expiry).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    /// 403 for an address that has expired or is not signed so (FACTS.md F2).
    pub(super) fn target(&self, request: &Request) -> Reply {
        let value = |name| request.query(name).unwrap_or_default();
        let (n, expiry) = (value("n"), value("e"));
        let signed = value("t") == self.signature(n, expiry) && value("c") == "de" && value("v") == "16";
        let alive = expiry.parse::<u64>().is_ok_and(|expiry| expiry >= now());
        if !signed || !alive || request.query_fields() != 5 || self.has(Fault::TargetsBadlySigned) {
            return refusal();
        }
        let Some((from, to)) = range(&request.path) else { return Reply::text(400, "text/plain", "Bad Request") };
        if request.method == "POST" {
            return self.take(request, (from, to));
        }
        let length = (to.min(OBJECT - 1) + 1).saturating_sub(from);
        let octets = |body| Reply::new(200, body).field("Content-Type", "application/octet-stream");
        for fault in &self.faults {
            match fault {
                Fault::TargetsStatus(status) => return html(*status),
                Fault::TargetsRedirect => return html(302).field("Location", "https://login.example/"),
                Fault::TargetsAreHtml => return html(200),
                Fault::TargetsAreEmpty => return octets(Body::Payload(0)),
                Fault::TargetsMumble if length > 1 => return octets(Body::NoLength(300)),
                Fault::LatencyIsLarge if length == 1 => return octets(Body::Payload(OBJECT)),
                Fault::LatencyStalls if length == 1 => return octets(Body::Stalls(1, 0)),
                // Latency is asked for with a single byte, which always comes but for the one above.
                Fault::TargetsStall(after) if length > 1 => return octets(Body::Stalls(length, *after)),
                Fault::TargetsBreak(after) if length > 1 => return octets(Body::Breaks(length, *after)),
                Fault::OneStalls if length > 1 && n == "1" => return octets(Body::Stalls(length, 1000)),
                Fault::OneBreaks if length > 1 && n == "1" => return octets(Body::Breaks(length, 1000)),
                Fault::Slow(rate) => return octets(Body::Slow(length, *rate)),
                _ => (),
            }
        }
        octets(Body::Payload(length))
    }

    /// Uploads are posted to `/range/0-0`, 128 KiB to 25 MiB each (FACTS.md F3).
    fn take(&self, request: &Request, range: (u64, u64)) -> Reply {
        let octets = request.field("content-type") == Some("application/octet-stream");
        if self.has(Fault::RefusesUploads) {
            let mut reply = refusal();
            reply.early = true;
            return reply;
        }
        if self.has(Fault::RefusesUploadsLate) {
            return refusal();
        }
        if range != (0, 0) || !octets || !(1..=OBJECT).contains(&request.length()) {
            return Reply::text(400, "text/plain", "Bad Request");
        }
        self.uploaded.fetch_add(request.length(), Relaxed);
        Reply::new(200, Body::Text(String::new()))
    }
}

/// `/range/<from>-<to>`, both included, or the whole object without it (FACTS.md F2).
fn range(path: &str) -> Option<(u64, u64)> {
    let Some(range) = path.strip_prefix("/speedtest/range/") else { return Some((0, OBJECT - 1)) };
    let (from, to) = range.split_once('-')?;
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    // Clients ask for 0-26214400, one beyond the last byte, and get the whole.
    (from <= to && to <= OBJECT).then_some((from, to))
}

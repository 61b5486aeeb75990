//! Cloudflare's speed test with its limits. What is known of it, and from where, is in tests/FACTS.md.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::web::{Body, Reply, Request, Web};

/// Requests of this size are limited, and of that refused without a `Referer` (FACTS.md C1).
const LIMITED: u64 = 10_000_000;
const REFUSED: u64 = 100_000_000;
const PAGE: &str = "https://speed.cloudflare.com/";

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Status(u16),
    /// 429, with so many seconds to wait.
    Limited(u32),
    IsHtml,
    Stalls,
    /// Each connection gets so many bytes a second.
    Slow(u64),
    /// The server takes so many milliseconds for itself, and says so.
    Thinks(u32),
    /// The same, said in the other form.
    ThinksInParts(u32),
}

#[derive(Debug)]
pub struct Cloudflare {
    pub web: Web,
    uploaded: Arc<AtomicU64>,
}

impl Cloudflare {
    /// # Panics
    /// When no port is to be had.
    pub async fn open(faults: &[Fault]) -> Self {
        Self::open_with(false, faults).await
    }

    /// # Panics
    /// When no port is to be had.
    pub async fn open_with(tls: bool, faults: &[Fault]) -> Self {
        let (faults, uploaded) = (faults.to_vec(), Arc::new(AtomicU64::new(0)));
        let counting = Arc::clone(&uploaded);
        let web = Web::open(tls, move |_, request| answer(&faults, &counting, request)).await;
        Self { web, uploaded }
    }

    /// What `CLOUDFLARE_URL` is set to.
    pub fn url(&self) -> String {
        self.web.url()
    }

    /// Payload of uploads that were taken.
    pub fn uploaded(&self) -> u64 {
        self.uploaded.load(Relaxed)
    }
}

fn answer(faults: &[Fault], uploaded: &AtomicU64, request: &Request) -> Reply {
    let plain = |status, text: &str| Reply::text(status, "text/plain", text);
    let reply = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/__down") => match request.query("bytes").and_then(|bytes| bytes.parse().ok()) {
            // The official page is asked for 10 kB without the parameter; our programs never do (FACTS.md C1).
            None => plain(400, "Bad Request"),
            // 403 from 100 MB on without a Referer, 429 from 10 MB on (FACTS.md C1).
            Some(REFUSED..) if request.field("referer") != Some(PAGE) => plain(403, "Forbidden"),
            Some(LIMITED..) => plain(429, "Too Many Requests").field("Retry-After", "3000"),
            Some(bytes) => down(faults, bytes),
        },
        // The answer is small (FACTS.md C1).
        ("POST", "/__up") if (1..LIMITED).contains(&request.length()) => {
            uploaded.fetch_add(request.length(), Relaxed);
            plain(200, "OK")
        }
        ("POST", "/__up") => plain(429, "Too Many Requests").field("Retry-After", "3000"),
        _ => plain(404, "Not Found"),
    };
    // Header fields of the older kind (FACTS.md C1).
    reply.field("cf-meta-city", "Hamburg").field("cf-meta-country", "DE").field("cf-meta-colo", "HAM")
}

fn down(faults: &[Fault], bytes: u64) -> Reply {
    let octets = |body| Reply::new(200, body).field("Content-Type", "application/octet-stream");
    let mut reply = octets(Body::Payload(bytes));
    for fault in faults {
        match fault {
            Fault::Status(status) => return Reply::text(*status, "text/html", "<html></html>"),
            Fault::Limited(wait) => {
                return Reply::text(429, "text/plain", "Too Many Requests").field("Retry-After", &wait.to_string());
            }
            Fault::IsHtml => return Reply::text(200, "text/html", "<html>Please log in</html>"),
            Fault::Stalls if bytes > 0 => return octets(Body::Stalls(bytes, 0)),
            Fault::Slow(rate) => reply.body = Body::Slow(bytes, *rate),
            // A sum of parts or one figure; either is the server's own time (FACTS.md C1).
            Fault::Thinks(ms) => {
                reply.delay = Duration::from_millis((*ms).into());
                reply = reply.field("server-timing", &format!("cfRequestDuration;dur={ms}"));
            }
            Fault::ThinksInParts(ms) => {
                reply.delay = Duration::from_millis((*ms).into());
                reply = reply.field("server-timing", &format!("cfSpeedA;dur={}, cfSpeedB;dur={}", ms / 2, ms - ms / 2));
            }
            Fault::Stalls => (),
        }
    }
    reply
}

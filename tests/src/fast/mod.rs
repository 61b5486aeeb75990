//! fast.com, as strict as it is known to be: a page, a script, an API in two versions, and servers whose addresses are
//! signed and expire. What is known of them, and from where, is in tests/FACTS.md.

mod fault;
mod targets;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

pub use self::{fault::Fault, targets::OBJECT};
use crate::web::{Body, Reply, Request, Web};

/// The network that the client is said to be in.
const ISP: &str = "Example Net";

#[derive(Debug)]
pub struct Fast {
    pub web: Web,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    faults: Vec<Fault>,
    /// Word characters, changing at each start (FACTS.md F1).
    token: String,
    secret: u64,
    pages: AtomicU32,
    answers: AtomicU32,
    /// Payload of uploads that were taken.
    uploaded: AtomicU64,
}

impl Fast {
    /// # Panics
    /// When no port is to be had.
    pub async fn open(faults: &[Fault]) -> Self {
        Self::open_at(([127, 0, 0, 1], 0).into(), false, faults).await
    }

    /// # Panics
    /// When no port is to be had.
    pub async fn with_tls(faults: &[Fault]) -> Self {
        Self::open_at(([127, 0, 0, 1], 0).into(), true, faults).await
    }

    /// # Panics
    /// When the address cannot be had.
    pub async fn open_at(address: SocketAddr, tls: bool, faults: &[Fault]) -> Self {
        let state = Arc::new(State {
            faults: faults.to_vec(),
            token: std::iter::repeat_with(fastrand::alphanumeric).take(32).collect(),
            secret: fastrand::u64(..),
            pages: AtomicU32::new(0),
            answers: AtomicU32::new(0),
            uploaded: AtomicU64::new(0),
        });
        let answering = Arc::clone(&state);
        let web = Web::open_at(address, tls, move |base, request| answering.answer(base, request)).await;
        Self { web, state }
    }

    /// What `FAST_URL` is set to.
    pub fn url(&self) -> String {
        format!("{}/", self.web.url())
    }

    pub fn token(&self) -> &str {
        &self.state.token
    }

    /// The signed address of the whole object, for other clients.
    pub fn object(&self) -> String {
        let named = self.state.named(&self.web.url(), 1, now() + 600);
        named["url"].as_str().unwrap_or_default().to_owned()
    }

    /// Payload of uploads that were taken.
    pub fn uploaded(&self) -> u64 {
        self.state.uploaded.load(Relaxed)
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}

fn html(status: u16) -> Reply {
    Reply::text(status, "text/html; charset=utf-8", "<!DOCTYPE html><html><body>Please log in</body></html>")
}

fn refusal() -> Reply {
    Reply::text(403, "text/plain", "Forbidden")
}

impl State {
    fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    fn answer(&self, base: &str, request: &Request) -> Reply {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => self.page(),
            // The script's name changes with its content (FACTS.md F1).
            ("GET", path) if path.starts_with("/app-") => self.script(base, path),
            ("GET", "/netflix/speedtest") => self.api(base, request, false),
            ("GET", "/netflix/speedtest/v2") if !self.has(Fault::OnlyV1) => self.api(base, request, true),
            ("GET" | "POST", path) if path == "/speedtest" || path.starts_with("/speedtest/range/") => {
                self.target(request)
            }
            _ => Reply::text(404, "text/plain", "Not Found"),
        }
    }

    /// HTML with one script (FACTS.md F1).
    fn page(&self) -> Reply {
        let served = self.pages.fetch_add(1, Relaxed);
        for fault in &self.faults {
            match fault {
                Fault::PageStatus(status) => return html(*status),
                Fault::PageRedirects => return html(302).field("Location", "https://login.example/"),
                Fault::PageWithoutScript => return html(200),
                Fault::PageSaysNothing => {
                    let mut reply = html(200);
                    reply.delay = Duration::from_mins(1);
                    return reply;
                }
                _ => (),
            }
        }
        let old = self.has(Fault::TokenChanges) && served == 0;
        let script = if old { "/app-00000.js" } else { "/app-a1b2c3.js" };
        let page = format!(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Internet Speed Test | Fast.com</title>\
             </head><body><div id=\"app\"></div><script src=\"{script}\"></script></body></html>"
        );
        Reply::text(200, "text/html; charset=utf-8", page)
    }

    /// `apiEndpoint="host/path"`, `token:"word characters"`, several `urlCount:n`, the last of which counts (FACTS.md
    /// F1).
    fn script(&self, base: &str, path: &str) -> Reply {
        for fault in &self.faults {
            match fault {
                Fault::ScriptStatus(status) => return html(*status),
                Fault::ScriptIsHtml => return html(200),
                Fault::ScriptBreaks(after) => return Reply::new(200, Body::Breaks(2 * after, *after)),
                Fault::ScriptIsLong(length) => {
                    return Reply::text(200, "application/javascript", ";".repeat(*length));
                }
                _ => (),
            }
        }
        let host = base.split("://").nth(1).unwrap_or_default();
        let endpoint = format!("apiEndpoint=\"{host}/netflix/speedtest/v2\"");
        let token = if path == "/app-00000.js" { "YXNkZmFzZGxmbnNkYWZoYXNkZmhrYWxm" } else { &self.token };
        let token = format!("https:!0,endpoint:x,token:\"{token}\"");
        let script = format!(
            "!function(e){{var t={{urlCount:3,connections:{{min:1,max:8}}}},{},n={{{},urlCount:5}};e.exports=n}}(this);",
            if self.has(Fault::ScriptWithoutEndpoint) { "x=1" } else { &endpoint },
            if self.has(Fault::ScriptWithoutToken) { "y:1" } else { &token },
        );
        Reply::text(200, "application/javascript", script)
    }

    /// 403 without the current token; v1 answers a list, perhaps of fewer than asked for, v2 an object (FACTS.md F1,
    /// F2).
    fn api(&self, base: &str, request: &Request, v2: bool) -> Reply {
        for fault in &self.faults {
            match fault {
                Fault::ApiStatus(status) => return html(*status),
                Fault::ApiLimited(wait) => {
                    return Reply::text(429, "text/plain", "Too Many").field("Retry-After", &wait.to_string());
                }
                Fault::ApiIsHtml => return html(200),
                Fault::ApiIsGarbage => return Reply::text(200, "application/json", "{\"targets\":"),
                _ => (),
            }
        }
        if request.query("token") != Some(&self.token) || self.has(Fault::TokenIsRefused) {
            return refusal();
        }
        let https = if base.starts_with("https:") { "true" } else { "false" };
        let count = request.query("urlCount").and_then(|count| count.parse::<u64>().ok());
        let (true, Some(count)) = (request.query("https") == Some(https), count) else {
            return Reply::text(400, "text/plain", "Bad Request");
        };
        let answered = self.answers.fetch_add(1, Relaxed);
        let most = if v2 { 5 } else { 3 };
        let count = if self.has(Fault::NoTargets) { 0 } else { count.min(most) };
        let expired = self.has(Fault::TargetsExpired) || (self.has(Fault::TargetsExpireOnce) && answered == 0);
        let expiry = if expired { now() - 1 } else { now() + 600 };
        let targets: Vec<Value> = (1..=count).map(|n| self.named(base, n, expiry)).collect();
        let answer = if v2 {
            let location = json!({"city": "Berlin", "country": "DE"});
            let client = json!({"ip": "192.0.2.7", "asn": "64500", "isp": ISP, "location": location});
            json!({"client": client, "targets": targets})
        } else {
            targets.iter().map(|target| json!({"url": target["url"]})).collect()
        };
        Reply::text(200, "application/json", answer.to_string())
    }
}

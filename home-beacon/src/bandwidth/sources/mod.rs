//! The services that are measured against, and how they want to be asked. Each answers with as many bytes as it is
//! asked for, and has a request that costs next to nothing.

mod fast;
pub mod parsers;

use hyper::{
    Request,
    header::{CONTENT_TYPE, HeaderValue, RANGE, REFERER},
};
use tokio::{
    sync::Mutex,
    time::{Duration, Instant},
};
use url::Url;

pub(crate) use self::fast::Fast;
use self::parsers::Targets;
use super::{
    connection::{Dialer, Payload, host, request},
    error::MeasureError,
};

/// How long finding servers may take.
const FIND_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest pieces: the whole of fast.com's object, and what Cloudflare answers without counting.
const OBJECT: u64 = 25 << 20;
const CLOUDFLARE_PIECE: u64 = 9_000_000;

/// The smallest file that says anything of a line.
pub(crate) const MIN_FILE: u64 = 1_000_000;

/// Cloudflare wants to be asked from its own page.
const PAGE: HeaderValue = HeaderValue::from_static("https://speed.cloudflare.com/");

/// A service to measure against.
#[derive(Debug)]
pub(crate) enum Source {
    Fast(Fast),
    /// Its base address.
    Cloudflare(Url),
    /// A file at any web server.
    File(Url),
}

impl Source {
    /// The name in readings.
    pub(crate) fn method(&self) -> String {
        match self {
            Self::Fast(_) => "fast.com".into(),
            Self::Cloudflare(_) => "cloudflare".into(),
            Self::File(url) => host(url),
        }
    }

    /// The most that is asked for at once.
    pub(crate) fn largest(&self) -> u64 {
        match self {
            Self::Fast(_) | Self::File(_) => OBJECT,
            Self::Cloudflare(_) => CLOUDFLARE_PIECE,
        }
    }

    /// Finds servers.
    ///
    /// # Errors
    /// When there are none.
    pub(crate) async fn find<'a>(&'a self, dialer: &'a Dialer, until: Instant) -> Result<Servers<'a>, MeasureError> {
        let until = until.min(Instant::now() + FIND_TIMEOUT);
        let found = match self {
            Self::Fast(fast) => fast.targets(dialer, until).await?,
            Self::Cloudflare(url) | Self::File(url) => Targets { urls: vec![url.clone()], isp: None, location: None },
        };
        let current = Mutex::new(Current { urls: found.urls.clone(), renewed: false });
        Ok(Servers { source: self, dialer, found, current })
    }

    /// A request for so many bytes.
    pub(crate) fn down(&self, server: &Url, bytes: u64) -> Request<Payload> {
        match self {
            Self::Fast(_) => request("GET", &ranged(server, bytes), Payload::empty()),
            Self::Cloudflare(_) => from_page(request("GET", &sized(server, bytes), Payload::empty())),
            Self::File(_) => {
                let mut asked = request("GET", server, Payload::empty());
                let range = format!("bytes=0-{}", bytes.saturating_sub(1));
                asked.headers_mut().extend(HeaderValue::try_from(range).map(|range| (RANGE, range)));
                asked
            }
        }
    }

    /// A request that carries so many bytes, and counts them.
    pub(crate) fn up(&self, server: &Url, payload: Payload) -> Request<Payload> {
        let (mut asked, kind) = match self {
            Self::Cloudflare(base) => (from_page(request("POST", &below(base, "__up"), payload)), "text/plain"),
            Self::Fast(_) | Self::File(_) => (request("POST", &ranged(server, 1), payload), "application/octet-stream"),
        };
        asked.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        asked
    }

    /// A request whose answer is as small as can be.
    pub(crate) fn tiny(&self, server: &Url) -> Request<Payload> {
        match self {
            Self::Fast(_) => request("GET", &ranged(server, 1), Payload::empty()),
            Self::Cloudflare(_) => from_page(request("GET", &sized(server, 0), Payload::empty())),
            Self::File(_) => request("HEAD", server, Payload::empty()),
        }
    }
}

/// `/speedtest?…` becomes `/speedtest/range/0-<last>?…`.
fn ranged(server: &Url, bytes: u64) -> Url {
    let mut url = server.clone();
    let path = format!("{}/range/0-{}", url.path().trim_end_matches('/'), bytes.saturating_sub(1));
    url.set_path(&path);
    url
}

fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    let path = format!("{}/{name}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

fn sized(base: &Url, bytes: u64) -> Url {
    let mut url = below(base, "__down");
    url.set_query(Some(&format!("bytes={bytes}")));
    url
}

fn from_page(mut asked: Request<Payload>) -> Request<Payload> {
    asked.headers_mut().insert(REFERER, PAGE);
    asked
}

/// The servers of a source.
#[derive(Debug)]
pub(crate) struct Servers<'a> {
    pub(crate) source: &'a Source,
    pub(crate) dialer: &'a Dialer,
    /// As they were found.
    pub(crate) found: Targets,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    urls: Vec<Url>,
    renewed: bool,
}

impl Servers<'_> {
    /// The address of a server; counting goes round.
    pub(crate) async fn pick(&self, index: usize) -> Url {
        let current = self.current.lock().await;
        current.urls[index % current.urls.len()].clone()
    }

    /// What to do about a refusal of `server`: signed addresses live shortly, so there may be newer ones. They are asked
    /// for once in a run.
    ///
    /// # Errors
    /// The refusal, where there are none.
    pub(crate) async fn renew(&self, server: &Url, refusal: MeasureError, until: Instant) -> Result<(), MeasureError> {
        let Source::Fast(fast) = self.source else { return Err(refusal) };
        let mut current = self.current.lock().await;
        if !current.urls.contains(server) {
            return Ok(());
        }
        if current.renewed {
            return Err(refusal);
        }
        current.renewed = true;
        current.urls = fast.targets(self.dialer, until.min(Instant::now() + FIND_TIMEOUT)).await?.urls;
        Ok(())
    }

    /// The host, for messages.
    pub(crate) fn host(&self) -> String {
        self.found.urls.first().map_or_else(|| self.source.method(), host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_as_the_services_want_them() {
        let signed: Url = "https://h.example/speedtest?c=tw&e=1&t=x".parse().unwrap();
        assert_eq!(ranged(&signed, 26_214_400).as_str(), "https://h.example/speedtest/range/0-26214399?c=tw&e=1&t=x");
        assert_eq!(ranged(&signed, 1).as_str(), "https://h.example/speedtest/range/0-0?c=tw&e=1&t=x");
        let base: Url = "https://speed.cloudflare.com".parse().unwrap();
        assert_eq!(sized(&base, 9_000_000).as_str(), "https://speed.cloudflare.com/__down?bytes=9000000");
        assert_eq!(below(&base, "__up").as_str(), "https://speed.cloudflare.com/__up");
    }
}

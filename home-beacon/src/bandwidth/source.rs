//! Who is measured against, and how they want to be asked. Each answers with as many bytes as it is asked for, and has a
//! question that costs next to nothing.

use hyper::{
    Request,
    header::{CONTENT_TYPE, HeaderValue, RANGE, REFERER},
};
use tokio::{
    sync::Mutex,
    time::{Duration, Instant},
};
use url::Url;

use super::{
    dial::{Dialer, host},
    fast::Fast,
    foreign::Targets,
    line::request,
    payload::Payload,
    trouble::Trouble,
};

/// How long finding servers may take.
const FINDING: Duration = Duration::from_secs(10);

/// The largest pieces: the whole of fast.com's object, and what Cloudflare answers without counting.
const OBJECT: u64 = 25 << 20;
const CLOUDFLARE_PIECE: u64 = 9_000_000;

/// The smallest file that tells anything of a line.
pub(super) const LEAST_FILE: u64 = 1_000_000;

/// Cloudflare wants to be asked from its own page.
const PAGE: HeaderValue = HeaderValue::from_static("https://speed.cloudflare.com/");

#[derive(Debug)]
pub(super) enum Source {
    Fast(Fast),
    /// Its base address.
    Cloudflare(Url),
    /// A file at any web server.
    File(Url),
}

impl Source {
    /// The name that readings tell.
    pub(super) fn method(&self) -> String {
        match self {
            Self::Fast(_) => "fast.com".into(),
            Self::Cloudflare(_) => "cloudflare".into(),
            Self::File(url) => host(url),
        }
    }

    /// The most that is asked for at once.
    pub(super) fn largest(&self) -> u64 {
        match self {
            Self::Fast(_) | Self::File(_) => OBJECT,
            Self::Cloudflare(_) => CLOUDFLARE_PIECE,
        }
    }

    /// Finds servers.
    ///
    /// # Errors
    /// When there are none.
    pub(super) async fn find<'a>(&'a self, dialer: &'a Dialer, until: Instant) -> Result<Servers<'a>, Trouble> {
        let until = until.min(Instant::now() + FINDING);
        let found = match self {
            Self::Fast(fast) => fast.targets(dialer, until).await?,
            Self::Cloudflare(url) | Self::File(url) => Targets { urls: vec![url.clone()], isp: None, location: None },
        };
        let known = Mutex::new(Known { urls: found.urls.clone(), renewed: false });
        Ok(Servers { source: self, dialer, found, known })
    }

    /// A request for so many bytes.
    pub(super) fn down(&self, server: &Url, bytes: u64) -> Request<Payload> {
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
    pub(super) fn up(&self, server: &Url, payload: Payload) -> Request<Payload> {
        let (mut asked, kind) = match self {
            Self::Cloudflare(base) => (from_page(request("POST", &below(base, "__up"), payload)), "text/plain"),
            Self::Fast(_) | Self::File(_) => (request("POST", &ranged(server, 1), payload), "application/octet-stream"),
        };
        asked.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        asked
    }

    /// A request whose answer is as small as can be.
    pub(super) fn tiny(&self, server: &Url) -> Request<Payload> {
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
pub(super) struct Servers<'a> {
    pub(super) source: &'a Source,
    pub(super) dialer: &'a Dialer,
    /// As they were found.
    pub(super) found: Targets,
    known: Mutex<Known>,
}

#[derive(Debug)]
struct Known {
    urls: Vec<Url>,
    renewed: bool,
}

impl Servers<'_> {
    /// The address of a server; counting goes round.
    pub(super) async fn pick(&self, index: usize) -> Url {
        let known = self.known.lock().await;
        known.urls[index % known.urls.len()].clone()
    }

    /// What to do about a refusal of `server`: signed addresses live shortly, so there may be newer ones. They are asked
    /// for once in a run.
    ///
    /// # Errors
    /// The refusal, where there are none.
    pub(super) async fn renew(&self, server: &Url, refusal: Trouble, until: Instant) -> Result<(), Trouble> {
        let Source::Fast(fast) = self.source else { return Err(refusal) };
        let mut known = self.known.lock().await;
        if !known.urls.contains(server) {
            return Ok(());
        }
        if known.renewed {
            return Err(refusal);
        }
        known.renewed = true;
        known.urls = fast.targets(self.dialer, until.min(Instant::now() + FINDING)).await?.urls;
        Ok(())
    }

    /// The host that is told.
    pub(super) fn host(&self) -> String {
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

//! The addresses that the world sees this machine come from, of each family: asked of Cloudflare at a literal address, so
//! that no name service is needed and the family is the one that is meant.

use std::{
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use shared::{http::Client, names::Family};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use url::Url;

/// A trace is a few lines `key=value`, one of which is `ip`.
const SOURCES: [&str; 2] = ["https://1.1.1.1/cdn-cgi/trace", "https://[2606:4700:4700::1111]/cdn-cgi/trace"];

/// How long an answer is waited for: a probe may wait for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer counts.
const LIFETIME: Duration = Duration::from_hours(1);

/// How long none counts: a machine that has just been started may have no network yet.
const LIFETIME_OF_NONE: Duration = Duration::from_mins(5);

/// The longest answer that is read, in bytes. A trace has about 300.
const MAX_BYTES: usize = 4 << 10;

/// What was last answered, and when.
type Answered = Mutex<Option<(Instant, Option<IpAddr>)>>;

/// The addresses, as far as they were asked for.
#[derive(Debug)]
pub(crate) struct OutsideAddresses {
    sources: [Option<Url>; 2],
    answered: [Answered; 2],
    is_logged: AtomicBool,
}

impl Default for OutsideAddresses {
    fn default() -> Self {
        Self::of(SOURCES.map(|source| source.parse().ok()))
    }
}

impl OutsideAddresses {
    fn of(sources: [Option<Url>; 2]) -> Self {
        Self { sources, answered: Default::default(), is_logged: AtomicBool::new(false) }
    }

    /// The one of that family; `None` where it cannot be known, which is said once. All who ask at once share one call.
    pub(super) async fn address(&self, family: Family, http: &Client) -> Option<IpAddr> {
        let index = usize::from(family == Family::V6);
        let mut answered = self.answered[index].lock().await;
        if let Some((at, address)) = *answered
            && at.elapsed() < if address.is_some() { LIFETIME } else { LIFETIME_OF_NONE }
        {
            return address;
        }
        let source = self.sources[index].as_ref()?;
        let address = timeout(TIMEOUT, ask(source, http)).await.ok().flatten();
        let address = address.filter(|address| Family::of(*address) == family);
        // While the line is down nobody can be asked, and the address of before still says whose network this is.
        let address = address.or(answered.and_then(|(_, last)| last));
        *answered = Some((Instant::now(), address));
        if address.is_none() && !self.is_logged.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %source,
                "cannot tell from which address the world sees this machine, so homes with public addresses count as \
                 looked at from inside: set VANTAGE=outside where it shares no home's network"
            );
        }
        address
    }
}

async fn ask(source: &Url, http: &Client) -> Option<IpAddr> {
    let mut response = http.get(source).send().await.ok().filter(|response| response.status().is_success())?;
    let mut answer = Vec::new();
    while let Some(piece) = response.chunk().await.ok()? {
        answer.extend_from_slice(&piece[..piece.len().min(MAX_BYTES - answer.len())]);
        if answer.len() == MAX_BYTES {
            return None;
        }
    }
    traced(std::str::from_utf8(&answer).ok()?)
}

/// The address of a trace; none where it came through Cloudflare's own tunnel (WARP), whose address is no machine's.
fn traced(trace: &str) -> Option<IpAddr> {
    let value = |name: &str| {
        let mut values = trace.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        values.next().filter(|_| values.next().is_none())
    };
    value("warp").is_none_or(|warp| warp == "off").then_some(())?;
    value("ip")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicUsize};

    use shared::{
        http::{Deadlines, client_for},
        look::Vantage,
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{
        super::{Viewpoint, vantage::VantageSetting},
        *,
    };

    #[test]
    fn a_trace_names_one_address() {
        for (trace, address) in [
            ("fl=1f1\nip=81.2.69.142\nwarp=off\n", Some("81.2.69.142")),
            ("ip=2a02:8109::1\n", Some("2a02:8109::1")),
            ("ip=81.2.69.142\nwarp=on\n", None),
            ("ip=81.2.69.142\nip=81.2.69.143\n", None),
            ("ip=\n", None),
            ("xip=81.2.69.142\n", None),
            ("<html>81.2.69.142</html>", None),
            ("", None),
        ] {
            assert_eq!(traced(trace), address.map(|it| it.parse().unwrap()), "{trace}");
        }
    }

    /// A source that answers so, and how often it was asked.
    async fn source(answer: &'static str) -> (OutsideAddresses, Client, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counting = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counting.fetch_add(1, Ordering::Relaxed);
                let _ = stream.read(&mut [0; 1024]).await;
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
                let _ = stream.write_all(&[head.as_bytes(), answer.as_bytes()].concat()).await;
            }
        });
        let http = client_for([&url], Deadlines::default()).unwrap();
        (OutsideAddresses::of([Some(url.clone()), Some(url)]), http, asked)
    }

    #[tokio::test]
    async fn it_is_asked_once_an_hour_for_each_family() {
        let (outside, http, asked) = source("ip=81.2.69.142\nwarp=off\n").await;
        let address = Some("81.2.69.142".parse().unwrap());
        let both = tokio::join!(outside.address(Family::V4, &http), outside.address(Family::V4, &http));
        assert_eq!(both, (address, address));
        assert_eq!(outside.address(Family::V4, &http).await, address);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert_eq!(outside.address(Family::V6, &http).await, None, "what it says is of the other family");
        assert_eq!(outside.address(Family::V6, &http).await, None);
        assert_eq!(asked.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_home_at_the_address_that_the_world_sees_is_looked_at_from_inside() {
        for (answer, target, from, calls) in [
            ("ip=81.2.69.142\n", "81.2.69.142", Vantage::Inside, 1),
            ("ip=81.2.69.142\n", "81.2.69.143", Vantage::Outside, 1),
            ("no trace", "81.2.69.142", Vantage::Inside, 1),
            ("ip=81.2.69.142\n", "192.168.178.1", Vantage::Inside, 0),
            ("ip=81.2.69.142\n", "192.0.2.1", Vantage::Outside, 0),
        ] {
            let (outside, http, asked) = source(answer).await;
            let viewpoint = |setting, outside| Viewpoint { setting, outside, http: &http };
            let target = [target.parse().unwrap()];
            assert_eq!(viewpoint(VantageSetting::Outside, Some(&outside)).of(&target).await, Vantage::Outside);
            assert_eq!(viewpoint(VantageSetting::Inside, Some(&outside)).of(&target).await, Vantage::Inside);
            assert_eq!(asked.load(Ordering::Relaxed), 0, "what is set by hand asks nobody");
            assert_eq!(viewpoint(VantageSetting::Auto, Some(&outside)).of(&target).await, from, "{answer} {target:?}");
            assert_eq!(asked.load(Ordering::Relaxed), calls);
        }
    }

    #[test]
    fn the_sources_are_addresses_of_their_families() {
        let families = OutsideAddresses::default().sources.map(|source| match source.as_ref().and_then(Url::host) {
            Some(url::Host::Ipv4(_)) => Some(Family::V4),
            Some(url::Host::Ipv6(_)) => Some(Family::V6),
            _ => None,
        });
        assert_eq!(families, [Some(Family::V4), Some(Family::V6)]);
    }
}

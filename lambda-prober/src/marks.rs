//! What an answer tells of who sent it, besides its proof: who serves it, where it points to, what it came through, and
//! whether it may be an old one out of a cache. Pure; shown to people, never believed.

use shared::proof::Proof;
use url::Url;

/// The longest text that is kept of a header, in characters.
const LONGEST: usize = 120;

/// The headers that caches leave (RFC 9111, RFC 9211, and those of the common ones).
pub const CACHES: [&str; 10] = [
    "age",
    "cache-status",
    "cf-cache-status",
    "x-cache",
    "x-cache-status",
    "x-cache-hits",
    "x-proxy-cache",
    "x-nginx-cache",
    "x-varnish",
    "x-served-by",
];

/// What an answer told of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where it points to, without user, password, query and fragment.
    pub location: Option<String>,
    pub server: Option<String>,
    pub via: Option<String>,
    /// Headers of caches, each as `name: value`.
    pub cache: Vec<String>,
    /// A well-formed proof, whether it fits or not, to tell an old one by.
    pub proof: Option<Proof>,
}

/// How far an answer came out of a cache, by its own headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    Yes,
    /// It came through something that may be one.
    Perhaps,
    No,
}

impl Marks {
    /// Notes a header, whose name is in lower case, of an answer to a request to `asked`.
    pub fn note(&mut self, name: &str, value: &[u8], asked: &Url) {
        match name {
            "location" => self.location = self.location.take().or_else(|| Some(pointed(value, asked))),
            "server" => self.server = self.server.take().or_else(|| Some(plain(value))),
            "via" => self.via = self.via.take().or_else(|| Some(plain(value))),
            _ if CACHES.contains(&name) && self.cache.len() < CACHES.len() => {
                self.cache.push(format!("{name}: {}", plain(value)));
            }
            _ => (),
        }
    }

    pub fn cached(&self) -> Cached {
        let says = |words: &[&str]| {
            self.cache.iter().any(|line| {
                let line = line.to_ascii_lowercase();
                let (_, value) = line.split_once(": ").unwrap_or_default();
                value.split(|it: char| !it.is_ascii_alphanumeric()).any(|it| words.contains(&it))
            })
        };
        // Nobody but a cache sends an age.
        if self.cache.iter().any(|line| line.starts_with("age:")) || says(&["hit", "stale", "updating", "revalidated"])
        {
            Cached::Yes
        } else if says(&["miss", "dynamic", "bypass", "expired", "fwd"])
            || (self.via.is_none() && self.cache.is_empty())
        {
            Cached::No
        } else {
            Cached::Perhaps
        }
    }

    /// What was seen, as a list for people; empty where there was nothing.
    pub fn told(&self) -> String {
        let named = [("Location", &self.location), ("Server", &self.server), ("Via", &self.via)];
        let named = named.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}: {value}")));
        named.chain(self.cache.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}

/// A header's value in what every terminal shows, and no more of it than a line takes.
fn plain(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let shown = |it: char| if it == ' ' || it.is_ascii_graphic() { it } else { '?' };
    let mut plain: String = text.trim().chars().take(LONGEST).map(shown).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        plain.push_str("...");
    }
    plain
}

/// Where a `Location` points to, without what may be a secret in it.
fn pointed(value: &[u8], asked: &Url) -> String {
    let unreadable = || "(unreadable)".to_owned();
    let Some(mut url) = std::str::from_utf8(value).ok().and_then(|text| asked.join(text.trim()).ok()) else {
        return unreadable();
    };
    if !matches!(url.scheme(), "http" | "https") {
        return plain(format!("{}:...", url.scheme()).as_bytes());
    }
    let had_query = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    if url.set_username("").and(url.set_password(None)).is_err() {
        return unreadable();
    }
    plain(format!("{url}{}", if had_query { "?..." } else { "" }).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(fields: &[(&str, &str)]) -> Marks {
        let (mut marks, asked) = (Marks::default(), "http://home.example:30008/x".parse().unwrap());
        for (name, value) in fields {
            marks.note(name, value.as_bytes(), &asked);
        }
        marks
    }

    #[test]
    fn a_cache_is_known_by_what_it_says_of_itself() {
        for (fields, cached) in [
            (&[][..], Cached::No),
            (&[("server", "nginx")], Cached::No),
            (&[("age", "0")], Cached::Yes),
            (&[("age", "31"), ("x-cache", "MISS")], Cached::Yes),
            (&[("x-cache", "HIT from squid")], Cached::Yes),
            (&[("cf-cache-status", "HIT")], Cached::Yes),
            (&[("cache-status", "ExampleCache; hit; ttl=30")], Cached::Yes),
            (&[("x-cache-status", "STALE")], Cached::Yes),
            (&[("cf-cache-status", "DYNAMIC"), ("via", "1.1 cloud")], Cached::No),
            (&[("x-cache", "MISS"), ("via", "1.1 varnish")], Cached::No),
            (&[("via", "1.1 Caddy")], Cached::Perhaps),
            (&[("x-varnish", "32770 3")], Cached::Perhaps),
            (&[("x-served-by", "cache-fra-1")], Cached::Perhaps),
        ] {
            assert_eq!(marks(fields).cached(), cached, "{fields:?}");
        }
    }

    #[test]
    fn nothing_secret_long_or_unprintable_is_shown() {
        for (location, shown) in [
            ("https://home.example/", "https://home.example/"),
            ("https://me:hunter2@home.example/in?token=hunter2#hunter2", "https://home.example/in?..."),
            ("//me:hunter2@other.example/a", "http://other.example/a"),
            ("/login?next=hunter2", "http://home.example:30008/login?..."),
            ("mailto:hunter2@example.org", "mailto:..."),
            ("http://[hunter2", "(unreadable)"),
        ] {
            assert_eq!(marks(&[("location", location)]).location.as_deref(), Some(shown));
        }
        let odd = marks(&[("server", "a\u{1b}[31mb\u{202e}\u{7f}c"), ("via", &"x".repeat(5_000))]);
        assert_eq!(odd.server.as_deref(), Some("a?[31mb??c"));
        assert_eq!(odd.via.map(|via| via.len()), Some(LONGEST + 3));
    }
}

//! What an answer's headers say of its sender, besides the proof: server, redirect, proxies, and whether the answer may
//! come out of a cache. Shown to people; no verdict believes them, but for a cache's.

use shared::proof::Proof;
use url::Url;

/// How much of a header is kept, in characters.
const MAX_TEXT: usize = 120;

/// The headers that caches add (RFC 9111, RFC 9211, and those of common products).
pub(crate) const CACHE_HEADERS: [&str; 10] = [
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

/// The headers of an answer that say where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHeaders {
    /// Where it redirects to, without user, password, query and fragment.
    pub location: Option<String>,
    /// The software that answers.
    pub server: Option<String>,
    /// The proxies that it came through.
    pub via: Option<String>,
    /// Headers of caches, each as `name: value`.
    pub cache: Vec<String>,
    /// A well-formed proof, whether it fits or not, to recognise a repeated one by.
    pub proof: Option<Proof>,
}

/// Whether an answer came out of a cache, by its own headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FromCache {
    Yes,
    /// It came through something that may be a cache.
    Perhaps,
    No,
}

impl AnswerHeaders {
    /// Takes note of a header; `name` is in lower case, and `asked` is what was requested.
    pub fn note(&mut self, name: &str, value: &[u8], asked: &Url) {
        match name {
            "location" => self.location = self.location.take().or_else(|| Some(redirect_target(value, asked))),
            "server" => self.server = self.server.take().or_else(|| Some(plain(value))),
            "via" => self.via = self.via.take().or_else(|| Some(plain(value))),
            _ if CACHE_HEADERS.contains(&name) && self.cache.len() < CACHE_HEADERS.len() => {
                self.cache.push(format!("{name}: {}", plain(value)));
            }
            _ => (),
        }
    }

    /// Whether the answer came out of a cache.
    pub(crate) fn cached(&self) -> FromCache {
        let says = |words: &[&str]| {
            self.cache.iter().any(|line| {
                let line = line.to_ascii_lowercase();
                let (_, value) = line.split_once(": ").unwrap_or_default();
                value.split(|it: char| !it.is_ascii_alphanumeric()).any(|it| words.contains(&it))
            })
        };
        // Only a cache sends an age.
        if self.cache.iter().any(|line| line.starts_with("age:")) || says(&["hit", "stale", "updating", "revalidated"])
        {
            FromCache::Yes
        } else if says(&["miss", "dynamic", "bypass", "expired", "fwd"])
            || (self.via.is_none() && self.cache.is_empty())
        {
            FromCache::No
        } else {
            FromCache::Perhaps
        }
    }

    /// The headers as a list for people; empty where there was none.
    pub(crate) fn describe(&self) -> String {
        let named = [("Location", &self.location), ("Server", &self.server), ("Via", &self.via)];
        let named = named.iter().filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}: {value}")));
        named.chain(self.cache.iter().cloned()).collect::<Vec<_>>().join(", ")
    }
}

/// A header's value in printable ASCII, cut to [`MAX_TEXT`].
fn plain(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let shown = |it: char| if it == ' ' || it.is_ascii_graphic() { it } else { '?' };
    let mut plain: String = text.trim().chars().take(MAX_TEXT).map(shown).collect();
    if text.trim().chars().nth(MAX_TEXT).is_some() {
        plain.push_str("...");
    }
    plain
}

/// Where a `Location` redirects to, without what may be a secret in it.
fn redirect_target(value: &[u8], asked: &Url) -> String {
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

    fn headers(fields: &[(&str, &str)]) -> AnswerHeaders {
        let (mut headers, asked) = (AnswerHeaders::default(), "http://home.example:30008/x".parse().unwrap());
        for (name, value) in fields {
            headers.note(name, value.as_bytes(), &asked);
        }
        headers
    }

    #[test]
    fn a_cache_is_known_by_what_it_says_of_itself() {
        for (fields, cached) in [
            (&[][..], FromCache::No),
            (&[("server", "nginx")], FromCache::No),
            (&[("age", "0")], FromCache::Yes),
            (&[("age", "31"), ("x-cache", "MISS")], FromCache::Yes),
            (&[("x-cache", "HIT from squid")], FromCache::Yes),
            (&[("cf-cache-status", "HIT")], FromCache::Yes),
            (&[("cache-status", "ExampleCache; hit; ttl=30")], FromCache::Yes),
            (&[("x-cache-status", "STALE")], FromCache::Yes),
            (&[("cf-cache-status", "DYNAMIC"), ("via", "1.1 cloud")], FromCache::No),
            (&[("x-cache", "MISS"), ("via", "1.1 varnish")], FromCache::No),
            (&[("via", "1.1 Caddy")], FromCache::Perhaps),
            (&[("x-varnish", "32770 3")], FromCache::Perhaps),
            (&[("x-served-by", "cache-fra-1")], FromCache::Perhaps),
        ] {
            assert_eq!(headers(fields).cached(), cached, "{fields:?}");
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
            assert_eq!(headers(&[("location", location)]).location.as_deref(), Some(shown));
        }
        let odd = headers(&[("server", "a\u{1b}[31mb\u{202e}\u{7f}c"), ("via", &"x".repeat(5_000))]);
        assert_eq!(odd.server.as_deref(), Some("a?[31mb??c"));
        assert_eq!(odd.via.map(|via| via.len()), Some(MAX_TEXT + 3));
    }
}

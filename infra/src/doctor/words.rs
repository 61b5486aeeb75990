//! Words that several checks use (pure): how long ago something was, and whether two addresses are one.

use shared::settings::WebAddresses;
use url::Url;

/// How long ago, as a person says it: `40 s`, `12 min`, `5 h`, `9 d`.
pub fn ago(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{} s", seconds.max(0)),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// Whether two addresses lead to the same place: how they are written makes no difference.
pub fn is_same_address(one: &str, other: &str) -> bool {
    match (plain(one), plain(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one.trim() == other.trim(),
    }
}

/// Whether one of the addresses that are written there, as `CANARY_URL` may have several, is that one.
pub fn has_address(written: &str, address: &Url) -> bool {
    match written.parse::<WebAddresses>() {
        Ok(all) => all.iter().any(|one| is_same_address(one.as_str(), address.as_str())),
        Err(_) => is_same_address(written, address.as_str()),
    }
}

/// Whether the same addresses are written in both, in whatever order.
pub fn are_same_addresses(one: &str, other: &str) -> bool {
    match (one.parse::<WebAddresses>(), other.parse::<WebAddresses>()) {
        (Ok(one), Ok(other)) => {
            one.count() == other.count() && one.iter().all(|address| has_address(&other.to_string(), address))
        }
        _ => is_same_address(one, other),
    }
}

/// Without what makes no difference: the URL's own parser has seen to the case of its host, and to the usual port.
fn plain(text: &str) -> Option<Url> {
    let mut url: Url = text.trim().parse().ok()?;
    let host = url.host_str()?.trim_end_matches('.').to_owned();
    url.set_host(Some(&host)).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_said_in_the_unit_that_fits() {
        let all = [-3, 40, 119, 120, 7199, 7200, 172_799, 172_800, 8 * 86_400].map(ago);
        assert_eq!(all, ["0 s", "40 s", "119 s", "2 min", "119 min", "2 h", "47 h", "2 d", "8 d"]);
    }

    #[test]
    fn one_address_may_be_written_in_several_ways() {
        for (one, other) in [
            ("https://host", "https://host/"),
            ("https://host:443", "https://host"),
            ("http://host:80/", " http://HOST"),
            ("HTTP://Home.DuckDNS.org:30008", "http://home.duckdns.org.:30008/"),
            ("http://h/a/", "http://h/a"),
        ] {
            assert!(is_same_address(one, other), "{one} {other}");
        }
        let two = "http://a:1 https://b/";
        assert!(are_same_addresses(two, "https://B,http://a.:1/") && are_same_addresses("http://a", "http://a/"));
        assert!(!are_same_addresses(two, "http://a:1") && !are_same_addresses(two, "http://a:1 http://b/"));
        assert!(has_address(two, &"https://b".parse().unwrap()) && !has_address(two, &"http://b".parse().unwrap()));
        for (one, other) in [
            ("http://host", "https://host"),
            ("http://host:81", "http://host"),
            ("http://host/a", "http://host/A"),
            ("http://host/?a", "http://host/?b"),
            ("host", "http://host"),
        ] {
            assert!(!is_same_address(one, other), "{one} {other}");
        }
    }
}

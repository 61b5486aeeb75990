//! The values of settings, as people write them.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use jiff::SignedDuration;
use tracing_subscriber::filter::LevelFilter;
use url::Url;

/// A year: what is longer was mistyped, and cannot be added to every time.
const MAX_DURATION: Duration = Duration::from_hours(366 * 24);

/// Reads a duration as people write it: `5s`, `2m`, `1h30m`, `300ms`.
///
/// # Errors
/// When the text is no duration, or not a positive one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let allowed =
        || "a duration is written like 5s, 2m or 1h30m, is more than nothing, and is a year at most".to_owned();
    let is_bare = !text.trim().is_empty() && text.trim().bytes().all(|byte| byte.is_ascii_digit());
    if is_bare {
        return Err(format!("the unit is missing, as in {}s or {0}m", text.trim()));
    }
    let parsed: SignedDuration = text.trim().parse().map_err(|_| allowed())?;
    match Duration::try_from(parsed) {
        Ok(duration) if !duration.is_zero() && duration <= MAX_DURATION => Ok(duration),
        _ => Err(allowed()),
    }
}

/// Reads how long to wait before going on: `0s` is not at all, and ten minutes are the most.
///
/// # Errors
/// When the text is no duration, or a longer one.
pub fn delay(text: &str) -> Result<Duration, String> {
    if matches!(text.trim(), "0" | "0s") {
        return Ok(Duration::ZERO);
    }
    match duration(text) {
        Ok(delay) if delay <= Duration::from_mins(10) => Ok(delay),
        _ => Err("a delay is 0s, or written like 5s or 300ms, and is 10m at most".into()),
    }
}

/// Reads how much is logged.
///
/// # Errors
/// When the text is none of the five words.
pub fn log_level(text: &str) -> Result<LevelFilter, String> {
    match text {
        "error" => Ok(LevelFilter::ERROR),
        "warn" => Ok(LevelFilter::WARN),
        "info" => Ok(LevelFilter::INFO),
        "debug" => Ok(LevelFilter::DEBUG),
        "trace" => Ok(LevelFilter::TRACE),
        _ => Err("a level is error, warn, info, debug or trace".into()),
    }
}

/// Reads the address of a web server: http or https, with a host, without a user name or password.
///
/// # Errors
/// When the text is something else.
pub fn web_address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|_| "an address is written like https://example.com/path".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("an address begins with http:// or https:// and names a host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address must not hold a user name or password".into());
    }
    Ok(url)
}

/// Reads an address to listen on.
///
/// # Errors
/// When the text is something else.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.trim().parse().map_err(|_| "an address to listen on is written like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// Reads a port of TCP or UDP.
///
/// # Errors
/// When the text is none.
pub fn port<P: From<NonZeroU16>>(text: &str) -> Result<P, String> {
    let port: Result<NonZeroU16, _> = text.trim().parse();
    port.map(P::from).map_err(|_| "a port is a number from 1 to 65535".to_owned())
}

/// Reads the address of a machine, which is named by no name.
///
/// # Errors
/// When the text is none.
pub fn machine_address(text: &str) -> Result<IpAddr, String> {
    text.trim().parse().map_err(|_| "write the address itself, like 192.168.1.1: no name, and no port".to_owned())
}

/// As [`web_address`], for one that paths are appended to.
///
/// # Errors
/// Also when it has a query or a fragment.
pub fn base_address(text: &str) -> Result<Url, String> {
    let url = web_address(text)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("this address must not have a query (?) or a fragment (#): paths are appended to it".into());
    }
    Ok(url)
}

/// As [`base_address`], for a server whose API is at `/v1` below it: the API's own address is taken as well.
///
/// # Errors
/// As [`base_address`].
pub fn server_address(text: &str) -> Result<Url, String> {
    let mut url = base_address(text)?;
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// As [`base_address`], for a server's API at `/v1`: the server's own address is taken as well.
///
/// # Errors
/// As [`base_address`].
pub fn api_address(text: &str) -> Result<Url, String> {
    let mut url = server_address(text)?;
    let path = format!("{}/v1", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_a_server_or_of_its_api_however_it_is_written() {
        for (text, server, api) in [
            ("http://127.0.0.1:8030", "http://127.0.0.1:8030/", "http://127.0.0.1:8030/v1"),
            ("http://127.0.0.1:8030//", "http://127.0.0.1:8030/", "http://127.0.0.1:8030/v1"),
            ("https://api.statuspage.io/v1", "https://api.statuspage.io/", "https://api.statuspage.io/v1"),
            (" https://h/status/v1/ ", "https://h/status", "https://h/status/v1"),
            ("https://h/status", "https://h/status", "https://h/status/v1"),
            ("https://h/status/", "https://h/status", "https://h/status/v1"),
            ("https://h/v10", "https://h/v10", "https://h/v10/v1"),
            ("https://h/v1/status", "https://h/v1/status", "https://h/v1/status/v1"),
        ] {
            let read = (server_address(text).unwrap().to_string(), api_address(text).unwrap().to_string());
            assert_eq!(read, (server.to_owned(), api.to_owned()), "{text}");
        }
        assert!(api_address("http://h/v1?x=1").is_err() && server_address("h/v1").is_err());
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("5s", 5), ("2m", 120), ("1h30m", 5400), (" 60s ", 60)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "5", "-5s", "0s", "soon", "5 parsecs"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_port_is_one_and_a_machine_is_named_by_its_address() {
        assert_eq!((port(" 443 "), port::<NonZeroU16>("65535").map(NonZeroU16::get)), (Ok(443_u16), Ok(65535)));
        for wrong in ["0", "65536", "-1", "", "http", "80.0"] {
            assert_eq!(port::<u16>(wrong), Err("a port is a number from 1 to 65535".into()), "{wrong}");
        }
        assert_eq!(machine_address("fe80::1").map(|it| it.to_string()), Ok("fe80::1".into()));
        for wrong in ["", "fritz.box", "192.168.1.1:49000", "192.168.1.256", "http://192.168.1.1"] {
            assert!(machine_address(wrong).unwrap_err().starts_with("write the address itself, like 192"), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_http_or_https_without_credentials() {
        assert_eq!(web_address("http://home.duckdns.org:30008").unwrap().port(), Some(30008));
        for wrong in ["", "home.duckdns.org", "ftp://home", "mailto:a@b", "http://", "http://u:p@home/"] {
            assert!(web_address(wrong).is_err(), "{wrong:?}");
        }
    }
}

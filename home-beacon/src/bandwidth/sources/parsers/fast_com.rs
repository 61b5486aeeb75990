//! The page, the script and the API's answers of fast.com. Nothing of it is promised by its owner.

use serde_json::Value;
use url::Url;

use super::fields::shown;

/// As many servers as are kept of an answer.
const MAX_TARGETS: usize = 16;

/// As many bytes of a tag are read, and of a value in quotes.
const MAX_TAG: usize = 2048;
const MAX_VALUE: usize = 200;

/// The address of the first script of a page, as it is written there. Scripts in comments do not count.
pub fn script_of_page(page: &str) -> Option<&str> {
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if let Some(attributes) = tag(rest, "script") {
            // Bounded, so that a page of nothing but tags that never end is read once.
            let within = &attributes[..attributes.floor_char_boundary(MAX_TAG)];
            let within = within.split('>').next().unwrap_or_default();
            if let Some(address) = attribute(within, "src").filter(|address| !address.is_empty()) {
                return Some(address);
            }
            rest = &attributes[within.len()..];
        }
    }
    None
}

/// What follows the name of a tag, if it has that name.
fn tag<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (begin, rest) = text.split_at_checked(name.len())?;
    let ends = rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/');
    (begin.eq_ignore_ascii_case(name) && ends).then_some(rest)
}

/// The value of an attribute: in quotes of either kind, or in none.
fn attribute<'a>(mut text: &'a str, wanted: &str) -> Option<&'a str> {
    loop {
        text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if text.is_empty() {
            return None;
        }
        // A name has at least one character, even if that is a stray `=`.
        let first = text.chars().next().map_or(0, char::len_utf8);
        let rest = &text[first..];
        let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '=' || c == '/').unwrap_or(rest.len());
        let (name, after) = text.split_at(first + end);
        let Some(value) = after.trim_start().strip_prefix('=') else {
            text = after;
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, after) = match quote {
            Some(quote) => value[1..].split_once(quote)?,
            None => value.split_at(value.find(|c: char| c.is_ascii_whitespace()).unwrap_or(value.len())),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        text = after;
    }
}

/// What the script holds for asking the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Host, and port if any, and path, without a scheme: `api.fast.com/netflix/speedtest`, perhaps with `/v2`.
    pub endpoint: String,
    /// What the API wants as `token`.
    pub token: String,
    /// How many servers the page itself asks for.
    pub url_count: u8,
}

/// The script lacks a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoKeys {
    /// The API's address.
    #[error("its script names no apiEndpoint")]
    Endpoint,
    /// The token.
    #[error("its script holds no token")]
    Token,
}

/// How many servers are asked for where the script does not say.
const URL_COUNT: u8 = 5;

/// Finds `apiEndpoint="…"`, `token:"…"` and the last `urlCount:…`.
///
/// # Errors
/// When one of the first two is missing.
pub fn keys_of_script(script: &str) -> Result<Keys, NoKeys> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let path = |c: char| word(c) || matches!(c, '.' | '/' | '-' | ':' | '[' | ']');
    let endpoint = values(script, "apiEndpoint").find_map(|rest| quoted(rest, path)).ok_or(NoKeys::Endpoint)?;
    let token = values(script, "token").find_map(|rest| quoted(rest, word)).ok_or(NoKeys::Token)?;
    let counts = values(script, "urlCount").filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        rest[..end].parse().ok().filter(|count| (1..=10).contains(count))
    });
    let url_count = counts.last().unwrap_or(URL_COUNT);
    Ok(Keys { endpoint: endpoint.to_owned(), token: token.to_owned(), url_count })
}

/// What follows each `name=` and `name:`.
fn values<'a>(script: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    script.match_indices(name).filter_map(move |(at, _)| {
        let part_of_another = script[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$'));
        let rest = script[at + name.len()..].trim_start();
        let value = rest.strip_prefix(['=', ':'])?.trim_start();
        (!part_of_another).then_some(value)
    })
}

fn quoted(text: &str, allowed: impl Fn(char) -> bool) -> Option<&str> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let text = &text[1..];
    let value = text[..text.floor_char_boundary(MAX_VALUE)].split_once(quote)?.0;
    (!value.is_empty() && value.chars().all(allowed)).then_some(value)
}

/// What the API answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Targets {
    /// Signed addresses of the servers; at least one.
    pub urls: Vec<Url>,
    /// The network that the request came from, as fast.com sees it (v2 only).
    pub isp: Option<String>,
    /// Where fast.com thinks that we are: `Berlin, DE` (v2 only).
    pub location: Option<String>,
}

/// The API's answer cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTargets {
    /// It is something else.
    #[error("its answer is not the JSON that was expected")]
    Json,
    /// It holds no usable address.
    #[error("it named no server to measure against")]
    Empty,
}

/// Reads an answer of the API: v1's list, or v2's object. Servers without a usable address are left out.
///
/// # Errors
/// When it is something else, or names no server.
pub fn targets(answer: &str) -> Result<Targets, NoTargets> {
    let answer: Value = serde_json::from_str(answer).map_err(|_| NoTargets::Json)?;
    let list = answer.as_array().or_else(|| answer["targets"].as_array()).ok_or(NoTargets::Json)?;
    let address = |target: &Value| {
        let url = Url::parse(target["url"].as_str()?).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    };
    let urls: Vec<Url> = list.iter().filter_map(address).take(MAX_TARGETS).collect();
    if urls.is_empty() {
        return Err(NoTargets::Empty);
    }
    let client = &answer["client"];
    let place = [&client["location"]["city"], &client["location"]["country"]].into_iter().filter_map(name);
    let location = place.collect::<Vec<_>>().join(", ");
    Ok(Targets { urls, isp: name(&client["isp"]), location: (!location.is_empty()).then_some(location) })
}

fn name(value: &Value) -> Option<String> {
    value.as_str().and_then(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_script_of_a_page_is_found() {
        for (page, expected) in [
            (r#"<html><script src="/app-1a2b.js"></script><script src="/b.js">"#, Some("/app-1a2b.js")),
            ("<SCRIPT defer type='x' SRC='/app.js'>", Some("/app.js")),
            ("<script async src=/app.js></script>", Some("/app.js")),
            (r#"<script data-src="/no.js" src = "/app.js">"#, Some("/app.js")),
            (r#"<script>var a = "<b>"</script><script src="/app.js">"#, Some("/app.js")),
            (r#"<!-- <script src="/old.js"> --><script src="/app.js">"#, Some("/app.js")),
            (r#"<scripts src="/no.js">"#, None),
            (r#"<script src="">"#, None),
            ("<script", None),
            ("<!-- ", None),
            ("", None),
        ] {
            assert_eq!(script_of_page(page), expected, "{page}");
        }
    }

    #[test]
    fn the_keys_of_a_script_are_found() {
        let script = r#"x={urlCount:3},apiEndpoint="api.fast.com/netflix/speedtest/v2",b={https:!0,mytoken:"no",
            token:"YXNkZm",urlCount:5,other:1}"#;
        let keys = keys_of_script(script).unwrap();
        let expected =
            Keys { endpoint: "api.fast.com/netflix/speedtest/v2".into(), token: "YXNkZm".into(), url_count: 5 };
        assert_eq!(keys, expected);
        let quiet = keys_of_script("apiEndpoint = 'h:1/p';token : 'a_1';urlCount:99").unwrap();
        assert_eq!((quiet.endpoint.as_str(), quiet.url_count), ("h:1/p", URL_COUNT));
    }

    #[test]
    fn a_script_without_a_pattern_names_the_one_that_is_missing() {
        assert_eq!(keys_of_script(r#"token:"abc""#), Err(NoKeys::Endpoint));
        assert_eq!(keys_of_script(r#"apiEndpoint="a/b",token:t"#), Err(NoKeys::Token));
        assert_eq!(keys_of_script(r#"apiEndpoint="a/b",token:"not a word""#), Err(NoKeys::Token));
        assert_eq!(keys_of_script(r#"apiEndpoint="a?b",token:"t""#), Err(NoKeys::Endpoint));
        assert_eq!(keys_of_script(r#"apiEndpoint="a/b",token:""#), Err(NoKeys::Token));
        let endless = format!(r#"apiEndpoint="a/b",token:"{}""#, "t".repeat(1000));
        assert_eq!(keys_of_script(&endless), Err(NoKeys::Token));
    }

    #[test]
    fn both_versions_of_the_api_are_understood() {
        let v1 = targets(r#"[{"url":"https://a.example/speedtest?e=1&t=x"},{"url":"mailto:a"},{}]"#).unwrap();
        assert_eq!((v1.urls.len(), v1.isp, v1.location), (1, None, None));
        let v2 = r#"{"client":{"ip":"192.0.2.1","asn":"64500","isp":"An\u001b ISP","location":{"city":"Berlin",
            "country":"DE"}},"targets":[{"name":"n","url":"https://a.example/speedtest?e=1","location":{}}]}"#;
        let v2 = targets(v2).unwrap();
        assert_eq!((v2.isp.as_deref(), v2.location.as_deref()), (Some("An ISP"), Some("Berlin, DE")));
    }

    #[test]
    fn an_answer_without_servers_is_no_answer() {
        for (answer, error) in [
            (r#"{"targets":[]}"#, NoTargets::Empty),
            ("[]", NoTargets::Empty),
            (r#"[{"url":"ftp://a/b"}]"#, NoTargets::Empty),
            (r#"{"client":{}}"#, NoTargets::Json),
            ("<html>", NoTargets::Json),
            ("", NoTargets::Json),
        ] {
            assert_eq!(targets(answer), Err(error), "{answer}");
        }
    }
}

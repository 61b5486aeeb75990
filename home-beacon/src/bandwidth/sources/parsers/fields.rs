//! Header fields, and the first bytes of a body.

/// As many characters of a name are shown.
const MAX_NAME: usize = 60;

/// How long Cloudflare says that its server took, in ms: `cfRequestDuration;dur=12.3`, else the sum of all
/// `cfSpeed…;dur=…`.
pub fn server_timing(text: &str) -> Option<f64> {
    let entries = text.split(',').filter_map(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let name = parts.next()?;
        let duration = parts.find_map(|part| part.strip_prefix("dur=")?.trim_matches('"').parse::<f64>().ok())?;
        (duration.is_finite() && duration >= 0.0).then_some((name, duration))
    });
    let mut sum = None;
    for (name, duration) in entries {
        if name.eq_ignore_ascii_case("cfRequestDuration") {
            return Some(duration);
        }
        if name.get(..7).is_some_and(|begin| begin.eq_ignore_ascii_case("cfSpeed")) {
            sum = Some(sum.unwrap_or(0.0) + duration);
        }
    }
    sum
}

/// The length of the whole file that `Content-Range: bytes 0-99/1234` is a part of.
pub fn whole_length(content_range: &str) -> Option<u64> {
    content_range.trim().strip_prefix("bytes ")?.split_once('/')?.1.trim().parse().ok()
}

/// Whether a body is an HTML page: by its type, and where none is given by its first bytes.
pub fn is_html(content_type: Option<&str>, begin: &[u8]) -> bool {
    if let Some(kind) = content_type {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        return kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml");
    }
    let begin = begin.trim_ascii_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|tag| begin.get(..tag.len()).is_some_and(|bytes| bytes.eq_ignore_ascii_case(tag.as_bytes())))
}

/// Where Cloudflare thinks that we are: `Berlin, DE`, from the header fields that `field` finds. They have had two sets
/// of names, and are not always there.
pub fn place<'a>(field: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let either = |old, new| field(old).or_else(|| field(new)).and_then(shown);
    let place: Vec<String> =
        [either("cf-meta-city", "city"), either("cf-meta-country", "country")].into_iter().flatten().collect();
    (!place.is_empty()).then(|| place.join(", "))
}

/// A name that can be shown on a terminal, if anything is left of it.
pub(super) fn shown(name: &str) -> Option<String> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    let shown = shown.trim();
    (!shown.is_empty()).then(|| shown.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_own_time_is_read_in_both_forms() {
        for (text, expected) in [
            ("cfRequestDuration;dur=12.5", Some(12.5)),
            ("cfSpeedA;dur=1, cfSpeedB;desc=\"x\";dur=2.5", Some(3.5)),
            ("cfSpeedA;dur=1,cfRequestDuration;dur=4", Some(4.0)),
            ("cache;dur=9", None),
            ("cfRequestDuration", None),
            ("cfRequestDuration;dur=-1", None),
            ("cfRequestDuration;dur=NaN", None),
            ("", None),
        ] {
            assert_eq!(server_timing(text), expected, "{text}");
        }
    }

    #[test]
    fn a_range_names_the_whole() {
        for (text, expected) in [("bytes 0-99/1234", Some(1234)), ("bytes 0-99/*", None), ("bytes */7", Some(7))] {
            assert_eq!(whole_length(text), expected, "{text}");
        }
    }

    #[test]
    fn a_page_is_known_from_payload() {
        for (kind, begin, html) in [
            (Some("text/html; charset=utf-8"), "", true),
            (Some("application/octet-stream"), "<html>", false),
            (None, "\n<!DOCTYPE HTML>", true),
            (None, "<Html lang", true),
            (None, "<\0\u{1}", false),
            (None, "", false),
        ] {
            assert_eq!(is_html(kind, begin.as_bytes()), html, "{kind:?} {begin}");
        }
    }
}

//! Readers of foreign text, over a corpus of what is known of them, and over random input.

use std::{fs, path::PathBuf};

use home_beacon::bandwidth::parsers::{
    is_html, keys_of_script, place, script_of_page, server_timing, targets, whole_length,
};
use jiff::Timestamp;
use proptest::prelude::*;
use shared::http::retry_after;

/// Each file of a folder of the corpus: its name and its text. What begins with `good-` can be read, what begins with
/// `wrong-` cannot.
fn corpus(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus").join(folder);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("text"))
    };
    let texts: Vec<_> = files.map(|file| read(file.expect("an entry").path())).collect();
    assert!(texts.len() >= 5, "there are some of each kind");
    texts
}

fn holds(folder: &str, good: impl Fn(&str) -> bool) {
    for (name, text) in corpus(folder) {
        let expected = name.starts_with("good-");
        assert!(expected || name.starts_with("wrong-"), "{name}");
        assert_eq!(good(&text), expected, "{folder}/{name}");
    }
}

#[test]
fn the_corpus_is_read_as_its_names_say() {
    holds("fast-page", |text| script_of_page(text).is_some());
    holds("fast-script", |text| keys_of_script(text).is_ok());
    holds("fast-targets", |text| targets(text).is_ok());
    holds("retry-after", |text| retry_after(text, Timestamp::UNIX_EPOCH).is_some());
    holds("server-timing", |text| server_timing(text).is_some());
}

/// Pieces of what the readers search for, and anything.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<script"),
        Just(" src="),
        Just("\"/app-1.js\""),
        Just("'"),
        Just("\""),
        Just(">"),
        Just("<!--"),
        Just("-->"),
        Just("</script>"),
        Just("apiEndpoint="),
        Just("token:"),
        Just("urlCount:"),
        Just("\"a.b/c\""),
        Just("7"),
        Just("{\"targets\":["),
        Just("{\"url\":\"https://a/b\"}"),
        Just("]}"),
        Just("dur="),
        Just(";"),
        Just(","),
        Just("cfSpeedA"),
        Just("cfRequestDuration"),
        Just("bytes "),
        Just("/"),
        Just("é"),
        Just("\u{1b}"),
        Just("="),
        Just(" "),
    ];
    prop_oneof![prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat()), any::<String>()]
}

proptest! {
    #[test]
    fn whatever_is_written_is_read_without_harm(text in texts(), other in texts()) {
        if let Some(script) = script_of_page(&text) {
            prop_assert!(!script.is_empty() && text.contains(script));
        }
        if let Ok(keys) = keys_of_script(&text) {
            prop_assert!(!keys.token.is_empty() && keys.token.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
            prop_assert!((1..=10).contains(&keys.url_count));
        }
        if let Ok(targets) = targets(&text) {
            prop_assert!(!targets.urls.is_empty());
            prop_assert!(targets.urls.iter().all(|url| url.has_host() && url.scheme().starts_with("http")));
        }
        if let Some(wait) = retry_after(&text, Timestamp::UNIX_EPOCH) {
            prop_assert!(wait.as_secs() <= 86_400);
        }
        if let Some(ms) = server_timing(&text) {
            prop_assert!(ms.is_finite() && ms >= 0.0);
        }
        if let Some(place) = place(|_| Some(&text)) {
            prop_assert!(!place.contains(char::is_control) && place.chars().count() <= 130);
        }
        let _ = whole_length(&text);
        let _ = is_html(None, text.as_bytes());
        let _ = is_html(Some(&other), text.as_bytes());
    }

    #[test]
    fn the_first_script_is_found_wherever_it_is(before in "[a-z <>/]{0,40}", name in "/app-[a-z0-9]{1,12}\\.js", after in ".{0,40}") {
        let page = format!("{}<script defer src=\"{name}\"></script>{after}", before.replace("<s", "<p"));
        prop_assert_eq!(script_of_page(&page), Some(name.as_str()));
    }

    #[test]
    fn keys_are_found_wherever_they_are(
        host in "[a-z]{1,9}\\.[a-z]{2,3}", token in "[A-Za-z0-9_]{1,64}", counts in prop::collection::vec(1_u8..=10, 1..4),
        noise in "[a-z0-9,:{}=]{0,40}",
    ) {
        let counts_text = counts.iter().map(|count| format!("urlCount:{count}")).collect::<Vec<_>>().join(",");
        let script = format!("{noise};apiEndpoint=\"{host}/v2\",{{token:\"{token}\",{counts_text}}}{noise}");
        let keys = keys_of_script(&script).expect("they are there");
        prop_assert_eq!((keys.endpoint, keys.token), (format!("{host}/v2"), token));
        prop_assert_eq!(Some(&keys.url_count), counts.last());
    }

    #[test]
    fn seconds_are_waited_for_as_the_server_says(seconds in 0_u64..86_400) {
        let wait = retry_after(&seconds.to_string(), Timestamp::UNIX_EPOCH);
        prop_assert_eq!(wait.map(|wait| wait.as_secs()), Some(seconds));
    }
}

/// A page, script or answer of the longest that are read takes no time to speak of, whatever is in it.
#[test]
fn nothing_takes_long() {
    let start = std::time::Instant::now();
    for piece in
        ["<script ", "<script src", "<!--", "token:\"", "token:   ", "apiEndpoint=\"a", "urlCount:9", "[", "{\"url\":"]
    {
        let text = piece.repeat((256 << 10) / piece.len());
        let _ = (script_of_page(&text), keys_of_script(&text), targets(&text).is_ok(), server_timing(&text));
    }
    assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
}

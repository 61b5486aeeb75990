//! Badges, the widget, and what is said to who shows a link: on pages of others, and grey where nobody has looked.

use jiff::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tests::{
    keeper::{COMPONENT, Keeper, PAGE},
    process::file,
};

use super::with_public_door_and;

const SEED: &str = r#"
[page]
id = "gytm4qzbx9t6"
name = "My <home> & \"more\""
url = "https://status.example.org/home/"

[[components]]
id = "8kbf7d35c070"
name = "Home internet"

[[components]]
id = "bbbbbbbbbbbb"
name = "Twins"

[[components]]
id = "cccccccccccc"
name = "twins!"
looks = false

[[components]]
id = "dddddddddddd"
name = "Кабель <&\"> 語"
looks = false
"#;

/// A keeper with those components, and its public listener.
async fn shown() -> (Keeper, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let seed = file(folder.path(), "seed.toml", SEED);
    with_public_door_and(|command| {
        command.env("KEEPER_SEED", seed);
    })
    .await
}

/// Puts a look there that was made so many seconds ago.
async fn looked(keeper: &Keeper, ago: i64, verdict: &str, cause: Option<&str>) {
    let at = Timestamp::now().as_second() - ago;
    let look = json!({"component_id": COMPONENT, "verdict": verdict, "cause": cause, "from": "outside"});
    let body = json!({"page_id": PAGE, "at": at, "location": "eu-central-1", "looks": [look]});
    let (status, answer) = keeper.own(Method::POST, "/looks", Some(body)).await;
    assert_eq!(status, 202, "{answer}");
}

async fn get(keeper: &Keeper, address: &str) -> Response {
    keeper.http.get(address).send().await.expect("it answers")
}

/// Status, type, and what is said: the title of a picture, label and message of JSON.
async fn says(keeper: &Keeper, address: &str) -> (u16, String) {
    let answer = get(keeper, address).await;
    let header = |name: &str| answer.headers()[name].to_str().expect("plain text").to_owned();
    let (status, kind) = (answer.status().as_u16(), header("content-type"));
    assert_eq!((header("access-control-allow-origin"), header("cache-control")), ("*".into(), "no-cache".into()));
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin", "{address}");
    let text = answer.text().await.expect("a text");
    if kind == "application/json" {
        let badge: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&badge["schemaVersion"], badge["isError"] == true), (&json!(1), status != 200), "{badge}");
        return (
            status,
            format!("{}: {}", badge["label"].as_str().expect("a text"), badge["message"].as_str().expect("a text")),
        );
    }
    assert_eq!(kind, "image/svg+xml; charset=utf-8");
    let title = text.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).expect("a title");
    (status, title.to_owned())
}

#[tokio::test]
async fn a_badge_is_grey_until_somebody_has_looked_and_then_says_what_was_seen() {
    let (keeper, public) = shown().await;
    for listener in [&public, &keeper.url] {
        for name in [COMPONENT, "home-internet"] {
            let expected = (200, "Home internet: Nobody has looked yet".to_owned());
            assert_eq!(says(&keeper, &format!("{listener}/badge/{name}.svg")).await, expected);
            assert_eq!(says(&keeper, &format!("{listener}/badge/{name}.json")).await, expected);
        }
        let uptime = says(&keeper, &format!("{listener}/badge/{COMPONENT}/uptime.svg")).await;
        assert_eq!(uptime, (200, "Home internet, 30 days: not looked at".into()));
    }
    looked(&keeper, 30, "up", None).await;
    let badge: Value = get(&keeper, &format!("{public}/badge/{COMPONENT}.json")).await.json().await.expect("JSON");
    assert_eq!((&badge["message"], &badge["color"]), (&json!("Operational"), &json!("#1d6b3c")));
    looked(&keeper, 0, "down", Some("refused")).await;
    let badge: Value = get(&keeper, &format!("{public}/badge/{COMPONENT}.json")).await.json().await.expect("JSON");
    assert_eq!((&badge["message"], &badge["color"]), (&json!("Major outage"), &json!("#b3202c")));
    let overall = says(&keeper, &format!("{public}/badge/overall.svg")).await;
    assert_eq!(overall, (200, "My &lt;home&gt; &amp; &quot;more&quot;: Major System Outage".into()));
    let answer = get(&keeper, &format!("{public}/badge/{COMPONENT}.svg")).await;
    let tag = answer.headers()["etag"].clone();
    let again = keeper.http.get(format!("{public}/badge/{COMPONENT}.svg")).header("if-none-match", tag);
    assert_eq!(again.send().await.expect("it answers").status(), 304);
}

#[tokio::test]
async fn an_uptime_is_that_of_the_page_in_a_colour_of_its_own() {
    let (keeper, public) = shown().await;
    // Two hours of looks, of which an hour saw nothing answer; before the last half hour, ten minutes without any.
    for minutes in (0..=120).rev().step_by(4) {
        match minutes {
            60..120 => looked(&keeper, minutes * 60, "down", Some("refused")).await,
            31..45 => (),
            _ => looked(&keeper, minutes * 60, "up", None).await,
        }
    }
    let badge = format!("{public}/badge/{COMPONENT}/uptime.json?days=7");
    let badge: Value = get(&keeper, &badge).await.json().await.expect("JSON");
    let message = badge["message"].as_str().expect("a text");
    let (uptime, unseen) = message.split_once(" up, ").unwrap_or_else(|| panic!("{message}"));
    let page = get(&keeper, &format!("{public}/")).await.text().await.expect("a text");
    assert!(page.contains(&format!("<dd>{uptime} up <small>{unseen}</small></dd>")), "{message} in {page}");
    assert_eq!((&badge["label"], &badge["color"]), (&json!("Home internet, 7 days"), &json!("#b3202c")));
}

#[tokio::test]
async fn a_badge_that_is_not_there_says_so_in_its_own_form() {
    let (keeper, public) = shown().await;
    for (path, status, words) in [
        ("nothing.svg", 404, "badge: no such component"),
        ("nothing.json", 404, "badge: no such component"),
        ("twins.json", 404, "badge: several components have this name: use the id"),
        ("nothing.png", 404, "badge: a badge ends in .svg or .json"),
        ("..%2F..%2Fetc%2Fpasswd.svg", 404, "badge: no such component"),
        ("%3Csvg%20onload%3D1%3E.svg", 404, "badge: no such component"),
        ("nothing/uptime.svg", 404, "badge: no such component"),
        ("home-internet/uptimes.svg", 404, "badge: a component has uptime.svg and uptime.json"),
        ("home-internet/uptime.svg?days=3650", 400, "uptime: days is 1, 7, 30 or 90"),
        ("home-internet/uptime.json?days=", 400, "uptime: days is 1, 7, 30 or 90"),
        ("home-internet/uptime.json?days=-1", 400, "uptime: days is 1, 7, 30 or 90"),
        ("home-internet/uptime.json?days=9223372036854775807", 400, "uptime: days is 1, 7, 30 or 90"),
        ("home-internet/uptime.json?days=90", 200, "Home internet, 90 days: not looked at"),
        ("home-internet/uptime.json?days=1", 200, "Home internet, 24 hours: not looked at"),
        ("%D0%BA%D0%B0%D0%B1%D0%B5%D0%BB%D1%8C-%E8%AA%9E.json", 200, "Кабель <&\"> 語: Operational"),
    ] {
        assert_eq!(says(&keeper, &format!("{public}/badge/{path}")).await, (status, words.to_owned()), "{path}");
    }
    let long = json!({"component": {"name": "n".repeat(255)}});
    keeper.ok(Method::PATCH, &format!("/pages/{PAGE}/components/{COMPONENT}"), Some(long)).await;
    let (_, said) = says(&keeper, &format!("{public}/badge/{COMPONENT}.svg")).await;
    assert_eq!(said, format!("{}…: Nobody has looked yet", "n".repeat(59)));
    let (_, said) = says(&keeper, &format!("{public}/badge/{COMPONENT}/uptime.json?days=7")).await;
    assert_eq!(said, format!("{}…, 7 days: not looked at", "n".repeat(39)));
}

#[tokio::test]
async fn the_widget_alone_may_be_framed_and_says_what_the_page_says() {
    let (keeper, public) = shown().await;
    looked(&keeper, 0, "up", None).await;
    let answer = get(&keeper, &format!("{public}/widget")).await;
    let policy = answer.headers()["content-security-policy"].to_str().expect("plain text").to_owned();
    assert!(policy.contains("default-src 'none'") && policy.ends_with("frame-ancestors *"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("script"), "{policy}");
    let widget = answer.text().await.expect("a text");
    assert!(widget.contains("My &#60;home&#62; &#38; &#34;more&#34;</a>"), "{widget}");
    assert!(
        widget.contains("<span>Home internet</span> <span class=\"status operational\">Operational</span>"),
        "{widget}"
    );
    assert!(widget.contains("<span class=\"status unknown\">Nobody has looked yet</span>"), "{widget}");
    assert!(widget.contains("<span class=\"overall unknown\">Not Everything Is Looked At</span>"), "{widget}");
    assert!(!widget.contains("<script") && !widget.contains("style=\""), "{widget}");
    for (path, frames) in [("/", "frame-ancestors 'self'"), ("/badge/overall.svg", "frame-ancestors 'none'")] {
        let answer = get(&keeper, &format!("{public}{path}")).await;
        let policy = answer.headers()["content-security-policy"].to_str().expect("plain text");
        assert!(policy.ends_with(frames), "{path}: {policy}");
    }
}

#[tokio::test]
async fn a_shared_link_shows_the_state_with_its_time_and_never_a_host_that_the_visitor_named() {
    let (keeper, public) = shown().await;
    let asked = keeper.http.get(format!("{public}/")).header("host", "evil.example");
    let page = asked.send().await.expect("it answers").text().await.expect("a text");
    assert!(page.contains("<meta property=\"og:description\" content=\"Nobody has looked yet (as of "), "{page}");
    assert!(page.contains("<meta property=\"og:title\" content=\"My &#60;home&#62; &#38; &#34;more&#34;\">"), "{page}");
    assert!(page.contains("<meta property=\"og:url\" content=\"https://status.example.org/home/\">"), "{page}");
    assert!(
        page.contains("type=\"application/atom+xml\" title=\"Incidents and maintenance\" href=\"history.atom\""),
        "{page}"
    );
    assert!(!page.contains("evil.example"), "{page}");
    let body = json!({"incident": {"name": "Spade", "body": "We \"look\"."}});
    let made = keeper.ok(Method::POST, &format!("/pages/{PAGE}/incidents"), Some(body)).await;
    let id = made["id"].as_str().expect("an id");
    let page = get(&keeper, &format!("{public}/incidents/{id}")).await.text().await.expect("a text");
    assert!(page.contains("<meta property=\"og:type\" content=\"article\">"), "{page}");
    assert!(page.contains("): We &#34;look&#34;.\">") && page.contains("content=\"Investigating ("), "{page}");
    assert!(page.contains(&format!("content=\"https://status.example.org/home/incidents/{id}\"")), "{page}");
}

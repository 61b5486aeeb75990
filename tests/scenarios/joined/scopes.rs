//! What a token of one page opens, held against every route of the Manage API.

use std::fs;

use home_beacon::keeper::tokens;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use shared::secret::Secret;
use tests::{
    binaries::root,
    keeper::{COMPONENT, PAGE},
    upstream::LATENCY,
};
use tokio::task::LocalSet;

use super::outside::Outside;

const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];

/// A page that is not the token's.
const ELSEWHERE: &str = "aaaaaaaaaaa9";

/// What changes something, and is open.
const OPEN: [(&str, &str); 4] = [
    ("POST", "/pages/{page}/metrics/data"),
    ("POST", "/pages/{page}/metrics/{metric}/data"),
    ("PATCH", "/pages/{page}/components/{component}"),
    ("PATCH", "/pages/{page}/incidents/{incident}"),
];

/// The paths of the routes, as the keeper's own text has them.
fn routes() -> Vec<String> {
    let folder = root().join("home-beacon/src/keeper/http/v1");
    let mut folders = vec![folder];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).expect("a text");
            let paths = text.split(".route(").skip(1).filter_map(|rest| rest.split('"').nth(1));
            found.extend(paths.map(ToOwned::to_owned));
        }
    }
    found
}

fn filled(route: &str, page: &str) -> String {
    let part = |part: &str| match part {
        "{page}" => page.to_owned(),
        "{component}" => COMPONENT.to_owned(),
        "{metric}" => LATENCY.to_owned(),
        other if other.starts_with('{') => "aaaaaaaaaaa8".to_owned(),
        other => other.to_owned(),
    };
    let parts: Vec<_> = route.split('/').map(part).collect();
    format!("/v1{}", parts.join("/"))
}

async fn token(outside: &Outside) -> Secret {
    let page = PAGE.parse().expect("an id");
    tokens::create(&outside.db, Timestamp::now(), &page, "home").await.expect("a token")
}

#[tokio::test]
async fn a_token_opens_of_every_route_what_it_should() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let token = token(&outside).await;
            let routes = routes();
            assert!(routes.len() >= 25 && routes.contains(&"/pages/{page}/metrics/data".to_owned()), "{routes:#?}");
            for route in &routes {
                for method in METHODS {
                    let is_of_a_page = route.contains("{page}");
                    let open = is_of_a_page && (method == Method::GET || OPEN.contains(&(method.as_str(), route)));
                    let (status, answer) =
                        outside.call(token.expose(), &method, &filled(route, PAGE), Some(&json!({}))).await;
                    // Some paths do not take a method from anybody.
                    let is_so = if open { ![401, 403].contains(&status) } else { [403, 405].contains(&status) };
                    assert!(is_so, "{method} {route}: {status} {answer}");
                    if is_of_a_page {
                        let path = filled(route, ELSEWHERE);
                        let (status, answer) = outside.call(token.expose(), &method, &path, Some(&json!({}))).await;
                        assert_eq!(
                            (status, answer["error"].as_str()),
                            (404, Some("this page could not be found")),
                            "{path}"
                        );
                    }
                }
            }
        })
        .await;
}

#[tokio::test]
async fn a_token_sets_a_status_and_nothing_else_of_a_component() {
    LocalSet::new()
        .run_until(async {
            let outside = Outside::start().await;
            let token = token(&outside).await;
            let path = format!("/v1/pages/{PAGE}/components/{COMPONENT}");
            for (change, expected) in [
                (json!({"status": "major_outage"}), 200),
                (json!({"status": "operational", "name": "Mine"}), 403),
                (json!({"description": null}), 403),
                (json!({"showcase": false}), 403),
                (json!({"group_id": null}), 403),
            ] {
                let body = json!({ "component": change });
                let (status, answer) = outside.call(token.expose(), &Method::PATCH, &path, Some(&body)).await;
                assert_eq!(status, expected, "{body}: {answer}");
            }
            let (_, component) = outside.own(Method::GET, &path).await;
            assert_eq!(
                (component["status"].as_str(), component["name"].as_str()),
                (Some("major_outage"), Some("Home internet"))
            );
            // Nothing of our own API, at whichever listener.
            let http = reqwest::Client::builder().no_proxy().build().expect("a client");
            let relay = http.get(format!("{}/porchlight/v1/tokens", outside.url));
            let answer =
                relay.header("authorization", format!("OAuth {}", token.expose())).send().await.expect("it answers");
            assert_eq!(answer.status(), 403);
            let relay = http.get(format!("{}/v1/pages/{PAGE}?api_key={}", outside.url, token.expose()));
            assert_eq!(
                relay.send().await.expect("it answers").status(),
                200,
                "it is a token at the private listener, too"
            );
        })
        .await;
}

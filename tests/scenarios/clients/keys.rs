//! `?api_key=`, as the published description offers it: on `/v1` only, and in nothing that is kept.

use reqwest::{Client, Response};
use tests::keeper::{Keeper, PAGE, TOKEN};

async fn get(keeper: &Keeper, path: &str, header: Option<&str>) -> Response {
    let mut request = Client::new().get(format!("{}{path}", keeper.url));
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    request.send().await.expect("the keeper answers")
}

#[tokio::test]
async fn a_key_in_the_address_opens_v1_where_there_is_no_header() {
    let keeper = Keeper::start_with(|command| {
        command.env("LOG_LEVEL", "trace").env("KEEPER_RATE_LIMIT", "1000");
    })
    .await;
    let right = format!("api_key={TOKEN}");
    for (path, header, status) in [
        (format!("/v1/pages.json?{right}"), None, 200),
        (format!("/v1/pages/{PAGE}/components?per_page=1&{right}&page=1"), None, 200),
        (format!("/v1/pages/{PAGE}/incidents.json?q=x&{right}"), None, 200),
        (format!("/v1/nonsense?{right}"), None, 404),
        (format!("/v1/pages/{PAGE}/incidents?limit=many&{right}"), None, 422),
        ("/v1/pages?api_key=wrong".into(), None, 401),
        ("/v1/pages?api_key=".into(), None, 401),
        (format!("/v1/pages?{right}&api_key=wrong"), None, 401),
        (format!("/v1/pages?{right}"), Some("OAuth wrong"), 401),
        (format!("/v1/pages?{right}"), Some(""), 401),
    ] {
        let answer = get(&keeper, &path, header).await;
        assert_eq!(answer.status(), status, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer", "{path}");
        let text = format!("{:?}", answer.headers()) + &answer.text().await.expect("a body");
        assert!(!text.contains(TOKEN), "{path}: {text}");
    }
    for closed in ["/porchlight/v1/gaps", "/porchlight/v1/series", "/porchlight/v1/state/dns", "/porchlight/v1/relay"] {
        assert_eq!(get(&keeper, &format!("{closed}?{right}"), None).await.status(), 401, "{closed}");
    }
    let lines = keeper.process.lines().join("\n");
    assert!(!lines.contains(TOKEN) && !lines.contains("api_key"), "it is in no log: {lines}");
}

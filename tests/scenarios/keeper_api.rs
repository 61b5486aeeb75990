//! The keeper as a statuspage.io: what old clients send is understood, what is wrong is refused by name, and nothing a
//! client does is answered with a 500.

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, PAGE, TOKEN};

async fn send(keeper: &Keeper, method: Method, path: &str, kind: &str, body: &str) -> Response {
    let request = Client::new().request(method, format!("{}{path}", keeper.url));
    let request = request.header("authorization", format!("OAuth {TOKEN}")).header("content-type", kind);
    request.body(body.to_owned()).send().await.expect("the keeper answers")
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn component() -> String {
    format!("/v1/pages/{PAGE}/components/{COMPONENT}")
}

fn incidents() -> String {
    format!("/v1/pages/{PAGE}/incidents")
}

#[tokio::test]
async fn forms_json_and_the_suffix_all_do_the_same() {
    let keeper = Keeper::start().await;
    for (kind, suffix, body, status) in [
        (FORM, "", "component[status]=major_outage", "major_outage"),
        (FORM, ".json", "component%5Bstatus%5D=operational", "operational"),
        (JSON, ".json", r#"{"component":{"status":"partial_outage"}}"#, "partial_outage"),
        ("application/json; charset=utf-8", "", r#"{"component":{"status":"operational","x":1}}"#, "operational"),
    ] {
        let answer = send(&keeper, Method::PATCH, &format!("{}{suffix}", component()), kind, body).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>().await.expect("JSON")["status"], status);
    }
}

#[tokio::test]
async fn mistakes_are_reported_by_name_and_never_a_500() {
    let keeper = Keeper::start().await;
    let (component, incidents) = (component(), incidents());
    let components = format!("/v1/pages/{PAGE}/components");
    let unknown = format!("/v1/pages/{PAGE}/components/zzzzzzzzzzzz");
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let large = format!(r#"{{"component":{{"description":"{}"}}}}"#, "x".repeat(1 << 20));
    for (method, path, kind, body, status, words) in [
        (
            Method::PATCH,
            &component,
            JSON,
            r#"{"component":{"status":"fine"}}"#,
            422,
            "status: must be one of operational",
        ),
        (Method::PATCH, &component, FORM, "component[showcase]=maybe", 422, "showcase: must be true or false"),
        (Method::PATCH, &component, JSON, r#"{"component":{"name":""}}"#, 422, "name: can't be blank"),
        (Method::PATCH, &component, JSON, r#"{"component":{"start_date":"soon"}}"#, 422, "start_date"),
        (Method::PATCH, &component, JSON, r#"{"component":{"group_id":"abc"}}"#, 422, "group_id"),
        (Method::PATCH, &component, JSON, r#"{"status":"operational"}"#, 400, "component is missing"),
        (Method::PATCH, &component, JSON, r#"{"component":"#, 400, "not JSON"),
        (Method::PATCH, &component, JSON, "[]", 400, "must be a JSON object"),
        (Method::PATCH, &component, JSON, &deep, 400, "not JSON"),
        (Method::PATCH, &component, JSON, "\u{0}", 400, "not JSON"),
        (Method::PATCH, &component, FORM, "component[=1", 400, "`component[` is not a field name"),
        (Method::PATCH, &component, FORM, "component=1&component[status]=x", 400, "contradicts"),
        (Method::PATCH, &component, "text/plain", "x", 415, "content type"),
        (Method::PATCH, &component, "", "x", 415, "content type"),
        (Method::PATCH, &component, JSON, &large, 413, "1048576 bytes"),
        (Method::PATCH, &unknown, JSON, r#"{"component":{}}"#, 404, "component zzzzzzzzzzzz"),
        (Method::GET, &format!("{component}x"), JSON, "", 404, "could not be found"),
        (Method::GET, &"/v1/pages/aaaaaaaaaaaa".to_owned(), JSON, "", 404, "page aaaaaaaaaaaa"),
        (Method::GET, &"/v1/pages/%FF/components".to_owned(), JSON, "", 404, "could not be found"),
        (Method::GET, &"/v1/nonsense".to_owned(), JSON, "", 404, "could not be found"),
        (Method::GET, &format!("{components}?page=0"), JSON, "", 422, "page: must be a number from 1"),
        (Method::GET, &format!("{incidents}?limit=many"), JSON, "", 422, "limit"),
        (Method::DELETE, &components, JSON, "", 405, "does not take that method"),
        (Method::POST, &components, JSON, r#"{"component":{}}"#, 422, "name: can't be blank"),
        (Method::POST, &incidents, JSON, r#"{"incident":{"name":"x","status":"gone"}}"#, 422, "status: must be one of"),
        (Method::POST, &incidents, JSON, r#"{"incident":{"name":"x","metadata":{"a":1}}}"#, 422, "metadata"),
        (
            Method::POST,
            &incidents,
            JSON,
            r#"{"incident":{"name":"x","component_ids":["zzzzzzzzzzzz"]}}"#,
            422,
            "component_ids",
        ),
        (
            Method::POST,
            &incidents,
            JSON,
            r#"{"incident":{"name":"x","components":{"?":"operational"}}}"#,
            422,
            "components",
        ),
        (Method::POST, &incidents, JSON, r#"{"incident":{"name":"x","status":"scheduled"}}"#, 422, "scheduled_for"),
        (Method::POST, &incidents, JSON, r#"{"incident":{"name":"x","scheduled_for":"soon"}}"#, 422, "scheduled_for"),
        (Method::POST, &incidents, JSON, r#"{"incident":{"name":"x","backfilled":true}}"#, 422, "backfill_date"),
        (
            Method::POST,
            &incidents,
            JSON,
            r#"{"incident":{"name":"x","scheduled_auto_in_progress":true}}"#,
            422,
            "scheduled_auto_in_progress: is of a maintenance: send scheduled_for, too",
        ),
    ] {
        let answer = send(&keeper, method.clone(), path, kind, body).await;
        let (seen, text) = (answer.status(), answer.text().await.expect("a body"));
        assert_eq!(seen, status, "{method} {path} {body:.60}: {text}");
        let error: Value = serde_json::from_str(&text).expect("an error is JSON");
        assert!(error["error"].to_string().contains(words), "{method} {path} {body:.60}: {text}");
    }
    assert_eq!(keeper.status().await, "operational", "nothing of it did anything");
}

#[tokio::test]
async fn only_the_token_opens_the_api() {
    let keeper = Keeper::start().await;
    let url = format!("{}/pages", keeper.api());
    for authorization in
        [None, Some("OAuth "), Some("OAuth wrong"), Some("Bearer keeper-token-of-the-tests"), Some(TOKEN)]
    {
        let mut request = Client::new().get(&url);
        if let Some(value) = authorization {
            request = request.header("authorization", value);
        }
        let answer = request.send().await.expect("the keeper answers");
        assert_eq!(answer.status(), 401, "{authorization:?}");
        let refusal: Value = answer.json().await.expect("JSON");
        assert_eq!(refusal["error"], "Could not authenticate", "in statuspage.io's words");
        assert!(refusal["message"].as_str().is_some_and(|more| more.contains("`Authorization: OAuth ")), "{refusal}");
    }
    for public in
        ["/", "/page.css", "/healthz", "/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json"]
    {
        let answer = Client::new().get(format!("{}{public}", keeper.url)).send().await.expect("the keeper answers");
        assert_eq!(answer.status(), 200, "{public}");
    }
    let answer = Client::new().get(format!("{}/api/v2/secrets.json", keeper.url)).send().await.expect("an answer");
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn the_token_may_come_from_a_file_that_changes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = tests::process::file(folder.path(), "token", "the-first-token-1\n");
    let keeper = Keeper::start_with(|command| {
        command.env_remove("KEEPER_TOKEN").env("KEEPER_TOKEN_FILE", &path);
    })
    .await;
    let asks = async |token: &str| {
        let request =
            Client::new().get(format!("{}/pages", keeper.api())).header("authorization", format!("OAuth {token}"));
        request.send().await.expect("the keeper answers").status()
    };
    assert_eq!(asks("the-first-token-1").await, StatusCode::OK);
    tests::process::file(folder.path(), "token", "the-second-token\n");
    assert_eq!(
        (asks("the-first-token-1").await, asks("the-second-token").await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
}

#[tokio::test]
async fn the_limiter_counts_a_rolling_minute_and_not_the_strangers() {
    let keeper = Keeper::start_with(|command| {
        command.env("KEEPER_RATE_LIMIT", "3");
    })
    .await;
    let call = async || keeper.call(Method::GET, "/pages", None).await.expect("an answer");
    for _ in 0..5 {
        Client::new().get(format!("{}/pages", keeper.api())).send().await.expect("an answer");
    }
    for _ in 0..3 {
        assert_eq!(call().await.status(), 200);
    }
    let (first, second) = (call().await, call().await);
    assert_eq!([first.status().as_u16(), second.status().as_u16()], [420, 429]);
    let wait: u64 = first.headers()["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(Client::new().get(&keeper.url).send().await.expect("the page").status(), 200);
}

#[tokio::test]
async fn components_live_and_die_with_the_documented_codes() {
    let keeper = Keeper::start().await;
    let path = format!("/v1/pages/{PAGE}/components");
    let body = r#"{"component":{"name":"NAS","description":"In the cellar","status":"","start_date":"2026-01-31"}}"#;
    let answer = send(&keeper, Method::POST, &path, JSON, body).await;
    assert_eq!(answer.status(), 201);
    let made: Value = answer.json().await.expect("JSON");
    let id = made["id"].as_str().expect("an id").to_owned();
    assert!(id.len() == 12 && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{id}");
    assert_eq!((made["status"].as_str(), made["start_date"].as_str()), (Some(""), Some("2026-01-31")));

    let one = format!("{path}/{id}");
    let body = r#"{"component":{"description":null,"start_date":null}}"#;
    let changed: Value = send(&keeper, Method::PUT, &one, JSON, body).await.json().await.expect("JSON");
    assert!(changed["description"].is_null() && changed["start_date"].is_null(), "{changed}");
    assert!(changed["updated_at"].as_str() > made["updated_at"].as_str(), "a change is later than what it changes");

    let listed = keeper.ok(Method::GET, &format!("/pages/{PAGE}/components?per_page=1&page=2"), None).await;
    assert_eq!((listed.as_array().map(Vec::len), listed[0]["id"].as_str()), (Some(1), Some(id.as_str())));
    assert_eq!(send(&keeper, Method::DELETE, &one, JSON, "").await.status(), 204);
    assert_eq!(send(&keeper, Method::GET, &one, JSON, "").await.status(), 404);
}

#[tokio::test]
async fn what_the_keeper_returns_it_also_takes_back_nulls_included() {
    let keeper = Keeper::start().await;
    let path = format!("/pages/{PAGE}/incidents");
    let body =
        json!({"incident": {"name": "x", "impact_override": "minor", "components": {COMPONENT: "major_outage"}}});
    let opened = keeper.ok(Method::POST, &path, Some(body)).await;
    assert_eq!(opened["impact"], "minor");
    let one = format!("{path}/{}", opened["id"].as_str().expect("an id"));
    let nulls = json!({"incident": {"impact_override": null, "body": null, "metadata": null, "scheduled_for": null}});
    let changed = keeper.ok(Method::PATCH, &one, Some(nulls)).await;
    assert!(changed["impact_override"].is_null(), "{changed}");
    assert_eq!(changed["impact"], "critical", "without the override its components speak again");
    let nulls = json!({"component": {"showcase": null, "status": null, "name": null, "group_id": null}});
    keeper.ok(Method::PATCH, &format!("/pages/{PAGE}/components/{COMPONENT}"), Some(nulls)).await;
    assert_eq!(keeper.status().await, "major_outage");
    let answer = send(&keeper, Method::PATCH, &format!("/v1{one}"), FORM, "incident[component_ids][]=").await;
    assert_eq!(answer.json::<Value>().await.expect("JSON")["components"], json!([]));
}

#[tokio::test]
async fn a_page_that_knows_nothing_says_so() {
    let keeper = Keeper::start().await;
    assert!(keeper.page().await.contains("Nobody has looked yet"));
    keeper.looked(COMPONENT, "up", None).await;
    assert!(keeper.page().await.contains("All Systems Operational"));
    keeper.set_status("").await;
    assert!(keeper.page().await.contains("No Status Known"));
}

#[tokio::test]
async fn a_seed_is_applied_at_every_start_without_touching_what_is_in_use() {
    let keeper = Keeper::start().await;
    keeper.set_status("major_outage").await;
    let made = keeper
        .ok(Method::POST, &format!("/pages/{PAGE}/components"), Some(json!({"component": {"name": "By hand"}})))
        .await;
    let Keeper { process, folder, .. } = keeper;
    assert_eq!(process.terminate().await.code(), Some(0));
    let keeper = Keeper::restart(folder).await;
    assert_eq!(keeper.status().await, "major_outage");
    let components = keeper.ok(Method::GET, &format!("/pages/{PAGE}/components"), None).await;
    let ids: Vec<_> = components.as_array().into_iter().flatten().map(|component| &component["id"]).collect();
    assert_eq!(ids, [COMPONENT, made["id"].as_str().expect("an id")]);
}

#[tokio::test]
async fn without_a_seed_there_is_a_page_with_one_component() {
    let keeper = Keeper::start_with(|command| {
        command.env_remove("KEEPER_SEED");
    })
    .await;
    let pages = keeper.ok(Method::GET, "/pages", None).await;
    let page = pages[0]["id"].as_str().expect("a page");
    let components = keeper.ok(Method::GET, &format!("/pages/{page}/components"), None).await;
    assert_eq!(components[0]["name"], "Home internet");
}

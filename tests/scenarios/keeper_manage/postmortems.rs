//! Postmortems: nobody's before they are published, everybody's afterwards.

use reqwest::Method;
use serde_json::{Value, json};
use tests::keeper::Keeper;

use super::{path, public, refused};

const TEXT: &str = "It was <b>the cat</b>.";

async fn everything_public(keeper: &Keeper, id: &str) -> String {
    let mut all = keeper.page().await;
    for place in [format!("incidents/{id}"), "api/v2/incidents.json".into(), "api/v2/summary.json".into()] {
        let answer = keeper.http.get(format!("{}/{place}", keeper.url)).send().await.expect("it answers");
        all += &answer.text().await.expect("a text");
    }
    all
}

async fn resolved(keeper: &Keeper) -> String {
    let body = json!({"incident": {"name": "Line down", "status": "resolved", "body": "Back"}});
    let made = keeper.ok(Method::POST, &path("incidents"), Some(body)).await;
    made["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_postmortem_is_public_from_when_it_is_published_until_it_is_reverted_or_deleted() {
    let keeper = Keeper::start().await;
    let id = resolved(&keeper).await;
    let (one, at) = (path(&format!("incidents/{id}")), path(&format!("incidents/{id}/postmortem")));
    let draft = keeper.ok(Method::PUT, &at, Some(json!({"postmortem": {"body_draft": TEXT}}))).await;
    assert_eq!(
        (&draft["body_draft"], &draft["body"], &draft["published_at"]),
        (&json!(TEXT), &Value::Null, &Value::Null)
    );
    assert!(!everything_public(&keeper, &id).await.contains("the cat"));
    let incident = keeper.ok(Method::GET, &one, None).await;
    assert_eq!((&incident["status"], &incident["postmortem_body"]), (&json!("resolved"), &Value::Null));
    let resolved_at = incident["resolved_at"].clone();

    let published = keeper.ok(Method::PUT, &format!("{at}/publish"), Some(json!({"postmortem": {}}))).await;
    assert_eq!((&published["body"], &published["body_draft"]), (&json!(TEXT), &Value::Null));
    let incident = keeper.ok(Method::GET, &one, None).await;
    assert_eq!((&incident["status"], &incident["postmortem_body"]), (&json!("postmortem"), &json!(TEXT)));
    assert_eq!(
        (&incident["postmortem_published_at"], &incident["resolved_at"]),
        (&published["published_at"], &resolved_at)
    );
    let shown = public(&keeper, "incidents").await["incidents"][0].clone();
    assert_eq!((&shown["status"], &shown["postmortem_body"]), (&json!("postmortem"), &json!(TEXT)), "{shown}");
    assert_eq!(
        (&shown["incident_updates"][0]["status"], &shown["incident_updates"][0]["body"]),
        (&json!("postmortem"), &json!(TEXT))
    );
    let page = keeper.http.get(format!("{}/incidents/{id}", keeper.url)).send().await.expect("it answers");
    let page = page.text().await.expect("a page");
    assert!(page.contains("It was &#60;b&#62;the cat") && page.contains("<small>Postmortem</small>"), "{page}");
    assert_eq!(public(&keeper, "incidents/unresolved").await["incidents"], json!([]));
    keeper.ok(Method::PUT, &one, Some(json!({"incident": incident}))).await;

    // A second version is nobody's either until it is published, and then the only one.
    keeper.ok(Method::PUT, &at, Some(json!({"postmortem": {"body_draft": "It was the dog."}}))).await;
    assert!(!everything_public(&keeper, &id).await.contains("the dog"));
    let again = keeper.ok(Method::PUT, &format!("{at}/publish"), None).await;
    assert_eq!((&again["body"], &again["published_at"]), (&json!("It was the dog."), &published["published_at"]));
    let all = everything_public(&keeper, &id).await;
    assert!(all.contains("the dog") && !all.contains("the cat"), "{all}");

    let reverted = keeper.ok(Method::PUT, &format!("{at}/revert"), None).await;
    assert_eq!((&reverted["body_draft"], &reverted["published_at"]), (&json!("It was the dog."), &Value::Null));
    assert!(!everything_public(&keeper, &id).await.contains("the dog"));
    let incident = keeper.ok(Method::GET, &one, None).await;
    assert_eq!(
        (&incident["status"], incident["incident_updates"].as_array().map(Vec::len)),
        (&json!("resolved"), Some(1))
    );

    keeper.ok(Method::PUT, &format!("{at}/publish"), None).await;
    let Keeper { process, folder, .. } = keeper;
    process.terminate().await;
    let keeper = Keeper::restart(folder).await;
    assert!(everything_public(&keeper, &id).await.contains("the dog"));
    let answer = keeper.call(Method::DELETE, &at, None).await.expect("it answers");
    assert_eq!(answer.status(), 204);
    assert!(!everything_public(&keeper, &id).await.contains("the dog"));
    assert_eq!(keeper.ok(Method::GET, &one, None).await["status"], "resolved");
}

#[tokio::test]
async fn what_is_wrong_with_a_postmortem_is_said_in_a_sentence() {
    let keeper = Keeper::start().await;
    let id = resolved(&keeper).await;
    let open = keeper.ok(Method::POST, &path("incidents"), Some(json!({"incident": {"name": "x"}}))).await;
    let open = format!("incidents/{}/postmortem", open["id"].as_str().expect("an id"));
    let at = format!("incidents/{id}/postmortem");
    let draft = |text: &str| Some(json!({"postmortem": {"body_draft": text}}));
    keeper.ok(Method::PUT, &path(&open), draft("Too early")).await;
    let (publish, missing) = (format!("{at}/publish"), "incidents/zzzzzzzzzzzz/postmortem");
    let publish_open = format!("{open}/publish");
    for (method, rest, body, status, words) in [
        (Method::GET, at.as_str(), None, 404, "a postmortem of incident"),
        (Method::DELETE, &at, None, 404, "a postmortem of incident"),
        (Method::PUT, &publish, None, 404, "a postmortem of incident"),
        (Method::PUT, &at, draft("  "), 400, "body_draft: can't be blank"),
        (Method::PUT, &at, draft(&"x".repeat(25_001)), 400, "body_draft: may have 25000 characters"),
        (Method::PUT, &at, Some(json!({"body_draft": "x"})), 400, "postmortem is missing"),
        (
            Method::PUT,
            &at,
            Some(json!({"postmortem": {"body_draft": "x", "title": "y"}})),
            400,
            "title: is not known here",
        ),
        (Method::PUT, &publish_open, None, 400, "is not over yet: resolve it first"),
        (
            Method::PUT,
            &publish_open,
            Some(json!({"postmortem": {"custom_tweet": "Meow"}})),
            400,
            "custom_tweet: is not known here",
        ),
        (Method::PUT, missing, draft("x"), 404, "incident zzzzzzzzzzzz of page"),
        (Method::POST, &at, draft("x"), 405, "does not take that method"),
    ] {
        let (seen, said) = refused(&keeper, method.clone(), rest, body).await;
        assert_eq!((seen, said.contains(words)), (status, true), "{method} {rest}: {said}");
    }
}

//! Looks over the keeper's own API, and what follows for who reads.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tests::keeper::{COMPONENT, Keeper, PAGE};

#[tokio::test]
async fn a_probers_looks_are_taken_whole_or_refused_with_a_sentence() {
    let keeper = Keeper::start().await;
    let now = jiff::Timestamp::now().as_second();
    let look = |change: fn(&mut Value)| {
        let look = json!({"component_id": COMPONENT, "verdict": "up", "from": "outside"});
        let mut body = json!({"page_id": PAGE, "at": now, "location": "eu-central-1", "looks": [look]});
        change(&mut body);
        body
    };
    for (change, status, sentence) in [
        ((|body| body["looks"][0]["verdict"] = json!("fine")) as fn(&mut Value), 422, "there is no verdict fine"),
        (|body| body["looks"][0]["component_id"] = json!("zzzzzzzzzzzz"), 404, "component zzzzzzzzzzzz of page"),
        (|body| body["page_id"] = json!("zzzzzzzzzzzz"), 404, "page zzzzzzzzzzzz"),
        (|body| body["at"] = json!(1_000_000_000), 422, "check the clocks"),
        (|body| body["location"] = json!("EU"), 422, "a location is 1 to 16 lower-case letters"),
        (|body| body["more"] = json!(1), 422, "unknown field `more`"),
    ] {
        let (answered, body) = keeper.own(Method::POST, "/looks", Some(look(change))).await;
        assert_eq!(answered, status, "{body}");
        assert!(body["error"].to_string().contains(sentence), "{body}");
    }
    assert!(keeper.page().await.contains("Nobody has looked yet"), "nothing of it was taken");
    let summary = async || {
        let answer = Client::new().get(format!("{}/api/v2/summary.json", keeper.url)).send().await.expect("an answer");
        answer.json::<Value>().await.expect("JSON")
    };
    let never = json!({"looked_at": null, "looked_at_age_seconds": null});
    assert_eq!(summary().await["components"][0]["porchlight"], never);
    keeper.looked(COMPONENT, "up", None).await;
    let seen = summary().await;
    assert_eq!(seen["status"], json!({"indicator": "none", "description": "All Systems Operational"}));
    assert_eq!(seen["components"][0]["status"], "operational");
    let age = seen["components"][0]["porchlight"]["looked_at_age_seconds"].as_i64().expect("an age");
    assert!((0..60).contains(&age), "{seen}");
    // The page has not been changed yet, or cannot be: what was just seen is not shown as working all the same.
    // By a clock that is ahead, so that it is later than the look before, in whichever second that was.
    let down = look(|body| {
        body["at"] = json!(body["at"].as_i64().expect("a time") + 60);
        body["looks"][0]["verdict"] = json!("down");
        body["looks"][0]["cause"] = json!("refused");
    });
    assert_eq!(keeper.own(Method::POST, "/looks", Some(down)).await.0, 202);
    let seen = summary().await;
    assert_eq!(seen["status"], json!({"indicator": "critical", "description": "Major System Outage"}));
    assert_eq!(seen["components"][0]["status"], "operational", "statuspage.io's field is what was written there");
    let page = keeper.page().await;
    assert!(page.contains("An address answered, but the port is closed") && !page.contains(">Operational<"), "{page}");
    let answer = keeper.call(Method::GET, &format!("/pages/{PAGE}/components"), None).await.expect("an answer");
    assert_eq!(answer.headers()["porchlight-keeper"], "v1", "by which a prober knows that it may put looks here");
    let component = answer.json::<Value>().await.expect("JSON");
    assert_eq!(component[0].get("porchlight"), None, "the Manage API has statuspage.io's fields");
    let metrics = Client::new().get(format!("{}/metrics", keeper.url)).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a text");
    assert!(
        metrics.contains(&format!("porchlight_keeper_look_age_seconds{{component=\"{COMPONENT}\"}} ")),
        "{metrics}"
    );
}

//! What the keeper's Manage API has beyond the everyday: groups of components, maintenance that begins and ends by itself,
//! postmortems, and uptime.

mod groups;
mod plans;
mod postmortems;
mod uptime;

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tests::keeper::{Keeper, PAGE};
use tokio::time::{Instant, sleep};

/// A path below the page.
fn path(rest: &str) -> String {
    format!("/pages/{PAGE}/{rest}")
}

/// A call that is refused: the status, and the sentence.
async fn refused(keeper: &Keeper, method: Method, rest: &str, body: Option<Value>) -> (u16, String) {
    let answer = keeper.call(method, &path(rest), body).await.expect("the keeper answers");
    let status = answer.status().as_u16();
    let answer: Value = answer.json().await.expect("an error is JSON");
    let said = match &answer["error"] {
        Value::Array(said) => said[0].as_str(),
        said => said.as_str(),
    };
    (status, said.unwrap_or_else(|| panic!("a sentence: {answer}")).to_owned())
}

/// A document of the public API.
async fn public(keeper: &Keeper, document: &str) -> Value {
    let answer = keeper.http.get(format!("{}/api/v2/{document}.json", keeper.url)).send().await.expect("it answers");
    answer.json().await.expect("JSON")
}

/// An incident, once it has that status.
async fn comes_to(keeper: &Keeper, incident: &str, status: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found = keeper.ok(Method::GET, &path(&format!("incidents/{incident}")), None).await;
        if found["status"] == status {
            return found;
        }
        assert!(Instant::now() < deadline, "it is {status} in time: {found}");
        sleep(Duration::from_millis(50)).await;
    }
}

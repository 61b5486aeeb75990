//! `/owner` in a browser: somebody logs in, mutes something, and logs out.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{
    keeper::{Keeper, TOKEN},
    notices::{Reply, Service},
    process::file,
    skip::skip,
};
use tokio::time::sleep;

use super::{Browser, artifacts};

#[tokio::test]
async fn an_owner_logs_in_on_a_desk_and_on_a_phone_without_script() {
    let Some(browser) = Browser::find() else {
        return skip("the owner's page in a browser", "node, playwright-core or Chromium is missing");
    };
    let refusing = Service::start(|_, _| Reply::text(404, "no such hook")).await;
    let url = format!("json+http://{}/hook\njson+http://127.0.0.1:9/hook", refusing.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", url);
    })
    .await;
    for minutes in [3, 2, 1] {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        let reading = json!({"metric": "dns", "at": at.to_string(), "failure": "no answer"});
        keeper.own(reqwest::Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
    }
    for _ in 0..100 {
        if !refusing.posted().is_empty() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    let token = file(keeper.folder.path(), "token", TOKEN);
    let prefix = artifacts().join("owner");
    let seen = browser.run("owner.mjs", &[keeper.url.as_ref(), token.as_ref(), prefix.as_ref()]).await;
    for view in ["desk", "phone"] {
        let view = &seen[view];
        assert_eq!(
            (&view["asked"], &view["entered"], &view["after"]),
            (&json!("/login"), &json!("/owner"), &json!("/login"))
        );
        assert!(view["muted"][0].as_str().is_some_and(|muted| muted.starts_with("line/ping, until ")), "{view:#}");
        assert_eq!((&view["left"], &view["overflow"]), (&json!(0), &json!(0)), "{view:#}");
        assert_eq!(view["cookies"], json!([{"httpOnly": true, "sameSite": "Strict"}]));
        for faults in ["complaints", "violations"] {
            assert_eq!(view[faults], Value::Array(Vec::new()), "{view:#}");
        }
    }
}

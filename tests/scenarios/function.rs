//! The built function under a real Lambda runtime API (cargo lambda's emulator), fed the events that AWS sends.

use serde_json::json;
use shared::{look::LastVerdict, verdict::Verdict};
use tests::{
    beacon::Beacon,
    keeper::{COMPONENT, Keeper, PAGE},
    lambda::{Lambda, probes, rule, scheduler},
    noting_home::{KEY, NotingHome},
};

#[tokio::test]
async fn scheduled_events_flip_the_component_down_and_up_again() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let address = beacon.public.to_string();
    let Some(lambda) = Lambda::start("function", &keeper.api(), probes(&beacon.url())).await else { return };

    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "agrees", "{report:#}");

    beacon.process.terminate().await;
    let report = lambda.invoke(&scheduler()).await;
    assert_eq!(report["targets"][0]["cause"], "refused", "{report:#}");
    assert_eq!(keeper.status().await, "major_outage");
    let third = report["targets"][0]["attempts"][2]["started_ms"].as_f64().expect("three attempts");
    assert!(third > 9_000.0, "spread over the time that the function has: {report:#}");

    let _repaired = Beacon::start_at(&address).await;
    let report = lambda.invoke(&rule()).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(keeper.status().await, "operational");
    assert_eq!(lambda.reports().len(), 3, "one line for each run: {:#?}", lambda.function.lines());
}

#[tokio::test]
async fn targets_come_with_the_event_too() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("partial_outage").await;
    let Some(lambda) = Lambda::start("function_targets", &keeper.api(), |_| ()).await else { return };
    let target = json!({"name": "Home", "url": beacon.url(), "page_id": PAGE, "component_id": COMPONENT});
    let report = lambda.invoke(&json!({"targets": [target], "dry_run": true})).await;
    assert_eq!(
        (&report["targets"][0]["outcome"], &report["dry_run"]),
        (&json!("would_change"), &json!(true)),
        "{report:#}"
    );
    assert_eq!(keeper.status().await, "partial_outage", "such a run looks, and says nothing to the page");
    let report = lambda.invoke(&json!({"targets": [target]})).await;
    assert_eq!(report["targets"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(keeper.status().await, "operational");

    let failure = lambda.invoke(&rule()).await;
    assert!(failure["errorMessage"].as_str().is_some_and(|text| text.contains("nothing to probe")), "{failure:#}");
    let failure = lambda.invoke(&json!({"key1": "value1"})).await;
    assert!(failure["errorMessage"].as_str().is_some_and(|text| text.contains("neither a schedule's")), "{failure:#}");
}

#[tokio::test]
async fn a_page_that_could_not_be_made_true_fails_the_invocation() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let nowhere = keeper.api();
    keeper.process.kill().await;
    let Some(lambda) = Lambda::start("function_failure", &nowhere, probes(&beacon.url())).await else { return };
    let failure = lambda.invoke(&rule()).await;
    let message = failure["errorMessage"].as_str().unwrap_or_default();
    assert!(message.contains("the page could not be updated"), "{failure:#}");
    assert_eq!(lambda.reports()[0]["published"], false, "the report is printed all the same");
}

#[tokio::test]
async fn a_warm_function_tells_the_home_what_it_concluded_before_and_in_which_region() {
    let (keeper, home) = (Keeper::start().await, NotingHome::with_key(KEY).await);
    let change = |command: &mut tokio::process::Command| {
        probes(&home.url())(command);
        command.env("BEACON_KEY", KEY.expose()).env("AWS_REGION", "eu-central-1");
    };
    let Some(lambda) = Lambda::start("function_looks", &keeper.api(), change).await else { return };
    for event in [rule(), scheduler()] {
        let report = lambda.invoke(&event).await;
        assert_eq!(report["targets"][0]["outcome"], "agrees", "{report:#}");
    }
    let looks: Vec<_> = home.signed().into_iter().map(|signed| signed.expect("a signature")).collect();
    assert_eq!(looks.len(), 2);
    for (challenge, look) in &looks {
        assert!(look.is_made_with(&KEY, challenge) && look.location.as_str() == "eu-central-1", "{look}");
    }
    let last = LastVerdict { verdict: Verdict::Up, since: looks[0].1.at };
    assert_eq!((looks[0].1.last, looks[1].1.last), (None, Some(last)));
}

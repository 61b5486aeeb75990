//! What programs register, and what comes of it.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    checks::{check, known, ran, register, status, with},
    keeper::{COMPONENT, Keeper, PAGE},
    notices::Service,
};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn results_set_component_and_page_and_all_is_there_after_a_restart() {
    let keeper = Keeper::start().await;
    let placed = register(&keeper, json!([with(check("nas"), "group", json!("At home")), check("tv")])).await;
    assert_eq!(status(&keeper, &placed[0]).await, "", "nothing is known of it yet");
    ran(&keeper, "nas", 60, "ok").await;
    ran(&keeper, "nas", 30, "critical").await;
    ran(&keeper, "tv", 30, "warning").await;
    let statuses = [status(&keeper, &placed[0]).await, status(&keeper, &placed[1]).await];
    assert_eq!(statuses, ["major_outage", "degraded_performance"]);
    let page = keeper.page().await;
    assert!(page.contains("At home") && page.contains("NAS") && page.contains("Major outage"), "{page}");
    assert!(
        page.contains("Last checked") && !page.contains("looked at from the cloud"),
        "checks look from here: {page}"
    );
    let Keeper { process, folder, .. } = keeper;
    process.kill().await;
    let keeper = Keeper::restart(folder).await;
    assert_eq!(status(&keeper, &placed[0]).await, "major_outage");
    let nas = known(&keeper, "nas").await;
    assert_eq!((&nas["counts"], &nas["failures"], &nas["late"]), (&json!("critical"), &json!(1), &json!(false)));
    ran(&keeper, "nas", 0, "ok").await;
    assert_eq!(status(&keeper, &placed[0]).await, "operational");
}

#[tokio::test]
async fn a_component_of_a_check_is_no_home_to_a_prometheus() {
    let keeper = Keeper::start().await;
    let placed = register(&keeper, json!([check("nas")])).await;
    ran(&keeper, "nas", 0, "ok").await;
    let text = keeper.http.get(format!("{}/metrics", keeper.url)).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("porchlight_check_state{check=\"nas\",state=\"ok\"} 1"), "{text}");
    assert!(text.contains("porchlight_home_looked_at{component="), "{text}");
    let nas = placed[0].as_str().unwrap();
    assert!(!text.lines().any(|line| line.starts_with("porchlight_home") && line.contains(nas)), "{text}");
}

#[tokio::test]
async fn a_check_goes_on_under_another_name_and_goes_when_it_is_named_no_more() {
    let keeper = Keeper::start().await;
    let before = register(&keeper, json!([check("nas")])).await;
    ran(&keeper, "nas", 60, "ok").await;
    for _ in 0..2 {
        assert_eq!(register(&keeper, json!([with(check("box"), "was", json!("nas"))])).await, before);
    }
    ran(&keeper, "box", 0, "ok").await;
    let (_, series) = keeper.own(Method::GET, "/series?metric=check:box&step=1h", None).await;
    let measured: Vec<_> =
        series["points"].as_array().expect("points").iter().map(|it| it["measured"].as_i64()).collect();
    assert_eq!(measured.into_iter().flatten().sum::<i64>(), 2, "{series}");
    assert_eq!(register(&keeper, json!([])).await, Vec::<Value>::new());
    let gone =
        keeper.call(Method::GET, &format!("/pages/{PAGE}/components/{}", before[0].as_str().unwrap()), None).await;
    assert_eq!(gone.unwrap().status(), 404);
    assert_eq!(known(&keeper, "box").await, Value::Null);
}

#[tokio::test]
async fn a_component_under_maintenance_stays_as_a_person_has_set_it() {
    let keeper = Keeper::start().await;
    register(&keeper, json!([with(check("sky"), "component", json!(COMPONENT))])).await;
    ran(&keeper, "sky", 60, "ok").await;
    keeper.set_status("under_maintenance").await;
    ran(&keeper, "sky", 30, "critical").await;
    assert_eq!(keeper.status().await, "under_maintenance");
    keeper.set_status("operational").await;
    ran(&keeper, "sky", 0, "critical").await;
    assert_eq!(keeper.status().await, "major_outage");
}

#[tokio::test]
async fn a_check_whose_program_stopped_is_not_looked_at() {
    let keeper = Keeper::start().await;
    let hourly = with(check("hourly"), "every_seconds", json!(3600));
    let placed = register(&keeper, json!([check("nas"), hourly])).await;
    ran(&keeper, "nas", 400, "ok").await;
    ran(&keeper, "hourly", 400, "ok").await;
    let summary = keeper.http.get(format!("{}/api/v2/components.json", keeper.url)).send().await.unwrap();
    let summary: Value = summary.json().await.unwrap();
    let of = |id: &Value| summary["components"].as_array().unwrap().iter().find(|it| it["id"] == *id).unwrap().clone();
    assert!(of(&placed[0])["porchlight"]["looked_at_age_seconds"].as_i64().unwrap() >= 400, "{summary}");
    let page = keeper.page().await;
    // The other one runs each hour.
    assert!(page.contains("Not looked at since") && page.contains("Operational"), "{page}");
    let nas = known(&keeper, "nas").await;
    assert_eq!(
        (&nas["late"], &known(&keeper, "hourly").await["late"]),
        (&json!(false), &json!(false)),
        "the keeper began just now"
    );
}

#[tokio::test]
async fn people_are_written_to_once_when_a_check_is_down_and_once_when_it_works() {
    let phone = Service::start(|_, _| tests::notices::Reply::json(200, &json!({}))).await;
    let url = format!("json+http://{}/in", phone.host());
    let keeper = Keeper::start_with(|command| {
        command.env("NOTIFY_URLS", &url);
    })
    .await;
    register(&keeper, json!([check("nas"), check("tv")])).await;
    let until = async |count: usize| {
        let until = Instant::now() + Duration::from_secs(60);
        while phone.posted().len() < count {
            assert!(Instant::now() < until, "it takes too long");
            sleep(Duration::from_millis(20)).await;
        }
    };
    ran(&keeper, "tv", 200, "ok").await;
    for ago in [180, 120, 60] {
        ran(&keeper, "nas", ago, "critical").await;
    }
    until(1).await;
    ran(&keeper, "nas", 0, "ok").await;
    until(2).await;
    let titles: Vec<String> =
        phone.posted().iter().map(|it| it.json()["data"]["title"].as_str().unwrap_or_default().to_owned()).collect();
    assert!(titles[0].contains("NAS is down") && titles[1].contains("NAS works again"), "{titles:?}");
    let (_, muted) =
        keeper.own(Method::PUT, "/mutes", Some(json!({"key": "check/nas", "until": "2099-01-01T00:00:00Z"}))).await;
    assert_eq!(muted["key"], "check/nas");
}

#[tokio::test]
async fn what_is_wrong_is_said_in_a_sentence_and_changes_nothing() {
    let keeper = Keeper::start().await;
    register(&keeper, json!([check("nas")])).await;
    for (body, sentence) in [
        (json!({"source": "checks", "checks": [check("NAS")]}), "checks[0]: a check's name has up to 50"),
        (json!({"source": "checks", "checks": [check("a"), check("a")]}), "checks[1] (a): another check has this name"),
        (json!({"checks": []}), "source: the program's name"),
    ] {
        let (status, answer) = keeper.own(Method::PUT, "/checks", Some(body)).await;
        let said = answer["error"][0].as_str().unwrap_or_default();
        assert!(status == 422 && said.starts_with(sentence), "{status} {answer}");
    }
    let of_others = json!({"source": "others", "checks": [check("nas"), check("tv")]});
    let (status, answer) = keeper.own(Method::PUT, "/checks", Some(of_others)).await;
    let [nas, tv] = [0, 1].map(|index| &answer["checks"][index]);
    assert_eq!((status, &nas["registered"], &tv["registered"]), (200, &json!(false), &json!(true)), "{answer}");
    assert_eq!(nas["wrong"], "nas: the program checks has a check of this name: give it another one");
    let reading = json!({"metric": "check:nas", "at": jiff::Timestamp::now().to_string(), "value": 1.0, "check": {"state": "critical"}});
    let (status, answer) = keeper.own(Method::POST, "/readings", Some(json!({"readings": [reading]}))).await;
    assert!(status == 422 && answer.to_string().contains("check.state contradicts the reading"), "{status} {answer}");
    let nas = known(&keeper, "nas").await;
    assert_eq!((&nas["counts"], &nas["last_run"]), (&Value::Null, &Value::Null));
    for path in ["/checks", "/home"] {
        let answer = keeper.http.get(format!("{}/porchlight/v1{path}", keeper.url)).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
    }
}

#[tokio::test]
async fn ten_thousand_checks_are_registered_in_one_call() {
    let keeper = Keeper::start().await;
    let all: Vec<Value> =
        (0..10_000).map(|number| with(check(&format!("c{number}")), "component", json!("nowhere"))).collect();
    for _ in 0..2 {
        assert_eq!(register(&keeper, json!(all)).await.len(), 10_000);
    }
}

#[tokio::test]
async fn the_home_is_up_or_down_by_its_component_and_unknown_without_a_look() {
    let keeper = Keeper::start().await;
    let of = async || keeper.own(Method::GET, "/home", None).await.1;
    assert_eq!(of().await, json!({"state": "unknown", "since": null, "age_seconds": null, "component_id": COMPONENT}));
    keeper.looked(COMPONENT, "up", None).await;
    assert_eq!(of().await["state"], "up");
    keeper.set_status("major_outage").await;
    keeper.looked(COMPONENT, "down", Some("refused")).await;
    assert_eq!(of().await["state"], "down");
}

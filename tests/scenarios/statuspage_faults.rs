//! A statuspage that misbehaves: what the prober makes of it, how often it calls, and what the page says afterwards.

use std::time::{Duration, Instant};

use tests::{
    beacon::Beacon,
    keeper::Keeper,
    prober::{Run, probe},
    statuspage::{Fault, Statuspage},
};

struct Scene {
    keeper: Keeper,
    statuspage: Statuspage,
    run: Run,
    took: Duration,
}

/// The home is up, the page says that it is not, and statuspage plays `faults`, then `then`.
async fn play(faults: &[Fault], then: Fault) -> Scene {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("major_outage").await;
    let statuspage = Statuspage::open(&keeper, faults.iter().cloned(), then).await;
    let start = Instant::now();
    let run = probe(&beacon.url(), &statuspage.api).await;
    Scene { keeper, statuspage, run, took: start.elapsed() }
}

impl Scene {
    fn error(&self) -> &str {
        assert_eq!(self.run.code, Some(1), "a page that is not true is reported: {:#}", self.run.report);
        assert_eq!(self.run.report["published"], false);
        self.run.target["error"].as_str().expect("a reason")
    }

    async fn is_mended(&self) {
        assert_eq!(self.run.code, Some(0), "{:#}", self.run.report);
        assert_eq!(self.keeper.status().await, "operational");
    }
}

fn answer(status: u16, body: &'static str) -> Fault {
    Fault::Answer { status, headers: "Content-Type: application/json\r\n", body }
}

#[tokio::test]
async fn a_refused_token_is_reported_and_not_tried_again() {
    let scene = play(&[], answer(401, r#"{"error":"Could not authenticate"}"#)).await;
    assert!(scene.error().contains("the token is refused (401: Could not authenticate)"), "{}", scene.error());
    // Components and incidents are asked for at once.
    assert!(scene.statuspage.calls().len() <= 2, "{:?}", scene.statuspage.calls());
    assert!(!scene.run.stderr.contains(tests::keeper::TOKEN), "no token in the log");
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_reported_with_what_to_check() {
    let scene = play(&[], answer(404, r#"{"error":"Not found"}"#)).await;
    assert!(scene.error().contains("check PAGE_ID, COMPONENT_ID and STATUSPAGE_URL"), "{}", scene.error());
    assert!(scene.statuspage.calls().len() <= 2, "{:?}", scene.statuspage.calls());
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_as_long_as_it_asks() {
    let limited = Fault::Answer { status: 420, headers: "Retry-After: 3\r\n", body: r#"{"error":"Slow down"}"# };
    let scene = play(&[limited], Fault::None).await;
    scene.is_mended().await;
    assert!(scene.took >= Duration::from_secs(3), "{:?}", scene.took);
    assert_eq!(
        scene.statuspage.calls().len(),
        6,
        "the listing twice, incidents, maintenance, the second read, the write"
    );
}

#[tokio::test]
async fn a_rate_limit_beyond_the_budget_is_left_to_the_next_run() {
    let limited = Fault::Answer { status: 429, headers: "Retry-After: 60\r\n", body: r#"{"error":"Slow down"}"# };
    let scene = play(&[], limited).await;
    assert!(scene.error().contains("rate limit"), "{}", scene.error());
    assert!(scene.took < Duration::from_secs(30), "it does not wait for what cannot come: {:?}", scene.took);
}

#[tokio::test]
async fn a_failing_server_is_tried_again() {
    let failure = answer(500, r#"{"error":"Internal"}"#);
    play(&[failure.clone(), Fault::None, failure.clone(), Fault::None, failure], Fault::None).await.is_mended().await;
}

#[tokio::test]
async fn a_proxys_html_is_tried_again() {
    let page = |status| Fault::Answer {
        status,
        headers: "Content-Type: text/html\r\n",
        body: "<html><body>Please log in</body></html>",
    };
    play(&[page(502), page(200), page(403), page(502)], Fault::None).await.is_mended().await;
}

#[tokio::test]
async fn a_dropped_connection_is_tried_again() {
    play(&[Fault::Dropped, Fault::None, Fault::Dropped], Fault::None).await.is_mended().await;
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_checked_before_it_is_repeated() {
    let scene = play(&[Fault::None, Fault::None, Fault::None, Fault::None, Fault::AnswerLost], Fault::None).await;
    scene.is_mended().await;
    let writes = scene.statuspage.calls().iter().filter(|call| call.starts_with("PATCH")).count();
    assert_eq!(writes, 1, "{:?}", scene.statuspage.calls());
    assert_eq!(scene.run.target["outcome"], "already_changed");
}

#[tokio::test]
async fn twenty_seconds_of_silence_are_survived() {
    let silence = Fault::Silence(Duration::from_secs(30));
    // Components and incidents are asked for at once and give up after 5 s, so these are 20 s of a service that says nothing.
    let scene = play(&vec![silence; 8], Fault::None).await;
    scene.is_mended().await;
    assert!(scene.took >= Duration::from_secs(20), "{:?}", scene.took);
}

#[tokio::test]
async fn endless_silence_ends_the_run_within_its_budget() {
    let scene = play(&[], Fault::Silence(Duration::from_secs(120))).await;
    assert!(scene.error().contains("no answer"), "{}", scene.error());
    assert!(scene.took < Duration::from_secs(55), "{:?}", scene.took);
}

#[tokio::test]
async fn an_answer_that_lacks_what_matters_names_it() {
    let scene = play(&[], answer(200, r#"[{"id":"8kbf7d35c070","name":"Home","updated_at":"x"}]"#)).await;
    assert!(scene.error().contains("missing field `status`"), "{}", scene.error());
}

#[tokio::test]
async fn an_odd_component_that_no_target_names_does_no_harm() {
    let odd = r#"[{"id":"group00000000","group":true,"status":null},{},
        {"id":"8kbf7d35c070","status":"operational","updated_at":"x"}]"#;
    let scene = play(&[], Fault::Components(odd)).await;
    assert_eq!((scene.run.target["outcome"].as_str(), scene.run.code), (Some("agrees"), Some(0)));
}

#[tokio::test]
async fn unknown_fields_and_statuses_do_no_harm() {
    let strange = r#"[{"id":"8kbf7d35c070","name":"Home","status":"on_fire","updated_at":"x","new":[1]}]"#;
    let scene = play(&[Fault::Components(strange)], Fault::None).await;
    // What was read cannot be what is there now, so the write is left to the next run.
    assert_eq!(scene.run.target["outcome"], "left_to_next_run");
    assert_eq!(scene.keeper.status().await, "major_outage");
}

#[tokio::test]
async fn maintenance_set_between_read_and_write_is_not_overwritten() {
    let scene = play(&[Fault::None, Fault::None, Fault::None, Fault::Maintenance], Fault::None).await;
    assert_eq!(scene.keeper.status().await, "under_maintenance");
    assert_eq!((scene.run.target["outcome"].as_str(), scene.run.code), (Some("left_to_next_run"), Some(0)));
    assert!(!scene.statuspage.calls().iter().any(|call| call.starts_with("PATCH")));
}

#[tokio::test]
async fn a_quiet_run_costs_a_call_for_components_and_one_for_incidents() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let run = probe(&beacon.url(), &statuspage.api).await;
    assert_eq!(run.target["outcome"], "agrees");
    assert_eq!(statuspage.calls().len(), 2, "{:?}", statuspage.calls());
}

#[tokio::test]
async fn a_component_that_the_page_lacks_is_reported() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    let mut command = tests::prober::prober_command(&beacon.url(), &keeper.api());
    command.env("COMPONENT_ID", "zzzzzzzzzzzz");
    let run = tests::prober::probe_with(command).await;
    assert_eq!(run.code, Some(1));
    let error = run.target["error"].as_str().expect("a reason");
    assert!(error.contains("has no component zzzzzzzzzzzz"), "{error}");
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::start().await);
    keeper.set_status("major_outage").await;
    let statuspage = Statuspage::open(&keeper, [], Fault::None).await;
    let mut command = tests::prober::prober_command(&beacon.url(), &statuspage.api);
    command.arg("--dry-run");
    let run = tests::prober::probe_with(command).await;
    assert_eq!((run.target["outcome"].as_str(), run.code), (Some("would_change"), Some(0)));
    assert!(statuspage.calls().iter().all(|call| call.starts_with("GET ")), "{:?}", statuspage.calls());
    assert_eq!(run.report["calls"][0]["call"], "set", "{:#}", run.report);
    assert_eq!(keeper.status().await, "major_outage");
}

//! What people are written about checks.

use super::*;

fn began(title: &str) -> (String, String) {
    ("began".into(), title.into())
}

fn ended(title: &str) -> (String, String) {
    ("ended".into(), title.into())
}

impl Home {
    /// As if what is queued had been sent.
    async fn sent(&self) -> Vec<(String, String)> {
        let notices = self.notices().await;
        query("UPDATE notice_deliveries SET tries = 1").execute(&mut self.db.write().await.unwrap()).await.unwrap();
        notices
    }
}

#[tokio::test]
async fn a_check_that_is_down_is_one_notice_and_one_when_it_works_again() {
    let home = Home::new().await;
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Ok).await;
    home.ran("nas", 60, State::Warning).await;
    assert_eq!(home.sent().await, []);
    home.ran_as("nas", 120, State::Critical, json!({"cause": "refused", "text": "nas.lan:80"})).await;
    for minute in 3..60 {
        home.ran("nas", minute * 60, State::Critical).await;
        home.watch(minute * 60 + 30, -9999).await;
    }
    assert_eq!(home.sent().await, [began("NAS is down")]);
    let texts: Vec<(String, String)> = home.rows("SELECT key, text FROM notices").await;
    assert_eq!(texts, [("check/nas".to_owned(), "The port is closed. Nas.lan:80.".to_owned())]);
    home.ran("nas", 3600, State::Ok).await;
    home.watch(3630, -9999).await;
    assert_eq!(home.sent().await, [began("NAS is down"), ended("NAS works again")]);
}

#[tokio::test]
async fn a_notice_waits_for_as_many_failures_as_are_wanted_once_it_counts_as_down() {
    let home = Home::new().await;
    home.register(json!([with(check("nas"), json!({"notices": {"wanted": true, "after_failures": 3}}))]))
        .await
        .unwrap();
    home.ran_as("nas", 0, State::Critical, json!({"counts": null})).await;
    home.ran("nas", 60, State::Critical).await;
    home.ran("nas", 120, State::Critical).await;
    home.watch(150, -9999).await;
    assert_eq!(home.sent().await, []);
    home.ran("nas", 180, State::Critical).await;
    assert_eq!(home.sent().await, [began("NAS is down")]);
}

#[tokio::test]
async fn warnings_are_written_of_where_all_changes_are_wanted() {
    let home = Home::new().await;
    home.register(json!([with(check("nas"), json!({"notices": {"wanted": true, "all_changes": true}}))]))
        .await
        .unwrap();
    let mut expected = Vec::new();
    for (second, state, more) in [
        (0, State::Ok, vec![]),
        (60, State::Warning, vec![began("NAS has a warning")]),
        (120, State::Critical, vec![began("NAS is down")]),
        (180, State::Warning, vec![ended("NAS works again")]),
        (240, State::Ok, vec![ended("NAS is as it should be again")]),
    ] {
        home.ran("nas", second, state).await;
        expected.extend(more);
        assert_eq!(home.sent().await, expected, "{second}");
    }
}

#[tokio::test]
async fn nobody_is_written_to_where_that_is_not_wanted_or_a_dependency_is_why() {
    let home = Home::new().await;
    let unwanted = with(check("tv"), json!({"notices": {"wanted": false}}));
    home.register(json!([check("nas"), unwanted])).await.unwrap();
    home.ran("tv", 0, State::Critical).await;
    home.ran("nas", 0, State::Critical).await;
    assert_eq!(home.sent().await, [began("NAS is down")]);
    home.ran_as("nas", 60, State::Unknown, json!({"cause": "dependency"})).await;
    home.watch(90, -9999).await;
    assert_eq!(home.sent().await, [began("NAS is down")], "it is not over either");
}

#[tokio::test]
async fn results_that_stop_are_a_notice_by_check_or_by_program() {
    let home = Home::new().await;
    let hourly = with(check("hourly"), json!({"every_seconds": 3600}));
    home.register(json!([check("nas"), check("tv"), hourly])).await.unwrap();
    for name in ["nas", "tv", "hourly"] {
        home.ran(name, 0, State::Ok).await;
    }
    home.ran("tv", 60, State::Ok).await;
    home.watch(301, 200).await;
    assert_eq!(home.sent().await, [], "the keeper itself did not run");
    home.watch(301, -9999).await;
    assert_eq!(home.sent().await, [], "whether the program runs yet is not known");
    home.watch(361, -9999).await;
    let silent = began("Nothing comes from the program checks");
    assert_eq!(home.sent().await, std::slice::from_ref(&silent), "and of no check");
    home.watch(9000, -9999).await;
    // It runs again: each check gets the time that it needs.
    for second in [9000, 9060, 9120] {
        home.ran("nas", second, State::Ok).await;
        home.watch(second + 30, -9999).await;
    }
    assert_eq!(home.sent().await, [silent, ended("The program checks reports again")]);
    for minute in 153..160 {
        home.ran("nas", minute * 60, State::Ok).await;
        home.watch(minute * 60 + 30, -9999).await;
    }
    assert_eq!(
        home.sent().await[2..],
        [began("TV is not checked any more")],
        "and one that does not come is told then"
    );
    home.ran("tv", 9600, State::Ok).await;
    home.watch(9601, -9999).await;
    assert_eq!(home.sent().await[3..], [ended("TV is checked again")]);
}

#[tokio::test]
async fn what_was_said_of_a_check_that_goes_ends() {
    let home = Home::new().await;
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Critical).await;
    assert_eq!(home.sent().await, [began("NAS is down")]);
    home.register(json!([])).await.unwrap();
    assert_eq!(home.sent().await, [began("NAS is down"), ended("NAS is not checked any more")]);
}

#[tokio::test]
async fn checks_that_stop_beside_others_that_go_on_are_told_one_by_one_and_once() {
    let home = Home::new().await;
    let slow = with(check("slow"), json!({"every_seconds": 900}));
    home.register(json!([check("nas"), check("tv"), check("checks-file"), slow])).await.unwrap();
    for name in ["nas", "tv", "slow"] {
        home.ran(name, 0, State::Ok).await;
    }
    for minute in 1..60 {
        home.ran("checks-file", minute * 60, State::Ok).await;
        if minute % 15 == 1 {
            home.ran("slow", minute * 60, State::Ok).await;
        }
        home.watch(minute * 60 + 30, -9999).await;
        home.sent().await;
    }
    assert_eq!(home.sent().await, [began("NAS is not checked any more"), began("TV is not checked any more")]);
}

/// Their last results are spread over their interval: at no look are some of them told of.
#[tokio::test]
async fn a_program_that_dies_and_comes_back_is_one_notice_whatever_it_runs() {
    let home = Home::new().await;
    let names: Vec<String> = (0..20).map(|number| format!("c{number:02}")).collect();
    let hourly =
        |name: &String| with(check(name), json!({"every_seconds": if name < &"c10".to_owned() { 60 } else { 3600 }}));
    home.register(names.iter().map(hourly).collect::<Vec<_>>().into()).await.unwrap();
    for (number, name) in (0..).zip(&names) {
        home.ran(name, number * 3, State::Ok).await;
    }
    for look in 3..240 {
        home.watch(look * 30, -9999).await;
        home.sent().await;
    }
    let silent = began("Nothing comes from the program checks");
    assert_eq!(home.sent().await, std::slice::from_ref(&silent));
    for (number, name) in (0..).zip(&names) {
        home.ran(name, 7200 + number * 3, State::Ok).await;
        home.watch(7201 + number * 3, -9999).await;
    }
    assert_eq!(home.sent().await, [silent, ended("The program checks reports again")]);
}

#[tokio::test]
async fn what_nobody_wants_to_be_told_any_more_ends_and_so_does_a_program_without_checks() {
    let home = Home::new().await;
    let noticed = |notices: Value| json!([with(check("nas"), json!({"notices": notices}))]);
    home.register(noticed(json!({"wanted": true, "all_changes": true}))).await.unwrap();
    home.ran("nas", 0, State::Warning).await;
    home.sent().await;
    home.register(noticed(json!({"wanted": true}))).await.unwrap();
    let mut expected = vec![began("NAS has a warning"), ended("Nobody is told of NAS any more")];
    assert_eq!(home.sent().await, expected);
    home.ran("nas", 60, State::Critical).await;
    home.sent().await;
    home.register(noticed(json!({"wanted": false}))).await.unwrap();
    expected.extend([began("NAS is down"), ended("Nobody is told of NAS any more")]);
    assert_eq!(home.sent().await, expected);
    home.register(json!([check("a"), check("b")])).await.unwrap();
    home.watch(9000, -9999).await;
    home.sent().await;
    home.register(json!([])).await.unwrap();
    expected
        .extend([began("Nothing comes from the program checks"), ended("The program checks has no checks any more")]);
    assert_eq!(home.sent().await, expected);
}

#[tokio::test]
async fn what_was_said_of_a_check_stays_as_long_as_the_check() {
    let home = Home::new().await;
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Critical).await;
    home.ran_as("nas", 60, State::Unknown, json!({"cause": "dependency"})).await;
    for hour in 1..80 {
        let now = time(hour * 3600);
        home.recorder.notices().observe_series(&home.db, &[], &[], now).await.unwrap();
    }
    assert_eq!(home.sent().await, [began("NAS is down")], "nothing is known of it, and it is not over");
}

#[tokio::test]
async fn a_check_whose_runs_cannot_be_started_is_told_of_once_with_why_and_one_behind_what_is_down_is_not() {
    let home = Home::new().await;
    home.register(json!([check("nas"), check("tv"), check("pc")])).await.unwrap();
    let why = json!({"cause": "not_started", "counts": null, "text": "its pod failed (Evicted): low on disk"});
    for minute in 0..20 {
        let second = minute * 60;
        home.ran_as("nas", second, if minute == 0 { State::Ok } else { State::Unknown }, why.clone()).await;
        home.ran_as("tv", second, State::Unknown, json!({"cause": "dependency", "counts": null})).await;
        // One that can be started now and then is checked.
        home.ran_as("pc", second, if minute % 4 == 0 { State::Ok } else { State::Unknown }, why.clone()).await;
        home.watch(second + 30, -9999).await;
        let noticed = if minute < 6 { vec![] } else { vec![began("NAS is not checked any more")] };
        assert_eq!(home.sent().await, noticed, "minute {minute}");
    }
    let text: Vec<String> = home.rows("SELECT text FROM notices").await;
    let said = "its runs have come to nothing. The newest said: its pod failed (Evicted): low on disk.";
    assert!(text[0].contains(said), "{text:?}");
    home.ran("nas", 1200, State::Ok).await;
    home.watch(1230, -9999).await;
    assert_eq!(home.sent().await[1..], [ended("NAS is checked again")]);
}

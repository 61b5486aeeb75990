//! What a registration changes.

use super::*;

#[tokio::test]
async fn a_check_gets_a_component_of_its_own_in_its_group_and_nothing_is_known_of_it_yet() {
    let home = Home::new().await;
    let placed = home
        .register(json!([
            with(check("nas"), json!({"group": "At home"})),
            with(check("tv"), json!({"group": "At home"})),
            with(check("sky"), json!({"component": "8kbf7d35c071"})),
            with(check("quiet"), json!({"component": "nowhere"})),
        ]))
        .await
        .unwrap();
    assert_eq!(placed[2].as_ref().unwrap().as_str(), "8kbf7d35c071");
    assert_eq!(placed[3], None);
    let nas = placed[0].clone().unwrap();
    assert_eq!(home.status(&nas).await, None);
    assert!(!home.is_looked_at(&nas));
    let groups: Vec<(String, i64)> = home
        .rows("SELECT component_groups.name, COUNT(*) FROM components JOIN component_groups ON component_groups.id = group_id GROUP BY 1")
        .await;
    assert_eq!(groups, [("At home".to_owned(), 2)]);
    let again =
        home.register(json!([with(check("nas"), json!({"group": "Cellar", "title": "The NAS"}))])).await.unwrap();
    assert_eq!(again, [Some(nas)], "it stays the same component");
    let names: Vec<(String, String)> = home
        .rows("SELECT components.name, component_groups.name FROM components JOIN component_groups ON component_groups.id = group_id")
        .await;
    assert_eq!(names, [("The NAS".to_owned(), "Cellar".to_owned())], "and what is not named any more is gone");
}

#[tokio::test]
async fn a_check_that_is_called_something_else_goes_on_with_its_readings_and_component() {
    let home = Home::new().await;
    let before = home.register(json!([check("nas")])).await.unwrap();
    home.ran_as("nas", 0, State::Ok, json!({"figures": [{"label": "load", "value": 1.0}]})).await;
    home.ran("nas", 60, State::Critical).await;
    for _ in 0..2 {
        let renamed = with(check("box"), json!({"was": "nas", "title": "NAS"}));
        assert_eq!(home.register(json!([renamed])).await.unwrap(), before);
    }
    let listed = &home.listed().await[0];
    assert_eq!(
        (&listed["name"], &listed["counts"], &listed["failures"]),
        (&json!("box"), &json!("critical"), &json!(0)),
        "what was counted was of another target"
    );
    let series: Vec<(String, i64)> =
        home.rows("SELECT name, COUNT(*) FROM series JOIN readings ON series_id = id GROUP BY 1").await;
    assert_eq!(series, [("check:box".to_owned(), 2), ("check:box:load".to_owned(), 1)]);
    assert_eq!(home.status(before[0].as_ref().unwrap()).await, Some(ComponentStatus::MajorOutage));
    home.ran("box", 120, State::Ok).await;
    assert_eq!(home.listed().await[0]["counts"], "ok");
}

#[tokio::test]
async fn names_that_move_up_take_their_histories_along_in_any_order() {
    for is_turned in [false, true] {
        let home = Home::new().await;
        let before = home.register(json!([check("a"), check("b")])).await.unwrap();
        home.ran("a", 0, State::Ok).await;
        home.ran("b", 0, State::Critical).await;
        let mut moved = vec![with(check("b"), json!({"was": "a"})), with(check("c"), json!({"was": "b"}))];
        if is_turned {
            moved.reverse();
        }
        let mut after = home.register(json!(moved)).await.unwrap();
        if is_turned {
            after.reverse();
        }
        assert_eq!(after, before, "turned: {is_turned}");
        let counts: Vec<Value> = home.listed().await.iter().map(|listed| listed["counts"].clone()).collect();
        assert_eq!(counts, ["ok", "critical"]);
    }
}

#[tokio::test]
async fn readings_that_came_under_the_new_name_first_are_joined_by_those_of_the_old_one() {
    let home = Home::new().await;
    home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Ok).await;
    home.ran("box", 60, State::Ok).await;
    home.register(json!([with(check("box"), json!({"was": "nas"}))])).await.unwrap();
    let series: Vec<(String, i64)> =
        home.rows("SELECT name, COUNT(*) FROM series JOIN readings ON series_id = id GROUP BY 1").await;
    assert_eq!(series, [("check:box".to_owned(), 2)]);
}

#[tokio::test]
async fn what_is_not_named_any_more_goes_with_its_own_component_and_no_other() {
    let home = Home::new().await;
    let sky: ComponentId = "8kbf7d35c071".parse().unwrap();
    let placed = home.register(json!([check("nas"), with(check("sky"), json!({"component": sky}))])).await.unwrap();
    home.ran("nas", 0, State::Ok).await;
    home.ran("sky", 0, State::Critical).await;
    home.register(json!([])).await.unwrap();
    let components: Vec<String> = home.rows("SELECT id FROM components ORDER BY id").await;
    assert_eq!(components, ["8kbf7d35c070", "8kbf7d35c071"]);
    assert_ne!(placed[0], None);
    assert_eq!(home.status(&sky).await, Some(ComponentStatus::MajorOutage), "its status stays until somebody sets it");
    let flags: Vec<(i64, i64)> = home.rows("SELECT checked, looks FROM components WHERE relayed").await;
    assert_eq!(flags, [(0, 0)]);
    let readings: Vec<i64> = home.rows("SELECT COUNT(*) FROM readings").await;
    assert_eq!(readings, [2], "readings age out by themselves");
    assert!(home.listed().await.is_empty());
}

#[tokio::test]
async fn a_registration_is_taken_whole_or_not_at_all() {
    let home = Home::new().await;
    home.register_for("others", json!([check("router")])).await.unwrap();
    for (wrong, sentence) in [
        (check("router"), "checks[1] (router): the program others has a check of this name"),
        (
            with(check("x"), json!({"component": "8kbf7d35c079"})),
            "checks (x): component 8kbf7d35c079 is not on the page",
        ),
        (
            with(check("x"), json!({"component": "8kbf7d35c070"})),
            "checks (x): component 8kbf7d35c070 is the home itself",
        ),
    ] {
        let refused = home.register(json!([check("nas"), wrong])).await.unwrap_err().to_string();
        assert!(refused.starts_with(sentence), "{refused}");
        assert_eq!(home.listed().await.len(), 1);
        assert_eq!(home.rows::<String>("SELECT id FROM components").await.len(), 3);
    }
    let own = home.register(json!([check("nas")])).await.unwrap().remove(0).unwrap();
    let refused = home.register(json!([check("nas"), with(check("x"), json!({"component": own}))])).await.unwrap_err();
    assert!(refused.to_string().contains("was made for the check nas"), "{refused}");
}

#[tokio::test]
async fn a_seed_that_is_applied_again_leaves_what_checks_set() {
    let home = Home::new().await;
    let sky: ComponentId = "8kbf7d35c071".parse().unwrap();
    home.register(json!([with(check("sky"), json!({"component": sky}))])).await.unwrap();
    home.ran("sky", 0, State::Warning).await;
    let home = home.restarted().await;
    assert_eq!(home.status(&sky).await, Some(ComponentStatus::DegradedPerformance));
    let flags: Vec<(i64, i64)> = home.rows("SELECT checked, looks FROM components WHERE relayed").await;
    assert_eq!(flags, [(1, 1)], "who runs it is expected to look at it");
}

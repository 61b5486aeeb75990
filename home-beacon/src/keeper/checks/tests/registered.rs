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

/// What became of these checks: the component of each, whether it is registered, and why it is not as it should be.
async fn placed(home: &Home, checks: Value) -> Vec<(Option<ComponentId>, bool, String)> {
    let placed = home.placed(json!({"source": "checks", "checks": checks})).await.unwrap();
    placed.into_iter().map(|it| (it.component, it.is_registered, it.wrong.unwrap_or_default())).collect()
}

#[tokio::test]
async fn a_component_that_cannot_be_had_is_refused_to_its_check_alone() {
    let home = Home::new().await;
    let own = home.register(json!([check("nas")])).await.unwrap().remove(0);
    let component = own.clone().unwrap();
    for (wanted, why) in [
        ("8kbf7d35c079", "is not on the page: name one that is"),
        ("8kbf7d35c070", "is the home itself, which its prober sets"),
        (component.as_str(), "was made for the check nas"),
    ] {
        let list = json!([with(check("x"), json!({"component": wanted})), check("nas"), check("new")]);
        let after = placed(&home, list).await;
        assert_eq!((&after[0].0, after[0].1), (&None, true));
        let said = &after[0].2;
        assert!(
            said.starts_with(&format!("x: component {wanted} {why}"))
                && said.ends_with("until then it is shown nowhere"),
            "{said}"
        );
        assert_eq!((&after[1].0, after[1].2.as_str(), after[2].0.is_some()), (&own, "", true), "the others are taken");
        home.ran("x", 60, State::Critical).await;
        let listed = home.listed().await;
        assert_eq!(
            (&listed[2]["name"], &listed[2]["counts"]),
            (&json!("x"), &json!("critical")),
            "it runs, and people are told"
        );
        home.register(json!([check("nas")])).await.unwrap();
    }
    // One that was shown stays where it was, with its history, and goes where it should once that can be had.
    home.ran("nas", 120, State::Critical).await;
    let after = placed(&home, json!([with(check("nas"), json!({"component": "8kbf7d35c079"}))])).await;
    assert!(after[0].0 == own && after[0].2.ends_with("until then it is shown where it was"), "{after:?}");
    assert_eq!(home.status(&component).await, Some(ComponentStatus::MajorOutage));
    let after = placed(&home, json!([with(check("nas"), json!({"component": "8kbf7d35c071"}))])).await;
    assert_eq!(after[0].0.as_ref().unwrap().as_str(), "8kbf7d35c071");
    assert!(home.rows::<String>("SELECT id FROM components").await.iter().all(|id| id != component.as_str()));
}

#[tokio::test]
async fn a_name_or_a_secret_of_another_program_is_refused_to_its_check_alone() {
    let home = Home::new().await;
    let passive = |secret: &str| json!({"kind": "passive", "passive": {"period_seconds": 60, "grace_seconds": 60, "secret_sha256": secret.repeat(32)}});
    home.register_for("others", json!([check("router"), with(check("backup"), passive("ab"))])).await.unwrap();
    home.register(json!([with(check("mine"), passive("cd"))])).await.unwrap();
    let list = json!([check("router"), with(check("mine"), passive("ab")), check("nas")]);
    let after = placed(&home, list).await;
    assert_eq!(
        after[0],
        (None, false, "router: the program others has a check of this name: give it another one".into())
    );
    assert_eq!(after[1], (None, false, "mine: another program's check has this secret: each needs its own".into()));
    assert!(after[2].0.is_some() && after[2].1, "{after:?}");
    let listed: Vec<_> = home.listed().await.iter().map(|it| (it["name"].clone(), it["source"].clone())).collect();
    let expected = [("backup", "others"), ("mine", "checks"), ("nas", "checks"), ("router", "others")];
    assert_eq!(listed, expected.map(|(name, source)| (json!(name), json!(source))), "what was taken before stays");
}

#[tokio::test]
async fn what_is_kept_stays_as_it_is_beside_a_list_that_does_not_have_it_and_the_rest_goes() {
    let home = Home::new().await;
    let before = home.register(json!([check("nas"), check("tv"), check("sky")])).await.unwrap();
    home.ran("nas", 0, State::Critical).await;
    let body = json!({"source": "checks", "keep": ["nas", "never-seen"], "checks": [check("sky")]});
    home.placed(body).await.unwrap();
    let listed = home.listed().await;
    let names: Vec<&Value> = listed.iter().map(|listed| &listed["name"]).collect();
    assert_eq!(names, ["nas", "sky"], "what is not there any more goes, although one that is there is wrong");
    assert_eq!(listed[0]["counts"], "critical");
    assert_eq!(home.status(before[0].as_ref().unwrap()).await, Some(ComponentStatus::MajorOutage));
    // Mended, it goes on.
    let after = home.register(json!([check("nas"), check("sky")])).await.unwrap();
    assert_eq!(after[0], before[0]);
}

#[tokio::test]
async fn a_list_that_is_not_whole_takes_nothing_away() {
    let home = Home::new().await;
    let before = home.register(json!([check("nas"), check("tv")])).await.unwrap();
    let body = json!({"source": "checks", "partial": true, "checks": [with(check("box"), json!({"was": "nas"})), check("new")]});
    let after = home.placed(body).await.unwrap();
    assert_eq!(after[0].component, before[0]);
    let names: Vec<_> = home.listed().await.iter().map(|it| it["name"].clone()).collect();
    assert_eq!(names, ["box", "new", "tv"]);
    home.register(json!([check("box")])).await.unwrap();
    assert_eq!(home.listed().await.len(), 1);
}

#[tokio::test]
async fn a_name_that_stays_is_not_taken_by_a_check_that_was_called_so() {
    let home = Home::new().await;
    let before = home.register(json!([check("b")])).await.unwrap();
    home.ran("b", 0, State::Ok).await;
    for _ in 0..2 {
        let list = json!([with(check("b"), json!({"was": "a"})), with(check("c"), json!({"was": "b"}))]);
        let after = home.register(list).await.unwrap();
        assert!(after[0] == before[0] && after[1].is_some() && after[1] != before[0]);
        let counts: Vec<Value> = home.listed().await.iter().map(|listed| listed["counts"].clone()).collect();
        assert_eq!(counts, [json!("ok"), Value::Null]);
    }
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

#[tokio::test]
async fn a_new_name_that_is_refused_costs_a_check_nothing_of_what_it_was() {
    let home = Home::new().await;
    let before = home.register(json!([check("nas")])).await.unwrap();
    home.ran("nas", 0, State::Ok).await;
    home.register_for("others", json!([check("box")])).await.unwrap();
    let refused = json!({"source": "checks", "checks": [with(check("box"), json!({"was": "nas"}))]});
    assert!(home.placed(refused).await.unwrap()[0].wrong.is_some());
    let after = home.register(json!([with(check("store"), json!({"was": "nas"}))])).await.unwrap();
    assert_eq!(after, before, "it is the same component, with its past");
}

#[tokio::test]
async fn a_secret_is_one_checks_alone_whoever_had_it_before() {
    let home = Home::new().await;
    let passive = |secret: Option<&str>| json!({"kind": "passive", "passive": {"period_seconds": 60, "grace_seconds": 60, "secret_sha256": secret.map(|it| it.repeat(32))}});
    let two = |one: Option<&str>, other: Option<&str>| {
        json!([with(check("one"), passive(one)), with(check("other"), passive(other))])
    };
    let list = "SELECT name FROM checks WHERE secret_sha256 IS NOT NULL ORDER BY name";
    placed(&home, two(Some("ab"), None)).await;
    // One whose own cannot be read now goes on with what it had, unless that is another one's by now.
    placed(&home, two(None, Some("cd"))).await;
    assert_eq!(home.rows::<String>(list).await, ["one", "other"]);
    for (one, other, expected) in [(None, Some("ab"), "other"), (Some("ab"), None, "one")] {
        assert!(placed(&home, two(one, other)).await.iter().all(|(_, is_registered, _)| *is_registered));
        assert_eq!(home.rows::<String>(list).await, [expected]);
    }
}

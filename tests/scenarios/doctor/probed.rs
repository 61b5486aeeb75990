//! `--probe`: the function is run once now, and what it sees is what the world sees.

use serde_json::{Value, json};

use crate::{
    answers::{log, report},
    cloud::broken,
    variant::{Variant, each_is_named, each_is_well},
    world::World,
};

/// What the function answers where it is run as a dry run.
fn answers(v: &mut Variant, change: impl FnOnce(&mut Value)) {
    let dry = report(0, |it| {
        it["dry_run"] = json!(true);
        change(it);
    });
    v.arguments("--probe").no_looks().aws("lambda-invoke", &dry);
}

#[tokio::test]
async fn the_function_is_run_and_says_what_the_world_sees_or_why_that_is_not_known() {
    let Some(world) = World::new("probed").await else { return };
    let with = |name, words, change| broken(&world, name, "public_name", words, change);
    let well =
        with("a look just now", "up, as seen by the function, which was run for this, 0 s ago", |v| answers(v, |_| ()));
    each_is_well(&world.namespace, vec![(well, "ok")]).await;
    let down = with("nobody gets there", "down (refused), as seen by the function, which was run for this", |v| {
        answers(v, |it| {
            it["targets"][0]["verdict"] = json!("down");
            it["targets"][0]["cause"] = json!("refused");
        });
    });
    // The log says that it was up 40 s ago: what is seen now counts.
    each_is_named(&world.namespace, vec![down]).await;
}

#[tokio::test]
async fn a_function_that_cannot_be_run_or_looks_elsewhere_says_nothing_of_the_home() {
    let Some(world) = World::new("unprobed").await else { return };
    let failed = json!({"errorMessage": "CANARY_URL is not set"});
    for (name, words) in [
        ("it may not be run", "the function was run for this, and no"),
        ("it fails", "and it failed: CANARY_URL is not set"),
        ("it looks at another home", "and it looked at other homes than this one"),
    ] {
        let variant = |is_looked_at: bool| {
            let mut variant = world.variant(&format!("{name} {is_looked_at}"));
            variant.arguments("--no-router");
            answers(&mut variant, |it| it["targets"][0]["component_id"] = json!("9lcg8e46d181"));
            match name {
                "it may not be run" => _ = variant.aws_refuses("lambda-invoke", "AccessDeniedException"),
                "it fails" => _ = variant.aws("lambda-invoke", &failed),
                _ => (),
            }
            if !is_looked_at {
                variant.aws("logs-filter-log-events", &log(&[report(400, |_| ())]));
            }
            variant
        };
        // The schedule has had it look all the same, and that is believed.
        let said = variant(true).said(&world.namespace).await;
        assert_eq!((said.outcome("public_name"), said.code), ("ok", Some(0)), "{name}: {:#}", said.all);
        assert!(said.saw("public_name").contains(words), "{name}: {}", said.saw("public_name"));
        let said = variant(false).said(&world.namespace).await;
        assert_eq!(said.outcome("public_name"), "not_conclusive", "{name}: {:#}", said.all);
        assert!(said.saw("public_name").contains(words), "{name}: {}", said.saw("public_name"));
    }
}

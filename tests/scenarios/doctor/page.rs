//! Worlds in which the page, the keeper, or what it knows of, is broken.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tests::{
    home::{Home, Manner},
    statuspage::{Fault, Statuspage},
    web::{Reply, Web},
};

use crate::{
    variant::{Broken, Variant, each_is_named},
    world::World,
};

#[tokio::test]
async fn what_is_broken_at_the_page_is_named_first_and_alone() {
    let Some(world) = World::new("page").await else { return };
    let limited = Statuspage::open(
        &world.keeper,
        [],
        Fault::Answer { status: 420, headers: "Retry-After: 30\r\n", body: "{\"error\":\"slow\"}" },
    )
    .await;
    let with = |name: &'static str, link, words, change: &dyn Fn(&mut Variant)| -> Broken {
        let mut variant = world.variant(name);
        variant.arguments("--no-router");
        change(&mut variant);
        (name, link, words, variant)
    };
    let set = |setting: &'static str, value: &str| {
        let value = value.to_owned();
        move |v: &mut Variant| {
            v.set(setting, &value);
            // The function has the same mistake, because it was deployed with this file.
            v.aws_says("lambda-get-function-configuration", |it| {
                it["Environment"]["Variables"][setting] = json!(value);
            });
            if setting == "METRIC_ID_RESPONSE" {
                return;
            }
            // And its runs say so.
            let failed = crate::answers::report(40, |it| {
                it["published"] = json!(false);
                it["targets"][0]["outcome"] = json!("failed");
                if setting == "COMPONENT_ID" {
                    it["targets"][0]["component_id"] = json!(value);
                }
            });
            v.aws("logs-filter-log-events", &crate::answers::log(&[failed]));
        }
    };
    let page = tests::keeper::PAGE;
    let worlds = vec![
        with("a token that is refused", "token", "is refused (401", &|v| {
            v.set("STATUSPAGE_TOKEN", "another-token").runs_fail();
        }),
        with(
            "another page's id",
            "page",
            "the token does not reach gytm4qzbx9t7; it reaches gytm4qzbx9t6",
            &set("PAGE_ID", "gytm4qzbx9t7"),
        ),
        with(
            "a component that was deleted",
            "component",
            "the page has no component 8kbf7d35c071",
            &set("COMPONENT_ID", "8kbf7d35c071"),
        ),
        with("a page's id for a component's", "component", "is the page's id", &set("COMPONENT_ID", page)),
        with(
            "a metric that was deleted",
            "metrics",
            "the page has no metric 8kbf7d35c07x",
            &set("METRIC_ID_RESPONSE", "8kbf7d35c07x"),
        ),
        with("a token that too many use", "rate_limit", "the rate limit is used up", &|v| {
            v.set("STATUSPAGE_URL", &limited.api).runs_fail();
        }),
        with("a keeper's token that is wrong", "keeper", "refuses the token", &|v| {
            v.set("KEEPER_TOKEN", "another-token");
        }),
    ];
    each_is_named(&world.namespace, worlds).await;
}

/// What a keeper answers for which a real one would need hours.
type Answers = Arc<Mutex<Vec<(&'static str, String)>>>;

async fn keeper(answers: &Answers) -> Web {
    let answers = Arc::clone(answers);
    Web::open(false, move |_, request| {
        let answers = answers.lock().expect("no request panics");
        match answers.iter().find(|(path, _)| request.path == *path) {
            Some((_, text)) => Reply::text(200, "application/json", text.clone()),
            None => Reply::text(404, "application/json", "{\"error\":\"this keeper writes to nobody\"}"),
        }
    })
    .await
}

#[tokio::test]
async fn what_is_broken_at_the_keeper_is_named_first_and_alone() {
    let Some(world) = World::new("keeper").await else { return };
    // What the real one says, to be changed.
    let mut real = Vec::new();
    for path in ["/healthz", "/api/v2/summary.json", "/metrics"] {
        let answer = world.keeper.http.get(format!("{}{path}", world.keeper.url)).send().await.expect("it answers");
        real.push((path, answer.text().await.expect("a body")));
    }
    let closed = Home::open(Manner::Refuses).await;
    let changed = async |name: &'static str, link, words, path: &'static str, change: &dyn Fn(&str) -> String| {
        let mut answers = real.clone();
        match answers.iter_mut().find(|(known, _)| *known == path) {
            Some((_, text)) => *text = change(text),
            None => answers.push((path, change(""))),
        }
        let keeper = keeper(&Arc::new(Mutex::new(answers))).await;
        let mut variant = world.variant(name);
        variant.arguments("--no-router").set("KEEPER_URL", &keeper.url());
        each_is_named(&world.namespace, vec![(name, link, words, variant)]).await;
    };
    let json = |change: fn(&mut Value)| {
        move |text: &str| {
            let mut value: Value = serde_json::from_str(text).expect("JSON");
            change(&mut value);
            value.to_string()
        }
    };
    changed(
        "a keeper whose storage fails",
        "keeper",
        "cannot write to its storage: disk I/O error",
        "/healthz",
        &json(|it| {
            it["storage"] = json!("disk I/O error");
        }),
    )
    .await;
    changed(
        "a relay that upstream refuses",
        "relay",
        "upstream refuses all that is sent: 401",
        "/healthz",
        &json(|it| {
            it["relay"] = json!({"condition": "paused", "reason": "401", "waiting": 12, "rejected": 0, "skipped": []});
        }),
    )
    .await;
    changed(
        "heartbeats that the cloud refuses",
        "heartbeat",
        "knows no home with this key",
        "/healthz",
        &json(|it| {
            let why = "the function knows no home with this key";
            it["heartbeat"] = json!({"condition": "failing", "fault": "refused", "reason": why, "last": null});
        }),
    )
    .await;
    changed(
        "a relay that does not get through",
        "relay",
        "upstream is not reached: no route",
        "/healthz",
        &json(|it| {
            it["relay"] =
                json!({"condition": "trouble", "reason": "no route", "waiting": 12, "rejected": 0, "skipped": []});
        }),
    )
    .await;
    changed(
        "nobody looks any more",
        "looks",
        "was looked at last 66 min ago",
        "/api/v2/summary.json",
        &json(|it| {
            it["components"][0]["porchlight"]["looked_at_age_seconds"] = json!(4000);
        }),
    )
    .await;
    changed("pings that fail", "jobs", "the last run of ping could not measure", "/metrics", &|text| {
        let of_ping = "porchlight_job_last_outcome{program=\"ping\"";
        let others = text.lines().filter(|line| !line.starts_with(of_ping)).map(|line| format!("{line}\n"));
        others.chain([format!("{of_ping},outcome=\"failed\"}} 1\n")]).collect()
    })
    .await;
    changed("a channel that takes nothing", "notices", "ntfy://ntfy.sh/… did not take a notice: 403", "/porchlight/v1/notices", &|_| {
        json!({"channels": [{"channel": "ntfy://ntfy.sh/…", "sent": 0, "waiting": 0, "undelivered": 3}],
            "notices": [{"channel": "ntfy://ntfy.sh/…", "title": "down", "failure": "403"}], "mutes": [], "lasting": []})
        .to_string()
    })
    .await;
    changed("a channel that has failed for days", "notices", "did not take a notice 6 d ago: 403; 3 were not taken", "/porchlight/v1/notices", &|_| {
        let at = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(6 * 24 + 1)).to_string();
        json!({"channels": [{"channel": "ntfy://ntfy.sh/…", "sent": 0, "waiting": 0, "undelivered": 3}],
            "notices": [{"channel": "ntfy://ntfy.sh/…", "title": "down", "at": at, "failure": "403"}], "mutes": [], "lasting": []})
        .to_string()
    })
    .await;
    let mut gone = world.variant("gone");
    gone.arguments("--no-router").set("KEEPER_URL", closed.url().trim_end_matches('/'));
    each_is_named(&world.namespace, vec![("a keeper that does not run", "keeper", "refuses connections", gone)]).await;
}

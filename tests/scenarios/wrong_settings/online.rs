//! `--check --online`: whether what the settings name is there; 2 where something is not, 1 where it could not be asked.

use tests::{
    beacon::Beacon,
    front::Front,
    home::{Home, Manner},
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    process::file,
};

use super::ends;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const OTHER_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// Asks, with some variables replaced.
async fn asked(program: &str, good: &[(&str, &str)], other: &[(&str, &str)], code: i32, said: &[&str]) {
    let kept = good.iter().filter(|(name, _)| other.iter().all(|(other, _)| other != name)).copied();
    let variables: Vec<_> = kept.chain(other.iter().copied()).collect();
    let ended = ends(program, &variables, &["--check", "--online"]).await;
    assert_eq!(ended.code, Some(code), "{program} {other:?}: {ended:?}");
    let output = format!("{}{}", ended.stdout, ended.stderr);
    for said in said {
        assert!(output.contains(said), "{program} {other:?}: {said}: {output}");
    }
    assert!(!output.contains(TOKEN), "{output}");
}

#[tokio::test]
async fn the_prober_asks_for_page_component_and_home() {
    let (keeper, beacon) = (Keeper::start().await, Beacon::with_key("127.0.0.1:0", KEY).await);
    let closed = Home::open(Manner::Refuses).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let front = Front::open(beacon.public, folder.path()).await;
    let (api, home, witnesses) = (keeper.api(), beacon.url(), format!("{},localhost:9", beacon.private));
    let good = [
        ("CANARY_URL", home.as_str()),
        ("STATUSPAGE_URL", &api),
        ("PAGE_ID", PAGE),
        ("COMPONENT_ID", COMPONENT),
        ("TOKEN", TOKEN),
        ("BEACON_KEY", KEY),
        ("WITNESSES", &witnesses),
    ];
    let before = keeper.status().await;
    let there = [
        "the page gytm4qzbx9t6 is there, and the token is taken",
        "the component 8kbf7d35c070 is there",
        "answers, and proves that it holds the key",
    ];
    asked("lambda-prober", &good, &[], 0, &there).await;
    let metric = keeper.metric("Answer time").await;
    let of_metric = [("METRIC_ID_RESPONSE", metric.as_str())];
    asked("lambda-prober", &good, &of_metric, 0, &[&format!("the metric {metric} is there")]).await;
    for (other, code, said) in [
        (("PAGE_ID", "zzzzzzzzzzzz"), 2, "wrong: the page zzzzzzzzzzzz: "),
        (("COMPONENT_ID", "zzzzzzzzzzzz"), 2, "wrong: the page gytm4qzbx9t6 has no component zzzzzzzzzzzz"),
        (("METRIC_ID_RESPONSE", "zzzzzzzzzzzz"), 2, "check PAGE_ID, METRIC_ID_RESPONSE and STATUSPAGE_URL"),
        (("TOKEN", "wrong"), 2, "the token is refused (401: Could not authenticate)"),
        (("BEACON_KEY", OTHER_KEY), 2, "check CANARY_URL and BEACON_KEY"),
        (("STATUSPAGE_URL", &format!("{home}v1")), 2, "is not the address of this API"),
        (("CANARY_URL", &closed.url()), 1, "unknown: the home 127.0.0.1: An address answered"),
        (
            ("CANARY_URL", &home.replace("http:", "https:")),
            2,
            ": What answers does not speak TLS: check the port, or ask by http://\n",
        ),
        (
            ("CANARY_URL", &front.url().replace("https:", "http:")),
            2,
            "wrong: the home localhost: The port speaks TLS: write https:// instead of http://\n",
        ),
    ] {
        asked("lambda-prober", &good, &[other], code, &[said]).await;
    }
    assert_eq!(keeper.status().await, before, "nothing is written");
}

#[tokio::test]
async fn the_jobs_ask_for_keeper_page_and_metric() {
    let keeper = Keeper::start().await;
    let metric = keeper.metric("x").await;
    let closed = Home::open(Manner::Refuses).await;
    let api = keeper.api();
    let to_keeper = [("KEEPER_URL", keeper.url.as_str()), ("KEEPER_TOKEN", TOKEN)];
    let to_page = [("STATUSPAGE_URL", api.as_str()), ("PAGE_ID", PAGE), ("METRIC_ID", &metric), ("TOKEN", TOKEN)];
    for job in ["ping", "bandwidth"] {
        asked(job, &to_keeper, &[], 0, &["the keeper is there, and takes the token"]).await;
        asked(job, &to_page, &[], 0, &["is there, and the token is taken"]).await;
        asked(job, &to_page, &[("METRIC_ID", "zzzzzzzzzzzz")], 2, &["wrong: the metric zzzzzzzzzzzz of the page"])
            .await;
    }
    asked("ping", &to_keeper, &[("KEEPER_TOKEN", "wrong")], 2, &["the token is refused"]).await;
    asked("ping", &to_keeper, &[("KEEPER_URL", &closed.url())], 1, &["unknown: the keeper: ", "nothing listens at"])
        .await;
    let dns = [("DOMAIN", "home"), ("TOKEN", "a7c4d0ad-114e-40ef-ba1d-d217904a50f2"), ("PUBLIC_DNS", "127.0.0.1:9")];
    asked(
        "dns",
        &[&to_keeper[..], &dns].concat(),
        &[],
        1,
        &["the keeper is there, and takes the token", "unknown: home.duckdns.org: none of the name servers"],
    )
    .await;
}

#[tokio::test]
async fn the_keeper_asks_for_what_it_is_to_send_upstream() {
    let upstream = Keeper::start().await;
    let metric = upstream.metric("x").await;
    let api = upstream.api();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seed = |page: &str, metric: &str, component: &str| {
        let text = format!(
            "[page]\nid = \"{page}\"\nname = \"Home\"\n[[components]]\nid = \"{component}\"\nname = \"x\"\nrelay = true\n\
             [[metrics]]\nid = \"{metric}\"\nname = \"x\"\nreading = \"ping\"\nrelay = true\n"
        );
        file(folder.path(), &format!("{page}{metric}{component}.toml"), &text)
    };
    for (seed, token, code, said) in [
        (seed(PAGE, &metric, COMPONENT), TOKEN, 0, "the page gytm4qzbx9t6 is there upstream, and the token is taken"),
        (seed(PAGE, "zzzzzzzzzzzz", COMPONENT), TOKEN, 2, "wrong: the page upstream has no metric zzzzzzzzzzzz"),
        (seed(PAGE, &metric, "zzzzzzzzzzzz"), TOKEN, 2, "wrong: the page upstream has no component zzzzzzzzzzzz"),
        (seed("zzzzzzzzzzzz", &metric, COMPONENT), TOKEN, 2, "wrong: the page zzzzzzzzzzzz: "),
        (seed(PAGE, &metric, COMPONENT), "wrong", 2, "the token is refused"),
    ] {
        let good =
            [("KEEPER_TOKEN", "hunter2-hunter2-hunter2"), ("UPSTREAM_URL", api.as_str()), ("UPSTREAM_TOKEN", token)];
        asked("keeper", &good, &[("KEEPER_SEED", &seed)], code, &[said]).await;
    }
}

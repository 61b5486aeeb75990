//! What the keeper says of the home: from its first scrape on, while it is down, and after a restart.

use jiff::Timestamp;
use tests::keeper::{COMPONENT, Keeper};

use super::world::{DOWN_FOR, World, samples, scraped, value};

async fn text(keeper: &Keeper) -> String {
    scraped(&keeper.http, &keeper.url, None).await.1
}

fn of(name: &str) -> String {
    format!("porchlight_home_{name}{{component=\"{COMPONENT}\"}}")
}

fn cause(cause: &str) -> String {
    format!("porchlight_home_cause{{component=\"{COMPONENT}\",cause=\"{cause}\"}}")
}

#[tokio::test]
async fn at_the_first_scrape_every_counter_is_there_and_nothing_is_said_of_the_home() {
    let keeper = Keeper::start().await;
    let text = text(&keeper).await;
    assert_eq!(value(&text, &of("looked_at")), Some(0.0));
    assert_eq!(value(&text, &of("up")), None, "nobody has looked: {text}");
    assert_eq!(value(&text, &of("state_since_timestamp_seconds")), None);
    assert!(value(&text, &cause("refused")) == Some(0.0) && value(&text, &cause("slow")) == Some(0.0), "{text}");
    let counters =
        samples(&text).into_iter().filter(|(series, _)| series.starts_with("porchlight_outage_seconds_total"));
    let counters: Vec<_> = counters.collect();
    let causes = shared::verdict::DownCause::ALL.len() + 1;
    assert!(counters.len() == causes && counters.iter().all(|(_, seconds)| *seconds == 0.0), "{counters:?}");
}

#[tokio::test]
async fn a_home_that_is_down_says_so_with_cause_and_since_when_also_after_a_restart() {
    let World { relay, .. } = World::new().await;
    let before = text(&relay.home).await;
    let began = Timestamp::now().as_second() - DOWN_FOR;
    let check = |text: &str| {
        assert_eq!((value(text, &of("looked_at")), value(text, &of("up"))), (Some(1.0), Some(0.0)), "{text}");
        assert_eq!((value(text, &cause("refused")), value(text, &cause("name"))), (Some(1.0), Some(0.0)), "{text}");
        let since = value(text, &of("state_since_timestamp_seconds")).expect("a time");
        #[expect(clippy::cast_precision_loss, reason = "it is far below 2^53")]
        let off = (since - began as f64).abs();
        assert!(off < 20.0, "{off}: {text}");
        let run = value(text, "porchlight_job_last_run_timestamp_seconds{program=\"ping\"}").expect("a run");
        (since, run, value(text, "porchlight_outage_seconds_total{cause=\"refused\"}").expect("a counter"))
    };
    let (since, run, seconds) = check(&before);
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let at_least = DOWN_FOR as f64;
    assert!(seconds >= at_least, "{seconds}");
    let Keeper { process, folder, .. } = relay.home;
    process.terminate().await;
    let again = Keeper::restart(folder).await;
    let (since_again, run_again, seconds_again) = check(&text(&again).await);
    assert_eq!((since_again, run_again), (since, run));
    assert!(seconds_again >= seconds, "{seconds_again} {seconds}");
}

#[tokio::test]
async fn a_home_that_is_seen_up_again_is_up_since_then() {
    let world = World::new().await;
    // By a clock that is ahead it is a look of now, and later than that of the same second.
    let now = Timestamp::now().as_second();
    world.looked(now + 1, "up", None).await;
    let text = text(&world.relay.home).await;
    assert_eq!((value(&text, &of("up")), value(&text, &cause("refused"))), (Some(1.0), Some(0.0)), "{text}");
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^53")]
    let off = value(&text, &of("state_since_timestamp_seconds")).expect("a time") - now as f64;
    assert!((-1.0..20.0).contains(&off), "{off}");
    let look = format!("porchlight_look_timestamp_seconds{{component=\"{COMPONENT}\",location=\"eu-central-1\"}}");
    assert!(value(&text, &look).is_some(), "{text}");
}

#[tokio::test]
async fn a_home_at_which_nobody_has_looked_for_a_while_is_neither_up_nor_down() {
    let keeper = Keeper::start().await;
    let at = Timestamp::now().as_second() - 900;
    let look = serde_json::json!({"component_id": COMPONENT, "verdict": "up", "from": "outside"});
    let body = serde_json::json!({"page_id": tests::keeper::PAGE, "at": at, "location": "local", "looks": [look]});
    assert_eq!(keeper.own(reqwest::Method::POST, "/looks", Some(body)).await.0, 202);
    let text = text(&keeper).await;
    assert_eq!((value(&text, &of("looked_at")), value(&text, &of("up"))), (Some(0.0), None), "{text}");
    // A look holds for five minutes.
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^53")]
    let off = value(&text, &of("state_since_timestamp_seconds")).expect("a time") - (at + 300) as f64;
    assert!(off.abs() < 2.0, "{off}: {text}");
}

//! Another interval: what was looked at, and what was not, stays as it was.

use super::*;
use crate::keeper::looks::Looks;

const HOUR: i64 = 3600;

fn every(seconds: i64) -> Value {
    with(check("nas"), json!({"every_seconds": seconds}))
}

/// The times, in seconds after noon, for which a look speaks.
async fn looked_at(home: &Home, looks: &Looks, component: &ComponentId) -> Vec<(i64, i64)> {
    let seen = looks.within(&home.db, component, i64::MIN / 2..i64::MAX / 2).await.unwrap();
    let second = |millis: i64| millis / 1000 - NOON;
    seen.looks.iter().map(|look| (second(look.began), second(look.ended) + 300)).collect()
}

/// The same of what is in memory, and of what is there after a start.
async fn assert_looked_at(home: &Home, component: &ComponentId, expected: &[(i64, i64)]) {
    assert_eq!(looked_at(home, home.recorder.looks(), component).await, expected);
    home.recorder.looks().flush(&home.db, home.recorder.clock().now_for_looks()).await.unwrap();
    let loaded = Looks::load(&home.db, time(home.now.load(Relaxed))).await.unwrap();
    assert_eq!(looked_at(home, &loaded, component).await, expected, "after a start");
}

#[tokio::test]
async fn a_longer_interval_looks_at_no_gap_of_the_past() {
    let home = Home::new().await;
    let component = home.register(json!([every(60)])).await.unwrap().remove(0).unwrap();
    home.ran("nas", 0, State::Ok).await;
    // The program was away for forty minutes.
    home.ran("nas", 2400, State::Ok).await;
    home.ran("nas", 2460, State::Ok).await;
    home.register(json!([every(HOUR)])).await.unwrap();
    let before = [(0, 300), (2400, 2460 + 300)];
    assert_looked_at(&home, &component, &before).await;
    home.now.store(2460 + 301, Relaxed);
    assert!(!home.is_looked_at(&component), "what was seen was to hold for five minutes");
    for second in [2800, 2800 + HOUR] {
        home.ran("nas", second, State::Ok).await;
    }
    let hourly = (2800, 2800 + HOUR + 2 * HOUR + 60);
    assert_looked_at(&home, &component, &[before[0], before[1], hourly]).await;
    home.now.store(2800 + HOUR + 2 * HOUR, Relaxed);
    assert!(home.is_looked_at(&component), "and now for two hours and a minute");
}

#[tokio::test]
async fn a_shorter_interval_leaves_what_was_looked_at_and_holds_no_longer_than_itself() {
    let home = Home::new().await;
    let component = home.register(json!([every(HOUR)])).await.unwrap().remove(0).unwrap();
    for second in [0, HOUR, 2 * HOUR] {
        home.ran("nas", second, State::Ok).await;
    }
    home.now.store(2 * HOUR + 1800, Relaxed);
    home.register(json!([every(60)])).await.unwrap();
    assert!(home.is_looked_at(&component), "its next run is due soon");
    let hourly = (0, 2 * HOUR + 1800 + 300);
    assert_looked_at(&home, &component, &[hourly]).await;
    home.now.store(2 * HOUR + 1800 + 301, Relaxed);
    assert!(!home.is_looked_at(&component), "it has not come");
    let again = 2 * HOUR + 2400;
    home.ran("nas", again, State::Ok).await;
    assert_looked_at(&home, &component, &[hourly, (again, again + 300)]).await;
}

#[tokio::test]
async fn the_looks_of_a_prober_have_their_own_pace() {
    let home = Home::new().await;
    let sky: ComponentId = "8kbf7d35c071".parse().unwrap();
    home.register(json!([with(every(HOUR), json!({"component": sky}))])).await.unwrap();
    for second in [0, 1200] {
        home.now.store(second, Relaxed);
        let look = json!({"page_id": "gytm4qzbx9t6", "at": NOON + second, "location": "eu-central-1",
            "looks": [{"component_id": sky, "verdict": "up", "from": "outside"}]});
        let look = serde_json::from_value(look).unwrap();
        let now = home.recorder.clock().now_for_looks().unwrap();
        home.recorder.looks().take(&home.db, now, &look).await.unwrap();
    }
    assert_looked_at(&home, &sky, &[(0, 300), (1200, 1500)]).await;
}

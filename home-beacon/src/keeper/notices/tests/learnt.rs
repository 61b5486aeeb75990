//! What readings, and what a job remembers, become: in the transaction that stores them.

use serde_json::json;

use super::*;
use crate::{
    keeper::{db::Moment, job_states},
    reading::{MetricName, Outcome, Reading},
};

fn reading(name: &str, second: i64, value: Option<f64>) -> Reading {
    let outcome = value.map_or_else(|| Outcome::Failure("no answer".into()), Outcome::Value);
    Reading::new(name.parse::<MetricName>().unwrap(), time(second), outcome)
}

impl Home {
    async fn read(&self, name: &str, second: i64, value: Option<f64>) {
        self.at(second);
        self.recorder.add_readings(&[reading(name, second, value)]).await.unwrap();
    }

    async fn queued(&self) -> Vec<(String, String)> {
        let queued = query("SELECT stage, title FROM notices ORDER BY id");
        queued.all(&mut self.db.read().await.unwrap()).await.unwrap()
    }
}

fn both(stage: &str, title: &str) -> (String, String) {
    (stage.into(), title.into())
}

#[tokio::test]
async fn a_job_that_fails_three_times_is_a_notice_in_the_transaction_of_the_third() {
    let home = Home::new(config("ntfy://ntfy.sh/home")).await;
    for second in [0, 60] {
        home.read("dns", second, None).await;
    }
    assert_eq!(home.queued().await, []);
    let refused = home.recorder.add_readings(&[reading("dns", 120, None), reading("dns", 999_999, None)]).await;
    assert!(refused.is_err() && home.queued().await.is_empty(), "what is not stored is not learnt either");
    home.read("dns", 120, None).await;
    home.read("dns", 180, None).await;
    assert_eq!(home.queued().await, [both("began", "The job dns fails")]);
    home.read("dns", 240, Some(1.0)).await;
    assert_eq!(home.queued().await, [], "nobody had been written to, and now it works");
}

#[tokio::test]
async fn quiet_hours_hold_back_what_begins_and_a_mute_does_too() {
    // In Berlin it is 13:00 at noon.
    let quiet = NoticeConfig { quiet: "13:00-13:30".parse().ok(), ..config("ntfy://ntfy.sh/home") };
    let home = Home::new(quiet).await;
    home.notices().set_zone("Europe/Berlin");
    for second in [0, 60, 120] {
        home.read("dns", second, None).await;
        home.read("ping", second, None).await;
    }
    home.read("ping", 180, Some(12.0)).await;
    assert_eq!(home.queued().await, []);
    let series = query("SELECT name, id FROM series ORDER BY name");
    let series: Vec<(String, i64)> = series.all(&mut home.db.read().await.unwrap()).await.unwrap();
    home.notices().observe_series(&home.db, &series, &[], home.at(1799)).await.unwrap();
    assert_eq!(home.queued().await, []);
    home.notices().mute(&home.db, time(1799), "job", time(3600)).await.unwrap();
    home.notices().observe_series(&home.db, &series, &[], home.at(1800)).await.unwrap();
    assert_eq!(home.queued().await, [], "it is muted");
    home.notices().observe_series(&home.db, &series, &[], home.at(3600)).await.unwrap();
    assert_eq!(home.queued().await, [both("began", "The job dns fails")], "the ping is long well");
}

#[tokio::test]
async fn an_address_that_changes_is_a_notice_of_its_own() {
    let home = Home::new(config("ntfy://ntfy.sh/home")).await;
    let document =
        |address: &str| json!({"names": ["home"], "ipv4": {"address": address, "at": "2026-11-29T12:00:00Z"}});
    for address in ["203.0.113.7", "203.0.113.7", "203.0.113.9"] {
        let (at, both) = (Moment::new(time(0)), (&home.db, home.notices()));
        job_states::set(both, at, "dns", &document(address), |_| true).await.unwrap();
    }
    assert_eq!(home.queued().await, [both("began", "The home's IPv4 address is now 203.0.113.9")]);
}

#[tokio::test]
async fn a_channel_is_given_what_it_wants_and_without_channels_nothing_is_written() {
    let home = Home::new(config("ntfy://ntfy.sh/home?events=line")).await;
    for second in [0, 60, 120] {
        home.read("dns", second, None).await;
    }
    assert_eq!(home.waiting().await, 0);
    let without_channels = Home { recorder: home.recorder.clone().with_notices(Notices::default()), ..home };
    for second in [180, 240, 300] {
        without_channels.read("ping", second, None).await;
    }
    let tracks: Vec<String> =
        query("SELECT key FROM notice_tracks").all(&mut without_channels.db.read().await.unwrap()).await.unwrap();
    assert_eq!(tracks, ["job/dns"], "of what was learnt before");
    drop(without_channels.folder);
}

#[tokio::test]
async fn what_nothing_looks_at_any_more_ends_after_a_day() {
    let home = Home::new(config("ntfy://ntfy.sh/home")).await;
    for second in [0, 60, 120] {
        home.read("ping:9.9.9.9", second, None).await;
    }
    let series = vec![("ping:9.9.9.9".to_owned(), 1)];
    let look = async |hour: i64| {
        home.notices().observe_series(&home.db, &series, &[], home.at(hour * 3600)).await.unwrap();
        let lasting: Vec<String> = query("SELECT key FROM notice_tracks WHERE ended IS NULL")
            .all(&mut home.db.read().await.unwrap())
            .await
            .unwrap();
        lasting.len()
    };
    // It was taken out of the targets: its last readings stay what they are.
    assert_eq!((look(1).await, look(49).await, look(51).await, look(74).await), (1, 1, 1, 1));
    assert_eq!(look(76).await, 0);
}

#[tokio::test]
async fn nobody_is_reminded_who_was_not_given_the_notice_before() {
    let every = Some(Duration::from_hours(1));
    let home = Home::new(NoticeConfig { every, ..config("ntfy://ntfy.sh/home") }).await;
    for hour in 0..20 {
        home.observe("job/dns", Missed::Sent, Now::Lasting(time(0)), hour * 3600).await;
    }
    assert_eq!(home.queued().await, [both("began", "job/dns fails")]);
}

#[tokio::test]
async fn in_quiet_hours_only_what_is_serious_is_sent_and_only_where_that_is_wanted() {
    for (serious_anytime, expected) in [(false, vec![]), (true, vec![both("began", "home/1 fails")])] {
        let quiet =
            NoticeConfig { quiet: "12:00-13:00".parse().ok(), serious_anytime, ..config("ntfy://ntfy.sh/home") };
        let home = Home::new(quiet).await;
        let lasting = Now::Lasting(time(0));
        let serious = Condition { is_serious: true, ..condition("home/1", Missed::Sent, lasting) };
        let both = [serious, condition("job/1", Missed::Sent, lasting)];
        home.notices().observe(&home.db, &both, home.at(60)).await.unwrap();
        assert_eq!(home.queued().await, expected);
    }
}

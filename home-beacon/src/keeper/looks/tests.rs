mod many;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use jiff::{SignedDuration, Timestamp};
use shared::{
    look::{BeaconLook, LastVerdict, PostedLook, PostedLooks, Vantage},
    verdict::{DownCause, UnknownCause, Verdict},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{beacon::BeaconPoller, *};
use crate::{
    clock::{Clock, Host},
    keeper::{
        KeeperError,
        db::{Conn, Db, Moment, query},
        measured::Recorder,
        outbox::Outbox,
        seed::{self, Seed},
    },
    reading::{Outcome, Reading},
};

const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n\n\
                    [[components]]\nid = \"8kbf7d35c071\"\nname = \"Power\"\nrelay = true\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Line\"\n";

struct Home {
    _folder: TempDir,
    db: Db,
    recorder: Recorder,
    /// Of the host, in seconds.
    uptime: Arc<AtomicU64>,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("keeper.db").display())).await.unwrap();
        let uptime = Arc::new(AtomicU64::new(1000));
        let passing = Arc::clone(&uptime);
        let passing = Clock::new(move || Duration::from_secs(passing.load(Relaxed)));
        let host = Host { uptime: passing, ..Host::at(Clock::system()) };
        let recorder = Recorder::new(db.clone(), host, Outbox::new(db.clone(), false)).await.unwrap();
        seed::apply(&db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
        Self { _folder: folder, db, recorder, uptime }
    }

    fn line() -> ComponentId {
        "8kbf7d35c070".parse().unwrap()
    }

    async fn take(&self, at: i64, component: &str, verdict: Verdict, times: usize) -> Result<usize, KeeperError> {
        let component_id: ComponentId = component.parse().unwrap();
        let (verdict, from) = (Some(verdict), Vantage::Outside);
        let look = PostedLook { component_id, verdict, from, connect_ms: None, answer_ms: None };
        let (page_id, location) = ("gytm4qzbx9t6".parse().unwrap(), "eu-central-1".parse().unwrap());
        let posted = PostedLooks { page_id, at, location, looks: vec![look; times] };
        let now = self.recorder.clock().now_for_looks().unwrap();
        self.recorder.looks().take(&self.db, now, &posted).await
    }

    fn looked(&self) -> Looked {
        self.recorder.looks().at(&Self::line(), self.recorder.clock().now_for_looks())
    }

    async fn rows(&self) -> Vec<(i64, i64)> {
        let rows = query("SELECT began, ended FROM look_spans ORDER BY began");
        rows.all(&mut self.db.read().await.unwrap()).await.unwrap()
    }
}

/// Another number after each commit of another connection.
async fn version(conn: &mut Conn) -> i64 {
    query("PRAGMA data_version").one(conn).await.unwrap()
}

#[tokio::test]
async fn looks_are_written_with_the_readings_and_a_verdict_that_turns_at_once() {
    let home = Home::new().await;
    let mut conn = home.db.read().await.unwrap();
    let now = Timestamp::now().as_second();
    let began = now - 3600;
    let down = Verdict::Down(DownCause::Refused);
    let mut before = version(&mut conn).await;
    for minute in 0..60 {
        let at = began + minute * 60;
        home.uptime.fetch_add(60, Relaxed);
        home.take(at, "8kbf7d35c070", if minute < 30 { Verdict::Up } else { down }, 1).await.unwrap();
        let after = version(&mut conn).await;
        assert_eq!(after != before, minute == 0 || minute == 30, "minute {minute}");
        before = after;
        let at = Timestamp::from_second(at).unwrap();
        let reading = Reading::new("ping".parse().unwrap(), at, Outcome::Value(12.5));
        home.recorder.add_readings(&[reading]).await.unwrap();
        let after = version(&mut conn).await;
        assert_ne!(after, before, "one transaction carries both");
        before = after;
    }
    let began = began * 1000;
    let turned = began + 30 * 60_000;
    let expected = [(began, turned - 60_000), (turned, turned + 29 * 60_000)];
    assert_eq!(home.rows().await, [expected[0], (turned, turned)], "the rest is carried by the heartbeat");
    // As after a power cut.
    let loaded = Looks::load(&home.db, Timestamp::now()).await.unwrap();
    for looks in [home.recorder.looks(), &loaded] {
        let seen = looks.within(&home.db, &Home::line(), began..i64::MAX).await.unwrap().looks;
        assert_eq!(seen.iter().map(|look| (look.began, look.ended)).collect::<Vec<_>>(), expected);
    }
    loaded.flush(&home.db, None).await.unwrap();
    assert_eq!(home.rows().await, expected);
    assert!(loaded.lock().unsaved.is_empty());
    let carried: Option<String> = query("SELECT looks FROM heartbeat").one(&mut conn).await.unwrap();
    assert_eq!(carried, None, "and what was carried is in its rows");
}

#[tokio::test]
async fn what_a_prober_puts_here_is_taken_whole_or_not_at_all() {
    let home = Home::new().await;
    let now = Timestamp::now().as_second();
    for (at, component, times, sentence) in [
        (now, "8kbf7d35c079", 1, "component 8kbf7d35c079 of page gytm4qzbx9t6"),
        (now - 24 * 3600 - 60, "8kbf7d35c070", 1, "is not within the last 24 hours"),
        (i64::MIN, "8kbf7d35c070", 1, "check the clocks"),
        (now, "8kbf7d35c070", 257, "looks: one call may bring 256"),
    ] {
        let refused = home.take(at, component, Verdict::Up, times).await.unwrap_err().to_string();
        assert!(refused.contains(sentence), "{refused}");
        assert!(home.rows().await.is_empty() && home.looked() == Looked::default());
    }
    // By a clock that is ahead it is a look of now.
    assert_eq!(home.take(now + 3600, "8kbf7d35c070", Verdict::Up, 256).await.unwrap(), 256);
    assert!(home.looked().is_recent() && home.looked().at().unwrap() <= Moment::new(Timestamp::now()));
}

/// A beacon whose own clock is not set passes on whatever is signed.
#[tokio::test]
async fn that_somebody_tried_and_could_not_tell_is_known_until_the_next_look() {
    let home = Home::new().await;
    let began = Timestamp::now().as_second() - 120;
    let mut tried = Vec::new();
    for (after, verdict) in [(0, Verdict::Up), (60, Verdict::Unknown(UnknownCause::Blind)), (100, Verdict::Up)] {
        home.take(began + after, "8kbf7d35c070", verdict, 1).await.unwrap();
        let looked = home.looked();
        tried.push((looked.is_recent(), looked.is_tried_since()));
    }
    assert_eq!(tried, [(true, false), (true, true), (true, false)]);
}

#[tokio::test]
async fn what_is_put_down_to_another_component_is_no_look_but_somebody_looks() {
    let home = Home::new().await;
    let now = Timestamp::now().as_second();
    let excused = || {
        let now = home.recorder.clock().now_for_looks().unwrap();
        home.recorder.looks().is_excused(&Home::line(), now)
    };
    home.take(now - 120, "8kbf7d35c070", Verdict::Up, 1).await.unwrap();
    assert!(!excused());
    home.take(now - 60, "8kbf7d35c070", Verdict::Unknown(UnknownCause::Dependency), 1).await.unwrap();
    assert!(excused());
    assert!(home.looked().age().unwrap() >= SignedDuration::from_secs(119), "nothing was seen of it");
    home.take(now, "8kbf7d35c070", Verdict::Down(DownCause::Unexpected), 1).await.unwrap();
    assert!(!excused());
}

#[tokio::test]
async fn a_prober_whose_clock_was_years_ahead_once_locks_nobody_out() {
    let home = Home::new().await;
    let now = Timestamp::now().as_second();
    let signed = async |at: i64| {
        let look = BeaconLook { at, location: "eu-central-1".parse().unwrap(), last: None };
        let time = home.recorder.clock().now_for_looks().unwrap();
        home.recorder.looks().take_signed(&home.db, time, &Home::line(), vec![look]).await.unwrap();
        home.recorder.looks().flush(&home.db, Some(time)).await.unwrap();
    };
    for odd in [i64::MIN, i64::MAX, now + 10 * 365 * 86_400] {
        signed(odd).await;
    }
    let strayed = home.rows().await;
    signed(now + 60).await;
    signed(now + 120).await;
    assert_ne!(home.rows().await, strayed, "the ones after it count");
    assert!(home.looked().is_recent());
}

#[tokio::test]
async fn a_commit_that_fails_loses_no_look() {
    let home = Home::new().await;
    let now = Timestamp::now().as_second();
    home.take(now - 60, "8kbf7d35c070", Verdict::Up, 1).await.unwrap();
    home.take(now, "8kbf7d35c070", Verdict::Up, 1).await.unwrap();
    let looks = home.recorder.looks();
    let mut tx = home.db.begin().await.unwrap();
    looks.save(&mut tx, None).await.unwrap();
    drop(tx);
    let (before, after) = ((now - 60) * 1000, now * 1000);
    assert_eq!(home.rows().await, [(before, before)]);
    looks.flush(&home.db, None).await.unwrap();
    assert_eq!(home.rows().await, [(before, after)]);
}

#[tokio::test]
async fn a_deleted_component_does_not_keep_a_reading_from_being_stored() {
    let home = Home::new().await;
    let now = Timestamp::now();
    home.take(now.as_second() - 60, "8kbf7d35c070", Verdict::Up, 1).await.unwrap();
    home.take(now.as_second(), "8kbf7d35c070", Verdict::Up, 1).await.unwrap();
    query("DELETE FROM components WHERE id = '8kbf7d35c070'")
        .execute(&mut home.db.write().await.unwrap())
        .await
        .unwrap();
    home.recorder.add_readings(&[Reading::new("ping".parse().unwrap(), now, Outcome::Value(1.0))]).await.unwrap();
    assert!(home.rows().await.is_empty());
}

/// A beacon that answers everything with these bodies, one after the other.
async fn beacon(bodies: Vec<String>) -> url::Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        for body in bodies {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(request[..read].starts_with(b"GET /looks HTTP/1.1\r\n"));
            let answer =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn the_beacon_is_asked_and_its_looks_count_for_the_first_component_that_is_not_relayed() {
    let home = Home::new().await;
    let now = Timestamp::now().as_second();
    let look = |at, last| BeaconLook { at, location: "eu-central-1".parse().unwrap(), last };
    let down = LastVerdict { verdict: Verdict::Down(DownCause::Unreachable), since: now - 1800 };
    let up = LastVerdict { verdict: Verdict::Up, since: now - 3600 };
    let reported = |looks: Vec<BeaconLook>| serde_json::to_string(&shared::look::BeaconLooks { looks }).unwrap();
    let first = vec![look(now - 1860, Some(up)), look(now - 120, Some(down))];
    let mut second = first.clone();
    second.push(look(now - 60, Some(LastVerdict { verdict: Verdict::Up, since: now - 120 })));
    let long = format!("{}{}", reported(first.clone()), " ".repeat(70_000));
    let url = beacon(vec![long, "<html>".into(), reported(first), reported(second.clone()), reported(second)]).await;
    let mut poller = BeaconPoller::new(url, "gytm4qzbx9t6".parse().unwrap(), None).unwrap();
    let (clock, looks) = (home.recorder.clock().clone(), home.recorder.looks().clone());
    for _ in 0..2 {
        poller.poll(&home.db, &clock, &looks).await;
        assert_eq!(home.looked(), Looked::default(), "a long answer, and one that is none, count for nothing");
    }
    let at = |ago: i64| (now - ago) * 1000;
    poller.poll(&home.db, &clock, &looks).await;
    assert!(home.looked().is_recent());
    assert_eq!(home.looked().trouble(), Some(down.verdict.sentence()), "what the run before saw is known");
    let outage = [(at(3600), at(1860) - 1), (at(1860), at(1860)), (at(1800), at(120) - 1), (at(120), at(120))];
    assert_eq!(home.rows().await, outage);
    for _ in 0..2 {
        poller.poll(&home.db, &clock, &looks).await;
        looks.flush(&home.db, None).await.unwrap();
        let reported = [outage[0], outage[1], outage[2], (at(120), at(60) - 1), (at(60), at(60))];
        assert_eq!(home.rows().await, reported, "what is reported again adds nothing");
    }
    assert_eq!(home.looked().trouble(), None);
    let age = home.looked().age().unwrap();
    assert!(age >= SignedDuration::from_secs(60) && age < SignedDuration::from_secs(90), "{age}");
    // It cannot be reached any more.
    poller.poll(&home.db, &clock, &looks).await;
}

//! A keeper that is killed at any time sends what it had to send once it runs again: a second time only where it was killed between
//! the service's acceptance and its own note of that.

use futures_util::future::join_all;
use notify::send::Sender;

use super::*;

/// How many of a stage the phone has taken, and whether all had one id.
fn copies(phone: &Phone, stage: &str) -> (usize, bool) {
    let taken: Vec<_> = phone.taken().into_iter().filter(|taken| taken[1] == stage).collect();
    (taken.len(), taken.windows(2).all(|pair| pair[0][0] == pair[1][0]))
}

/// A keeper runs over that database until nothing waits, or for so long; whether it was killed.
async fn run_for(sender: &Sender, home: &Home, phone: &Phone, micros: u64) -> bool {
    let running = notices(&home.db, config(&phone.url())).await;
    let was_killed = tokio::select! {
        () = running.run_with(sender, &home.db, home.recorder.clock()) => panic!("it never ends"),
        () = home.is_empty() => false,
        () = sleep(Duration::from_micros(micros)) => true,
    };
    // What a request that was under way still brings, and a transaction that was.
    sleep(Duration::from_millis(30)).await;
    drop(home.db.begin().await.unwrap());
    was_killed
}

/// How often it was killed while something began and ended, and how much was sent a second time.
async fn round(sender: &Sender) -> (usize, usize) {
    let (mut kills, mut repeated) = (0, 0);
    let phone = Phone::new(4).await;
    let home = Home::new(config(&phone.url())).await;
    let until = Instant::now() + LIMIT;
    for (stage, now, second) in [("began", Now::Lasting(time(60)), 60), ("ended", Now::Well, 600)] {
        home.observe("job/dns", Missed::Dropped, now, second).await;
        let mut accepted_and_not_noted = 0;
        while home.waiting().await > 0 {
            assert!(Instant::now() < until);
            let before = copies(&phone, stage).0;
            kills += usize::from(run_for(sender, &home, &phone, fastrand::u64(0..25_000)).await);
            if home.waiting().await > 0 && copies(&phone, stage).0 > before {
                accepted_and_not_noted += 1;
            }
        }
        let (copies, is_same) = copies(&phone, stage);
        assert_eq!(copies, 1 + accepted_and_not_noted, "{:?}", phone.taken());
        assert!(is_same, "who gets it twice can drop the second: {:?}", phone.taken());
        repeated += accepted_and_not_noted;
    }
    (kills, repeated)
}

#[tokio::test]
async fn a_keeper_that_is_killed_sends_never_nothing_and_twice_only_what_it_could_not_note() {
    let sender = &Sender::new().unwrap();
    let (mut kills, mut repeated) = (0, 0);
    // Ten at a time, because they mostly wait.
    for _ in 0..20 {
        for (killed, again) in join_all((0..10).map(|_| round(sender))).await {
            (kills, repeated) = (kills + killed, repeated + again);
        }
    }
    println!("200 rounds: {kills} kills, {repeated} notices sent a second time");
    assert!(kills > 50, "{kills}");
}

#[tokio::test]
async fn what_may_have_been_taken_before_a_kill_is_ended_too() {
    let sender = Sender::new().unwrap();
    let phone = Phone::late(0, Duration::from_secs(1)).await;
    let home = Home::new(config(&phone.url())).await;
    home.observe("job/dns", Missed::Dropped, Now::Lasting(time(60)), 60).await;
    let until = Instant::now() + LIMIT;
    while phone.taken().is_empty() {
        assert!(Instant::now() < until);
        run_for(&sender, &home, &phone, 200_000).await;
    }
    assert!(home.waiting().await > 0, "it was taken, and that was not noted");
    home.observe("job/dns", Missed::Dropped, Now::Well, 600).await;
    run_for(&sender, &home, &phone, 20_000_000).await;
    assert_eq!((home.waiting().await, copies(&phone, "ended").0), (0, 1), "{:?}", phone.taken());
}

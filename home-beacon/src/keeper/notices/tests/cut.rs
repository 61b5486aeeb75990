//! What is sent of a time in which the line was down: what still holds, late; what is over, once or not at all.

use super::*;

/// Long enough for some attempts while the line is down.
const A_WHILE: Duration = Duration::from_millis(600);

/// Runs while something began before the line was back, and perhaps ended.
async fn over_an_outage(missed: Missed, key: &str, ends: Option<i64>, seen: bool) -> (Vec<[String; 3]>, Home) {
    let mut phone = Phone::new(1).await;
    let home = Home::new(config(&phone.url())).await;
    phone.cut();
    home.observe(key, missed, Now::Lasting(time(60)), 60).await;
    let running = home.notices().run(&home.db, home.recorder.clock());
    let outage = async {
        sleep(A_WHILE).await;
        assert_eq!(phone.taken(), Vec::<[String; 3]>::new());
        home.at(2400);
        // It is found to be over once the line is back, and before anything is sent.
        phone.repair().await;
        if seen {
            let saw = "INSERT INTO look_spans (component_id, location, inside, began, ended, verdict, cause)
                       VALUES ('8kbf7d35c070', 'eu-central-1', 0, ?, ?, 'down', 'unreachable')";
            let saw = query(saw).bind(time(30).as_millisecond()).bind(time(2300).as_millisecond());
            saw.execute(&mut home.db.write().await.unwrap()).await.unwrap();
        }
        if let Some(second) = ends {
            home.observe(key, missed, Now::Well, second).await;
        }
        home.is_empty().await;
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = outage => (),
    }
    (phone.taken(), home)
}

fn stages(taken: &[[String; 3]]) -> Vec<&str> {
    taken.iter().map(|[_, stage, _]| stage.as_str()).collect()
}

#[tokio::test]
async fn what_still_lasts_when_the_line_is_back_is_sent_then() {
    let (taken, _) = over_an_outage(Missed::Dropped, "keeper/relay", None, false).await;
    assert_eq!(stages(&taken), ["began"]);
}

#[tokio::test]
async fn what_is_over_by_then_is_sent_as_over_once_or_not_at_all() {
    for (missed, key, seen, expected) in [
        (Missed::Dropped, "keeper/relay", false, vec![]),
        (Missed::Sent, "home/beacon", false, vec!["ended"]),
        (Missed::SentUnlessSeen, "line/ping", false, vec!["ended"]),
        (Missed::SentUnlessSeen, "line/ping", true, vec![]),
    ] {
        let (taken, home) = over_an_outage(missed, key, Some(2410), seen).await;
        assert_eq!(stages(&taken), expected, "{missed:?} {key} {seen}");
        let left: i64 = query("SELECT COUNT(*) FROM notices").one(&mut home.db.read().await.unwrap()).await.unwrap();
        assert_eq!(left, 0, "nothing stays behind");
    }
}

#[tokio::test]
async fn twenty_lines_that_are_cut_at_any_time_lose_nothing_and_repeat_nothing() {
    let rounds = (0..20).map(|_| async {
        let mut phone = Phone::new(1).await;
        let home = Home::new(config(&phone.url())).await;
        let running = home.notices().run(&home.db, home.recorder.clock());
        let cutting = async {
            for number in 0..10 {
                let (key, from) = (format!("job/{number}"), number * 600);
                home.observe(&key, Missed::Sent, Now::Lasting(time(from)), from).await;
                sleep(Duration::from_millis(fastrand::u64(0..6))).await;
                phone.cut();
                sleep(Duration::from_millis(fastrand::u64(0..12))).await;
                home.observe(&key, Missed::Sent, Now::Well, from + 300).await;
                phone.repair().await;
            }
            home.is_empty().await;
        };
        tokio::select! {
            () = running => panic!("it never ends"),
            () = cutting => (),
        }
        let titles = phone.titles();
        for number in 0..10 {
            let of = |what: &str| titles.iter().filter(|title| **title == format!("job/{number} {what}")).count();
            // A request that was cut off may have been taken, and is sent once more.
            assert!((1..=2).contains(&of("works again")) && of("fails") <= 2, "{number}: {titles:?}");
        }
    });
    futures_util::future::join_all(rounds).await;
}

#[tokio::test]
async fn after_an_outage_what_nothing_says_anew_is_held_back_and_dropped_once_it_is_over() {
    let mut phone = Phone::new(1).await;
    let home = Home::new(config(&phone.url())).await;
    phone.cut();
    home.observe("job/dns", Missed::Dropped, Now::Lasting(time(60)), 60).await;
    let running = home.notices().run(&home.db, home.recorder.clock());
    let outage = async {
        // Longer than a moment, which is no outage of the line.
        sleep(Duration::from_millis(1500)).await;
        home.at(2400);
        phone.repair().await;
        // Until it is reached, and has settled, and a while more.
        sleep(Duration::from_millis(1400)).await;
        assert_eq!(phone.taken(), Vec::<[String; 3]>::new(), "the job has said nothing since");
        home.observe("job/dns", Missed::Dropped, Now::Well, 2700).await;
        home.is_empty().await;
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = outage => (),
    }
    assert_eq!(phone.taken(), Vec::<[String; 3]>::new());
}

#[tokio::test]
async fn one_that_was_given_up_costs_no_later_end_of_the_same() {
    let (gone, phone) = (Phone::new(0).await, Phone::new(0).await);
    let home = Home::new(config(&phone.url().replace("/in", "/nowhere"))).await;
    home.observe("job/dns", Missed::Dropped, Now::Lasting(time(0)), 0).await;
    home.deliver().await;
    home.observe("job/dns", Missed::Dropped, Now::Well, 600).await;
    assert_eq!(home.waiting().await, 0, "who was not given the begin is not given the end");
    // The same channel, which takes notices by now.
    let refused = query("SELECT COUNT(*) FROM notice_deliveries WHERE failure IS NOT NULL");
    assert_eq!(refused.one::<i64>(&mut home.db.read().await.unwrap()).await.unwrap(), 1);
    home.observe("job/dns", Missed::Dropped, Now::Lasting(time(7200)), 7200).await;
    let taken = query("DELETE FROM notice_deliveries WHERE failure IS NULL");
    taken.execute(&mut home.db.write().await.unwrap()).await.unwrap();
    home.observe("job/dns", Missed::Dropped, Now::Well, 9000).await;
    assert_eq!(home.waiting().await, 1, "the second begin was taken, so its end is sent");
    drop(gone);
}

#[tokio::test]
async fn what_is_muted_while_it_waits_is_not_sent() {
    let mut phone = Phone::new(0).await;
    let home = Home::new(config(&phone.url())).await;
    home.observe("job/dns", Missed::Sent, Now::Lasting(time(0)), 0).await;
    home.notices().mute(&home.db, time(0), "job", time(7200)).await.unwrap();
    home.deliver().await;
    assert_eq!(phone.taken(), Vec::<[String; 3]>::new());
    phone.cut();
}

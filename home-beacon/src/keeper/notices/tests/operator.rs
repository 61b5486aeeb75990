//! The channels that the operator writes into a file of their own.

use super::*;

async fn fails(home: &Home, check: &str, second: i64) {
    let key = format!("check/{check}");
    let condition = Condition {
        subject: Subject::Check,
        seen_at: time(second),
        ..condition(&key, Missed::Sent, Now::Lasting(time(second)))
    };
    home.notices().observe(&home.db, &[condition], home.at(second)).await.unwrap();
}

#[tokio::test]
async fn channels_of_the_operator_may_come_later_are_for_their_checks_and_give_nobody_a_notice_twice() {
    let (people, others) = (Phone::new(0).await, Phone::new(0).await);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("urls");
    let recipients = NoticeConfig { operator_urls: Some(path.clone()), ..config(&people.url()) };
    let home = Home::new(recipients).await;
    fails(&home, "before", 0).await;
    let running = home.notices().run(&home.db, home.recorder.clock());
    let sending = async {
        home.is_empty().await;
        assert_eq!((people.titles(), others.titles().len()), (vec!["check/before fails".into()], 0));
        let of = |checks: &str| format!("{}?events=check&checks={checks}", others.url());
        // The people's own address is among them: they have a channel for it already.
        let twice = format!("{}?events=check&checks=disk", people.url());
        std::fs::write(&path, format!("# of the operator\n{}\n{twice}\n", of("disk,nas"))).unwrap();
        channels(&home, 3).await;
        for (second, check) in [(1, "disk"), (2, "door"), (3, "nas")] {
            fails(&home, check, second).await;
        }
        home.is_empty().await;
        // What is no list of channels leaves those from before.
        for broken in ["telegramm://x", "json+http://x?checks=NAS"] {
            std::fs::write(&path, broken).unwrap();
            sleep(Duration::from_millis(300)).await;
        }
        std::fs::remove_file(&path).unwrap();
        fails(&home, "disk", 4000).await;
        home.is_empty().await;
        std::fs::write(&path, "# none\n").unwrap();
        channels(&home, 1).await;
        fails(&home, "nas", 4001).await;
        home.is_empty().await;
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = sending => (),
    }
    assert_eq!(others.titles(), ["check/disk fails", "check/nas fails"]);
    let noticed: Vec<_> = people.titles().into_iter().filter(|title| title == "check/disk fails").collect();
    assert_eq!(noticed.len(), 1, "{:?}", people.titles());
}

/// Waits until there are so many.
async fn channels(home: &Home, count: usize) {
    let until = Instant::now() + LIMIT;
    while home.notices().channel_states(&home.db).await.unwrap().len() != count {
        assert!(Instant::now() < until, "there are never {count}");
        sleep(Duration::from_millis(2)).await;
    }
}

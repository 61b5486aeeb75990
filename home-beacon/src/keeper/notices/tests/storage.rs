//! A database that cannot be written cannot keep the notice of that.

use super::*;
use crate::keeper::{db::write_fault::WriteFault, watch::storage};

#[tokio::test]
async fn a_keeper_whose_disk_cannot_be_written_at_its_start_says_so_and_says_when_it_can() {
    let phone = Phone::new(0).await;
    let recipients = config(&phone.url());
    let alone = Notices::without_database(Some(&recipients));
    let waiting = alone.send_alone(|| time(0), |now| storage(Some("it is read-only"), now));
    let taken = async {
        let until = Instant::now() + LIMIT;
        while phone.taken().is_empty() {
            assert!(Instant::now() < until);
            sleep(Duration::from_millis(5)).await;
        }
        sleep(Duration::from_millis(500)).await;
    };
    tokio::select! {
        never = waiting => match never {},
        () = taken => (),
    }
    assert_eq!(phone.titles(), ["The keeper's database cannot be written"], "it is sent once");
    let home = Home::new(recipients).await;
    home.notices().take_over(&alone);
    home.notices().observe_storage(&home.db, &storage(None, time(600)), home.at(600)).await;
    home.deliver().await;
    assert_eq!(phone.stages(), ["began", "ended"]);
    assert_eq!(phone.titles()[1], "The keeper's database can be written again");
}

#[tokio::test]
async fn a_database_that_cannot_be_written_any_more_is_a_notice_from_memory() {
    let phone = Phone::new(0).await;
    let home = Home::new(config(&phone.url())).await;
    WriteFault::Commit.begin(&home.db).await;
    let failing = |second| storage(Some("the disk is full"), time(second));
    for second in [60, 90, 120] {
        home.notices().observe_storage(&home.db, &failing(second), home.at(second)).await;
    }
    let running = home.notices().run(&home.db, home.recorder.clock());
    let sending = async {
        let until = Instant::now() + LIMIT;
        while phone.taken().is_empty() {
            assert!(Instant::now() < until);
            sleep(Duration::from_millis(5)).await;
        }
        WriteFault::end(&home.db).await;
        home.notices().observe_storage(&home.db, &storage(None, time(600)), home.at(600)).await;
        while phone.taken().len() < 2 {
            assert!(Instant::now() < until);
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = sending => (),
    }
    assert_eq!(phone.stages(), ["began", "ended"]);
}

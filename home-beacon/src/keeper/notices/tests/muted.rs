//! What is muted between the time that a notice of it is due and the time that it is sent.

use super::*;

const KEY: &str = "job/dns";

impl Home {
    async fn mute(&self, second: i64, until: i64) {
        self.notices().mute(&self.db, self.at(second), KEY, time(until)).await.unwrap();
    }
}

#[tokio::test]
async fn what_nobody_was_told_of_is_told_once_the_mute_has_ended_if_it_lasts() {
    let phone = Phone::new(1).await;
    let home = Home::new(config(&phone.url())).await;
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 60).await;
    home.mute(61, 600).await;
    home.deliver().await;
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 599).await;
    home.deliver().await;
    assert_eq!(phone.stages(), [""; 0]);
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 600).await;
    home.deliver().await;
    home.observe(KEY, Missed::Sent, Now::Well, 700).await;
    home.deliver().await;
    assert_eq!(phone.stages(), ["began", "ended"]);
}

#[tokio::test]
async fn that_it_is_over_is_told_to_nobody_who_was_not_told_that_it_began() {
    let phone = Phone::new(1).await;
    let home = Home::new(config(&phone.url())).await;
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 60).await;
    home.mute(61, 600).await;
    home.deliver().await;
    for second in [300, 600, 601] {
        home.observe(KEY, Missed::Sent, Now::Well, second).await;
        home.deliver().await;
    }
    assert_eq!(phone.stages(), [""; 0]);
}

#[tokio::test]
async fn of_what_one_channel_was_given_it_is_told_that_it_is_over() {
    let (near, mut far) = (Phone::new(1).await, Phone::new(1).await);
    let home = Home::new(config(&format!("{}\n{}", near.url(), far.url()))).await;
    far.cut();
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 60).await;
    tokio::select! {
        () = home.notices().run(&home.db, home.recorder.clock()) => panic!("it never ends"),
        () = async {
            while home.waiting().await > 1 {
                sleep(Duration::from_millis(2)).await;
            }
        } => (),
    }
    home.mute(61, 600).await;
    far.repair().await;
    home.deliver().await;
    home.observe(KEY, Missed::Sent, Now::Lasting(time(60)), 600).await;
    home.observe(KEY, Missed::Sent, Now::Well, 700).await;
    home.deliver().await;
    assert_eq!((near.stages(), far.stages()), (vec!["began".to_owned(), "ended".into()], vec!["ended".to_owned()]));
}

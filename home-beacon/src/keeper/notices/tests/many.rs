//! All at once, and channels that do not answer.

use tokio::net::TcpListener;

use super::*;

async fn a_thousand(home: &Home) {
    let conditions: Vec<_> =
        (0..1000).map(|number| condition(&format!("job/{number}"), Missed::Sent, Now::Lasting(time(0)))).collect();
    home.notices().observe(&home.db, &conditions, home.at(60)).await.unwrap();
}

#[tokio::test]
async fn of_a_thousand_at_once_each_channel_gets_one_and_a_program_each() {
    let (people, others, program) = (Phone::new(0).await, Phone::new(0).await, Phone::new(0).await);
    let urls = format!("{}\n{}\n{}", people.url_for_people(), others.url_for_people(), program.url());
    let home = Home::new(config(&urls)).await;
    a_thousand(&home).await;
    home.deliver().await;
    for phone in [people, others] {
        assert_eq!(phone.titles(), ["1000 notices at once"]);
        let text = phone.stages().concat();
        assert!(text.contains("job/0 fails; job/1 fails") && text.contains("and 995 more."), "{text}");
    }
    assert_eq!(program.titles().len(), 1000);
}

#[tokio::test]
async fn a_channel_that_hangs_delays_no_other() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let phone = Phone::new(0).await;
    let urls = format!("json+http://{}/in\n{}", hanging.local_addr().unwrap(), phone.url());
    let home = Home::new(config(&urls)).await;
    let began = Instant::now();
    let running = home.notices().run(&home.db, home.recorder.clock());
    let sending = async {
        for number in 0..4 {
            let key = format!("job/{number}");
            home.observe(&key, Missed::Sent, Now::Lasting(time(0)), number).await;
        }
        while phone.taken().len() < 4 && began.elapsed() < LIMIT {
            sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = sending => (),
    }
    assert!(began.elapsed() < Duration::from_secs(20), "a call of the other one takes longer");
}

#[tokio::test]
async fn a_channel_that_refuses_is_listed_and_not_asked_again() {
    let phone = Phone::new(0).await;
    let url = phone.url().replace("/in", "/nowhere");
    let home = Home::new(config(&url)).await;
    home.observe("job/dns", Missed::Sent, Now::Lasting(time(0)), 0).await;
    home.deliver().await;
    let overview = home.notices().overview(&home.db, time(0)).await.unwrap().unwrap();
    let channel = &overview.channels[0];
    assert_eq!(
        (channel.waiting, channel.undelivered, channel.sent_at.is_some(), channel.failed_at.is_some()),
        (0, 1, false, true)
    );
    assert!(channel.failure.as_deref().is_some_and(|why| why.contains("404")), "{channel:?}");
    let failure = overview.notices[0].notice.failure.as_deref().unwrap();
    assert!(failure.contains("404"), "{failure}");
    assert_eq!(overview.lasting, ["job/dns"]);
}

#[tokio::test]
async fn what_is_serious_does_not_wait_behind_what_is_not() {
    let phone = Phone::new(0).await;
    let full = NoticeConfig { limit: Some(1), ..config(&phone.url_for_people()) };
    let home = Home::new(full).await;
    let serious = Condition { is_serious: true, ..condition("home/8kbf7d35c070", Missed::Sent, Now::Lasting(time(0))) };
    home.observe("job/one", Missed::Sent, Now::Lasting(time(0)), 0).await;
    let running = home.notices().run(&home.db, home.recorder.clock());
    let sending = async {
        let until = Instant::now() + LIMIT;
        while phone.titles().is_empty() && Instant::now() < until {
            sleep(Duration::from_millis(2)).await;
        }
        home.observe("job/two", Missed::Sent, Now::Lasting(time(0)), 1).await;
        home.notices().observe(&home.db, &[serious], time(1)).await.unwrap();
        while phone.titles().len() < 2 && Instant::now() < until {
            sleep(Duration::from_millis(2)).await;
        }
        sleep(Duration::from_millis(300)).await;
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = sending => (),
    }
    assert_eq!(phone.titles(), ["job/one fails", "home/8kbf7d35c070 fails"], "the hour is full");
}

#[tokio::test]
async fn a_file_of_channels_that_cannot_be_read_loses_nothing_and_is_read_once_it_can_be() {
    let phone = Phone::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify.urls");
    std::fs::write(&path, phone.url()).unwrap();
    let urls = Some(SecretSource::File { setting: NOTIFY_URLS.name, path: path.clone() });
    let recipients = NoticeConfig { urls, ..config("") };
    let home = Home::new(recipients.clone()).await;
    home.observe("job/dns", Missed::Sent, Now::Lasting(time(0)), 0).await;
    // A keeper begins while somebody writes the file.
    std::fs::write(&path, "ntfyy://x").unwrap();
    let home = Home { recorder: home.recorder.clone().with_notices(notices(&home.db, recipients).await), ..home };
    let running = home.notices().run(&home.db, home.recorder.clock());
    let mending = async {
        sleep(Duration::from_millis(400)).await;
        assert_eq!((home.waiting().await, phone.taken().len()), (1, 0));
        std::fs::write(&path, format!("# mended\n{}", phone.url())).unwrap();
        home.is_empty().await;
    };
    tokio::select! {
        () = running => panic!("it never ends"),
        () = mending => (),
    }
    assert_eq!(phone.stages(), ["began"]);
}

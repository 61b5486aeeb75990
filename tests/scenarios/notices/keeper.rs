//! The keeper's notices: real keepers, that are killed, and whose channels cannot be reached for a while.

use std::{net::Ipv4Addr, time::Duration};

use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{
    keeper::Keeper,
    notices::{Posted, Service},
};
use tokio::{
    net::TcpListener,
    process::Command,
    time::{Instant, sleep},
};

/// A keeper looks at its channels and its queue each half minute where nothing wakes it.
const LIMIT: Duration = Duration::from_secs(90);

fn writing_to(urls: &str) -> impl FnOnce(&mut Command) {
    let urls = urls.to_owned();
    move |command| {
        command.env("NOTIFY_URLS", urls).env("LOG_LEVEL", "trace");
    }
}

/// A reading of `dns`, so many minutes ago.
pub(super) async fn dns(keeper: &Keeper, minutes: i64, outcome: Value) {
    let at = Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let mut reading = json!({ "metric": "dns", "at": at.to_string() });
    for (name, value) in outcome.as_object().expect("an object") {
        reading[name] = value.clone();
    }
    let (status, answer) = keeper.own(Method::POST, "/readings", Some(json!({ "readings": [reading] }))).await;
    assert!((200..300).contains(&status), "{status} {answer}");
}

pub(super) async fn failing(keeper: &Keeper) {
    for minutes in [3, 2, 1] {
        dns(keeper, minutes, json!({ "failure": "no answer" })).await;
    }
}

/// Stage and id of what came.
fn came(phone: &Service) -> Vec<(String, String)> {
    let of = |posted: &Posted| {
        let data = &posted.json()["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        (text("stage"), text("id"))
    };
    phone.posted().iter().map(of).collect()
}

pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < until, "it takes too long until {what}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn ten_keepers_that_are_killed_send_never_nothing_and_twice_only_what_they_could_not_note() {
    let rounds = (0..10).map(|round| async move {
        let phone = Service::hanging().await;
        let url = format!("json+http://{}/in", phone.host());
        let keeper = Keeper::start_with(writing_to(&url)).await;
        failing(&keeper).await;
        // Half of them once the service has the notice and before it says so, the others at any time.
        let is_accepted = round % 2 == 0;
        if is_accepted {
            until("it is sent", || !phone.posted().is_empty()).await;
        } else {
            sleep(Duration::from_millis(round * 3)).await;
        }
        let Keeper { process, folder, .. } = keeper;
        process.kill().await;
        // What was on its way is there by then.
        sleep(Duration::from_millis(500)).await;
        let before = phone.posted().len();
        phone.release();
        let keeper = Keeper::restart_with(folder, writing_to(&url)).await;
        until("it is sent after the restart", || phone.posted().len() > before).await;
        dns(&keeper, 0, json!({ "value": 1.0 })).await;
        until("it is over", || came(&phone).iter().any(|(stage, _)| stage == "ended")).await;
        let came = came(&phone);
        let began: Vec<_> = came.iter().filter(|(stage, _)| stage == "began").collect();
        assert_eq!(began.len(), before + 1, "{came:?}");
        assert!(began.windows(2).all(|pair| pair[0] == pair[1]), "who gets it twice can drop the second: {came:?}");
        assert_eq!(came.len(), began.len() + 1, "{came:?}");
        before
    });
    let repeated: usize = join_all(rounds).await.into_iter().sum();
    println!("10 keepers killed: {repeated} notices sent a second time");
    assert!(repeated >= 5, "half of them were killed after the service had it: {repeated}");
}

#[tokio::test]
async fn ten_keepers_that_are_cut_off_send_what_still_holds_once_the_line_is_back() {
    let rounds = (0..10).map(|round| async move {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.and_then(|it| it.local_addr()).expect("a port").port();
        let url = format!("json+http://127.0.0.1:{port}/in");
        let keeper = Keeper::start_with(writing_to(&url)).await;
        failing(&keeper).await;
        sleep(Duration::from_millis(500 + round * 300)).await;
        let is_over = round % 2 == 0;
        if is_over {
            dns(&keeper, 0, json!({ "value": 1.0 })).await;
        }
        let phone = Service::start_at(port).await;
        // Something of now, by which it is seen that the line is back.
        for minutes in [3, 2, 1] {
            let reading = json!({ "metric": "other", "at": (Timestamp::now() - jiff::SignedDuration::from_mins(minutes)).to_string(),
                "failure": "no answer" });
            keeper.own(Method::POST, "/readings", Some(json!({ "readings": [reading] }))).await;
        }
        let expected = if is_over { 1 } else { 2 };
        until("the line is back", || phone.posted().len() >= expected).await;
        sleep(Duration::from_millis(500)).await;
        let titles: Vec<_> = phone.posted().iter().map(|posted| posted.json()["data"]["title"].clone()).collect();
        let other = json!("The job other fails");
        let all = if is_over { vec![other] } else { vec![json!("The job dns fails"), other] };
        assert_eq!(titles, all);
    });
    join_all(rounds).await;
}

#[tokio::test]
async fn no_secret_of_a_channel_is_in_a_log_an_answer_or_the_database_and_one_that_hangs_delays_none() {
    let (phone, hanging) =
        (Service::start(|_, _| tests::notices::Reply::text(204, "")).await, Service::hanging().await);
    let urls =
        format!("json+http://me:passSecret@{}/pathSecret\njson+http://{}/hangSecret", phone.host(), hanging.host());
    let keeper = Keeper::start_with(writing_to(&urls)).await;
    failing(&keeper).await;
    until("it is sent", || phone.posted().len() == 1 && hanging.posted().len() == 1).await;
    let (_, overview) = keeper.own(Method::GET, "/notices", None).await;
    let metrics = reqwest::get(format!("{}/metrics", keeper.url)).await.expect("metrics").text().await.expect("text");
    assert!(metrics.contains("\nporchlight_notices_sent_total 1\n"), "{metrics}");
    let waiting = format!("porchlight_notices_waiting{{channel=\"json+http://{}/***\"}} 1", hanging.host());
    assert!(metrics.contains(&waiting), "{metrics}");
    let arguments = std::fs::read_to_string(format!("/proc/{}/cmdline", keeper.process.pid())).expect("its arguments");
    let mut shown = format!("{overview}{metrics}{arguments}{}", keeper.process.lines().join("\n"));
    for file in ["keeper.db", "keeper.db-wal"] {
        shown += &String::from_utf8_lossy(&std::fs::read(keeper.folder.path().join(file)).unwrap_or_default());
    }
    assert!(shown.contains("The job dns fails") && !shown.contains("Secret"), "{overview}");
}

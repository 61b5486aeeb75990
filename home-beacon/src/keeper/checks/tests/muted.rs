//! Checks of which nobody is written to for a while, and results that are posted, with their pictures.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::keeper::checks::{calls::take_result, listed, posted::Posted};

/// The smallest of what says that it is a JPEG: of 2 by 3 pixels.
const JPEG: &[u8] =
    b"\xff\xd8\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xc0\x00\x0b\x08\x00\x03\x00\x02\x01\x01\x11\x00\xff\xd9";

impl Home {
    async fn mute(&self, name: &str, until: i64) {
        let key = format!("check/{name}");
        let now = time(self.now.load(Relaxed));
        self.recorder.notices().mute(&self.db, now, &key, time(until)).await.unwrap();
    }

    async fn post(&self, second: i64, result: Value) {
        self.now.store(second, Relaxed);
        let Value::Object(result) = result else { unreachable!() };
        let known = listed::find(&self.db, &"camera".parse().unwrap()).await.unwrap().unwrap();
        take_result(&self.recorder, &known, &Posted::read(result).unwrap()).await.unwrap();
    }
}

fn camera() -> Value {
    let passive = json!({"period_seconds": 3600, "grace_seconds": 600});
    with(check("camera"), json!({"kind": "passive", "every_seconds": 3600, "passive": passive}))
}

fn notice(stage: &str, title: &str) -> (String, String) {
    (stage.to_owned(), title.to_owned())
}

#[tokio::test]
async fn what_begins_while_it_is_muted_is_told_at_the_end_if_it_lasts_and_not_at_all_if_it_does_not() {
    let home = Home::new().await;
    home.register(json!([check("nas"), check("tv")])).await.unwrap();
    for name in ["nas", "tv"] {
        home.ran(name, 0, State::Ok).await;
        home.mute(name, 600).await;
        home.ran(name, 60, State::Critical).await;
    }
    home.ran("tv", 120, State::Ok).await;
    let home = home.restarted().await;
    for name in ["nas", "tv"] {
        home.ran(name, 580, if name == "nas" { State::Critical } else { State::Ok }).await;
    }
    home.watch(590, -9999).await;
    assert_eq!(home.notices().await, [], "they are muted, over a restart too");
    home.ran("nas", 595, State::Critical).await;
    home.watch(601, -9999).await;
    assert_eq!(home.notices().await, [notice("began", "NAS is down")]);
    home.ran("nas", 660, State::Ok).await;
    home.watch(690, -9999).await;
    let titles: Vec<String> = home.rows("SELECT title FROM notices ORDER BY id").await;
    assert!(!titles.iter().any(|title| title.contains("TV")), "{titles:?}");
}

#[tokio::test]
async fn a_mute_is_listed_and_goes_with_its_check_by_whatever_name() {
    let home = Home::new().await;
    home.register(json!([check("nas"), check("tv")])).await.unwrap();
    home.mute("nas", 600).await;
    let muted = async |home: &Home| -> Vec<Value> {
        let listed = home.listed().await;
        listed.iter().map(|check| json!([check["name"], check["muted"], check["muted_until"]])).collect()
    };
    let until = "2026-11-29T12:10:00.000Z";
    assert_eq!(muted(&home).await, [json!(["nas", true, until]), json!(["tv", false, null])]);
    home.register(json!([with(check("store"), json!({"was": "nas"})), check("tv")])).await.unwrap();
    assert_eq!(muted(&home).await, [json!(["store", true, until]), json!(["tv", false, null])]);
    home.ran("store", 60, State::Critical).await;
    assert_eq!(home.notices().await, []);
    home.register(json!([check("tv")])).await.unwrap();
    home.register(json!([check("store"), check("tv")])).await.unwrap();
    assert_eq!(muted(&home).await[0], json!(["store", false, null]));
    home.ran("store", 120, State::Critical).await;
    assert_eq!(home.notices().await, [notice("began", "STORE is down")]);
    home.now.store(599, Relaxed);
    home.mute("tv", 601).await;
    home.now.store(601, Relaxed);
    assert_eq!(muted(&home).await[1], json!(["tv", false, null]), "it ends by itself");
}

#[tokio::test]
async fn a_picture_waits_with_the_notice_of_its_result_and_no_longer() {
    let picture = STANDARD.encode(JPEG);
    let result = |status: u8| json!({"output": "no image", "status": status, "image_jpg_base64": picture});
    let kept = async |home: &Home| -> Vec<(String, String)> {
        home.rows("SELECT title, jpeg FROM notice_pictures JOIN notices ON id = notice_id").await
    };
    let home = Home::new().await;
    home.register(json!([camera()])).await.unwrap();
    home.post(0, result(0)).await;
    home.post(60, result(2)).await;
    assert_eq!(home.notices().await, [notice("began", "CAMERA is down")]);
    assert_eq!(kept(&home).await, [], "nobody is given a picture");

    let home = Home::writing_to(SEED, 0, "telegram://123456:ABC-def_ghi@telegram?chats=42").await;
    home.register(json!([camera()])).await.unwrap();
    home.post(0, result(0)).await;
    assert_eq!(kept(&home).await, [], "of what is well nobody is written to");
    home.post(60, result(2)).await;
    home.post(120, result(2)).await;
    assert_eq!(
        kept(&home).await,
        [("CAMERA is down".to_owned(), picture.clone())],
        "the first one is that of the notice"
    );
    home.post(180, json!({"output": "", "status": 0})).await;
    assert_eq!(kept(&home).await, [], "it was not sent, and is over");
}

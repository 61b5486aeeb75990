//! Notices over a real database and real sockets, with clocks that are moved by hand; a second of waiting is five milliseconds.
//!
//! - `phone`: a service that takes what it is sent, and can be out of reach
//! - `killed`: a keeper that ends at any time; `cut`: a line that is down meanwhile; `many`: all at once;
//!   `muted`: a mute before it could be sent; `operator`: channels that the operator writes

mod cut;
mod killed;
mod learnt;
mod many;
mod muted;
mod operator;
mod phone;
mod storage;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use notify::{event::Subject, rules::Now, settings::NOTIFY_URLS};
use shared::secret::{Secret, SecretSource};
use tokio::time::sleep;

use self::phone::Phone;
use super::{
    NoticeConfig, Notices,
    condition::{Condition, Missed, Words},
};
use crate::{
    clock::{Clock, Host},
    keeper::{
        db::{Db, query},
        measured::Recorder,
        outbox::Outbox,
        seed::{self, Seed},
    },
};

const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\ntime_zone = \"Europe/Berlin\"\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Home internet\"\n";

/// 2026-11-29T12:00:00Z
const NOON: i64 = 1_795_953_600;

/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(90);

/// A keeper without its listeners.
struct Home {
    folder: tempfile::TempDir,
    db: Db,
    recorder: Recorder,
    /// In seconds after noon.
    now: Arc<AtomicI64>,
}

fn config(urls: &str) -> NoticeConfig {
    let urls = Some(SecretSource::Value(Secret::new(urls.to_owned())));
    NoticeConfig {
        urls,
        operator_urls: None,
        every: None,
        quiet: None,
        serious_anytime: false,
        limit: Some(20),
        loss: 20.0,
    }
}

impl Home {
    async fn new(config: NoticeConfig) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        let now = Arc::new(AtomicI64::new(0));
        let shown = Arc::clone(&now);
        let wall = Clock::new(move || Timestamp::from_second(NOON + shown.load(Relaxed)).unwrap());
        let recorder = Recorder::new(db.clone(), Host::at(wall), Outbox::new(db.clone(), false)).await.unwrap();
        seed::apply(&db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
        let notices = notices(&db, config).await;
        Self { folder, db, recorder: recorder.with_notices(notices), now }
    }

    fn at(&self, second: i64) -> Timestamp {
        self.now.store(second, Relaxed);
        time(second)
    }

    fn notices(&self) -> &Notices {
        self.recorder.notices()
    }

    /// Sends, until the queue is empty.
    async fn deliver(&self) {
        tokio::select! {
            () = self.notices().run(&self.db, self.recorder.clock()) => panic!("it never ends"),
            () = self.is_empty() => (),
        }
    }

    async fn is_empty(&self) {
        let until = Instant::now() + LIMIT;
        while self.waiting().await > 0 {
            assert!(Instant::now() < until, "it still waits");
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn waiting(&self) -> i64 {
        let count = query("SELECT COUNT(*) FROM notice_deliveries WHERE failure IS NULL");
        count.one(&mut self.db.read().await.unwrap()).await.unwrap()
    }

    async fn observe(&self, key: &str, missed: Missed, now: Now, second: i64) {
        let condition = Condition { seen_at: time(second), ..condition(key, missed, now) };
        self.notices().observe(&self.db, &[condition], self.at(second)).await.unwrap();
    }
}

async fn notices(db: &Db, config: NoticeConfig) -> Notices {
    Notices::new(Some(&config), (None, None), db, time(0)).await.unwrap()
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(NOON + second).unwrap()
}

fn condition(key: &str, missed: Missed, now: Now) -> Condition {
    Condition {
        key: key.into(),
        subject: Subject::Job,
        is_serious: false,
        missed,
        now,
        seen_at: time(0),
        words: Words { title: format!("{key} fails"), text: "Why.".into(), ended: format!("{key} works again") },
    }
}

//! A keeper's inside, without its listeners: what it records, queues and relays, on clocks of the test's making.

use std::path::Path;

use home_beacon::{
    clock::Host,
    keeper::{
        db::{Db, Moment},
        measured::{
            Recorder,
            heartbeats::{Gap, gaps},
            retention,
        },
        outbox::{Backlog, Outbox},
        relay::{RelayWorker, Upstream},
        seed::{self, Seed},
        status::components::{self, ComponentPatch},
    },
};
use jiff::Timestamp;
use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};

/// An open database, and the keeper's parts over it.
#[derive(Clone, Debug)]
pub struct Home {
    pub db: Db,
    pub recorder: Recorder,
    pub outbox: Outbox,
}

#[expect(clippy::missing_panics_doc, reason = "a test panics")]
impl Home {
    /// The database in that folder; `relays` is whether there is a page upstream.
    pub async fn open(folder: &Path, host: Host, relays: bool) -> Self {
        let db = Db::open(&format!("sqlite:{}", folder.join("keeper.db").display())).await.expect("it opens");
        let outbox = Outbox::new(db.clone(), relays);
        let recorder = Recorder::new(db.clone(), host, outbox.clone()).await.expect("it can be read");
        Self { db, recorder, outbox }
    }

    /// Applies a seed; the page that is shown.
    pub async fn seed(&self, text: &str) -> PageId {
        let seed = Seed::parse(text).expect("a seed");
        seed::apply(&self.db, Moment::new(self.now()), &seed).await.expect("it can be written")
    }

    /// The relay's worker, to be stepped by hand.
    pub fn worker(&self, page: PageId, upstream: &Upstream) -> RelayWorker {
        let clock = self.recorder.clock().clone();
        RelayWorker::new(self.db.clone(), clock, self.outbox.clone(), page, upstream).expect("a client")
    }

    /// The time on its wall.
    pub fn now(&self) -> Timestamp {
        self.recorder.clock().wall()
    }

    /// How much waits for upstream.
    pub async fn backlog(&self) -> Backlog {
        self.outbox.backlog(self.now()).await.expect("it can be read")
    }

    /// The newest times in which nothing was recorded.
    pub async fn gaps(&self) -> Vec<Gap> {
        gaps(&self.db, None, 10).await.expect("gaps")
    }

    /// Rolls up what is old.
    pub async fn roll_up(&self) {
        retention::run_once(&self.db, self.now()).await.expect("it can be written");
    }

    /// Sets a component's status, as a local client does.
    pub async fn set_status(&self, page: &PageId, id: &str, status: ComponentStatus) {
        let id: ComponentId = id.parse().expect("an id");
        let patch = ComponentPatch { status: Some(Some(status)), ..ComponentPatch::default() };
        let now = Moment::new(self.now());
        components::update(&self.db, &self.outbox, now, page, &id, patch).await.expect("it can be written");
    }
}

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::Relaxed},
};

use jiff::Timestamp;
use shared::statuspage::IncidentStatus;

use super::*;
use crate::{
    clock::{Clock, Host},
    keeper::{
        db::write_fault::WriteFault,
        measured::Recorder,
        outbox::Outbox,
        seed::{self, Seed},
        status::{
            IncidentPatch, PlanPatch,
            components::ComponentPatch,
            incidents::{self, NewIncident},
        },
    },
};

const SEED: &str = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n\n\
                    [[components]]\nid = \"8kbf7d35c070\"\nname = \"Line\"\n\n\
                    [[components]]\nid = \"8kbf7d35c071\"\nname = \"NAS\"\nlooks = false\n";

/// 2026-11-28 12:00, in milliseconds.
const NOON: i64 = 1_795_867_200_000;
const MINUTE: i64 = 60_000;

const LINE: &str = "8kbf7d35c070";
const NAS: &str = "8kbf7d35c071";

const BOTH: PlanPatch = PlanPatch {
    begins: Some(true),
    ends: Some(true),
    to_maintenance: Some(true),
    to_operational: Some(true),
    notify_at_start: Some(true),
    notify_at_end: None,
    remind_prior: None,
};

/// A keeper's database, and a clock that is moved by hand, in minutes after noon.
struct Home {
    db: Db,
    recorder: Recorder,
    now: Arc<AtomicI64>,
    page: PageId,
    _folder: tempfile::TempDir,
}

impl Home {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("k.db").display())).await.unwrap();
        let now = Arc::new(AtomicI64::new(NOON));
        let shown = Arc::clone(&now);
        let wall = Clock::new(move || Timestamp::from_millisecond(shown.load(Relaxed)).unwrap());
        let recorder = Recorder::new(db.clone(), Host::at(wall), Outbox::new(db.clone(), false)).await.unwrap();
        let page = seed::apply(&db, recorder.clock().now(), &Seed::parse(SEED).unwrap()).await.unwrap();
        Self { db, recorder, now, page, _folder: folder }
    }

    fn at(&self, minute: i64) {
        self.now.store(NOON + minute * MINUTE, Relaxed);
    }

    async fn pass(&self) -> Pass {
        carry_out(&self.db, self.recorder.looks(), self.recorder.clock()).await.unwrap()
    }

    async fn plan(&self, begin: i64, end: i64, components: &[&str], plan: PlanPatch) -> IncidentId {
        let patch = IncidentPatch {
            scheduled_for: Some(Some(moment(begin))),
            scheduled_until: Some(Some(moment(end))),
            component_ids: Some(components.iter().map(|id| id.parse().unwrap()).collect()),
            plan,
            ..IncidentPatch::default()
        };
        let new = NewIncident { name: "New router".into(), patch, backfilled: None };
        incidents::create(&self.db, self.recorder.clock().now(), &self.page, new).await.unwrap().id
    }

    async fn get(&self, id: &IncidentId) -> Incident {
        incidents::get(&self.db, &self.page, id).await.unwrap()
    }

    async fn status(&self, component: &str) -> &'static str {
        let component = components::get(&self.db, &self.page, &component.parse().unwrap()).await.unwrap();
        component.status.map_or("", ComponentStatus::as_str)
    }

    /// A human's word.
    async fn set(&self, component: &str, status: ComponentStatus) {
        let outbox = Outbox::new(self.db.clone(), false);
        let patch = ComponentPatch { status: Some(Some(status)), ..ComponentPatch::default() };
        let (now, id) = (self.recorder.clock().now(), component.parse().unwrap());
        components::update(&self.db, &outbox, now, &self.page, &id, patch).await.unwrap();
    }

    async fn execute(&self, text: &'static str) {
        query(text).execute(&mut self.db.write().await.unwrap()).await.unwrap();
    }
}

fn moment(minute: i64) -> Moment {
    Moment::try_from(NOON + minute * MINUTE).unwrap()
}

/// Nothing is due for longer than that.
const QUIET: Pass = Pass { moved: 0, wait: Some(LONGEST_WAIT) };

#[tokio::test]
async fn a_maintenance_begins_and_ends_when_it_is_due_and_once() {
    let home = Home::new().await;
    let id = home.plan(10, 20, &[LINE, NAS], BOTH).await;
    assert_eq!(home.pass().await, QUIET);
    home.now.store(NOON + 10 * MINUTE - 1500, Relaxed);
    assert_eq!(home.pass().await, Pass { moved: 0, wait: Some(Duration::from_millis(1500)) });
    assert_eq!((home.get(&id).await.state.status, home.status(NAS).await), (IncidentStatus::Scheduled, "operational"));

    home.now.fetch_add(1700, Relaxed);
    assert_eq!(home.pass().await.moved, 1);
    let begun = home.get(&id).await;
    assert_eq!((begun.state.status, begun.incident_updates.len()), (IncidentStatus::InProgress, 2));
    let update = &begun.incident_updates[0];
    assert_eq!((update.display_at, update.deliver_notifications), (moment(10), true));
    assert_eq!(update.body, "The scheduled maintenance is under way.");
    assert_eq!(update.affected_components.as_ref().unwrap().len(), 2);
    assert_eq!([home.status(LINE).await, home.status(NAS).await], ["under_maintenance"; 2]);
    assert_eq!(home.pass().await, QUIET, "and that is all");

    home.at(20);
    assert_eq!(home.pass().await.moved, 1);
    let ended = home.get(&id).await;
    assert_eq!((ended.state.status, ended.times.resolved_at), (IncidentStatus::Completed, Some(moment(20))));
    assert_eq!((ended.incident_updates.len(), ended.incident_updates[0].deliver_notifications), (3, false));
    assert_eq!(ended.impact.as_str(), "maintenance");
    assert_eq!([home.status(LINE).await, home.status(NAS).await], ["operational"; 2]);
    home.at(1000);
    assert_eq!(home.pass().await, QUIET);
}

#[tokio::test]
async fn what_was_due_while_nothing_ran_is_dated_when_it_was_due() {
    let home = Home::new().await;
    let id = home.plan(10, 20, &[NAS], BOTH).await;
    home.at(300);
    assert_eq!(home.pass().await.moved, 1, "in one transaction");
    let ended = home.get(&id).await;
    let updates: Vec<_> =
        ended.incident_updates.iter().map(|update| (update.state.to_string(), update.display_at)).collect();
    let expected = [("completed", moment(20)), ("in_progress", moment(10)), ("scheduled", moment(0))];
    assert_eq!(updates, expected.map(|(status, at)| (status.to_owned(), at)));
    assert_eq!((ended.times.updated_at > moment(299), ended.times.resolved_at), (true, Some(moment(20))));
    let changes = components::status_changes(&home.db, &NAS.parse().unwrap(), 10).await.unwrap();
    let since: Vec<_> = changes.iter().map(|change| change.since).collect();
    assert_eq!(since, [moment(20), moment(10), moment(0)]);
}

#[tokio::test]
async fn what_is_planned_after_its_time_counts_from_when_it_was_planned() {
    let home = Home::new().await;
    home.at(30);
    let id = home.plan(10, 60, &[NAS], BOTH).await;
    home.at(31);
    assert_eq!(home.pass().await.moved, 1);
    assert_eq!(home.get(&id).await.incident_updates[0].display_at, moment(30));
    let changes = components::status_changes(&home.db, &NAS.parse().unwrap(), 1).await.unwrap();
    assert_eq!(changes[0].since, moment(30));
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_done() {
    use IncidentStatus::{InProgress, Scheduled};
    let home = Home::new().await;
    let no = home.plan(10, 20, &[NAS], PlanPatch::default()).await;
    let ends = home.plan(10, 20, &[NAS], PlanPatch { ends: Some(true), ..PlanPatch::default() }).await;
    let begins = home.plan(10, 20, &[NAS], PlanPatch { begins: Some(true), ..PlanPatch::default() }).await;
    home.at(30);
    assert_eq!(home.pass().await.moved, 1);
    for (id, status) in [(no, Scheduled), (ends, Scheduled), (begins, InProgress)] {
        assert_eq!(home.get(&id).await.state.status, status);
    }
    assert_eq!(home.status(NAS).await, "operational");
}

#[tokio::test]
async fn a_component_that_somebody_moved_or_works_on_still_is_left_alone() {
    let home = Home::new().await;
    home.plan(10, 20, &[LINE, NAS], BOTH).await;
    let other = home.plan(15, 30, &[LINE], BOTH).await;
    home.at(16);
    home.pass().await;
    home.set(NAS, ComponentStatus::DegradedPerformance).await;
    home.at(21);
    assert_eq!(home.pass().await.moved, 1);
    assert_eq!(home.status(NAS).await, "degraded_performance");
    assert_eq!(home.status(LINE).await, "under_maintenance", "the other one is under way");
    home.at(31);
    home.pass().await;
    assert_eq!(
        (home.status(LINE).await, home.get(&other).await.state.to_string()),
        ("operational", "completed".into())
    );
}

#[tokio::test]
async fn a_component_that_was_seen_down_last_is_not_called_up() {
    for (verdict, cause, expected) in [
        ("down", Some("refused"), "major_outage"),
        ("up", None, "operational"),
        ("degraded", Some("slow"), "operational"),
    ] {
        let home = Home::new().await;
        let id = home.plan(10, 20, &[LINE, NAS], BOTH).await;
        home.at(11);
        home.pass().await;
        let look = serde_json::json!({"component_id": LINE, "verdict": verdict, "cause": cause, "from": "outside"});
        let run = serde_json::json!({"page_id": home.page, "at": (NOON + 11 * MINUTE) / 1000, "location": "eu-central-1", "looks": [look]});
        let run: shared::look::PostedLooks = serde_json::from_value(run).unwrap();
        let now = home.recorder.clock().now_for_looks().unwrap();
        home.recorder.looks().take(&home.db, now, &run).await.unwrap();
        home.at(20);
        home.pass().await;
        assert_eq!([home.status(LINE).await, home.status(NAS).await], [expected, "operational"], "{verdict}");
        assert_eq!(home.get(&id).await.impact.as_str(), "maintenance");
    }
}

#[tokio::test]
async fn copies_are_never_moved() {
    let home = Home::new().await;
    let id = home.plan(10, 20, &[LINE], BOTH).await;
    home.execute("UPDATE incidents SET mirrored = 1").await;
    home.at(30);
    assert_eq!(home.pass().await, QUIET);
    home.execute("UPDATE incidents SET mirrored = 0").await;
    home.execute("UPDATE components SET mirrored = 1").await;
    assert_eq!(home.pass().await.moved, 1);
    assert_eq!((home.get(&id).await.state.status, home.status(LINE).await), (IncidentStatus::Completed, "operational"));
    let changes = components::status_changes(&home.db, &LINE.parse().unwrap(), 10).await.unwrap();
    assert_eq!(changes.len(), 1, "upstream's component is upstream's");
}

#[tokio::test]
async fn a_clock_that_is_not_believed_moves_nothing() {
    let home = Home::new().await;
    let id = home.plan(10, 20, &[NAS], BOTH).await;
    let host = Host {
        built: Timestamp::from_millisecond(NOON + 600 * MINUTE).unwrap(),
        ..home.recorder.clock().host().clone()
    };
    let clock = KeeperClock::new(host, None, None);
    home.at(300);
    let pass = carry_out(&home.db, home.recorder.looks(), &clock).await.unwrap();
    assert_eq!(pass, Pass { moved: 0, wait: None });
    assert_eq!(home.get(&id).await.state.status, IncidentStatus::Scheduled);
}

#[tokio::test]
async fn a_step_that_cannot_be_written_is_taken_in_whole_later() {
    let home = Home::new().await;
    let id = home.plan(10, 20, &[LINE, NAS], BOTH).await;
    home.at(12);
    for fault in [WriteFault::UpdateRow, WriteFault::Commit] {
        fault.begin(&home.db).await;
        let failed = carry_out(&home.db, home.recorder.looks(), home.recorder.clock()).await;
        assert!(matches!(failed, Err(KeeperError::Storage(_))), "{fault:?}");
        WriteFault::end(&home.db).await;
        let there = home.get(&id).await;
        assert_eq!((there.state.status, there.incident_updates.len()), (IncidentStatus::Scheduled, 1), "{fault:?}");
        assert_eq!([home.status(LINE).await, home.status(NAS).await], ["operational"; 2], "{fault:?}");
    }
    assert_eq!(home.pass().await.moved, 1);
    assert_eq!(home.get(&id).await.incident_updates.len(), 2);
    assert_eq!([home.status(LINE).await, home.status(NAS).await], ["under_maintenance"; 2]);
}

//! The keeper's clock: the time on the wall, and whether it can be trusted. After a power cut a machine without a battery
//! for its clock begins with a time that it saved before the cut.

mod plausible;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use jiff::Timestamp;
use shared::message::StorageFault;

use self::plausible::{Evidence, is_plausible};
pub(super) use self::plausible::{Heartbeat, is_near, was_restarted, was_stepped};
use crate::{
    clock::{Host, Shown},
    keeper::db::Moment,
};

/// The clocks of the host, and what is known of them. Clones share it.
#[derive(Clone, Debug)]
pub struct KeeperClock {
    host: Host,
    /// The last heartbeat before this process.
    last_heartbeat: Option<Heartbeat>,
    /// What the host's clocks showed when this process began.
    began: Shown,
    /// Whether the time on the wall was plausible then, or was stepped since a reading came that waits for its time.
    began_plausible: bool,
    stepped_before: bool,
    /// The uptime at which it was plausible first. A host that loses its time server later still has the time.
    trusted: Arc<OnceLock<Duration>>,
}

impl KeeperClock {
    /// The clock of a keeper that begins now. `undated_boot` is when the host booted, by its clock as it was when the
    /// first of the readings came that still wait for their time in this boot.
    pub(super) fn new(host: Host, last_heartbeat: Option<Heartbeat>, undated_boot: Option<Timestamp>) -> Self {
        let began = host.shown();
        let stepped_before = undated_boot.is_some_and(|booted| was_stepped(booted, began.booted()));
        let mut clock =
            Self { host, last_heartbeat, began, began_plausible: true, stepped_before, trusted: Arc::default() };
        clock.began_plausible = clock.is_set();
        if !clock.began_plausible {
            let last = clock.last_heartbeat.as_ref().map(|last| last.at.to_string());
            tracing::warn!(
                shows = %clock.began.wall,
                last_heartbeat = last,
                more = StorageFault::Clock.entry().link(),
                "the clock cannot be trusted: it is earlier than this program, or goes on from a time that was saved before \
                 the host was off; {}",
                StorageFault::Clock.words()
            );
        }
        clock
    }

    /// The time; `None` while it is not plausible.
    pub fn trusted_now(&self) -> Option<Timestamp> {
        let now = self.host.now()?;
        if self.trusted.get().is_none() {
            let (shown, last) = (self.host.shown(), self.last_heartbeat.as_ref());
            let evidence = self.evidence(&shown);
            if !is_plausible(last, &self.host.boot, &shown, evidence) {
                return None;
            }
            if self.trusted.set(shown.uptime).is_ok() && last.is_some() && !self.began_plausible {
                tracing::info!(
                    synchronised = evidence.synchronised,
                    stepped = evidence.stepped,
                    "the clock can be trusted now"
                );
            }
        }
        Some(now)
    }

    /// Whether the host's clock shows the time.
    pub fn is_set(&self) -> bool {
        self.trusted_now().is_some()
    }

    /// How long this process has known the time; `None` while it does not.
    pub(super) fn trusted_for(&self) -> Option<Duration> {
        self.trusted_now()?;
        Some(self.host.uptime.now().saturating_sub(*self.trusted.get()?))
    }

    /// The time on the wall, plausible or not.
    pub fn wall(&self) -> Timestamp {
        self.host.wall.now()
    }

    /// As [`KeeperClock::wall`], to the millisecond.
    pub fn now(&self) -> Moment {
        Moment::new(self.wall())
    }

    /// The host's clocks.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// What they showed when this process began.
    pub(super) fn began(&self) -> &Shown {
        &self.began
    }

    /// Whether the time was plausible then.
    pub(super) fn began_plausible(&self) -> bool {
        self.began_plausible
    }

    fn evidence(&self, shown: &Shown) -> Evidence {
        let stepped = self.stepped_before || was_stepped(self.began.booted(), shown.booted());
        Evidence { synchronised: self.host.synchronised.now(), stepped, saved: self.host.saves_its_clock }
    }
}

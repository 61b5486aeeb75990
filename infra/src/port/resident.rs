//! `porchlight port open --every`: keeps the port open, and notices a router that was restarted, or gives another port.

use std::{net::IpAddr, process::ExitCode, time::Duration};

use home_beacon::{clock::BootClock, programs::manager::Manager};
use shared::names::Family;
use tokio::time::{Instant, sleep_until};

use super::{
    close::{self, Closed},
    mapping::Mapping,
    moment::Moment,
    open::{Opened, open},
    record::Record,
    renewal::{next, noticed},
    reported, say,
    settings::{OpenSettings, WhichSettings},
};

/// How long closing may take when this program is ended: systemd and the kubelet wait no longer.
const CLOSING: Duration = Duration::from_secs(8);

/// One family, from round to round.
#[derive(Debug)]
struct Kept {
    family: Family,
    /// What was open at the last round, and the time of the boot clock then.
    last: Option<(Mapping, Duration)>,
    /// What the router said its address is.
    outside: Option<IpAddr>,
    /// What was said last of a failure: it is said once.
    complaint: Option<String>,
    failures: u32,
}

/// Keeps what is wanted open until `stop`.
///
/// # Errors
/// When what is open cannot be written down.
pub async fn stay(
    which: &WhichSettings,
    settings: &OpenSettings,
    every: Duration,
    record: Record,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<ExitCode> {
    let manager = Manager::of_environment();
    manager.ready();
    let kept = stay_within(which, settings, every, record, manager.passing_on(stop));
    manager.watching(kept).await.map(|()| ExitCode::SUCCESS)
}

/// As [`stay`], within another program, which tells its manager itself.
///
/// # Errors
/// When what is open cannot be written down.
pub async fn stay_within(
    which: &WhichSettings,
    settings: &OpenSettings,
    every: Duration,
    mut record: Record,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let ended = tokio::select! {
        failed = keep(which, settings, every, &mut record) => failed,
        () = stop => Ok(()),
    };
    leave(settings, &mut record).await?;
    ended
}

/// Round after round; it ends only where it cannot go on.
async fn keep(
    which: &WhichSettings,
    settings: &OpenSettings,
    every: Duration,
    record: &mut Record,
) -> anyhow::Result<()> {
    let new = |family: &Family| Kept { family: *family, last: None, outside: None, complaint: None, failures: 0 };
    let mut families: Vec<_> = which.families().iter().map(new).collect();
    let clock = BootClock::since_boot();
    loop {
        let start = Instant::now();
        let mut pause = every;
        for kept in &mut families {
            kept.round(which, settings, record, &clock).await?;
            pause = pause.min(next(every, kept.last.as_ref().and_then(|(last, _)| last.lease), kept.failures));
        }
        sleep_until(start + pause).await;
    }
}

impl Kept {
    /// Asks the router once, and says what is new.
    async fn round(
        &mut self,
        which: &WhichSettings,
        settings: &OpenSettings,
        record: &mut Record,
        clock: &BootClock,
    ) -> anyhow::Result<()> {
        record.prune(&Moment::now())?;
        match open(which, settings, self.family, record).await {
            Ok(opened) => {
                self.opened(which, &opened, clock.now()).await;
                self.failures = 0;
                self.complaint = None;
            }
            Err(error) if error.is::<super::refused::NotOpened>() => {
                self.failures = self.failures.saturating_add(1);
                let complaint = error.to_string();
                if self.complaint.as_ref() != Some(&complaint) {
                    say(format_args!("{complaint}"));
                    self.complaint = Some(complaint);
                }
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn opened(&mut self, which: &WhichSettings, opened: &Opened, now: Duration) {
        let last = self.last.take().map(|(last, at)| (last, Some(now.saturating_sub(at))));
        // The first round shows how it stands.
        let mut is_new = self.failures > 0 || last.is_none();
        if let Some((before, elapsed)) = last.or_else(|| opened.before.clone().map(|before| (before, None))) {
            for noticed in noticed(&before, &opened.mapping, elapsed, opened.was_there) {
                say(format_args!("{noticed}"));
                is_new = true;
            }
            is_new |= !before.is_same_place(&opened.mapping);
        }
        let outside = opened.outside;
        is_new |= outside.is_some() && self.outside.is_some() && outside != self.outside;
        if is_new {
            say(format_args!("{}", reported(which, self.family, opened).await.to_string().trim_end()));
        }
        self.outside = outside.or(self.outside);
        self.last = Some((opened.mapping.clone(), now));
    }
}

/// What becomes of what is open when this program is ended: a restart of it, or of the machine, should not close the port. A lease
/// ends by itself.
async fn leave(settings: &OpenSettings, record: &mut Record) -> anyhow::Result<()> {
    let until = Instant::now() + CLOSING;
    for mapping in record.opened().to_vec() {
        if !settings.close_on_stop {
            say(format_args!("left open: {mapping}, {}", super::report::lasts(&mapping)));
            continue;
        }
        match tokio::time::timeout_at(until, close::close(&mapping, record)).await {
            Ok(Ok(Closed::Now)) => say(format_args!("closed: {mapping}")),
            Ok(Ok(Closed::WasGone)) => say(format_args!("was closed already: {mapping}")),
            Ok(Ok(Closed::Soon(seconds))) => {
                say(format_args!("closes by itself in {seconds} s, and not sooner: {mapping}"));
            }
            _ => say(format_args!("not closed: {mapping}, {}", super::report::lasts(&mapping))),
        }
    }
    Ok(())
}

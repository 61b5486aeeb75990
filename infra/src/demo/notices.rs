//! Notices of the demo: when the outage began and when it ended, to the channels of `NOTIFY_URLS`.

use std::time::Duration;

use anyhow::Context;
use futures_util::future::join_all;
use jiff::Timestamp;
use lambda_prober::{judge::verdict::Verdict, report::TargetReport};
use notify::{
    channel::Channel,
    event::{Event, Stage, Subject},
    rules::{Now, Rules, Sent},
    send::Sender,
    settings::{NOTIFY_URLS, channels},
};
use tokio::{sync::mpsc, time::Instant};
use url::Url;

use super::{INCIDENT_AFTER, say};

/// How long a channel has for a notice.
const BUDGET: Duration = Duration::from_secs(20);

/// More wait only where every channel hangs.
const WAITING: usize = 8;

/// Decides what is worth a notice, without waiting for what becomes of it.
pub(super) struct Notices {
    page: Url,
    sent: Sent,
    events: mpsc::Sender<Event>,
}

/// Sends what was decided.
pub(super) struct Outgoing {
    sender: Sender,
    channels: Vec<Channel>,
    events: mpsc::Receiver<Event>,
}

/// What `NOTIFY_URLS` asks for; `None` where it is not set.
///
/// # Errors
/// When a channel is wrong, or this machine has no TLS.
pub(super) fn of_environment(page: &Url) -> anyhow::Result<Option<(Notices, Outgoing)>> {
    let Some(source) = NOTIFY_URLS.read()? else { return Ok(None) };
    let channels = channels(&source.name(NOTIFY_URLS.name), &source.current()?)?;
    let sender = Sender::new().context("notices cannot be sent")?;
    let (events, waiting) = mpsc::channel(WAITING);
    let notices = Notices { page: page.clone(), sent: Sent::Nothing, events };
    Ok(Some((notices, Outgoing { sender, channels, events: waiting })))
}

impl Notices {
    /// Takes up what a run found of the home.
    pub(super) fn note(&mut self, target: &TargetReport, at: Timestamp) {
        const RULES: Rules = Rules { after: INCIDENT_AFTER, every: None };
        // The record has the outage, to which shorter ups belong; without one that was needed, nothing is known.
        let now = match (&target.state, target.verdict) {
            (Some(Ok(record)), _) => record.down_since.map_or(Now::Well, Now::Lasting),
            (None, Verdict::Up | Verdict::Degraded(_)) => Now::Well,
            _ => return,
        };
        let Some(stage) = RULES.due(self.sent, now, at) else { return };
        let event = self.event(target, stage, now, at);
        if self.events.try_send(event).is_err() {
            say(format_args!("Too many notices wait, so one is left out."));
        }
        self.sent = Rules::sent(self.sent, stage, now, at);
    }

    fn event(&self, target: &TargetReport, stage: Stage, now: Now, at: Timestamp) -> Event {
        let since = match (now, self.sent) {
            (_, Sent::Began { since, .. }) | (Now::Lasting(since), Sent::Nothing) => since,
            (Now::Well, Sent::Nothing) => at,
        };
        let name = &target.target.home.name;
        let (title, text) = match stage {
            Stage::Began | Stage::Reminder => (format!("{name} is down"), target.verdict.sentence().to_owned()),
            Stage::Ended => {
                let seconds = at.duration_since(since).as_secs();
                (format!("{name} is up again"), format!("It was down for some {seconds} s."))
            }
        };
        Event {
            key: format!("home/{}", target.target.component),
            subject: Subject::Home,
            stage,
            since,
            at,
            title,
            text,
            is_serious: true,
            ends: None,
            link: Some(self.page.clone()),
        }
    }
}

impl Outgoing {
    /// The channels, for a person.
    pub(super) fn words(&self) -> String {
        self.channels.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Sends each notice to all channels at once, and says what came of it. Ends with who decides.
    pub(super) async fn send(&mut self) {
        while let Some(event) = self.events.recv().await {
            let until = Instant::now() + BUDGET;
            let wanting = self.channels.iter().filter(|channel| channel.wants_key(event.subject, &event.key));
            let event = &event;
            let sending = wanting.map(async |channel| match self.sender.send(channel, event, until).await {
                Ok(_) => say(format_args!("Notice \"{}\" to {channel}: taken.", event.title)),
                Err(error) => say(format_args!("Notice \"{}\" to {channel}: not taken: {error}.", event.title)),
            });
            join_all(sending).await;
        }
    }
}

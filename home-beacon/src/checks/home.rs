//! The home's line, as the keeper knows it: what `depends_on: home` goes by. It is asked for only when a check fails that depends on
//! it.

use std::time::Duration;

use checks::{outcome::State, thresholds::Standing};
use serde::Deserialize;
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};

use super::dependencies::Known;
use crate::job::keeper::KeeperClient;

/// How long the keeper may take to answer.
const PATIENCE: Duration = Duration::from_secs(8);

/// The shortest time from one question to the next.
const PAUSE: Duration = Duration::from_secs(2);

/// What is known of the line. Without a keeper nothing is, and nothing is blamed on it.
#[derive(Debug)]
pub struct HomeLine(Option<Asked>);

#[derive(Debug)]
struct Asked {
    /// When it is wanted.
    wanted: watch::Sender<Option<Instant>>,
    known: watch::Receiver<Known>,
}

/// What the keeper says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LineState {
    Up,
    Down,
    Unknown,
}

#[derive(Debug, Deserialize)]
pub(crate) struct HomeAnswer {
    pub(super) state: LineState,
    /// How old the word is that this goes by.
    #[serde(default)]
    pub(super) age_seconds: Option<u64>,
}

impl HomeLine {
    /// Of nobody who knows.
    pub fn unknown() -> Self {
        Self(None)
    }

    /// Of that keeper; the second is to be run beside.
    pub fn of(keeper: KeeperClient) -> (Self, impl Future<Output = ()>) {
        let (wanted, wishes) = watch::channel(None);
        let (answers, known) = watch::channel(Known::default());
        (Self(Some(Asked { wanted, known })), answer(keeper, wishes, answers))
    }

    /// Its state is wanted as it is now.
    pub(super) fn ask(&self) {
        if let Some(asked) = &self.0 {
            asked.wanted.send_if_modified(|wanted| {
                // One that was asked just now will do.
                let is_open = wanted.is_some_and(|wanted| wanted.elapsed() < PAUSE);
                *wanted = if is_open { *wanted } else { Some(Instant::now()) };
                !is_open
            });
        }
    }

    /// Ends when something new is known of it.
    pub(super) async fn changed(&mut self) {
        if let Some(asked) = &mut self.0
            && asked.known.changed().await.is_ok()
        {
            return;
        }
        // Nothing more will be known.
        std::future::pending::<()>().await;
    }

    pub(super) fn known(&self) -> Option<Known> {
        self.0.as_ref().map(|asked| *asked.known.borrow())
    }
}

impl LineState {
    fn known(self, as_of: Instant) -> Known {
        let counts = match self {
            Self::Up => Some(State::Ok),
            Self::Down => Some(State::Critical),
            Self::Unknown => None,
        };
        Known { standing: Standing { counts, ..Standing::default() }, as_of: Some(as_of), is_blocked: false }
    }
}

async fn answer(keeper: KeeperClient, mut wishes: watch::Receiver<Option<Instant>>, answers: watch::Sender<Known>) {
    while wishes.changed().await.is_ok() {
        let as_of = Instant::now();
        // A keeper that does not answer says nothing of the line.
        let (state, age) = match timeout(PATIENCE, keeper.home()).await {
            Ok(Ok(HomeAnswer { state, age_seconds })) => (state, age_seconds.unwrap_or_default()),
            _ => (LineState::Unknown, 0),
        };
        let as_of = as_of.checked_sub(Duration::from_secs(age)).unwrap_or(as_of);
        if answers.send(state.known(as_of)).is_err() {
            return;
        }
        sleep(PAUSE).await;
    }
}

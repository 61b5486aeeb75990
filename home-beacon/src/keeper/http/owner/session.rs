//! Who is logged in, in memory: a keeper that begins anew asks again.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use shared::{
    random::{self, NoRandomness},
    secret::Secret,
};
use subtle::ConstantTimeEq;
use tokio::time::Instant;

/// How long a login lasts.
pub(super) const LASTS: Duration = Duration::from_hours(12);

/// How many there may be; of more, the oldest ends.
const MAX_SESSIONS: usize = 16;

/// How often a wrong token may be tried in how long, by all together: a household has one door.
const MAX_ATTEMPTS: usize = 5;
const WINDOW: Duration = Duration::from_mins(1);

/// The sessions that last, and the attempts that failed.
#[derive(Debug, Default)]
pub(in super::super) struct Sessions(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    sessions: VecDeque<Session>,
    failed: VecDeque<Instant>,
}

struct Session {
    /// What its cookie says.
    secret: String,
    began: Instant,
    /// By which it began: with another one it is over.
    token: Secret,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("sessions", &self.sessions.len()).finish_non_exhaustive()
    }
}

impl Session {
    fn is(&self, secret: &str) -> bool {
        self.secret.as_bytes().ct_eq(secret.as_bytes()).into()
    }
}

impl Sessions {
    /// A new one: what its cookie says.
    ///
    /// # Errors
    /// When this machine has no random bytes to give.
    pub(super) fn begin(&self, token: Secret, now: Instant) -> Result<String, NoRandomness> {
        let secret = URL_SAFE_NO_PAD.encode(random::bytes::<32>()?);
        let mut kept = self.kept();
        kept.sessions.push_back(Session { secret: secret.clone(), began: now, token });
        while kept.sessions.len() > MAX_SESSIONS {
            kept.sessions.pop_front();
        }
        Ok(secret)
    }

    /// Whether that cookie is one of these, while the keeper's token is that one.
    pub(super) fn is_one(&self, secret: &str, token: &Secret, now: Instant) -> bool {
        let mut kept = self.kept();
        kept.sessions.retain(|session| now.duration_since(session.began) < LASTS && session.token == *token);
        kept.sessions.iter().any(|session| session.is(secret))
    }

    pub(super) fn end(&self, secret: &str) {
        self.kept().sessions.retain(|session| !session.is(secret));
    }

    /// Whether a token may be tried now; otherwise after how long.
    pub(super) fn admit(&self, now: Instant) -> Result<(), Duration> {
        let mut kept = self.kept();
        kept.failed.retain(|at| now.duration_since(*at) < WINDOW);
        match kept.failed.front() {
            Some(first) if kept.failed.len() >= MAX_ATTEMPTS => Err(WINDOW.saturating_sub(now.duration_since(*first))),
            _ => Ok(()),
        }
    }

    /// It was the wrong one.
    pub(super) fn failed(&self, now: Instant) {
        self.kept().failed.push_back(now);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_lasts_for_twelve_hours_and_until_it_is_ended() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        let token = |text: &str| Secret::new(text.to_owned());
        let is_one = |secret: &str, now| sessions.is_one(secret, &token("a"), now);
        let begin = || sessions.begin(token("a"), now).unwrap();
        let (one, other) = (begin(), begin());
        assert!(one != other && one.len() == 43);
        assert!(is_one(&one, now + LASTS - Duration::from_secs(1)));
        sessions.end(&one);
        assert!(!is_one(&one, now) && is_one(&other, now) && !is_one("", now));
        assert!(!is_one(&other, now + LASTS));
        for _ in 0..100 {
            begin();
        }
        assert_eq!(sessions.kept().sessions.len(), MAX_SESSIONS);
        let last = begin();
        assert!(!format!("{sessions:?}").contains(&last));
        assert!(!sessions.is_one(&last, &token("b"), now), "the token was changed");
    }

    #[test]
    fn five_wrong_tokens_close_the_door_for_a_minute() {
        let (sessions, now) = (Sessions::default(), Instant::now());
        for _ in 0..MAX_ATTEMPTS {
            assert_eq!(sessions.admit(now), Ok(()));
            sessions.failed(now);
        }
        assert_eq!(sessions.admit(now + Duration::from_secs(20)), Err(Duration::from_secs(40)));
        assert_eq!(sessions.admit(now + WINDOW), Ok(()));
    }
}

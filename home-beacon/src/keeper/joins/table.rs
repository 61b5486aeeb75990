//! The codes, and the tries with wrong ones (pure: the time since the host booted is handed in).

use std::{collections::VecDeque, time::Duration};

use shared::secret::Secret;
use subtle::ConstantTimeEq;

use crate::join::JoinRefusal;

/// How long a code can be used.
pub const VALID: Duration = Duration::from_mins(15);

/// How many codes are known: who prints more has no use for the first.
const MAX_CODES: usize = 16;

/// How many wrong secrets may come in any minute. None can be guessed (128 random bits), so this only keeps a log and a line free;
/// a right one passes whatever strangers try.
const MAX_WRONG: usize = 10;
const WINDOW: Duration = Duration::from_mins(1);

#[derive(Debug, Default)]
pub(super) struct Table {
    next: u64,
    codes: VecDeque<Code>,
    wrong: VecDeque<Duration>,
}

#[derive(Debug)]
struct Code {
    number: u64,
    secret: Secret,
    made: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Taken,
    Used,
}

impl Table {
    pub(super) fn add(&mut self, secret: Secret, now: Duration) {
        if self.codes.len() == MAX_CODES {
            self.codes.pop_front();
        }
        self.codes.push_back(Code { number: self.next, secret, made: now, state: State::Open });
        self.next += 1;
    }

    /// The number of the code that nobody else has from now on.
    ///
    /// # Errors
    /// When it cannot be used, or none is of this secret.
    pub(super) fn take(&mut self, secret: &[u8], now: Duration) -> Result<u64, JoinRefusal> {
        // All of them, so that the time that this takes tells nothing.
        let matching = |code: &&mut Code| bool::from(code.secret.expose().as_bytes().ct_eq(secret));
        let Some(code) = self.codes.iter_mut().filter(matching).last() else { return Err(self.wrong(now)) };
        if code.state != State::Open {
            return Err(JoinRefusal::Used);
        }
        if now.saturating_sub(code.made) >= VALID {
            return Err(JoinRefusal::TooOld);
        }
        code.state = State::Taken;
        Ok(code.number)
    }

    fn wrong(&mut self, now: Duration) -> JoinRefusal {
        while self.wrong.front().is_some_and(|at| now.saturating_sub(*at) >= WINDOW) {
            self.wrong.pop_front();
        }
        if self.wrong.len() == MAX_WRONG {
            return JoinRefusal::TooManyTries;
        }
        self.wrong.push_back(now);
        JoinRefusal::Unknown
    }

    pub(super) fn used(&mut self, number: u64) {
        self.put(number, State::Used);
    }

    /// Unless it has been used meanwhile.
    pub(super) fn give_back(&mut self, number: u64) {
        if self.codes.iter().any(|code| code.number == number && code.state == State::Taken) {
            self.put(number, State::Open);
        }
    }

    fn put(&mut self, number: u64, state: State) {
        if let Some(code) = self.codes.iter_mut().find(|code| code.number == number) {
            code.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_secrets_are_counted_by_the_minute_and_keep_no_right_one_out() {
        let (mut table, start) = (Table::default(), Duration::from_hours(1));
        table.add(Secret::new("right"), start);
        for _ in 0..MAX_WRONG {
            assert_eq!(table.take(b"wrong", start), Err(JoinRefusal::Unknown));
        }
        assert_eq!(table.take(b"", start), Err(JoinRefusal::TooManyTries));
        assert_eq!(table.take(b"right", start), Ok(0));
        assert_eq!(table.take(b"wrong", start + WINDOW), Err(JoinRefusal::Unknown));
    }

    #[test]
    fn the_oldest_of_many_codes_is_forgotten() {
        let (mut table, now) = (Table::default(), Duration::ZERO);
        for number in 0..=MAX_CODES {
            table.add(Secret::new(number.to_string()), now);
        }
        assert_eq!(table.take(b"0", now), Err(JoinRefusal::Unknown));
        assert_eq!(table.take(b"1", now), Ok(1));
    }
}

//! One GET of a small text. Addresses of calls hold a token here, so no error repeats one.

use jiff::Timestamp;
use shared::{
    chain::root_cause,
    complaints,
    http::{Call, CallError},
};

/// A day at which this program was already being written: a clock that is behind it is wrong. A Pi has no battery for
/// its clock, which begins in 1970, or where it was, after a power cut.
const WRITTEN: &str = "2026-11-21T00:00:00Z";

/// Nothing usable came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// There was no connection.
    Unreached(String),
    /// There was one, and then silence or its end.
    Broken(String),
}

/// The status, and the first `max_bytes` of the answer: what comes instead of it (a page of megabytes) is not read to its
/// end.
pub(super) async fn get(request: Call<'_>, max_bytes: usize) -> Result<(u16, Vec<u8>), Unanswered> {
    let mut response = request.send().await.map_err(|error| unanswered(&error))?;
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unanswered(&CallError::Body(error.without_url())))? {
        body.extend_from_slice(&piece[..piece.len().min(max_bytes - body.len())]);
        if body.len() == max_bytes {
            break;
        }
    }
    Ok((response.status().as_u16(), body))
}

fn unanswered(error: &CallError) -> Unanswered {
    if error.is_connect() {
        let why = if error.is_timeout() { "no connection in time".into() } else { complaints::describe(error) };
        Unanswered::Unreached(why + &warning(Timestamp::now()))
    } else if error.is_timeout() {
        Unanswered::Broken("it did not answer in time".into())
    } else {
        Unanswered::Broken(format!("it broke the connection ({})", root_cause(error)))
    }
}

/// What to add to a failed connection where the clock is wrong: no certificate is valid then.
fn warning(now: Timestamp) -> String {
    match WRITTEN.parse::<Timestamp>() {
        Ok(written) if now < written => {
            format!("; check the clock: this machine believes that it is {}", now.strftime("%Y-%m-%d"))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_behind_this_program_is_doubted() {
        let text = warning(Timestamp::UNIX_EPOCH);
        assert_eq!(text, "; check the clock: this machine believes that it is 1970-01-01");
        assert_eq!(warning("2026-11-22T00:00:00Z".parse().unwrap()), "");
    }
}

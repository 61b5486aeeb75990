//! How long a tiny request takes: the line's latency, idle and under load.

use std::{convert::Infallible, future::pending, time::Duration};

use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout, timeout_at};
use url::Url;

use super::{
    connection::{ANSWER_TIMEOUT, Buffer, Connection},
    error::MeasureError,
    sources::{
        Servers,
        parsers::{place, server_timing},
    },
};

/// How many samples of the idle line are taken, and for how long at most.
const IDLE_SAMPLES: usize = 10;
const IDLE_TIME: Duration = Duration::from_secs(2);

/// Under load: the first question, and then so often (fast.com asks after about 2 s, Cloudflare every 400 ms).
pub(super) const FIRST: Duration = Duration::from_secs(1);
const EVERY: Duration = Duration::from_millis(500);

/// An answer longer than this is none, in bytes.
const MAX_ANSWER: usize = 4 << 10;

/// After so many failures under load no more samples are taken: each may cost data.
const MAX_FAILURES: u32 = 3;

/// Asks one server, over a connection that it keeps where it can.
#[derive(Debug)]
pub(super) struct Latency<'a> {
    servers: &'a Servers<'a>,
    until: Instant,
    connection: Option<Connection>,
    /// Where the server thinks that we are, if it says so.
    pub(super) location: Option<String>,
}

impl<'a> Latency<'a> {
    pub(super) fn new(servers: &'a Servers<'a>, until: Instant) -> Self {
        Self { servers, until, connection: None, location: None }
    }

    /// The median of some requests over an idle line, in ms.
    ///
    /// # Errors
    /// When none was answered.
    pub(super) async fn idle(&mut self) -> Result<f64, MeasureError> {
        let end = Instant::now() + IDLE_TIME;
        let mut times = Vec::new();
        while times.len() < IDLE_SAMPLES && Instant::now() < end.min(self.until) {
            // A server that stops in the middle of an answer must not use up the run.
            match timeout_at((end + ANSWER_TIMEOUT).min(self.until), self.once()).await {
                Ok(Ok(time)) => times.push(time),
                Ok(Err(error)) if times.is_empty() => return Err(error),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        median(&mut times).ok_or_else(|| MeasureError::Other("there was no time left to take the latency".into()))
    }

    /// Times of requests for as long as this is polled, in ms; those that fail are left out.
    pub(super) async fn under_load(&mut self, times: &mut Vec<f64>) -> Infallible {
        let mut due = interval_at(Instant::now() + FIRST, EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut failures = 0;
        while failures < MAX_FAILURES {
            due.tick().await;
            match self.once().await {
                Ok(time) => times.push(time),
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "no latency under load");
                }
            }
        }
        pending().await
    }

    /// One request: the time until the head of its answer, without what the server says that it took itself.
    async fn once(&mut self) -> Result<f64, MeasureError> {
        let server = self.servers.pick(0).await;
        let answer = self.ask(&server).await;
        if let Err(refusal @ MeasureError::Refused { .. }) = answer {
            self.connection = None;
            self.servers.renew(&server, refusal, self.until).await?;
            return self.ask(&self.servers.pick(0).await).await;
        }
        answer
    }

    async fn ask(&mut self, server: &Url) -> Result<f64, MeasureError> {
        let mut connection = match self.connection.take() {
            Some(connection) if connection.is_open() => connection,
            _ => self.servers.dialer.dial(server, Buffer::Small).await?,
        };
        let request = self.servers.source.tiny(server);
        let head_only = request.method() == "HEAD";
        let start = Instant::now();
        let (head, mut body) = connection.ask(request).await?.into_parts();
        let took = start.elapsed().as_secs_f64() * 1e3;
        // An answer to HEAD is a round trip, whatever it says.
        if !head_only {
            MeasureError::check_payload(connection.host(), &head, "a byte")?;
        }
        let field = |name: &str| head.headers.get(name).and_then(|field| field.to_str().ok());
        self.location = self.location.take().or_else(|| place(field));
        let own = field("server-timing").and_then(server_timing);
        let mut read = 0;
        // More may be on its way, and counts, where the connection is cut.
        connection.coming = if head_only { 0 } else { body.size_hint().exact().unwrap_or(u64::MAX) };
        while let Some(piece) = timeout(ANSWER_TIMEOUT, body.frame()).await.map_err(|_| silent(connection.host()))? {
            let came = piece.map_err(|error| connection.broken(&error))?.data_ref().map_or(0, Bytes::len);
            read += came;
            connection.coming = connection.coming.saturating_sub(came as u64);
            if read > MAX_ANSWER {
                return Err(MeasureError::unusable(connection.host(), "it sent too much where a byte was asked for"));
            }
        }
        connection.coming = 0;
        self.connection = Some(connection);
        Ok((took - own.unwrap_or(0.0)).max(0.0))
    }
}

fn silent(host: &str) -> MeasureError {
    MeasureError::Silent { host: host.to_owned(), after: ANSWER_TIMEOUT }
}

/// The middle one; `None` of none.
pub(super) fn median(times: &mut [f64]) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    if times.len() % 2 == 1 {
        times.get(middle).copied()
    } else {
        Some(f64::midpoint(*times.get(middle.checked_sub(1)?)?, times[middle]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        for (times, expected) in
            [(&[3.0, 1.0, 2.0][..], Some(2.0)), (&[4.0, 1.0, 2.0, 3.0], Some(2.5)), (&[7.0], Some(7.0)), (&[], None)]
        {
            assert_eq!(median(&mut times.to_vec()), expected);
        }
    }
}

//! One piece of an upload.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http_body_util::BodyExt;
use tokio::time::{Instant, timeout};
use url::Url;

use super::{
    super::{
        connection::{ANSWER_TIMEOUT, Connection, Payload},
        error::MeasureError,
    },
    stream::{STALL_TIMEOUT, TransferState, UPLOAD_ANSWER_TIMEOUT},
};

/// How often it is checked how much has been sent.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(50);

impl TransferState<'_> {
    /// Sends a piece; the connection where it can be used again. What left us is `used`.
    pub(crate) async fn upload(
        &self,
        mut connection: Connection,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Connection>, MeasureError> {
        let host = connection.host().to_owned();
        let sent = Arc::new(AtomicU64::new(0));
        let request = self.servers.source.up(server, Payload::new(piece, Arc::clone(&sent)));
        let mut since = Instant::now();
        let answer = {
            let answer = connection.send(request);
            tokio::pin!(answer);
            loop {
                let answer = timeout(SAMPLE_INTERVAL, &mut answer).await;
                let now = sent.load(Relaxed);
                if now > used.get() {
                    self.count(now - used.replace(now));
                    since = Instant::now();
                }
                if let Ok(answer) = answer {
                    break answer;
                }
                let after = since.elapsed();
                if after >= if now < piece { STALL_TIMEOUT } else { UPLOAD_ANSWER_TIMEOUT } {
                    break Err(MeasureError::Silent { host: host.clone(), after });
                }
            }
        };
        let checked = answer.and_then(|answer| {
            let (head, body) = answer.into_parts();
            MeasureError::check_payload(&host, &head, "the confirmation of an upload")?;
            // What it confirms may not even have left this machine.
            let whole = used.get() >= piece;
            whole
                .then_some(body)
                .ok_or_else(|| MeasureError::unusable(&host, "it answered before it had taken the upload"))
        });
        // What was sent to a server that did not want it has not arrived.
        let mut body = checked.inspect_err(|_| self.take_back(used.get()))?;
        if self.uploads.replace(self.uploads.get() + 1) == 0 {
            self.taken.notify_one();
        }
        let end = async { while let Some(Ok(_)) = body.frame().await {} };
        let ended = timeout(ANSWER_TIMEOUT, end).await.is_ok();
        Ok((ended && used.get() == piece).then_some(connection))
    }
}

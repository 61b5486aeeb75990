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
    line::{ANSWER, Line},
    payload::Payload,
    stream::{STALL, Shared, TAKEN},
    trouble::Trouble,
};

/// How often an upload is looked at.
const LOOK: Duration = Duration::from_millis(50);

impl Shared<'_> {
    /// Sends a piece; the connection where it can be used again. What left us is `used`.
    pub(super) async fn upload(
        &self,
        mut line: Line,
        server: &Url,
        piece: u64,
        used: &Cell<u64>,
    ) -> Result<Option<Line>, Trouble> {
        let host = line.host().to_owned();
        let sent = Arc::new(AtomicU64::new(0));
        let request = self.servers.source.up(server, Payload::new(piece, Arc::clone(&sent)));
        let mut since = Instant::now();
        let answer = {
            let answer = line.send(request);
            tokio::pin!(answer);
            loop {
                let answer = timeout(LOOK, &mut answer).await;
                let now = sent.load(Relaxed);
                if now > used.get() {
                    self.count(now - used.replace(now));
                    since = Instant::now();
                }
                if let Ok(answer) = answer {
                    break answer;
                }
                let after = since.elapsed();
                if after >= if now < piece { STALL } else { TAKEN } {
                    break Err(Trouble::Silent { host: host.clone(), after });
                }
            }
        };
        let looked = answer.and_then(|answer| {
            let (head, body) = answer.into_parts();
            Trouble::look_no_page(&host, &head, "thanks for an upload")?;
            // What it thanks for may not even have left this machine.
            let whole = used.get() >= piece;
            whole.then_some(body).ok_or_else(|| Trouble::unusable(&host, "it answered before it had taken the upload"))
        });
        // What was sent to somebody who did not want it has not arrived.
        let mut body = looked.inspect_err(|_| self.take_back(used.get()))?;
        if self.uploads.replace(self.uploads.get() + 1) == 0 {
            self.taken.notify_one();
        }
        let end = async { while let Some(Ok(_)) = body.frame().await {} };
        let ended = timeout(ANSWER, end).await.is_ok();
        Ok((ended && used.get() == piece).then_some(line))
    }
}

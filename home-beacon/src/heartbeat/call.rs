//! One call of the function. Its address is a secret: it is in no log line and no error.

use std::time::Duration;

use shared::{
    heartbeat::{Answer, Signed},
    http::{CallError, Client, Method, wait_asked},
    proof::Key,
};
use tokio::time::Instant;
use url::Url;

use super::failure::{Failure, read};

/// The most that is read of an answer; ours is much shorter.
const MAX_ANSWER: usize = 1024;

/// Sends it once.
pub(super) async fn call(
    client: &Client,
    url: &Url,
    (heartbeat, key): (&Signed, &Key),
    until: Instant,
) -> Result<Answer, Failure> {
    let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    let call = client.call(Method::POST, url.clone()).secret();
    let call = call.body("text/plain; charset=utf-8", heartbeat.as_str().as_bytes().to_vec());
    // Never longer than the client's own deadline.
    let sent = if left < super::sender::DEADLINES.total { call.within(left) } else { call }.send().await;
    let mut response = sent.map_err(|error| Failure::from(&error))?;
    let status = response.status().as_u16();
    let wait = wait_asked(status, response.headers());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece[..piece.len().min(MAX_ANSWER - body.len())]),
            Ok(None) => break,
            Err(error) => return Err(Failure::from(&CallError::Body(error.without_url()))),
        }
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    read((status, wait), &body, heartbeat, key)
}

//! The signals that ask a program to end. As PID 1 of a container a program without this ignores them.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGINT or SIGTERM. Where they cannot be listened to, waits for ever and says so.
pub async fn requested() {
    let (mut interrupt, mut terminate) = match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(interrupt), Ok(terminate)) => (interrupt, terminate),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "signals cannot be listened to; only SIGKILL will end this");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = interrupt.recv() => (),
        _ = terminate.recv() => (),
    }
}

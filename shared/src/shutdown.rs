//! The signals that ask a program to end. As PID 1 of a container a program without this ignores them.

use std::time::Duration;

use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

/// Listens from now on; the future ends at SIGINT or SIGTERM. Call it before the program reports that it is ready:
/// a signal that comes before counts too. Where signals cannot be received, that is logged and the future never ends.
///
/// # Panics
/// Outside a tokio runtime.
pub fn requested() -> impl Future<Output = ()> {
    requested_for(Duration::ZERO)
}

/// As [`requested`], but SIGTERM counts only after `grace`: clients may still be sent here for a moment (a
/// Kubernetes node does until its forwarding rules are renewed). A further signal, or SIGINT, ends the wait at once.
///
/// # Panics
/// Outside a tokio runtime.
pub fn requested_for(grace: Duration) -> impl Future<Output = ()> {
    let signals = signal(SignalKind::interrupt()).and_then(|int| Ok((int, signal(SignalKind::terminate())?)));
    async move {
        match signals {
            Ok((mut interrupt, mut terminate)) => tokio::select! {
                _ = interrupt.recv() => (),
                _ = terminate.recv() => {
                    if !grace.is_zero() {
                        tracing::info!(?grace, "asked to end: going on for a moment");
                        tokio::select! {
                            () = sleep(grace) => (),
                            _ = interrupt.recv() => (),
                            _ = terminate.recv() => (),
                        }
                    }
                }
            },
            Err(error) => {
                tracing::error!(%error, "signals cannot be received; only SIGKILL will end this");
                std::future::pending::<()>().await;
            }
        }
    }
}

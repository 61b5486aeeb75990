//! The keeper's doors: the private one, where everything is, and the public one, where there are the page and the public
//! status API alone.

use std::sync::Arc;

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

use super::LIMITS;
use crate::serve::serve;

/// Where a keeper listens.
#[derive(Debug)]
pub struct Doors {
    pub private: TcpListener,
    pub public: Option<TcpListener>,
}

/// What answers at each of them.
#[derive(Clone, Debug)]
pub(super) struct Faces {
    pub(super) private: Router,
    pub(super) public: Router,
}

impl From<TcpListener> for Doors {
    fn from(private: TcpListener) -> Self {
        Self { private, public: None }
    }
}

impl Doors {
    /// Serves at both until `shutdown`, and finishes what is in hand. Each has a bound of its own: strangers at the public one
    /// keep nobody from the other.
    pub(super) async fn serve(self, faces: Faces, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(());
        let until = |mut stopped: watch::Receiver<()>| async move {
            // No message comes: the sender's end is what is waited for.
            let _ = stopped.changed().await;
        };
        let private = serve(self.private, faces.private, LIMITS, Arc::default(), until(stopped.clone()));
        let public = async {
            if let Some(listener) = self.public {
                serve(listener, faces.public, LIMITS, Arc::default(), until(stopped)).await;
            }
        };
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(private, public, stopping);
    }
}

//! The keeper's listeners: the private one, where everything is, and the public one, where there are the page and the public
//! status API alone.

use std::sync::Arc;

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

use super::LIMITS;
use crate::serve::serve;

/// Where a keeper listens.
#[derive(Debug)]
pub struct Listeners {
    /// Where everything is.
    pub private: TcpListener,
    /// Where nothing needs or takes a token.
    pub public: Option<TcpListener>,
}

/// What answers at each of them.
#[derive(Clone, Debug)]
pub(super) struct Routers {
    pub(super) private: Router,
    pub(super) public: Router,
}

impl From<TcpListener> for Listeners {
    fn from(private: TcpListener) -> Self {
        Self { private, public: None }
    }
}

impl Listeners {
    /// Serves at both until `shutdown`, and finishes the requests under way. Each has a bound of its own: the public one's
    /// clients cannot exhaust the other.
    pub(super) async fn serve(self, routers: Routers, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(());
        let until = |mut stopped: watch::Receiver<()>| async move {
            // No message comes: the sender's drop is the signal.
            let _ = stopped.changed().await;
        };
        let private = serve(self.private, routers.private, LIMITS, Arc::default(), until(stopped.clone()));
        let public = async {
            if let Some(listener) = self.public {
                serve(listener, routers.public, LIMITS, Arc::default(), until(stopped)).await;
            }
        };
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(private, public, stopping);
    }
}

//! The keeper's listeners: the private one, where everything is; the public one, where there are the page and the public
//! status API alone; and one with TLS, where there is the Manage API besides, for who has a token.

use std::sync::Arc;

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

use super::{LIMITS, tls::Tls};
use crate::serve::{serve, serve_tls};

/// Where a keeper listens.
#[derive(Debug)]
pub struct Listeners {
    /// Where everything is.
    pub private: TcpListener,
    /// Where nothing needs or takes a token.
    pub public: Option<TcpListener>,
    /// Where strangers see what they see at the public one, and a home that has joined sends what it has.
    pub tls: Option<TlsListener>,
}

/// A listener with what it shows to its clients.
#[derive(Debug)]
pub struct TlsListener {
    /// Where it listens.
    pub listener: TcpListener,
    /// By which certificate.
    pub tls: Tls,
}

/// What answers at each of them.
#[derive(Clone, Debug)]
pub(super) struct Routers {
    pub(super) private: Router,
    pub(super) public: Router,
    pub(super) tls: Router,
}

impl From<TcpListener> for Listeners {
    fn from(private: TcpListener) -> Self {
        Self { private, public: None, tls: None }
    }
}

impl Listeners {
    /// Serves at all of them until `shutdown`, and finishes the requests under way. Each has a bound of its own: clients of
    /// one cannot exhaust another.
    pub(super) async fn serve(self, routers: Routers, shutdown: impl Future<Output = ()>) {
        let (stop, stopped) = watch::channel(());
        let until = |mut stopped: watch::Receiver<()>| async move {
            // No message comes: the sender's drop is the signal.
            let _ = stopped.changed().await;
        };
        let private = serve(self.private, routers.private, LIMITS, Arc::default(), until(stopped.clone()));
        let public = async {
            if let Some(listener) = self.public {
                serve(listener, routers.public, LIMITS, Arc::default(), until(stopped.clone())).await;
            }
        };
        let over_tls = async {
            if let Some(TlsListener { listener, tls }) = self.tls {
                let serving =
                    serve_tls(tls.acceptor(), listener, routers.tls, LIMITS, Arc::default(), until(stopped.clone()));
                tokio::select! {
                    () = serving => (),
                    never = tls.follow() => match never {},
                }
            }
        };
        let stopping = async {
            shutdown.await;
            drop(stop);
        };
        tokio::join!(private, public, over_tls, stopping);
    }
}

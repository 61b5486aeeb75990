//! The line to the home: a beacon that runs, or does not.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use home_beacon::{
    beacon::{Beacon, Prover},
    clock::Host,
    serve::listen,
};
use shared::secret::SecretSource;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// The demo needs few connections.
const CONNECTIONS: usize = 64;

/// The demo's metrics are not scraped, so any free port will do.
const PRIVATE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(super) struct HomeLine {
    address: SocketAddr,
    key: SecretSource,
    beacon: Option<Running>,
    is_connected: Arc<AtomicBool>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl HomeLine {
    /// A line that is up, with the beacon on `listener`, whose address stays the same.
    pub(super) fn connect(listener: TcpListener, key: SecretSource) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let is_connected = Arc::new(AtomicBool::new(true));
        Ok(Self { address, beacon: Some(start(listener, key.clone())?), key, is_connected })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it is up, for who measures over it.
    pub(super) fn connected(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_connected)
    }

    /// Closes the beacon's port and waits until it is closed; `false` when it was closed already.
    pub(super) async fn cut(&mut self) -> bool {
        let Some(Running { stop, task }) = self.beacon.take() else { return false };
        self.is_connected.store(false, Ordering::Relaxed);
        drop(stop);
        if let Err(error) = task.await {
            tracing::error!(%error, "the beacon panicked");
        }
        true
    }

    /// Opens the port again.
    pub(super) fn restore(&mut self) -> io::Result<()> {
        if self.beacon.is_none() {
            self.beacon = Some(start(listen(self.address)?, self.key.clone())?);
            self.is_connected.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn start(public: TcpListener, key: SecretSource) -> io::Result<Running> {
    let prover = Some(Prover::new(key, Host::system()).map_err(io::Error::other)?);
    let beacon = Beacon { public, private: listen(PRIVATE)?, connections: CONNECTIONS, prover };
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(beacon.run(async {
        // Either way, a message or the sender's end, it is time.
        let _ = stopped.await;
    }));
    Ok(Running { stop, task })
}

//! The line to the home: a beacon that runs, or does not.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use home_beacon::beacon::Beacon;
use tokio::{sync::oneshot, task::JoinHandle};

/// The demo needs few connections.
const CONNECTIONS: usize = 64;

/// Nobody scrapes the demo; any free port will do.
const PRIVATE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

pub(super) struct Line {
    address: SocketAddr,
    beacon: Option<Running>,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Line {
    /// A line that is up, with the beacon at `address`; port 0 takes a free one, which is kept from then on.
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let (address, beacon) = start(address)?;
        Ok(Self { address, beacon: Some(beacon) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes the beacon's port and waits until it is closed.
    pub(super) async fn cut(&mut self) {
        if let Some(Running { stop, task }) = self.beacon.take() {
            drop(stop);
            if let Err(error) = task.await {
                tracing::error!(%error, "the beacon ended badly");
            }
        }
    }

    /// Opens the port again.
    pub(super) fn restore(&mut self) -> io::Result<()> {
        if self.beacon.is_none() {
            self.beacon = Some(start(self.address)?.1);
        }
        Ok(())
    }
}

fn start(address: SocketAddr) -> io::Result<(SocketAddr, Running)> {
    let beacon = Beacon::bind(address, PRIVATE, CONNECTIONS)?;
    let (address, _) = beacon.addresses()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(beacon.run(async {
        // Either way, a message or the sender's end, it is time.
        let _ = stopped.await;
    }));
    Ok((address, Running { stop, task }))
}

//! Two witnesses on this machine, by which the demo knows its cut line from a prober that is cut off; no other host is asked.

use std::{io, net::Ipv4Addr, time::Duration};

use anyhow::Context;
use home_beacon::serve::listen;
use lambda_prober::observe::witness::Witnesses;
use tokio::{net::TcpListener, time::sleep};

/// The pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct LocalWitnesses {
    by_address: TcpListener,
    by_name: TcpListener,
}

impl LocalWitnesses {
    pub(super) fn open() -> io::Result<Self> {
        let any = || listen((Ipv4Addr::LOCALHOST, 0).into());
        Ok(Self { by_address: any()?, by_name: any()? })
    }

    pub(super) fn words(&self) -> io::Result<String> {
        let (literal, named) = (self.by_address.local_addr()?, self.by_name.local_addr()?);
        Ok(format!("{literal} and localhost:{}", named.port()))
    }

    pub(super) fn addresses(&self) -> anyhow::Result<Witnesses> {
        self.words()?.replace(" and ", ",").parse().context("the demo's witnesses")
    }

    /// Accepts connections and closes them, which is all that a witness has to do; never returns.
    pub(super) async fn answer(&self) {
        loop {
            let taken = tokio::select! {
                taken = self.by_address.accept() => taken,
                taken = self.by_name.accept() => taken,
            };
            // Most likely the limit of open files, which passes.
            if taken.is_err() {
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

//! Two witnesses on this machine, so that the demo knows its cut line from a prober that is cut off, and asks nobody else.

use std::{io, net::Ipv4Addr};

use anyhow::Context;
use home_beacon::serve::listen;
use lambda_prober::witness::Witnesses;
use tokio::net::TcpListener;

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

    /// Takes connections and closes them, which is all that is asked of a witness.
    pub(super) async fn answer(&self) {
        loop {
            // An error is the other side's, which has gone again.
            let _ = tokio::select! {
                taken = self.by_address.accept() => taken,
                taken = self.by_name.accept() => taken,
            };
        }
    }
}

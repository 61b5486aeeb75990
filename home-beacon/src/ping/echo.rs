//! ICMP echoes: over a datagram socket, which needs no privilege where `net.ipv4.ping_group_range` lets us, or over a raw
//! one, which needs `CAP_NET_RAW`.

use std::{io, net::IpAddr, time::Duration};

use surge_ping::{Client, Config, ICMP, PingIdentifier, PingSequence, SurgeError};

/// As many bytes as other pings send by default.
const PAYLOAD: [u8; 56] = *b"porchlight ping: https://www.rfc-editor.org/rfc/rfc792..";

/// A socket that echoes can be sent over.
pub(super) struct Echo {
    client: Client,
    raw: bool,
}

impl Echo {
    /// # Errors
    /// When neither kind of socket is to be had; `PermissionDenied` when this process may have none.
    pub(super) fn open(address: IpAddr) -> io::Result<Self> {
        let kind = if address.is_ipv4() { ICMP::V4 } else { ICMP::V6 };
        let client = Client::new(&Config::builder().kind(kind).build())?;
        let raw = client.get_socket().get_type() == socket2::Type::RAW;
        Ok(Self { client, raw })
    }

    pub(super) fn method(&self) -> &'static str {
        if self.raw { "icmp-raw" } else { "icmp" }
    }

    /// Sends one echo; `None` when no reply came in time.
    ///
    /// # Errors
    /// When it could not even be sent.
    pub(super) async fn sample(
        &self,
        address: IpAddr,
        sequence: u16,
        patience: Duration,
    ) -> io::Result<Option<Duration>> {
        // On a datagram socket the kernel chooses the identifier.
        let mut pinger = self.client.pinger(address, PingIdentifier(fastrand::u16(..))).await;
        pinger.timeout(patience);
        match pinger.ping(PingSequence(sequence), &PAYLOAD).await {
            Ok((_, time)) => Ok(Some(time)),
            Err(SurgeError::IOError(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

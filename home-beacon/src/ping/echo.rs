//! ICMP echoes: over a datagram socket, which needs no privilege where `net.ipv4.ping_group_range` lets us, or over a raw
//! one, which needs `CAP_NET_RAW`.

use std::{io, net::IpAddr, time::Duration};

use surge_ping::{Client, Config, ICMP, IcmpPacket, PingIdentifier, PingSequence, SurgeError};

/// As many bytes as other pings send by default.
const PAYLOAD: [u8; 56] = *b"porchlight ping: https://www.rfc-editor.org/rfc/rfc792..";

/// The types of an echo reply (RFC 792, RFC 4443).
const REPLY_V4: u8 = 0;
const REPLY_V6: u8 = 129;

/// Whether the packet is the echo itself. Over a raw socket a router's word that there is no way arrives as well, quickly,
/// and says the opposite.
fn is_reply(packet: &IcmpPacket) -> bool {
    match packet {
        IcmpPacket::V4(packet) => packet.get_icmp_type().0 == REPLY_V4,
        IcmpPacket::V6(packet) => packet.get_icmpv6_type().0 == REPLY_V6,
    }
}

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
            Ok((packet, time)) => Ok(Some(time).filter(|_| is_reply(&packet))),
            Err(SurgeError::IOError(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}

//! PCP and NAT-PMP: `crab_nat` asks, and what it says is brought into our words.
//!
//! It asks from whatever address the system takes, so over IPv6 a router that is known by its link's address alone sees that of
//! the link, and refuses what is for another one (RFC 6887, section 8.1).

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU16,
    time::Duration,
};

use crab_nat::{
    GatewayAddress, InternetProtocol, PortMappingOptions, PortMappingType, TimeoutConfig,
    natpmp::{self, Failure as NatPmpFailure},
    pcp::{self, BaseMapRequest, DropMappingRange, Failure as PcpFailure},
};
use shared::random;

use super::{
    asked::{Answer, Grant, Opening, Refusal},
    mapping::{Mapping, Nonce, Protocol},
};

/// Four packets within 3.75 s: of a router in the same house one is enough.
const PATIENCE: TimeoutConfig =
    TimeoutConfig { initial_timeout: Duration::from_millis(250), max_retries: 3, max_retry_timeout: None };

/// A port that nobody opens (discard). To close it changes nothing, and a router that speaks PCP answers.
const NOBODYS: NonZeroU16 = NonZeroU16::new(9).expect("it is not zero");

/// What NAT-PMP says without opening anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    /// It is not spoken.
    No,
    /// It is, and this is the router's outside address, where it has one.
    Yes(Option<IpAddr>),
}

/// Whether the router speaks PCP. Nothing is opened or closed for that.
pub(super) async fn speaks_pcp(router: SocketAddr, client: IpAddr) -> bool {
    let nobodys = DropMappingRange::Single { protocol: InternetProtocol::Tcp, internal_port: NOBODYS };
    let Ok(nonce) = nonce() else { return false };
    let asked = pcp::try_drop_mapping(address(router), client, nonce.0, nobodys, Some(PATIENCE)).await;
    !matches!(
        asked,
        Err(PcpFailure::Socket(_)
            | PcpFailure::Timeout
            | PcpFailure::Nonce
            | PcpFailure::InvalidResponse(_)
            | PcpFailure::UnsupportedVersion(_)
            | PcpFailure::UnsupportedOpcode)
    )
}

/// Whether it speaks NAT-PMP, and which address it has outside.
pub(super) async fn speaks_nat_pmp(router: SocketAddr) -> Spoken {
    match natpmp::external_address(address(router), Some(PATIENCE)).await {
        Ok(outside) => Spoken::Yes(Some(outside.into())),
        Err(NatPmpFailure::NotAuthorized | NatPmpFailure::NetworkFailure | NatPmpFailure::OutOfResources) => {
            Spoken::Yes(None)
        }
        Err(_) => Spoken::No,
    }
}

/// Opens a port, or keeps it open.
pub(super) async fn open(router: SocketAddr, opening: &Opening) -> Answer {
    let Some(port) = NonZeroU16::new(opening.internal.port()) else { return Answer::Refused(Refusal::Garbled) };
    let options = PortMappingOptions {
        external_port: NonZeroU16::new(opening.external),
        lifetime_seconds: Some(opening.lease),
        timeout_config: Some(PATIENCE),
    };
    let opened = if opening.protocol == Protocol::Pcp {
        let base = BaseMapRequest::new(address(router), opening.internal.ip(), InternetProtocol::Tcp, port);
        pcp::port_mapping(base, Some(opening.nonce.0), None, options).await.map_err(pcp_refusal)
    } else {
        natpmp::port_mapping(address(router), InternetProtocol::Tcp, port, options).await.map_err(nat_pmp_refusal)
    };
    match opened {
        // A lease of nothing is none.
        Ok(mapping) if mapping.lifetime() == 0 => Answer::Refused(Refusal::NotKept),
        Ok(mapping) => Answer::Opened(Grant {
            external: mapping.external_port().get(),
            lease: Some(mapping.lifetime()),
            epoch: Some(mapping.gateway_epoch()),
            pinhole: None,
            outside: match mapping.mapping_type() {
                PortMappingType::Pcp { external_ip, .. } => Some(external_ip),
                PortMappingType::NatPmp => None,
            },
        }),
        Err(refusal) => Answer::Refused(refusal),
    }
}

/// Closes it.
pub(super) async fn close(router: SocketAddr, mapping: &Mapping) -> Answer {
    let Some(port) = NonZeroU16::new(mapping.internal.port()) else { return Answer::NoMapping };
    let router = address(router);
    let closed = match (mapping.protocol, mapping.nonce) {
        (Protocol::Pcp, Some(nonce)) => {
            let range = DropMappingRange::Single { protocol: InternetProtocol::Tcp, internal_port: port };
            match pcp::try_drop_mapping(router, mapping.internal.ip(), nonce.0, range, Some(PATIENCE)).await {
                // miniupnpd says so of what is not there.
                Err(PcpFailure::NoResources(_)) => return Answer::NoMapping,
                // Of a pinhole that was renewed, miniupnpd 2.3.1 forgets whose it is (findings): then it is to end soon.
                Err(PcpFailure::NotAuthorized(_)) if mapping.internal.is_ipv6() => {
                    return ending(router, mapping, nonce, port).await;
                }
                closed => closed.map_err(pcp_refusal),
            }
        }
        (Protocol::NatPmp, _) => {
            let dropped = natpmp::try_drop_mapping(router, InternetProtocol::Tcp, Some(port), Some(PATIENCE)).await;
            dropped.map_err(nat_pmp_refusal)
        }
        // Nothing that could be asked.
        _ => return Answer::Undetermined,
    };
    closed.map_or_else(Answer::Refused, |()| Answer::Closed)
}

/// Has what cannot be closed end as soon as the router lets it.
async fn ending(router: GatewayAddress, mapping: &Mapping, nonce: Nonce, port: NonZeroU16) -> Answer {
    let base = BaseMapRequest::new(router, mapping.internal.ip(), InternetProtocol::Tcp, port);
    let options = PortMappingOptions {
        external_port: NonZeroU16::new(mapping.external),
        lifetime_seconds: Some(1),
        timeout_config: Some(PATIENCE),
    };
    match pcp::port_mapping(base, Some(nonce.0), None, options).await {
        Ok(ends) => Answer::Ending(ends.lifetime()),
        Err(failure) => Answer::Refused(pcp_refusal(failure)),
    }
}

/// What only we know of a mapping.
///
/// # Errors
/// When the system has no random numbers.
pub(super) fn nonce() -> Result<Nonce, random::NoRandomness> {
    let four = || random::bytes::<4>().map(u32::from_be_bytes);
    Ok(Nonce([four()?, four()?, four()?]))
}

fn address(router: SocketAddr) -> GatewayAddress {
    match router {
        SocketAddr::V4(four) => (*four.ip()).into(),
        SocketAddr::V6(six) => GatewayAddress::IpV6(*six.ip(), Some(six.scope_id()).filter(|scope| *scope > 0)),
    }
}

fn pcp_refusal(failure: PcpFailure) -> Refusal {
    match failure {
        PcpFailure::Socket(error) => Refusal::Unreached(error.kind().to_string()),
        PcpFailure::Timeout => Refusal::Silent,
        PcpFailure::Nonce | PcpFailure::InvalidResponse(_) => Refusal::Garbled,
        PcpFailure::UnsupportedVersion(_) => Refusal::Version,
        PcpFailure::NotAuthorized(_) => Refusal::Forbidden,
        PcpFailure::NetworkFailure(_) => Refusal::NoOutside,
        PcpFailure::NoResources(_) | PcpFailure::UserExceededQuota(_) => Refusal::Full,
        PcpFailure::CannotProvideExternal(_) => Refusal::Taken,
        PcpFailure::AddressMismatch => Refusal::NotForOthers,
        other @ (PcpFailure::MalformedRequest
        | PcpFailure::UnsupportedOpcode
        | PcpFailure::UnsupportedOption
        | PcpFailure::MalformedOption
        | PcpFailure::UnsupportedProtocol
        | PcpFailure::ExcessiveRemotePeers) => Refusal::Other(said(&other)),
    }
}

fn nat_pmp_refusal(failure: NatPmpFailure) -> Refusal {
    match failure {
        NatPmpFailure::Socket(error) => Refusal::Unreached(error.kind().to_string()),
        NatPmpFailure::Timeout => Refusal::Silent,
        NatPmpFailure::InvalidResponse(_) => Refusal::Garbled,
        NatPmpFailure::UnsupportedVersion(_) => Refusal::Version,
        NatPmpFailure::NotAuthorized => Refusal::Forbidden,
        NatPmpFailure::NetworkFailure => Refusal::NoOutside,
        NatPmpFailure::OutOfResources => Refusal::Full,
        other @ NatPmpFailure::UnsupportedOpcode => Refusal::Other(said(&other)),
    }
}

/// The crate's words for a code, without those before it.
fn said(failure: &impl std::fmt::Display) -> String {
    let text = failure.to_string();
    text.rsplit_once(": ").map_or(text.clone(), |(_, code)| code.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_router_says_is_brought_into_our_words() {
        assert_eq!(pcp_refusal(PcpFailure::AddressMismatch), Refusal::NotForOthers);
        assert_eq!(pcp_refusal(PcpFailure::CannotProvideExternal(30)), Refusal::Taken);
        assert_eq!(pcp_refusal(PcpFailure::UnsupportedProtocol).to_string(), "it says: unsupported protocol");
        assert_eq!(nat_pmp_refusal(NatPmpFailure::NetworkFailure), Refusal::NoOutside);
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let words = nat_pmp_refusal(NatPmpFailure::Socket(refused)).to_string();
        assert_eq!(words, "it cannot be reached (connection refused)");
        assert_ne!(nonce().unwrap(), nonce().unwrap());
    }
}

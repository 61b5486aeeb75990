//! UPnP: igd-next describes the router, opens and closes, and what it says is brought into our words.
//!
//! It takes the first router that answers its own search. Which one is asked is chosen here, among all that answer, so its search is
//! answered from here as well, with the words of the chosen one.

use std::{
    future::pending,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use igd_next::{
    AddPortError, PinholeError,
    PortMappingProtocol::TCP,
    RemovePortError, RequestError, SearchError, SearchOptions,
    aio::{
        Gateway, Ipv6FirewallGateway, Provider,
        tokio::{Tokio, search_gateway, search_ipv6_firewall_gateway},
    },
};
use tokio::{net::UdpSocket, time::timeout};

use super::{
    asked::{Answer, Grant, Opening, Refusal},
    mapping::Mapping,
    soap,
    ssdp::Found,
};

/// How long one call may take: some routers write a file for each port.
const CALL: Duration = Duration::from_secs(5);

/// How long the router may take to describe itself, which takes two files.
const DESCRIPTION: Duration = Duration::from_secs(4);

/// What a router calls the port in its list.
const DESCRIBED: &str = "Porchlight";

/// The longest time that a pinhole may be asked for (`WANIPv6FirewallControl:1`, section 2.4.1).
const LONGEST_PINHOLE: u32 = 86_400;

/// A router that can be asked over UPnP.
#[derive(Debug)]
pub(super) enum Igd {
    /// For IPv4: it translates addresses.
    Mapping(Gateway<Tokio>),
    /// For IPv6: it lets through.
    Firewall(Ipv6FirewallGateway<Tokio>),
}

impl Igd {
    /// The router that has answered so.
    ///
    /// # Errors
    /// When its description cannot be had or understood, or has nothing of the kind.
    pub(super) async fn of(found: &Found) -> Result<Self, Refusal> {
        let described = async {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(SearchError::from)?;
            let mut options = SearchOptions::default();
            options.bind_addr = (Ipv4Addr::LOCALHOST, 0).into();
            options.broadcast_address = socket.local_addr()?;
            options.timeout = Some(DESCRIPTION);
            options.allowed_gateway_ips = [Some(found.from.ip()), found.host()].into_iter().flatten().collect();
            let is_v4 = found.from.is_ipv4();
            let searched = async {
                if is_v4 {
                    search_gateway(options).await.map(Self::Mapping)
                } else {
                    search_ipv6_firewall_gateway(options).await.map(Self::Firewall)
                }
            };
            tokio::select! {
                described = searched => described,
                never = repeat(&socket, &found.text) => never,
            }
        };
        described.await.map_err(|_| Refusal::Garbled)
    }

    /// The router's address outside; `None` where it names none.
    pub(super) async fn outside(&self) -> Option<IpAddr> {
        let Self::Mapping(gateway) = self else { return None };
        timeout(CALL, gateway.get_external_ip()).await.ok()?.ok()
    }

    /// How its line is, in its own word.
    pub(super) async fn connection(&self) -> Option<String> {
        let Self::Mapping(gateway) = self else { return None };
        let soap::Call { action, body } = soap::status(&gateway.service_type);
        let answer = timeout(CALL, Tokio::send_async(&gateway.to_string(), &action, &body)).await.ok()?.ok()?;
        soap::connection(&answer)
    }

    /// Who has a port.
    pub(super) async fn look(&self, port: u16) -> Answer {
        let Self::Mapping(gateway) = self else { return Answer::CannotTell };
        let soap::Call { action, body } = soap::who_has(&gateway.service_type, port);
        match timeout(CALL, Tokio::send_async(&gateway.to_string(), &action, &body)).await {
            Ok(Ok(answer)) => soap::holder(&answer),
            Ok(Err(error)) => Answer::Refused(refusal(error)),
            Err(_) => Answer::Refused(Refusal::Silent),
        }
    }

    /// Opens a port, or keeps it open.
    pub(super) async fn open(&self, opening: &Opening) -> Answer {
        let Opening { internal, external, lease, .. } = *opening;
        let opened = match (self, internal) {
            (Self::Mapping(gateway), _) => timeout(CALL, gateway.add_port(TCP, external, internal, lease, DESCRIBED))
                .await
                .map(|added| added.map(|()| None).map_err(of_adding)),
            (Self::Firewall(firewall), SocketAddr::V6(internal)) => {
                timeout(CALL, pinhole(firewall, internal, opening)).await.map(|opened| opened.map(Some))
            }
            (Self::Firewall(_), SocketAddr::V4(_)) => Ok(Err(Refusal::Garbled)),
        };
        let lease = match self {
            Self::Mapping(_) => Some(lease).filter(|lease| *lease > 0),
            Self::Firewall(_) => Some(lease.min(LONGEST_PINHOLE)),
        };
        match opened {
            Ok(Ok(pinhole)) => Answer::Opened(Grant { external, lease, epoch: None, pinhole, outside: None }),
            Ok(Err(refusal)) => Answer::Refused(refusal),
            Err(_) => Answer::Refused(Refusal::Silent),
        }
    }

    /// Closes a port, whoever has it.
    pub(super) async fn free(&self, port: u16) -> Answer {
        let Self::Mapping(gateway) = self else { return Answer::CannotTell };
        match timeout(CALL, gateway.remove_port(TCP, port)).await {
            Ok(Ok(())) => Answer::Closed,
            Ok(Err(RemovePortError::NoSuchPortMapping)) => Answer::Nobody,
            Ok(Err(RemovePortError::ActionNotAuthorized)) => Answer::Refused(Refusal::Forbidden),
            Ok(Err(RemovePortError::RequestError(error))) => Answer::Refused(refusal(error)),
            Err(_) => Answer::Refused(Refusal::Silent),
        }
    }

    /// Closes what we have opened, and nothing else: a port that somebody else has by now is not ours to close.
    pub(super) async fn close(&self, mapping: &Mapping) -> Answer {
        match self {
            Self::Mapping(_) => match self.look(mapping.external).await {
                Answer::Held(holder) if !holder.is(mapping.internal) => Answer::Nobody,
                Answer::Held(_) | Answer::CannotTell => self.free(mapping.external).await,
                other => other,
            },
            Self::Firewall(firewall) => {
                let Some(number) = mapping.pinhole else { return Answer::Nobody };
                match timeout(CALL, firewall.remove_pinhole(number)).await {
                    Ok(Ok(())) => Answer::Closed,
                    Ok(Err(error)) => match of_pinhole(error) {
                        // That number is nobody's any more; miniupnpd has another code for that than the standard.
                        PinholeRefusal::Unknown => Answer::Nobody,
                        PinholeRefusal::Other(refusal) => Answer::Refused(refusal),
                    },
                    Err(_) => Answer::Refused(Refusal::Silent),
                }
            }
        }
    }
}

/// Answers a search once, with these words.
async fn repeat<T>(socket: &UdpSocket, text: &[u8]) -> T {
    let mut buffer = [0; 2048];
    if let Ok((_, from)) = socket.recv_from(&mut buffer).await {
        let _ = socket.send_to(text, from).await;
    }
    pending().await
}

/// Keeps the pinhole that is there, or makes one.
async fn pinhole(
    firewall: &Ipv6FirewallGateway<Tokio>,
    internal: std::net::SocketAddrV6,
    opening: &Opening,
) -> Result<u16, Refusal> {
    let lease = opening.lease.clamp(1, LONGEST_PINHOLE);
    if let Some(number) = opening.pinhole
        && firewall.update_pinhole(number, lease).await.is_ok()
    {
        return Ok(number);
    }
    firewall.add_pinhole(TCP, internal, lease).await.map_err(|error| match of_pinhole(error) {
        PinholeRefusal::Unknown => Refusal::Garbled,
        PinholeRefusal::Other(refusal) => refusal,
    })
}

enum PinholeRefusal {
    Unknown,
    Other(Refusal),
}

fn of_pinhole(error: PinholeError) -> PinholeRefusal {
    PinholeRefusal::Other(match error {
        PinholeError::NoSuchEntry | PinholeError::RequestError(RequestError::ErrorCode(402 | 704, _)) => {
            return PinholeRefusal::Unknown;
        }
        PinholeError::ActionNotAuthorized | PinholeError::InboundPinholeNotAllowed => Refusal::Forbidden,
        PinholeError::PinholeSpaceExhausted => Refusal::Full,
        PinholeError::FirewallDisabled => Refusal::Other("its firewall is off, so nothing has to be opened".into()),
        PinholeError::FirewallControlUnavailable | PinholeError::InvalidLeaseDuration => Refusal::Garbled,
        PinholeError::RequestError(error) => refusal(error),
    })
}

fn of_adding(error: AddPortError) -> Refusal {
    match error {
        AddPortError::ActionNotAuthorized => Refusal::Forbidden,
        AddPortError::PortInUse => Refusal::Taken,
        AddPortError::SamePortValuesRequired => Refusal::OnlySamePort,
        AddPortError::OnlyPermanentLeasesSupported => Refusal::OnlyForEver,
        AddPortError::DescriptionTooLong => by_code(605, "description too long"),
        AddPortError::InternalPortZeroInvalid | AddPortError::ExternalPortZeroInvalid => Refusal::Garbled,
        AddPortError::RequestError(error) => refusal(error),
    }
}

/// What could not be asked, or was refused by a number. What comes instead of an answer is not repeated: it may be a page.
fn refusal(error: RequestError) -> Refusal {
    match error {
        RequestError::ErrorCode(code, words) => by_code(code, &words),
        // igd-next reads a refusal only where it has words.
        RequestError::InvalidResponse(text) => {
            soap::error(&text).map_or(Refusal::Garbled, |(code, words)| by_code(code, &words))
        }
        RequestError::UnsupportedAction(action) => Refusal::Other(format!("it has no {action}")),
        RequestError::IoError(error) if error.kind() == std::io::ErrorKind::TimedOut => Refusal::Silent,
        RequestError::IoError(error) => Refusal::Unreached(error.kind().to_string()),
        RequestError::HyperClientError(error) if error.is_connect() => {
            Refusal::Unreached(shared::chain::root_cause(&error).to_string())
        }
        RequestError::HyperError(_)
        | RequestError::HyperClientError(_)
        | RequestError::HttpError(_)
        | RequestError::Utf8Error(_) => Refusal::Garbled,
    }
}

/// The numbers of `WANIPConnection:2` (section 2.5.20) that say what to do next.
fn by_code(code: u16, words: &str) -> Refusal {
    match code {
        606 => Refusal::Forbidden,
        718 | 729 => Refusal::Taken,
        724 => Refusal::OnlySamePort,
        725 => Refusal::OnlyForEver,
        728 => Refusal::Full,
        _ => Refusal::Other(format!("{} ({code})", super::asked::shown(words)).trim_start().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_without_words_is_understood_by_its_number_and_a_page_is_not_repeated() {
        let fault = |code: u16| {
            let code = format!("<errorCode>{code}</errorCode>");
            RequestError::InvalidResponse(format!("<e><b><detail><UPnPError>{code}</UPnPError></detail></b></e>"))
        };
        assert_eq!(refusal(fault(725)), Refusal::OnlyForEver);
        assert_eq!(refusal(fault(718)), Refusal::Taken);
        assert_eq!(refusal(fault(501)).to_string(), "it says: (501)");
        assert_eq!(
            refusal(RequestError::ErrorCode(501, "Action Failed".into())).to_string(),
            "it says: Action Failed (501)"
        );
        let page = refusal(RequestError::InvalidResponse("<html>password: hunter2</html>".into()));
        assert_eq!((page.clone(), page.to_string().contains("hunter2")), (Refusal::Garbled, false));
    }
}

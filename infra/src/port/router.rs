//! A router: what it speaks, and how it is asked whatever it speaks.

use std::{
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use home_beacon::dns;
use shared::{names::Family, network::public};
use tokio::join;

use super::{
    asked::{Answer, Refusal, Request},
    gateway::{self, Gateway, gateways, on_link, own_address},
    igd::Igd,
    mapping::{Mapping, Protocol},
    outside::best,
    pmp::{self, Spoken},
    ssdp::{Found, Search},
};

/// Where routers listen for PCP and NAT-PMP.
const PORT: u16 = 5351;

/// Where a router is.
#[derive(Clone, Debug)]
pub struct Place {
    /// With the port of PCP, and over IPv6 with the interface.
    at: SocketAddr,
    /// The number of the interface.
    scope: u32,
}

impl Place {
    /// That of a router that is known by its address.
    pub fn named(address: IpAddr) -> Self {
        // An address of one link is on that of the way out.
        let scope = match address {
            IpAddr::V6(_) => gateways(Family::V6).first().map_or(0, |first| gateway::scope(&first.interface)),
            IpAddr::V4(_) => 0,
        };
        Self { at: on_link(address, PORT, scope), scope }
    }

    /// That of a way out.
    pub fn of(gateway: &Gateway) -> Self {
        let scope = gateway::scope(&gateway.interface);
        Self { at: on_link(gateway.address, PORT, scope), scope }
    }

    /// The router's address.
    pub fn address(&self) -> IpAddr {
        self.at.ip()
    }
}

/// What is known of a router.
#[derive(Debug)]
pub struct Router {
    /// Its address on our side.
    pub address: IpAddr,
    /// Where what arrives at it is to be sent.
    pub target: IpAddr,
    /// Whether that is this machine, as the router sees it.
    pub is_own: bool,
    /// How its line is, where it tells.
    pub connection: Option<String>,
    /// Others on the network that say that they are routers.
    pub others: Vec<IpAddr>,
    at: SocketAddr,
    speaks_pcp: bool,
    nat_pmp: Spoken,
    upnp: Option<Result<Igd, Refusal>>,
    upnp_outside: Option<IpAddr>,
}

impl Router {
    /// Asks a router what it speaks, or only whether it speaks `only`. Nothing is opened for that.
    ///
    /// # Errors
    /// When there is no way to it from here.
    pub async fn survey(place: &Place, target: Option<IpAddr>, only: Option<Protocol>) -> io::Result<Self> {
        let is_asked = |protocol| only.is_none_or(|only| only == protocol);
        let Place { mut at, scope } = *place;
        let mut own = own_address(at)?;
        let search = Search { own, scope, router: at, only: only.is_some() };
        // Over IPv6 the way out has an address of the link alone, and says only here which one it has beside it.
        let mut searched = if at.is_ipv6() { search.run().await.ok() } else { None };
        // It is asked there, or told what to open: that is for the link to hear, and not for a machine far away.
        let is_near = |found: &Found| match found.host() {
            Some(IpAddr::V6(six)) => IpAddr::V6(six) == found.from.ip() || gateway::is_on_link(six, scope),
            _ => true,
        };
        if let Some(found) = &mut searched {
            found.retain(is_near);
        }
        if let (IpAddr::V6(six), Some(found)) = (at.ip(), &searched)
            && six.is_unicast_link_local()
            && let Some(IpAddr::V6(beside)) = router_of(found, at.ip()).and_then(Found::host)
            && !beside.is_unicast_link_local()
        {
            at = SocketAddr::new(beside.into(), PORT);
            own = own_address(at)?;
        }
        let target = target.unwrap_or_else(|| lasting(own));
        let speaks_pcp = async { is_asked(Protocol::Pcp) && pmp::speaks_pcp(at, target).await };
        let nat_pmp = async {
            if is_asked(Protocol::NatPmp) && at.is_ipv4() { pmp::speaks_nat_pmp(at).await } else { Spoken::No }
        };
        let upnp = async {
            if !is_asked(Protocol::Upnp) {
                return (None, Vec::new(), None, None);
            }
            let found = match searched.take() {
                Some(found) => found,
                None => search.run().await.unwrap_or_default(),
            };
            let router = place.at.ip();
            let others = found.iter().map(|found| found.from.ip()).filter(|address| *address != router).collect();
            let igd = match router_of(&found, router) {
                Some(found) => Some(Igd::of(found, scope).await),
                None => None,
            };
            let (outside, connection) = match &igd {
                Some(Ok(igd)) => join!(igd.outside(), igd.connection()),
                _ => (None, None),
            };
            (igd, others, outside, connection)
        };
        let (speaks_pcp, nat_pmp, (upnp, others, upnp_outside, connection)) = join!(speaks_pcp, nat_pmp, upnp);
        Ok(Self {
            address: place.at.ip(),
            is_own: target == own || lasting(own) == target,
            target,
            connection,
            others,
            at,
            speaks_pcp,
            nat_pmp,
            upnp,
            upnp_outside,
        })
    }

    /// The protocols that it speaks.
    pub fn speaks(&self) -> Vec<Protocol> {
        let spoken = [
            (Protocol::Pcp, self.speaks_pcp),
            (Protocol::NatPmp, self.nat_pmp != Spoken::No),
            (Protocol::Upnp, matches!(self.upnp, Some(Ok(_)))),
        ];
        spoken.into_iter().filter(|(_, is_spoken)| *is_spoken).map(|(protocol, _)| protocol).collect()
    }

    /// Why it says that it speaks UPnP, and cannot be asked.
    pub fn trouble(&self) -> Option<&Refusal> {
        self.upnp.as_ref()?.as_ref().err()
    }

    /// Its address outside, as it says itself.
    pub fn outside(&self) -> Option<IpAddr> {
        let by_nat_pmp = match self.nat_pmp {
            Spoken::Yes(outside) => outside,
            Spoken::No => None,
        };
        best([by_nat_pmp, self.upnp_outside].into_iter().flatten())
    }

    /// Asks it.
    pub async fn ask(&self, request: &Request) -> Answer {
        match request {
            Request::Open(opening) if opening.protocol == Protocol::Upnp => match self.igd() {
                Ok(igd) => self.explained(igd.open(opening).await),
                Err(refusal) => Answer::Refused(refusal),
            },
            Request::Open(opening) => self.explained(pmp::open(self.at, opening).await),
            Request::Look(port) => match self.igd() {
                Ok(igd) => igd.look(*port).await,
                Err(refusal) => Answer::Refused(refusal),
            },
            Request::Free(port) => match self.igd() {
                Ok(igd) => igd.free(*port).await,
                Err(refusal) => Answer::Refused(refusal),
            },
        }
    }

    /// Has it close what it has opened.
    pub async fn close(&self, mapping: &Mapping) -> Answer {
        match (mapping.protocol, self.igd()) {
            (Protocol::Upnp, Ok(igd)) => igd.close(mapping).await,
            (Protocol::Upnp, Err(refusal)) => Answer::Refused(refusal),
            _ => pmp::close(self.at, mapping).await,
        }
    }

    fn igd(&self) -> Result<&Igd, Refusal> {
        match &self.upnp {
            Some(Ok(igd)) => Ok(igd),
            Some(Err(refusal)) => Err(refusal.clone()),
            None => Err(Refusal::Silent),
        }
    }

    /// A router that has no public address refuses by whatever code it has (miniupnpd: 8 of PCP, 501 of UPnP).
    fn explained(&self, answer: Answer) -> Answer {
        let knows_none = self.outside().is_none_or(|outside| public(outside).is_err());
        match answer {
            Answer::Refused(Refusal::Full | Refusal::Other(_)) if knows_none && self.at.is_ipv4() => {
                Answer::Refused(Refusal::NoOutside)
            }
            other => other,
        }
    }
}

/// What that router has answered to the search.
fn router_of(found: &[Found], router: IpAddr) -> Option<&Found> {
    found.iter().find(|found| found.from.ip() == router)
}

/// The address that stays, where the router sees one of this machine's that does not reach the world.
fn lasting(own: IpAddr) -> IpAddr {
    let is_of_the_link = |six: Ipv6Addr| six.is_unicast_link_local();
    match own {
        IpAddr::V6(six) if is_of_the_link(six) => dns::own().map_or(own, |lasting| lasting.address.into()),
        own => own,
    }
}

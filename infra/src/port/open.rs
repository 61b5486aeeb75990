//! Opens a port: finds the router, asks it as the negotiation says, and notes what is open before and after.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use jiff::Timestamp;
use shared::{message::PortFault, names::Family};
use tokio::time::timeout;

use super::{
    asked::{Answer, Opening, Refusal, Request},
    close,
    gateway::gateways,
    mapping::{Mapping, Protocol},
    negotiation::{Negotiation, Step, Taken, Wanted},
    outside::best,
    pmp,
    record::Record,
    router::{Place, Router},
    settings::{OpenSettings, WhichSettings},
};

/// How long it may take to open a port: a survey, and a dozen calls of a slow router.
const LIMIT: Duration = Duration::from_secs(60);

/// What came of it.
#[derive(Debug)]
pub struct Opened {
    /// The router.
    pub router: Router,
    /// What is open now.
    pub mapping: Mapping,
    /// The router's address outside, as it says itself.
    pub outside: Option<IpAddr>,
    /// What was open before, in its place.
    pub before: Option<Mapping>,
    /// Whether the router still had it, where it tells.
    pub was_there: Option<bool>,
    /// The ports that others have.
    pub taken: Vec<Taken>,
}

/// Why nothing is open; for people.
#[derive(Debug, thiserror::Error)]
#[error("{}", .fault.entry().ending(.words))]
pub struct NotOpened {
    /// Which kind of trouble it is.
    pub fault: PortFault,
    /// In a sentence.
    pub words: String,
}

impl NotOpened {
    pub(super) fn new(fault: PortFault, what: &str) -> Self {
        Self { fault, words: format!("{what}: {}", fault.words()) }
    }
}

/// Where the router of a family is.
///
/// # Errors
/// When there is no way out.
pub fn place(which: &WhichSettings, family: Family) -> Result<Place, NotOpened> {
    match which.router {
        Some(address) => Ok(Place::named(address)),
        None => gateways(family)
            .first()
            .map(Place::of)
            .ok_or_else(|| NotOpened::new(PortFault::NoRouter, &format!("this machine has no way out over {family}"))),
    }
}

/// What the router there speaks.
///
/// # Errors
/// When there is no way to it.
pub async fn survey(place: &Place, which: &WhichSettings, only: Option<Protocol>) -> Result<Router, NotOpened> {
    Router::survey(place, which.to, only).await.map_err(|error| {
        let what = format!("there is no way to the router {} ({})", place.address(), error.kind());
        NotOpened::new(PortFault::NoRouter, &what)
    })
}

/// Opens what is wanted in a family, or keeps it open.
///
/// # Errors
/// When it is not open. What could not be written down is not opened.
pub async fn open(
    which: &WhichSettings,
    settings: &OpenSettings,
    family: Family,
    record: &mut Record,
) -> anyhow::Result<Opened> {
    let opening = async {
        let place = place(which, family)?;
        let wanted = settings.wanted(which.canary_url.as_ref());
        // What is open is kept by one question; where that does not do, everything is asked.
        if let Some(known) = known(record, &place, wanted, family)
            && settings.protocol.is_none_or(|protocol| protocol == known.protocol)
        {
            let router = survey(&place, which, Some(known.protocol)).await?;
            if let Ok(opened) = negotiate(router, settings, wanted, record).await? {
                return Ok::<_, anyhow::Error>(opened);
            }
        }
        let router = survey(&place, which, settings.protocol).await?;
        if router.speaks().is_empty() {
            return Err(silent(&router).into());
        }
        Ok(negotiate(router, settings, wanted, record).await??)
    };
    let opened = timeout(LIMIT, opening).await.unwrap_or_else(|_| {
        Err(NotOpened::new(PortFault::NotOpened, "the router takes too long to open a port").into())
    })?;
    close::others(which, family, &opened, record).await?;
    Ok(opened)
}

/// What is open at that router, and was asked for as it is now.
fn known(record: &Record, place: &Place, wanted: u16, family: Family) -> Option<Mapping> {
    let is_it = |mapping: &&Mapping| {
        let is_place = mapping.router == place.address() && Family::of(mapping.internal.ip()) == family;
        is_place && mapping.wanted == wanted && mapping.is_confirmed
    };
    record.opened().iter().find(is_it).cloned()
}

/// Talks with the router, and notes what it opens.
///
/// # Errors
/// When what is to be opened cannot be written down.
async fn negotiate(
    router: Router,
    settings: &OpenSettings,
    external: u16,
    record: &mut Record,
) -> anyhow::Result<Result<Opened, NotOpened>> {
    let internal = SocketAddr::new(router.target, settings.internal.get());
    let place = |mapping: &&Mapping| {
        mapping.router == router.address && mapping.internal == internal && mapping.wanted == external
    };
    let before = record.opened().iter().filter(place).find(|mapping| mapping.is_confirmed).cloned();
    let nonce = record.opened().iter().filter(place).find_map(|mapping| mapping.nonce);
    let wanted = Wanted {
        internal,
        is_own: router.is_own,
        external,
        lease: u32::try_from(settings.lease.as_secs()).unwrap_or(u32::MAX),
        nonce: nonce.map_or_else(pmp::nonce, Ok)?,
        known: before.clone(),
    };
    let mut talk = Negotiation::new(wanted, &router.speaks());
    loop {
        match talk.step() {
            Step::Ask(request) => {
                let answer = match &request {
                    Request::Open(opening) => noted(&router, opening, external, record).await?,
                    other => router.ask(other).await,
                };
                tracing::debug!(?request, ?answer, "the router was asked");
                talk.answered(answer);
            }
            Step::Opened(protocol, grant) => {
                let mapping = record.opened().iter().find(|mapping| {
                    let place = (mapping.router, mapping.protocol, mapping.internal, mapping.external);
                    place == (router.address, protocol, internal, grant.external)
                });
                let mapping = mapping.cloned().map(|mapping| Mapping { lease: grant.lease, ..mapping });
                let mapping = mapping.ok_or_else(|| anyhow::anyhow!("what was opened is not in the record"))?;
                record.put(mapping.clone())?;
                let (was_there, taken) = (talk.was_ours(), talk.taken().to_vec());
                let outside = best(grant.outside.into_iter().chain(router.outside()));
                return Ok(Ok(Opened { router, mapping, outside, before, was_there, taken }));
            }
            Step::Refused => return Ok(Err(refused(&router, &talk))),
        }
    }
}

/// Has the router open a port, which is noted before it is asked, and as it says afterwards.
async fn noted(router: &Router, opening: &Opening, wanted: u16, record: &mut Record) -> anyhow::Result<Answer> {
    let intended = Mapping {
        router: router.address,
        protocol: opening.protocol,
        internal: opening.internal,
        wanted,
        external: opening.external,
        lease: Some(opening.lease).filter(|lease| *lease > 0),
        at: Timestamp::now(),
        epoch: None,
        nonce: (opening.protocol == Protocol::Pcp).then_some(opening.nonce),
        pinhole: opening.pinhole,
        is_confirmed: false,
    };
    let was_known = record.opened().iter().any(|mapping| mapping.is_same_place(&intended));
    if !was_known {
        record.put(intended.clone())?;
    }
    let answer = router.ask(&Request::Open(*opening)).await;
    match &answer {
        Answer::Opened(grant) => {
            if grant.external != intended.external && !was_known {
                record.remove(&intended)?;
            }
            record.put(Mapping {
                external: grant.external,
                lease: grant.lease,
                at: Timestamp::now(),
                epoch: grant.epoch,
                pinhole: grant.pinhole,
                is_confirmed: true,
                ..intended
            })?;
        }
        // Perhaps it has done it all the same.
        Answer::Refused(Refusal::Silent | Refusal::Garbled) => (),
        _ if !was_known => record.remove(&intended)?,
        _ => (),
    }
    Ok(answer)
}

/// Why a router that speaks nothing opens nothing.
pub fn silent(router: &Router) -> NotOpened {
    let what = match router.trouble() {
        Some(refusal) => format!("the router {} says that it speaks UPnP, but {refusal}", router.address),
        None => format!("the router {} answers neither PCP, NAT-PMP nor UPnP", router.address),
    };
    let others = router.others.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    let others = match &others[..] {
        "" => String::new(),
        others => {
            format!(" ({others} says that it is a router, and this machine does not go out by it; --router takes it)")
        }
    };
    let what = what + &others;
    NotOpened::new(PortFault::NoProtocol, &what)
}

/// Why a router that was asked has opened nothing.
fn refused(router: &Router, talk: &Negotiation) -> NotOpened {
    let reasons: Vec<_> = talk.refusals().iter().map(|(protocol, refusal)| format!("{protocol}: {refusal}")).collect();
    let only = talk.refusals().iter().all(|(_, refusal)| *refusal == Refusal::Taken) && !talk.taken().is_empty();
    if only {
        let mut ports: Vec<_> = talk.taken().iter().map(|taken| taken.port).collect();
        ports.sort_unstable();
        ports.dedup();
        let (first, last) = (ports.first().copied().unwrap_or(0), ports.last().copied().unwrap_or(0));
        let what = format!("the router {} has ports {first} to {last} for others", router.address);
        return NotOpened::new(PortFault::AllTaken, &what);
    }
    let what = format!("the router {} does not open the port ({})", router.address, reasons.join("; "));
    NotOpened::new(PortFault::NotOpened, &what)
}

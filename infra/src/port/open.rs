//! Opens a port: finds the router, asks it as the negotiation says, and notes what is open before and after.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use shared::{message::PortFault, names::Family};
use tokio::time::timeout;

use super::{
    asked::{Answer, Holder, Opening, Refusal, Request},
    close,
    gateway::gateways,
    mapping::{Mapping, Protocol},
    moment::Moment,
    negotiation::{Negotiation, Step, Taken, Wanted},
    outside::best,
    pmp,
    record::Record,
    refused::{NotOpened, refused, silent},
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
    /// Who made it, where that was not us: it is in no record, and never closed.
    pub by_hand: Option<Holder>,
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
            // To where else it is to lead now, everything is asked.
            if known.internal == SocketAddr::new(router.target, settings.internal.get())
                && let Ok(opened) = negotiate(router, settings, wanted, record).await?
            {
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
        is_place && mapping.wanted == wanted && mapping.is_confirmed && !mapping.is_ending
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
    make_way(&router, internal, external, record).await?;
    let ours: Vec<_> = record.opened().iter().filter(|mapping| mapping.router == router.address).cloned().collect();
    let kept =
        || ours.iter().filter(|mapping| mapping.wanted == external && mapping.is_confirmed && !mapping.is_ending);
    let known = kept().find(|mapping| mapping.internal == internal).cloned();
    let before = known.clone().or_else(|| {
        let family = Family::of(internal.ip());
        kept().find(|mapping| Family::of(mapping.internal.ip()) == family).cloned()
    });
    // A router knows an opening by its inner port and this, whichever port the world is to see.
    let nonce = ours.iter().filter(|mapping| mapping.internal == internal).find_map(|mapping| mapping.nonce);
    let wanted = Wanted {
        internal,
        is_own: router.is_own,
        external,
        lease: u32::try_from(settings.lease.as_secs()).unwrap_or(u32::MAX),
        nonce: nonce.map_or_else(pmp::nonce, Ok)?,
        known,
        ours,
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
                let opened = record.opened().iter();
                let place = (router.address, protocol, internal, grant.external);
                let mapping = opened.clone().find(|mapping| mapping.place() == place);
                let mapping = mapping.cloned().map(|mapping| Mapping { lease: grant.lease, ..mapping });
                let mapping = mapping.ok_or_else(|| anyhow::anyhow!("what was opened is not in the record"))?;
                record.put(mapping.clone())?;
                let (was_there, taken) = (talk.was_ours(), talk.taken().to_vec());
                let outside = best(grant.outside.into_iter().chain(router.outside()));
                return Ok(Ok(Opened { router, mapping, outside, before, was_there, taken, by_hand: None }));
            }
            Step::Found(holder) => {
                let mapping = Mapping {
                    router: router.address,
                    protocol: Protocol::Upnp,
                    internal,
                    wanted: external,
                    external: talk.port().unwrap_or(external),
                    lease: Some(holder.lease).filter(|lease| *lease > 0),
                    at: Moment::now(),
                    epoch: None,
                    nonce: None,
                    pinhole: None,
                    is_confirmed: true,
                    is_ending: false,
                };
                let (outside, taken) = (router.outside(), talk.taken().to_vec());
                let by_hand = Some(holder);
                return Ok(Ok(Opened { router, mapping, outside, before, was_there: None, taken, by_hand }));
            }
            Step::Refused => return Ok(Err(refused(&router, &talk))),
        }
    }
}

/// Closes what PCP or NAT-PMP has opened for the same place at another port: they know an opening by its inner port alone, and would
/// answer what is asked for now with the port that was asked for then.
async fn make_way(router: &Router, internal: SocketAddr, external: u16, record: &mut Record) -> anyhow::Result<()> {
    let is_in_the_way = |mapping: &&Mapping| {
        let is_place = mapping.router == router.address && mapping.internal == internal;
        let is_other = mapping.wanted != external && mapping.external != external;
        is_place && is_other && mapping.protocol != Protocol::Upnp && !mapping.is_ending
    };
    for mapping in record.opened().iter().filter(is_in_the_way).cloned().collect::<Vec<_>>() {
        let closed = Box::pin(close::close(&mapping, record)).await?;
        tracing::debug!(?closed, %mapping, "another port is wanted for this place");
    }
    Ok(())
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
        at: Moment::now(),
        epoch: None,
        nonce: (opening.protocol == Protocol::Pcp).then_some(opening.nonce),
        pinhole: opening.pinhole,
        is_confirmed: false,
        is_ending: false,
    };
    let was_known = record.opened().iter().any(|mapping| mapping.is_same_place(&intended));
    if !was_known {
        record.put(intended.clone())?;
    }
    let answer = router.ask(&Request::Open(*opening)).await;
    match &answer {
        Answer::Opened(grant) => {
            let granted = Mapping {
                external: grant.external,
                lease: grant.lease,
                at: Moment::now(),
                epoch: grant.epoch,
                pinhole: grant.pinhole,
                is_confirmed: true,
                ..intended.clone()
            };
            // In this order: at no moment is something open that is not written down.
            record.put(granted)?;
            if grant.external != intended.external && !was_known {
                record.remove(&intended)?;
            }
        }
        // Perhaps it has done it all the same.
        Answer::Refused(Refusal::Silent | Refusal::Garbled) => (),
        _ if !was_known => record.remove(&intended)?,
        _ => (),
    }
    Ok(answer)
}

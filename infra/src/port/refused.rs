//! Why nothing is open, in words.

use shared::message::PortFault;

use super::{asked::Refusal, negotiation::Negotiation, router::Router};

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

/// Why a router that speaks nothing opens nothing.
pub(super) fn silent(router: &Router) -> NotOpened {
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
pub(super) fn refused(router: &Router, talk: &Negotiation) -> NotOpened {
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

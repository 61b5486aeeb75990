//! What a router is asked next, given what it has answered so far (pure): by which protocol, for which port, for how long.
//! Nothing is opened but what is wanted, and nothing that another machine or program has is touched.

use std::{collections::VecDeque, net::SocketAddr};

use super::{
    asked::{Answer, Grant, Holder, Leads, Opening, Refusal, Request},
    mapping::{Mapping, Nonce, Protocol},
    whose::{Whose, whose},
};

/// How many ports are tried, the wanted one and those behind it, before a router counts as full.
const PORTS: u16 = 5;

/// How much of a lease may be over before the router shows it, in seconds.
const SLOW: u32 = 5;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Where what arrives is to be sent.
    pub internal: SocketAddr,
    /// Whether that is this machine, as the router sees it.
    pub is_own: bool,
    /// The port that the world is to see. Over IPv6 it is that of `internal`: nothing is translated there.
    pub external: u16,
    /// For how many seconds.
    pub lease: u32,
    /// What PCP is to know it by.
    pub nonce: Nonce,
    /// What is open already, and is to be kept.
    pub known: Option<Mapping>,
    /// Everything that we have opened at this router, also for a place that is not asked for any more.
    pub ours: Vec<Mapping>,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Ask this, and hand the answer to [`Negotiation::answered`].
    Ask(Request),
    /// It is open.
    Opened(Protocol, Grant),
    /// It is open already, by somebody else: nothing is to be done, and nothing to be closed later.
    Found(Holder),
    /// It is not, for all of these reasons.
    Refused,
}

/// A port that somebody else has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The port.
    pub port: u16,
    /// Who has it, where the router tells.
    pub by: Option<Holder>,
}

/// The talk with one router.
#[derive(Clone, Debug)]
pub struct Negotiation {
    wanted: Wanted,
    /// By which protocols it can be asked, the one in hand first.
    protocols: VecDeque<Protocol>,
    /// Which ports are still to be tried, the one in hand first.
    ports: VecDeque<u16>,
    lease: u32,
    phase: Phase,
    /// Whether the router tells who has a port, whichever protocol opens it.
    has_list: bool,
    /// Who had the port in hand of us before, and is to let it go.
    former: Option<Holder>,
    /// Whether the port in hand was ours already.
    was_ours: Option<bool>,
    /// Who has which port.
    taken: Vec<Taken>,
    /// What went wrong with each protocol.
    refusals: Vec<(Protocol, Refusal)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Who has the port?
    Look,
    /// Open it.
    Open,
    /// Close what we have there, because the router opens no port twice.
    Free,
    /// Does it list what it has opened?
    Check(Grant),
    /// It is open.
    Done(Grant),
    /// It was open.
    Found(Holder),
}

impl Negotiation {
    /// With a router that speaks these.
    pub fn new(wanted: Wanted, speaks: &[Protocol]) -> Self {
        let mut protocols: Vec<_> = speaks.to_vec();
        protocols.sort_unstable();
        protocols.dedup();
        // What is open is kept by the protocol that opened it: another one would open a second port.
        let first = wanted.known.as_ref().map(|known| known.protocol);
        protocols.sort_by_key(|protocol| Some(*protocol) != first);
        let mut refusals = Vec::new();
        if !wanted.is_own {
            // It opens for whoever sends the packet: that would be this machine, which nobody has asked for.
            let had = protocols.len();
            protocols.retain(|protocol| *protocol != Protocol::NatPmp);
            if protocols.len() < had {
                refusals.push((Protocol::NatPmp, Refusal::CannotName));
            }
        }
        let mut new = Self {
            lease: wanted.lease,
            protocols: protocols.into(),
            ports: VecDeque::new(),
            phase: Phase::Open,
            has_list: speaks.contains(&Protocol::Upnp),
            former: None,
            was_ours: None,
            taken: Vec::new(),
            refusals,
            wanted,
        };
        new.begin();
        new
    }

    /// What is to be done next.
    pub fn step(&self) -> Step {
        let Some(protocol) = self.protocols.front().copied() else { return Step::Refused };
        let Some(port) = self.ports.front().copied() else { return Step::Refused };
        match &self.phase {
            Phase::Look | Phase::Check(_) => Step::Ask(Request::Look(port)),
            Phase::Free => Step::Ask(Request::Free(port)),
            Phase::Open => Step::Ask(Request::Open(Opening {
                protocol,
                external: port,
                internal: self.wanted.internal,
                lease: self.lease,
                nonce: self.wanted.nonce,
                pinhole: self.known().and_then(|known| known.pinhole),
            })),
            Phase::Done(grant) => Step::Opened(protocol, *grant),
            Phase::Found(holder) => Step::Found(holder.clone()),
        }
    }

    /// Takes the router's answer to what was to be asked.
    pub fn answered(&mut self, answer: Answer) {
        let is_upnp = self.protocols.front() == Some(&Protocol::Upnp);
        self.phase = match (self.phase.clone(), answer) {
            (Phase::Look, Answer::Held(holder)) => {
                match whose(&holder, self.port(), self.wanted.internal, &self.wanted.ours) {
                    Whose::Others => return self.next_port(Some(holder)),
                    Whose::ByHand => Phase::Found(holder),
                    Whose::Former => {
                        self.former = Some(holder);
                        Phase::Free
                    }
                    Whose::Ours => {
                        self.was_ours = Some(true);
                        Phase::Open
                    }
                }
            }
            (Phase::Look, Answer::NoMapping) => {
                self.was_ours = Some(false);
                Phase::Open
            }
            (Phase::Open, Answer::Opened(grant)) if is_upnp => Phase::Check(grant),
            (Phase::Open, Answer::Refused(refusal)) => return self.refused(refusal),
            // Whether it was freed or not: opening it will tell.
            (Phase::Look, Answer::Undetermined) | (Phase::Free, _) => Phase::Open,
            (Phase::Check(_), Answer::NoMapping) => return self.next_protocol(Refusal::NotKept),
            (Phase::Check(_), Answer::Held(holder)) if holder.leads(self.wanted.internal) == Leads::Elsewhere => {
                return self.next_protocol(Refusal::NotKept);
            }
            // A router may open it for less long than it was asked to, and say so only here.
            (Phase::Check(grant), Answer::Held(holder)) => {
                let left = Some(holder.lease).filter(|left| *left > 0);
                let lease =
                    grant.lease.and(left).map(|left| grant.lease.filter(|lease| *lease <= left + SLOW).unwrap_or(left));
                Phase::Done(Grant { lease, ..grant })
            }
            // It has said that it is open, and nothing has contradicted that.
            (Phase::Open, Answer::Opened(grant)) | (Phase::Check(grant), _) => Phase::Done(grant),
            (Phase::Look, Answer::Refused(refusal)) if is_upnp => return self.next_protocol(refusal),
            // By another protocol it can be opened all the same.
            (Phase::Look, _) if !is_upnp => Phase::Open,
            (Phase::Look | Phase::Open, _) => return self.next_protocol(Refusal::Garbled),
            (done @ (Phase::Done(_) | Phase::Found(_)), _) => done,
        };
    }

    /// Whether the router still had what is open now; `None` where the protocol does not tell.
    pub fn was_ours(&self) -> Option<bool> {
        self.was_ours
    }

    /// The port in hand.
    pub fn port(&self) -> Option<u16> {
        self.ports.front().copied()
    }

    /// The ports that others have.
    pub fn taken(&self) -> &[Taken] {
        &self.taken
    }

    /// What went wrong, by protocol.
    pub fn refusals(&self) -> &[(Protocol, Refusal)] {
        &self.refusals
    }

    /// What is open already by the protocol in hand.
    fn known(&self) -> Option<&Mapping> {
        self.wanted.known.as_ref().filter(|known| self.protocols.front() == Some(&known.protocol))
    }

    /// Begins with the protocol that is first now.
    fn begin(&mut self) {
        let Wanted { internal, external, .. } = self.wanted;
        let wanted = if internal.is_ipv6() { internal.port() } else { external };
        let others = (1..PORTS).filter_map(|more| wanted.checked_add(more)).filter(|_| internal.is_ipv4());
        let is_shown = |port: &u16| self.taken.iter().any(|taken| taken.port == *port && taken.by.is_some());
        let kept = self.known().map(|known| known.external);
        let mut ports: VecDeque<_> = kept.into_iter().chain([wanted]).chain(others).collect();
        if kept == Some(wanted) {
            ports.pop_front();
        }
        ports.retain(|port| !is_shown(port));
        self.ports = ports;
        self.lease = self.wanted.lease;
        (self.was_ours, self.former) = (None, None);
        self.phase = self.first_phase();
    }

    fn first_phase(&self) -> Phase {
        if self.has_list && self.wanted.internal.is_ipv4() { Phase::Look } else { Phase::Open }
    }

    fn refused(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::OnlyForEver if self.lease > 0 => self.lease = 0,
            Refusal::OnlySamePort if self.ports.front() != Some(&self.wanted.internal.port()) => {
                self.ports = [self.wanted.internal.port()].into();
                self.phase = self.first_phase();
            }
            // What we have there ourselves is in our own way.
            Refusal::Taken if self.was_ours == Some(true) => {
                self.was_ours = None;
                self.phase = Phase::Free;
            }
            // Nobody has it, and still it is taken: that is how routers refuse what is for another machine.
            Refusal::Taken if self.was_ours == Some(false) && !self.wanted.is_own => {
                self.next_protocol(Refusal::NotForOthers);
            }
            Refusal::Taken => {
                let by = self.former.take();
                self.next_port(by);
            }
            other => self.next_protocol(other),
        }
    }

    fn next_port(&mut self, by: Option<Holder>) {
        self.taken.extend(self.ports.pop_front().map(|port| Taken { port, by }));
        (self.was_ours, self.former) = (None, None);
        self.phase = self.first_phase();
        if self.ports.is_empty() {
            self.next_protocol(Refusal::Taken);
        }
    }

    fn next_protocol(&mut self, refusal: Refusal) {
        self.refusals.extend(self.protocols.pop_front().map(|protocol| (protocol, refusal)));
        self.begin();
        // What the router has shown as somebody else's is so by every protocol.
        while self.ports.is_empty() && !self.protocols.is_empty() {
            self.refusals.extend(self.protocols.pop_front().map(|protocol| (protocol, Refusal::Taken)));
            self.begin();
        }
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whatever;

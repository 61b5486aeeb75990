//! UPnP: a router is asked for its description, and called. What it sends is bounded in bytes and time, whoever it is.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use shared::{
    chain::root_cause,
    http::{Call, CallError, Client, Deadlines, HeaderName, HeaderValue, Method, client_for},
};

use super::{
    asked::{Answer, Grant, Leads, Opening, Refusal},
    description::{Service, services},
    mapping::Mapping,
    soap::{self, DESCRIBED},
    ssdp::Found,
};

/// How long one call may take: some routers write a file for each port.
const CALL: Duration = Duration::from_secs(5);

/// How long the router may take to describe itself.
const DESCRIPTION: Duration = Duration::from_secs(4);

/// The longest description that is read, in bytes: those of routers have 3,000 to 20,000.
const LONGEST_DESCRIPTION: usize = 128 << 10;

/// The longest time that a pinhole may be asked for (`WANIPv6FirewallControl:1`, section 2.4.1).
const LONGEST_PINHOLE: u32 = 86_400;

/// A router that can be asked over UPnP.
#[derive(Debug)]
pub(super) struct Igd {
    client: Client,
    service: Service,
    /// Over IPv4 it translates addresses, over IPv6 it lets through.
    is_firewall: bool,
}

impl Igd {
    /// The router that has answered so, on the link of that interface.
    ///
    /// # Errors
    /// When its description cannot be had or understood, or has nothing of the kind.
    pub(super) async fn of(found: &Found, scope: u32) -> Result<Self, Refusal> {
        let deadlines = Deadlines { connect: CALL, read: CALL, total: CALL };
        let client = client_for([&found.location], deadlines).map_err(|error| Refusal::Unreached(error.to_string()))?;
        let client = client.by_interface(scope);
        let description = client.get(&found.location).within(DESCRIPTION);
        let description = text(description, LONGEST_DESCRIPTION).await?;
        let is_firewall = found.from.is_ipv6();
        let services = services(&description, &found.location, is_firewall);
        let mut all = services.into_iter().map(|service| Self { client: client.clone(), service, is_firewall });
        let first = all.next().ok_or(Refusal::Garbled)?;
        if is_firewall || all.len() == 0 {
            return Ok(first);
        }
        // One for each line that it could have: the one that is up counts.
        let mut others = Vec::from([first]);
        others.extend(all);
        let mut up = None;
        for (at, igd) in others.iter().enumerate() {
            if igd.connection().await.as_deref() == Some("Connected") {
                up = Some(at);
                break;
            }
        }
        Ok(others.swap_remove(up.unwrap_or(0)))
    }

    /// The router's address outside; `None` where it names none.
    pub(super) async fn outside(&self) -> Option<IpAddr> {
        if self.is_firewall {
            return None;
        }
        soap::address(&self.call(soap::outside(self.kind())).await.ok()?)
    }

    /// How its line is, in its own word.
    pub(super) async fn connection(&self) -> Option<String> {
        if self.is_firewall {
            return None;
        }
        soap::connection(&self.call(soap::status(self.kind())).await.ok()?)
    }

    /// Who has a port.
    pub(super) async fn look(&self, port: u16) -> Answer {
        if self.is_firewall {
            return Answer::Undetermined;
        }
        self.call(soap::who_has(self.kind(), port)).await.map_or_else(Answer::Refused, |answer| soap::holder(&answer))
    }

    /// Opens a port, or keeps it open.
    pub(super) async fn open(&self, opening: &Opening) -> Answer {
        let Opening { internal, external, lease, .. } = *opening;
        let (pinhole, lease) = match (self.is_firewall, internal) {
            (false, _) => (self.do_it(soap::open(self.kind(), external, internal, lease)).await.map(|()| None), lease),
            (true, SocketAddr::V6(_)) => (self.pinhole(opening).await.map(Some), lease.clamp(1, LONGEST_PINHOLE)),
            (true, SocketAddr::V4(_)) => (Err(Refusal::Garbled), lease),
        };
        let lease = Some(lease).filter(|lease| *lease > 0);
        match pinhole {
            Ok(pinhole) => Answer::Opened(Grant { external, lease, epoch: None, pinhole, outside: None }),
            Err(refusal) => Answer::Refused(refusal),
        }
    }

    /// Keeps the pinhole that is there, or makes one. One of which nobody knows whether it is there is not made a second time.
    async fn pinhole(&self, opening: &Opening) -> Result<u16, Refusal> {
        let lease = opening.lease.clamp(1, LONGEST_PINHOLE);
        let SocketAddr::V6(internal) = opening.internal else { return Err(Refusal::Garbled) };
        if let Some(number) = opening.pinhole {
            match soap::of_pinhole(&self.call(soap::keep(self.kind(), number, lease)).await?) {
                Ok(()) => return Ok(number),
                Err(Refusal::NotThere) => (),
                Err(other) => return Err(other),
            }
        }
        soap::number(&self.call(soap::let_through(self.kind(), internal, lease)).await?)
    }

    /// Closes a port, whoever has it.
    pub(super) async fn free(&self, port: u16) -> Answer {
        if self.is_firewall {
            return Answer::Undetermined;
        }
        closed(self.do_it(soap::close(self.kind(), port)).await)
    }

    /// Closes what we have opened, and nothing else: a port that somebody else has by now is not ours to close.
    pub(super) async fn close(&self, mapping: &Mapping) -> Answer {
        if let SocketAddr::V6(internal) = mapping.internal {
            let number = match mapping.pinhole {
                Some(number) => number,
                // It was asked for, and its number never came. What is asked for once more has the number that it has.
                None => {
                    match self.call(soap::let_through(self.kind(), internal, 1)).await.and_then(|a| soap::number(&a)) {
                        Ok(number) => number,
                        Err(refusal) => return Answer::Refused(refusal),
                    }
                }
            };
            let shut = self.call(soap::shut(self.kind(), number)).await.and_then(|answer| soap::of_pinhole(&answer));
            return closed(shut);
        }
        match self.look(mapping.external).await {
            Answer::Held(holder) => match holder.leads(mapping.internal) {
                Leads::Here => self.free(mapping.external).await,
                Leads::Elsewhere => Answer::NoMapping,
                Leads::Unclear if holder.description == DESCRIBED => self.free(mapping.external).await,
                Leads::Unclear => Answer::Refused(Refusal::Unclear(holder.to_string())),
            },
            Answer::Undetermined => self.free(mapping.external).await,
            other => other,
        }
    }

    fn kind(&self) -> &str {
        &self.service.kind
    }

    async fn do_it(&self, call: soap::Call) -> Result<(), Refusal> {
        soap::done(&self.call(call).await?)
    }

    /// Calls the service; its refusals are answers, too.
    async fn call(&self, call: soap::Call) -> Result<String, Refusal> {
        let action = HeaderValue::try_from(call.action).map_err(|_| Refusal::Garbled)?;
        let sent = self.client.call(Method::POST, self.service.control.clone());
        let sent = sent.body("text/xml; charset=\"utf-8\"", call.body.into_bytes());
        text(sent.header(HeaderName::from_static("soapaction"), action), soap::MAX_BYTES).await
    }
}

fn closed(done: Result<(), Refusal>) -> Answer {
    match done {
        Ok(()) => Answer::Closed,
        Err(Refusal::NotThere) => Answer::NoMapping,
        Err(refusal) => Answer::Refused(refusal),
    }
}

/// What is answered, whatever its status: a refusal is a 500. What is longer is no answer.
async fn text(call: Call<'_>, max_bytes: usize) -> Result<String, Refusal> {
    let mut response = call.send().await.map_err(|error| unanswered(&error))?;
    let mut bytes = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| unanswered(&CallError::Body(error.without_url())))? {
        if bytes.len() + piece.len() > max_bytes {
            return Err(Refusal::Garbled);
        }
        bytes.extend_from_slice(&piece);
    }
    String::from_utf8(bytes).map_err(|_| Refusal::Garbled)
}

fn unanswered(error: &CallError) -> Refusal {
    match error {
        error if error.is_timeout() => Refusal::Silent,
        CallError::Connect(_) | CallError::Tls(_) => Refusal::Unreached(root_cause(error).to_string()),
        CallError::Request(_) | CallError::TooLate | CallError::Broken(_) | CallError::Body(_) => Refusal::Garbled,
    }
}

//! What a router is asked, and what it answers, whichever protocol it speaks.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use super::mapping::{Nonce, Protocol};

/// One question to a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Who has this port? It changes nothing. UPnP alone has such a question.
    Look(u16),
    /// Open this port, or keep it open.
    Open(Opening),
    /// Close what UPnP has at this port, to open it anew.
    Free(u16),
}

/// What is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// By which protocol.
    pub protocol: Protocol,
    /// The port that the world is to see.
    pub external: u16,
    /// Where what arrives is sent.
    pub internal: SocketAddr,
    /// For how many seconds; 0 is until it is closed.
    pub lease: u32,
    /// Of PCP: what it is known by.
    pub nonce: Nonce,
    /// Of a pinhole that is to be kept: its number.
    pub pinhole: Option<u16>,
}

/// What a router answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is open.
    Opened(Grant),
    /// It is closed.
    Closed,
    /// It closes by itself in so many seconds.
    Ending(u32),
    /// Nobody has the port.
    NoMapping,
    /// Somebody has it.
    Held(Holder),
    /// It does not tell.
    Undetermined,
    /// It did not do it.
    Refused(Refusal),
}

/// What a router opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The port that the world sees; another than was asked for where that one is taken.
    pub external: u16,
    /// For how many seconds; `None` until it is closed.
    pub lease: Option<u32>,
    /// Of PCP and NAT-PMP: for how many seconds the router has known its mappings.
    pub epoch: Option<u32>,
    /// The number of a pinhole.
    pub pinhole: Option<u16>,
    /// Of PCP: the address that the world sees, as the router says.
    pub outside: Option<IpAddr>,
}

/// Who has a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The machine, by address or name.
    pub client: String,
    /// Its port.
    pub port: u16,
    /// What it calls this.
    pub description: String,
    /// For how many seconds it still has it; 0 is until it is closed.
    pub lease: u32,
}

/// Where a port leads, beside a place of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// There.
    Here,
    /// To another machine, or to another port of this one.
    Elsewhere,
    /// To a machine that the router knows by a name, at the same port: perhaps there.
    Unclear,
}

impl Holder {
    /// Whether it is this place.
    pub fn leads(&self, internal: SocketAddr) -> Leads {
        match self.client.parse::<IpAddr>() {
            _ if self.port != internal.port() => Leads::Elsewhere,
            Ok(address) if address == internal.ip() => Leads::Here,
            Ok(_) => Leads::Elsewhere,
            Err(_) => Leads::Unclear,
        }
    }
}

/// As a person recognises it: `192.168.1.9:443 ("nas")`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", shown(&self.client), self.port)?;
        match shown(&self.description) {
            text if text.is_empty() => Ok(()),
            text => write!(f, " (\"{text}\")"),
        }
    }
}

/// Why a router did not do it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No answer in time.
    #[error("it does not answer")]
    Silent,
    /// There is no connection; says why.
    #[error("it cannot be reached ({0})")]
    Unreached(String),
    /// An answer that is none, like a web page.
    #[error("it answers something else than a router does")]
    Garbled,
    /// It speaks another version.
    #[error("it speaks another version of the protocol")]
    Version,
    /// Somebody else has the port.
    #[error("that port is taken")]
    Taken,
    /// It knows no leases.
    #[error("it opens ports only until they are closed")]
    OnlyForEver,
    /// It takes one number for both ports.
    #[error("it takes only the same port inside and outside")]
    OnlySamePort,
    /// It opens ports only for the machine that asks.
    #[error("it opens ports only for the machine that asks")]
    NotForOthers,
    /// It may not, for this machine or this port.
    #[error("it is not allowed: the router's settings forbid it")]
    Forbidden,
    /// It has no address of the world's.
    #[error("it has no public address of its own, and opens nothing then")]
    NoOutside,
    /// Its table is full.
    #[error("it has no room for another port")]
    Full,
    /// It says that it is open, and does not list it.
    #[error("it says that the port is open, and does not have it in its list")]
    NotKept,
    /// It has nothing of the kind.
    #[error("it has no such opening")]
    NotThere,
    /// It names who has the port in a way that does not tell whether that is us.
    #[error("it has that port for {0}, which may be this machine or another one")]
    Unclear(String),
    /// NAT-PMP cannot name another machine, so it is not asked.
    #[error("it cannot open a port for another machine")]
    CannotName,
    /// Something else, in its words.
    #[error("it says: {0}")]
    Other(String),
}

/// What others say may hold what a terminal would obey, and may be long.
pub fn shown(text: &str) -> String {
    let shown = text.chars().take(80).map(|character| if character.is_control() { '?' } else { character });
    shown.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_known_by_address_and_port_and_its_words_obey_no_terminal() {
        let holder = Holder { client: "192.168.1.9".into(), port: 443, description: "\x1b[2Jnas".into(), lease: 0 };
        assert_eq!(holder.to_string(), "192.168.1.9:443 (\"?[2Jnas\")");
        let leads = |holder: &Holder, to: &str| holder.leads(to.parse().unwrap());
        assert_eq!(leads(&holder, "192.168.1.9:443"), Leads::Here);
        assert_eq!(leads(&holder, "192.168.1.9:444"), Leads::Elsewhere);
        assert_eq!(leads(&holder, "192.168.1.8:443"), Leads::Elsewhere);
        let named = Holder { client: "nas.lan".into(), description: String::new(), ..holder };
        assert_eq!(leads(&named, "192.168.1.9:443"), Leads::Unclear);
        assert_eq!(leads(&named, "192.168.1.9:444"), Leads::Elsewhere);
        assert_eq!(named.to_string(), "nas.lan:443");
        assert_eq!(shown(&"x".repeat(500)).len(), 80);
    }
}

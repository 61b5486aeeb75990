//! Why a program ends as soon as it begins: its settings, or an address on which it cannot listen.

use super::Entry;

/// Why a program does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartFault {
    /// A setting is wrong.
    Settings,
    /// Another program has the port.
    PortTaken,
    /// The machine has no such address.
    NoSuchAddress,
    /// The port is for root.
    PortOfRoot,
    /// The machine has no IPv6.
    NoIpv6,
    /// Another reason not to listen there.
    CannotListen,
}

impl StartFault {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Settings, Self::PortTaken, Self::NoSuchAddress, Self::PortOfRoot, Self::NoIpv6, Self::CannotListen];

    /// What it is, and what to do at once: the end of the sentence. A wrong setting has a sentence of its own.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Settings => "A setting is wrong, is missing, or contradicts another one: the sentence names it.",
            Self::PortTaken => "another program listens there: end that one, or choose another port",
            Self::NoSuchAddress => {
                "this machine has no such address, or not yet: choose one that it has (`ip address` lists them), or \
                 for all of them 0.0.0.0 or [::], with the same port"
            }
            Self::PortOfRoot => "ports below 1024 are for root and CAP_NET_BIND_SERVICE: choose one from 1024 on",
            Self::NoIpv6 => "this machine speaks no IPv6: choose an IPv4 address, like 0.0.0.0",
            Self::CannotListen => "choose another address",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, steps): (_, &'static [&'static str]) = match self {
            Self::Settings => (
                "settings",
                &[
                    "`--check` reads the settings, says whether they are in order, and does nothing else; `--check \
                     --online` also asks whether what they name is there.",
                    "`--help` lists each setting with its variable; so do the tables of the READMEs.",
                    "A secret is a variable or, with `_FILE` behind its name, a file; never both, and never a flag.",
                ],
            ),
            Self::PortTaken => (
                "listen-port-taken",
                &["`ss -ltnp` lists which program listens where; the address is `KEEPER_ADDR`, `PUBLIC_ADDR` or \
                     `PRIVATE_ADDR`."],
            ),
            Self::NoSuchAddress => (
                "listen-no-such-address",
                &["An address that comes by DHCP is there only later: 0.0.0.0 takes what comes."],
            ),
            Self::PortOfRoot => (
                "listen-port-of-root",
                &["Let the router forward its port 80 or 443 to the beacon's 8080: the beacon itself needs no \
                     such port."],
            ),
            Self::NoIpv6 => {
                ("listen-no-ipv6", &["Leave `PUBLIC_ADDR` out: the beacon then takes what the machine has."])
            }
            Self::CannotListen => ("listen-refused", &["The words in parentheses are the kernel's."]),
        };
        Entry { id, meaning: self.words().to_owned(), steps }
    }
}

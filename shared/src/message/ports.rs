//! Why a router's port is not open, or of no use, as `porchlight port` says it.

use super::Entry;

/// What is wrong with a router, or with what it opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortFault {
    /// This machine has no way out.
    NoRouter,
    /// The router speaks none of the protocols.
    NoProtocol,
    /// It was asked, and opened nothing.
    NotOpened,
    /// Every port that was tried is somebody else's.
    AllTaken,
    /// The port is another one than the prober asks for.
    OtherPort,
    /// The router is behind another one.
    DoubleNat,
    /// The router is behind the provider's.
    Cgnat,
    /// The router and the world name different addresses.
    Differ,
    /// The router knows no leases.
    ForEver,
    /// The machine's IPv6 address will not stay.
    Temporary,
    /// Another process keeps the port open.
    Held,
    /// What is open could not be closed.
    NotClosed,
}

impl PortFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::NoRouter,
        Self::NoProtocol,
        Self::NotOpened,
        Self::AllTaken,
        Self::OtherPort,
        Self::DoubleNat,
        Self::Cgnat,
        Self::Differ,
        Self::ForEver,
        Self::Temporary,
        Self::Held,
        Self::NotClosed,
    ];

    /// What to do at once: the end of the sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoRouter => "connect this machine to its network, or name the router with --router",
            Self::NoProtocol => "switch on UPnP, NAT-PMP or PCP in its settings, or forward the port there by hand",
            Self::NotOpened => "forward the port by hand in its settings",
            Self::AllTaken => "choose another port with --external",
            Self::OtherPort => "set the port of CANARY_URL to that one wherever the prober has it",
            Self::DoubleNat => "forward the same port on the router before this one, too, to this router's address",
            Self::Cgnat => {
                "no probe from outside can reach this home over IPv4, however the router is set: ask the provider for a public \
                 address, or use IPv6 (--ip-version 6)"
            }
            Self::Differ => {
                "either this machine goes out by another way (a VPN, a second line), or the provider translates addresses: \
                 `porchlight probe` from elsewhere tells"
            }
            Self::ForEver => "it stays open until `porchlight port close`",
            Self::Temporary => "the opening goes with it: give the machine an address that stays",
            Self::Held => {
                "stop that process first: `porchlight port open --every` opens again what is closed beside it"
            }
            Self::NotClosed => "close it in the router's settings, or try again when the router answers",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, what, steps): (_, _, &'static [&'static str]) = match self {
            Self::NoRouter => (
                "port-no-router",
                "This machine has no way out, so no router is known",
                &[
                    "`ip route` shows the ways out; the router stands behind `default via`.",
                    "In a container the way out is the container's own network: set `ROUTER` and `PORT_TO`.",
                ],
            ),
            Self::NoProtocol => (
                "port-no-protocol",
                "The router answers none of the ways to ask for a port",
                &[
                    "In the router's settings it is often called UPnP, below Internet, NAT or port forwarding; in a FRITZ!Box a \
                   machine must be allowed by itself to open ports.",
                    "A firewall on this machine may keep the answers away: they come by UDP from ports 5351 and 1900.",
                    "`porchlight port status` shows what answers.",
                ],
            ),
            Self::NotOpened => (
                "port-not-opened",
                "The router was asked, and did not open the port",
                &[
                    "The words before say why, for each way in which it was asked.",
                    "Many routers open a port only for the machine that asks: run this on the machine that is to be reached.",
                ],
            ),
            Self::AllTaken => (
                "port-all-taken",
                "Every port that was tried leads to somebody else already",
                &["The router's settings show who has them. What others have is never touched."],
            ),
            Self::OtherPort => (
                "port-is-another",
                "The router opened another port than was asked for",
                &[
                    "The new address stands in the same message. It is `prober.env` of the cloud road, and `--home-url` of \
                   `porchlight up --join`.",
                    "It stays at that port while it is kept open.",
                ],
            ),
            Self::DoubleNat => (
                "port-double-nat",
                "The router has a private address outside, so it is behind another router",
                &[
                    "Often the provider's box is a router, too: set it to be a modem only (bridge mode), or name this router there \
                   as its exposed host.",
                ],
            ),
            Self::Cgnat => (
                "port-cgnat",
                "The router has an address outside that the provider shares among its customers (CGNAT)",
                &[
                    "An outside machine can be reached from home all the same: a tunnel to it (infra/TUNNEL.md), or heartbeats \
                     instead of probes (`HEARTBEAT_URL` of the keeper, or `porchlight heartbeat`).",
                ],
            ),
            Self::Differ => (
                "port-outside-differs",
                "The router names another outside address than the world sees",
                &["The port is open at the address that the router names, as far as it tells the truth."],
            ),
            Self::ForEver => (
                "port-for-ever",
                "The router knows no leases, so nothing closes the port by itself",
                &["`porchlight port status` shows what is open."],
            ),
            Self::Temporary => (
                "port-temporary-address",
                "The router was asked from an IPv6 address that this machine drops after a day",
                &["`sysctl net.ipv6.conf.all.use_tempaddr=0` makes it use the one that stays."],
            ),
            Self::Held => (
                "port-held",
                "Another process keeps the port open",
                &[
                    "`systemctl stop porchlight-port` where it is the unit's; then `porchlight port close` with the same \
                   `STATE_DIR`.",
                ],
            ),
            Self::NotClosed => (
                "port-not-closed",
                "The router did not close the port",
                &["What has a lease ends by itself: `porchlight port status` says when."],
            ),
        };
        Entry { id, meaning: format!("{what}: {}.", self.words()), steps }
    }
}

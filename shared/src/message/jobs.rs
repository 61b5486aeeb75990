//! Why a job's run did not end as it should.

use super::Entry;

/// What went wrong with a run of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobFault {
    /// A measurement failed and is recorded nowhere.
    NotRecorded,
    /// The run was cut off.
    CutOff,
    /// DuckDNS refuses the token or the name.
    DuckDns,
    /// DuckDNS does not answer, or not as it should.
    DuckDnsFails,
    /// It is not known which address the home has.
    AddressUnknown,
    /// Something on the way answered in a server's place.
    Intercepted,
    /// No server measured the bandwidth.
    NotMeasured,
    /// `ping` may send no ICMP.
    NoIcmp,
}

impl JobFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::NotRecorded,
        Self::CutOff,
        Self::DuckDns,
        Self::DuckDnsFails,
        Self::AddressUnknown,
        Self::Intercepted,
        Self::NotMeasured,
        Self::NoIcmp,
    ];

    /// The job's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotRecorded => "a measurement failed, no metric shows that, and there is no keeper to record it",
            Self::CutOff => "it did not end in time and was cut off",
            Self::DuckDns => {
                "DuckDNS says KO: DUCKDNS_TOKEN or DOMAIN is wrong. Sign in at www.duckdns.org: the token stands at \
                 the top, and the name must be in the list below it"
            }
            Self::DuckDnsFails => "DuckDNS does not answer, or not as it should",
            Self::AddressUnknown => "which address this home has is not known, so DuckDNS was not called",
            Self::Intercepted => "something on the way answered in a server's place",
            Self::NotMeasured => "the bandwidth was not measured",
            Self::NoIcmp => {
                "this process may send no ICMP: let its group into the sysctl net.ipv4.ping_group_range, or set METHOD=tcp"
            }
        }
    }

    /// Where there is more of it, as a line of its own.
    pub fn more(self) -> String {
        format!("more: {}", self.entry().link())
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, steps): (_, &'static [&'static str]) = match self {
            Self::NotRecorded => (
                "job-not-recorded",
                &[
                    "The run ends with exit code 3. The line above says why it could not be measured.",
                    "statuspage.io's metrics take numbers only. Set `KEEPER_URL` to keep failures too.",
                ],
            ),
            Self::CutOff => (
                "job-cut-off",
                &["Nothing is lost of earlier runs. Where it happens often, raise `DEADLINE`, or let it run less \
                     often."],
            ),
            Self::DuckDns => (
                "job-duckdns-refuses",
                &["Write `DOMAIN` without `.duckdns.org` or with it, but only names of the one account that the \
                     token is of."],
            ),
            Self::DuckDnsFails => (
                "job-duckdns-fails",
                &[
                    "The next run tries again; the name keeps the address that it had.",
                    "`curl -v https://www.duckdns.org/` from the same machine shows whether it is DuckDNS or your line.",
                ],
            ),
            Self::AddressUnknown => (
                "job-address-unknown",
                &[
                    "The line says of each source in `ADDRESS_SOURCES` why it named none. Where none answers, the line is \
                     cut, or a firewall keeps the job from them.",
                    "A private address, or one of 100.64.0.0/10, means CGNAT: nobody reaches this home over IPv4, however \
                     the router is set. Ask the provider for a public address, use IPv6 (`IP_VERSION=6`), let the home send heartbeats \
                     (`HEARTBEAT_URL`), or take a tunnel as the way in (infra/TUNNEL.md).",
                    "An address of a tunnel (WARP, a VPN) is not your line's: let the job go past it.",
                ],
            ),
            Self::Intercepted => (
                "job-line-intercepted",
                &[
                    "Open any http:// page in a browser behind the same router: a login page of the provider's, or of a \
                     guest network, shows itself.",
                    "A proxy or a filter of yours has to let the job through: it names the host.",
                ],
            ),
            Self::NotMeasured => (
                "job-bandwidth-not-measured",
                &[
                    "The line says of each server why. While the line is cut, that is what is to be expected, and it is \
                     recorded as a failure.",
                    "`SOURCE=cloudflare`, or a file of your own (`SOURCE=https://…`), measures where fast.com does not answer.",
                    "Where a server wants fewer requests, let it run less often.",
                ],
            ),
            Self::NoIcmp => (
                "job-no-icmp",
                &[
                    "`sysctl -w net.ipv4.ping_group_range='0 2147483647'` lets every group; a file in /etc/sysctl.d keeps it. \
                     The chart does so for its pod.",
                    "`METHOD=tcp` times a connection instead.",
                ],
            ),
        };
        Entry { id, meaning: format!("{}.", self.words()), steps }
    }
}

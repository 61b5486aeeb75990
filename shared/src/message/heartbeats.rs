//! Why a home's heartbeat was not taken.

use super::Entry;

/// What became of a heartbeat that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatFault {
    /// There is no connection.
    Unreachable,
    /// There was one, and no answer.
    Silent,
    /// The certificate is not trusted.
    Tls,
    /// The function takes none now.
    Busy,
    /// The function does not know this home by this key.
    Refused,
    /// What answers there is not the function.
    WrongUrl,
    /// The function and this program are of versions that do not fit.
    Version,
    /// The answer could be anybody's.
    Unsigned,
    /// The time that the function told is not taken by it either.
    Clock,
    /// Another host is ahead.
    NotLater,
    /// The address or the key cannot be read any more.
    Setting,
}

impl HeartbeatFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Unreachable,
        Self::Silent,
        Self::Tls,
        Self::Busy,
        Self::Refused,
        Self::WrongUrl,
        Self::Version,
        Self::Unsigned,
        Self::Clock,
        Self::NotLater,
        Self::Setting,
    ];

    /// For machines.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Silent => "silent",
            Self::Tls => "tls",
            Self::Busy => "busy",
            Self::Refused => "refused",
            Self::WrongUrl => "wrong_url",
            Self::Version => "version",
            Self::Unsigned => "unsigned",
            Self::Clock => "clock",
            Self::NotLater => "not_later",
            Self::Setting => "setting",
        }
    }

    /// Whether a person has to mend it: it goes away neither with the line nor with a minute.
    pub const fn is_for_a_person(self) -> bool {
        match self {
            Self::Unreachable | Self::Silent | Self::Busy => false,
            Self::Tls
            | Self::Refused
            | Self::WrongUrl
            | Self::Version
            | Self::Unsigned
            | Self::Clock
            | Self::NotLater
            | Self::Setting => true,
        }
    }

    /// The program's words. The address is a secret, and stands in none of them.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "there is no connection to the address in HEARTBEAT_URL",
            Self::Silent => "the function at HEARTBEAT_URL does not answer in time",
            Self::Tls => "the certificate at HEARTBEAT_URL is not one that this machine trusts now",
            Self::Busy => "the function at HEARTBEAT_URL takes no heartbeat now",
            Self::Refused => {
                "the function at HEARTBEAT_URL knows no home with this component's id and this BEACON_KEY: both are to be those of \
                 its target"
            }
            Self::WrongUrl => {
                "what answers at HEARTBEAT_URL is not the stack's heartbeat function: copy its address again"
            }
            Self::Version => {
                "the function at HEARTBEAT_URL does not understand this heartbeat: update the stack to this program's version"
            }
            Self::Unsigned => {
                "the answer from HEARTBEAT_URL is not signed with this home's key, so something else than the function answers"
            }
            Self::Clock => "the function at HEARTBEAT_URL told the time, and takes no heartbeat with that time either",
            Self::NotLater => "another host sends heartbeats with this BEACON_KEY, and is always ahead of this one",
            Self::Setting => "the address or the key of heartbeats cannot be read",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, steps): (_, &'static [&'static str]) = match self {
            Self::Unreachable => (
                "heartbeat-unreachable",
                &[
                    "While the line is down that is what is to be expected: heartbeats go on by themselves once it is back.",
                    "A firewall has to let the program reach the world at port 443; in the chart `heartbeat.enabled` does that.",
                ],
            ),
            Self::Silent => (
                "heartbeat-silent",
                &[
                    "The next heartbeat tries again. Where it lasts, see the function's log and its throttles in CloudWatch.",
                ],
            ),
            Self::Tls => (
                "heartbeat-certificate",
                &[
                    "A clock that is wrong makes every certificate invalid: see `timedatectl`.",
                    "Install the package ca-certificates, and see whether something between home and world answers in the function's \
                     place.",
                ],
            ),
            Self::Busy => (
                "heartbeat-busy",
                &[
                    "The next heartbeat tries again. Where it lasts, see the stack's alarms: it may be throttled, or its table may not \
                   answer.",
                ],
            ),
            Self::Refused => (
                "heartbeat-refused",
                &[
                    "Compare the component's id with `component_id` of the target: `HEARTBEAT_URL` is for targets of `kind` `heartbeat` \
                     or with `CANARY_URL` and heartbeat together.",
                    "Give both sides the same key: what is in Parameter Store at the target's `heartbeat_key_parameter` is `BEACON_KEY` \
                     at home.",
                    "See `timedatectl`: a heartbeat that is ten minutes off is told the time, and one that is much older is refused.",
                ],
            ),
            Self::WrongUrl => (
                "heartbeat-wrong-url",
                &[
                    "The stack wrote the address to its parameter `heartbeat-url`, and it is another one after the stack was made anew: \
                     `aws ssm get-parameter --name /porchlight/heartbeat-url --query Parameter.Value --output text`.",
                    "`403` where the address is right means that the function's URL lost its permissions: deploy the stack again.",
                ],
            ),
            Self::Version => (
                "heartbeat-version",
                &[
                    "Deploy the stack of the version that runs at home, or update the programs at home: the function first.",
                ],
            ),
            Self::Unsigned => (
                "heartbeat-unsigned",
                &[
                    "Copy the address from the stack's parameter `heartbeat-url` again: whatever answers there has not this home's key.",
                    "A filter or proxy between home and world that reads https answers in its place: let the program past it.",
                ],
            ),
            Self::Clock => (
                "heartbeat-clock",
                &[
                    "The function's own clock moved, or its answers are held back on the way. See its log; the next heartbeat tries again.",
                ],
            ),
            Self::NotLater => (
                "heartbeat-two-hosts",
                &[
                    "One home has one key: stop the other host, or give it a key, a component and a target of its own.",
                    "A copy of the home's disk or of its settings that runs elsewhere is the usual one.",
                ],
            ),
            Self::Setting => (
                "heartbeat-settings",
                &[
                    "The sentence names the file: it held the address or the key when the program began. Heartbeats go on once it does \
                   again.",
                ],
            ),
        };
        Entry { id, meaning: format!("{}.", self.words()), steps }
    }
}

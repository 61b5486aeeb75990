//! What a prober's run concludes, and why: a closed set, each cause with one sentence for people and one label for machines.
//! The prober judges; the keeper and the page read.

#[cfg(test)]
mod tests;

/// What is written where a verdict has no cause.
pub const NO_CAUSE: &str = "none";

/// The longest label of a cause that a later version may have, in bytes.
const MAX_LATER_CAUSE: usize = 32;

/// What a run concludes of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers as it should.
    Up,
    /// It answers, but not as it should.
    Degraded(DegradedCause),
    /// It does not answer.
    Down(DownCause),
    /// Nothing is known, so nothing is changed.
    Unknown(UnknownCause),
}

/// What is wrong with a home that answers, the least first: of several answers the best one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DegradedCause {
    /// Connecting takes longer than `DEGRADED_ABOVE`.
    Slow,
    /// Its certificate ends sooner than is expected of it.
    CertificateEnds,
    /// Its certificate is not valid.
    Certificate,
    /// It answers where it last proved itself, but its name cannot be resolved.
    NameService,
    /// Its heartbeats do not come in time.
    Late,
}

/// Why a home counts as down, the most specific first: of several failures the smallest names the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DownCause {
    /// Its heartbeats come, and the home itself cannot be reached.
    Inbound,
    /// A beacon with another key answers.
    Impostor,
    /// Answers come without a valid proof.
    Unproven,
    /// Answers come that are not as expected.
    Unexpected,
    /// The port is closed.
    Refused,
    /// Connections are accepted, but no HTTP answer comes.
    Reset,
    /// Connections are accepted, but the TLS handshake fails.
    Tls,
    /// Nothing answers.
    Unreachable,
    /// The name does not exist.
    Name,
    /// No heartbeat comes any more.
    Silent,
}

/// Why nothing is known of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnknownCause {
    /// The home's key could not be read.
    Key,
    /// The name service failed.
    NameService,
    /// The home has addresses of a family over which no witness was reached.
    NoRoute,
    /// No witness was reached, or this machine could not even try.
    Blind,
    /// It failed while what it depends on is down, or not known either.
    Dependency,
    /// The prober at the other location has just seen it up.
    OtherLocation,
    /// The way of heartbeats does not work, or has not for long enough.
    Heartbeats,
}

impl DegradedCause {
    /// Every cause, in order.
    pub const ALL: [Self; 5] = [Self::Slow, Self::CertificateEnds, Self::Certificate, Self::NameService, Self::Late];
}

impl DownCause {
    /// Every cause, in order.
    pub const ALL: [Self; 10] = [
        Self::Inbound,
        Self::Impostor,
        Self::Unproven,
        Self::Unexpected,
        Self::Refused,
        Self::Reset,
        Self::Tls,
        Self::Unreachable,
        Self::Name,
        Self::Silent,
    ];

    /// Whether it says what to check. Silence does not: line, power and router look the same from outside.
    pub const fn is_known(self) -> bool {
        !matches!(self, Self::Unreachable | Self::Silent)
    }
}

impl UnknownCause {
    /// Every cause.
    pub const ALL: [Self; 7] = [
        Self::Key,
        Self::NameService,
        Self::NoRoute,
        Self::Blind,
        Self::Dependency,
        Self::OtherLocation,
        Self::Heartbeats,
    ];
}

impl Verdict {
    /// Every verdict there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let degraded = DegradedCause::ALL.into_iter().map(Self::Degraded);
        let down = DownCause::ALL.into_iter().map(Self::Down);
        let unknown = UnknownCause::ALL.into_iter().map(Self::Unknown);
        std::iter::once(Self::Up).chain(degraded).chain(down).chain(unknown)
    }

    /// Whether the home answered, as it should or not.
    pub const fn answers(self) -> bool {
        matches!(self, Self::Up | Self::Degraded(_))
    }

    /// `up`, `degraded`, `down` or `unknown`, as in the report.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Degraded(_) => "degraded",
            Self::Down(_) => "down",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The cause's label, as in the report and in `STATUSES`; `None` when the home is up.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::Up => None,
            Self::Degraded(DegradedCause::Slow) => Some("slow"),
            Self::Degraded(DegradedCause::CertificateEnds) => Some("certificate_ends"),
            Self::Degraded(DegradedCause::Certificate) => Some("certificate"),
            Self::Degraded(DegradedCause::NameService) => Some("only_name_service"),
            Self::Degraded(DegradedCause::Late) => Some("late"),
            Self::Down(DownCause::Inbound) => Some("inbound"),
            Self::Down(DownCause::Impostor) => Some("impostor"),
            Self::Down(DownCause::Unproven) => Some("unproven"),
            Self::Down(DownCause::Unexpected) => Some("unexpected"),
            Self::Down(DownCause::Refused) => Some("refused"),
            Self::Down(DownCause::Reset) => Some("reset"),
            Self::Down(DownCause::Tls) => Some("tls"),
            Self::Down(DownCause::Unreachable) => Some("unreachable"),
            Self::Down(DownCause::Name) => Some("name"),
            Self::Down(DownCause::Silent) => Some("silent"),
            Self::Unknown(UnknownCause::Key) => Some("key"),
            Self::Unknown(UnknownCause::NameService) => Some("name_service"),
            Self::Unknown(UnknownCause::NoRoute) => Some("no_route"),
            Self::Unknown(UnknownCause::Blind) => Some("blind"),
            Self::Unknown(UnknownCause::Dependency) => Some("dependency"),
            Self::Unknown(UnknownCause::OtherLocation) => Some("other_location"),
            Self::Unknown(UnknownCause::Heartbeats) => Some("heartbeats"),
        }
    }

    /// The verdict that these labels name; `cause` is `None` or `none` for a home that is up.
    pub fn from_labels(verdict: &str, cause: Option<&str>) -> Option<Self> {
        let cause = cause.filter(|cause| *cause != NO_CAUSE);
        Self::all().find(|known| known.label() == verdict && known.cause() == cause)
    }

    /// Whether these may be the labels of a verdict that a later version has: with a cause that is none of this one's. What
    /// comes with it counts, only that verdict is not known.
    pub fn may_be_later(verdict: &str, cause: &str) -> bool {
        let is_word = cause.len() <= MAX_LATER_CAUSE && cause.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_new = !cause.is_empty() && cause != NO_CAUSE && Self::of_cause(cause).is_none();
        let mut with_causes = Self::all().filter(|known| *known != Self::Up);
        is_word && is_new && with_causes.any(|known| known.label() == verdict)
    }

    /// The verdict that has a cause of that label.
    pub fn of_cause(label: &str) -> Option<Self> {
        Self::all().find(|verdict| verdict.cause() == Some(label))
    }

    /// The verdict in a sentence, for the operator.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Up => "The home answers.",
            Self::Degraded(DegradedCause::Slow) => {
                "The home answers, but takes long to be reached: the line is overloaded, or loses packets."
            }
            Self::Degraded(DegradedCause::CertificateEnds) => {
                "It answers as expected, but its certificate ends sooner than it should: renew it."
            }
            Self::Degraded(DegradedCause::Certificate) => {
                "The home answers and proves itself, but its certificate is not valid: look at what is wrong with it."
            }
            Self::Degraded(DegradedCause::NameService) => {
                "The home answers at its last address, but its name cannot be resolved: look at the name service."
            }
            Self::Degraded(DegradedCause::Late) => {
                "The home's heartbeats are late: its line loses much, or it has just gone down."
            }
            Self::Down(DownCause::Inbound) => {
                "The home reaches the world, but the world does not reach the home: look at the port forwarding, at \
                 where its name leads, and at whether its provider has put it behind CGNAT."
            }
            Self::Down(DownCause::Impostor) => {
                "A beacon with another key answers: the address is somebody else's by now, or beacon and prober have \
                 been given different keys."
            }
            Self::Down(DownCause::Unproven) => {
                "Something answers, but without your beacon's proof: a stranger on your old address, the router's own \
                 page, a proxy or tunnel that does not reach it, a cache's old answer, or a beacon without a key."
            }
            Self::Down(DownCause::Unexpected) => {
                "Something answers, but not as expected: with another status, body or header than it should, or with a \
                 certificate that is about to end."
            }
            Self::Down(DownCause::Refused) => {
                "An address answered, but the port is closed: the beacon is stopped, the port forwarding is lost, or \
                 the address is no longer yours."
            }
            Self::Down(DownCause::Reset) => {
                "Something took the connection, but broke it off, did not answer in HTTP, or stayed silent: look at the \
                 router's port forwarding and at the beacon."
            }
            Self::Down(DownCause::Tls) => {
                "Something took the connection, but no secure connection came about: look at the certificate and at \
                 whether the port speaks TLS."
            }
            Self::Down(DownCause::Unreachable) => {
                "Nothing answered in time: the line or the power is cut, or the port is not forwarded."
            }
            Self::Down(DownCause::Name) => {
                "The name does not exist: look at its spelling and at your account with the name service."
            }
            Self::Down(DownCause::Silent) => {
                "No heartbeat comes from the home any more: the line or the power is cut, or what sends them is stopped."
            }
            Self::Unknown(UnknownCause::Key) => {
                "Something answers, but the key that would tell whether it is the home could not be read."
            }
            Self::Unknown(UnknownCause::NameService) => {
                "The name service is in trouble, so the home could not be looked for."
            }
            Self::Unknown(UnknownCause::NoRoute) => {
                "The home has addresses of a kind (IPv4 or IPv6) over which this prober reaches nobody, so it cannot tell: \
                 a plain Lambda has no IPv6."
            }
            Self::Unknown(UnknownCause::Blind) => {
                "This prober could not look: no witness answered either, or its own machine is in trouble. Look at its \
                 network, and at WITNESSES."
            }
            Self::Unknown(UnknownCause::Dependency) => {
                "It failed, but so did what it depends on, or nothing is known of that: this says nothing of itself."
            }
            Self::Unknown(UnknownCause::OtherLocation) => {
                "It does not answer here, but the prober at the other location has just seen it up: what fails is on the way \
                 from here."
            }
            Self::Unknown(UnknownCause::Heartbeats) => {
                "The way that heartbeats take is in trouble or has just come back, or none has ever come, so nothing is \
                 known of the home."
            }
        }
    }
}

//! What a run concludes, and why: a closed set, each cause with one sentence for people and one label for machines.

use shared::statuspage::ComponentStatus;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Up,
    Down(DownCause),
    /// Nothing is known, so nothing is changed.
    Unknown(UnknownCause),
}

/// Why a home counts as down, the most telling first: of several failures the smallest names the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DownCause {
    Impostor,
    Unproven,
    Refused,
    Reset,
    Tls,
    Unreachable,
    Name,
}

/// Why nothing can be said of a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnknownCause {
    Key,
    NameService,
    Blind,
}

impl DownCause {
    pub const ALL: [Self; 7] =
        [Self::Impostor, Self::Unproven, Self::Refused, Self::Reset, Self::Tls, Self::Unreachable, Self::Name];
}

impl UnknownCause {
    pub const ALL: [Self; 3] = [Self::Key, Self::NameService, Self::Blind];
}

impl Verdict {
    /// What the page should say; `None` leaves it as it is.
    pub const fn status(self) -> Option<ComponentStatus> {
        match self {
            Self::Up => Some(ComponentStatus::Operational),
            Self::Down(_) => Some(ComponentStatus::MajorOutage),
            Self::Unknown(_) => None,
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down(_) => "down",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The cause's label; `None` when the home is up.
    pub const fn cause(self) -> Option<&'static str> {
        match self {
            Self::Up => None,
            Self::Down(DownCause::Impostor) => Some("impostor"),
            Self::Down(DownCause::Unproven) => Some("unproven"),
            Self::Down(DownCause::Refused) => Some("refused"),
            Self::Down(DownCause::Reset) => Some("reset"),
            Self::Down(DownCause::Tls) => Some("tls"),
            Self::Down(DownCause::Unreachable) => Some("unreachable"),
            Self::Down(DownCause::Name) => Some("name"),
            Self::Unknown(UnknownCause::Key) => Some("key"),
            Self::Unknown(UnknownCause::NameService) => Some("name_service"),
            Self::Unknown(UnknownCause::Blind) => Some("blind"),
        }
    }

    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Up => "The home answers.",
            Self::Down(DownCause::Impostor) => {
                "A beacon with another key answers: the address is somebody else's by now, or beacon and prober have been \
                 given different keys."
            }
            Self::Down(DownCause::Unproven) => {
                "Something answers, but it is not your beacon: a stranger on your old address, the router's own page, or a \
                 beacon without a key."
            }
            Self::Down(DownCause::Refused) => {
                "An address answered, but the port is closed: the beacon is stopped, the port forwarding is lost, or \
                 the address is no longer yours."
            }
            Self::Down(DownCause::Reset) => {
                "Something took the connection, but broke it off or did not answer in HTTP: look at the router's port \
                 forwarding and at the beacon."
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
            Self::Unknown(UnknownCause::Key) => {
                "Something answers, but the key that would tell whether it is the home could not be read."
            }
            Self::Unknown(UnknownCause::NameService) => {
                "The name service is in trouble, so the home could not be looked for."
            }
            Self::Unknown(UnknownCause::Blind) => {
                "This prober could not look as it should, so it cannot tell: look at its own network and time."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn every_verdict() -> Vec<Verdict> {
        let down = DownCause::ALL.into_iter().map(Verdict::Down);
        let unknown = UnknownCause::ALL.into_iter().map(Verdict::Unknown);
        std::iter::once(Verdict::Up).chain(down).chain(unknown).collect()
    }

    #[test]
    fn every_cause_has_a_label_and_a_sentence_of_its_own() {
        let all = every_verdict();
        assert_eq!(all.iter().map(|v| v.cause()).collect::<HashSet<_>>().len(), all.len());
        assert_eq!(all.iter().map(|v| v.sentence()).collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn causes_are_ordered_from_the_most_telling() {
        assert!(DownCause::ALL.is_sorted());
    }
}

//! What keeps the keeper from sending upstream what it should.

use super::Entry;

/// Why the relay does not go on, wholly or in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayFault {
    /// Everything is refused.
    Paused,
    /// Calls fail for now.
    Trouble,
    /// A metric is not taken.
    Metric,
    /// A point is refused.
    Point,
    /// Upstream fails at a point.
    StuckPoint,
    /// A component's status is not taken.
    Status,
    /// A component is not there upstream.
    NoComponent,
}

impl RelayFault {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Paused, Self::Trouble, Self::Metric, Self::Point, Self::StuckPoint, Self::Status, Self::NoComponent];

    /// The keeper's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Paused => "nothing can be sent upstream until this is mended: the relay pauses, and loses nothing",
            Self::Trouble => "nothing can be sent upstream for now: the relay tries again, and loses nothing",
            Self::Metric => "upstream does not take a metric: the others go on",
            Self::Point => "upstream refuses a point: it is kept aside until it is retried by hand",
            Self::StuckPoint => "upstream fails at a point: the others go on",
            Self::Status => "upstream does not take a status",
            Self::NoComponent => "the page upstream has no such component: what is said of it is said here alone",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, steps): (_, &'static [&'static str]) = match self {
            Self::Paused => (
                "relay-paused",
                &[
                    "The reason stands beside it: mostly a token that was revoked (`UPSTREAM_TOKEN`) or an address \
                     that is not the API's (`UPSTREAM_URL`).",
                    "A token in a file is read again when it changes, and tried at once; nothing need be restarted.",
                ],
            ),
            Self::Trouble => (
                "relay-trouble",
                &["It ends by itself. If it stays for hours, see whether the line is up and whether upstream \
                     reports an outage."],
            ),
            Self::Metric => (
                "relay-metric-not-taken",
                &["See whether the seed's id of that metric is one of the page upstream, and whether the metric \
                     was deleted there."],
            ),
            Self::Point => (
                "relay-point-refused",
                &["The reason is upstream's. When it is mended, `keeper relay retry` queues all of them again."],
            ),
            Self::StuckPoint => (
                "relay-point-stuck",
                &["Nothing: it is tried again later, alone. If it stays, tell who runs the page upstream which \
                     point it is."],
            ),
            Self::Status => (
                "relay-status-not-taken",
                &["See whether the seed's id of that component is one of the page upstream."],
            ),
            Self::NoComponent => (
                "relay-no-component",
                &["If it is to be shown there too, make it upstream, and write its id into the seed."],
            ),
        };
        Entry { id, meaning: format!("{}.", self.words()), steps }
    }
}

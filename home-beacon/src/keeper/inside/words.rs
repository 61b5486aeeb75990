//! A kind in a sentence, and for machines.

use super::{Confidence, Detail, Interval, Kind};

impl Kind {
    /// For machines.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Router => "router",
            Self::Line => "line",
            Self::Provider => "provider",
            Self::Names => "names",
            Self::Inbound => "inbound",
            Self::Beacon => "beacon",
            Self::ProberSilent => "prober_silent",
            Self::Congestion => "congestion",
            Self::NotKnown => "not_known",
        }
    }
}

impl Confidence {
    /// For machines.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl Kind {
    /// For people, in a word or two.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Power => "power",
            Self::Router => "router",
            Self::Line => "line",
            Self::Provider => "provider",
            Self::Names => "name servers",
            Self::Inbound => "the way in",
            Self::Beacon => "beacon",
            Self::ProberSilent => "nobody looked",
            Self::Congestion => "a full line",
            Self::NotKnown => "not known",
        }
    }
}

impl Interval {
    /// What it was, in a sentence.
    pub fn sentence(&self) -> &'static str {
        match self.kind {
            Kind::Power => "The host at home was off or restarted.",
            Kind::Router => "The router at home did not answer.",
            Kind::Line if self.confidence == Confidence::Low => {
                "Nothing beyond the home answered; whether it was the router or the line is not measured."
            }
            Kind::Line => "The router was there, and the line behind it was not.",
            Kind::Provider => "The line was there, and nothing beyond the provider's first hop answered.",
            Kind::Names => "The line was there, and the home's name servers did not answer.",
            Kind::Inbound if self.detail == Some(Detail::BehindCgnat) => {
                "The home reached the world, and the world did not reach the home: its provider has put it behind CGNAT."
            }
            Kind::Inbound => {
                "The home reached the world, and the world did not reach the home: its forwarding or its address."
            }
            Kind::Beacon => "The home was there, and its beacon did not answer.",
            Kind::ProberSilent => "The home was there, and nobody looked at it from outside.",
            Kind::Congestion if self.detail == Some(Detail::DuringTest) => "A bandwidth test filled the line.",
            Kind::Congestion => "The line was there, and lost or delayed much of what it carried.",
            Kind::NotKnown => "It was down as seen from outside, and nothing that was recorded at home says why.",
        }
    }
}

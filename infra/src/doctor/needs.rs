//! What a link rests on: the links before it, and the settings by which it is looked at.

use super::link::Link;

impl Link {
    /// The links that this one cannot be well without: where one of them is broken, what is seen here may only come of that.
    pub const fn needs(self) -> &'static [Self] {
        match self {
            Self::Settings
            | Self::Clock
            | Self::NameServers
            | Self::SearchDomains
            | Self::Cgnat
            | Self::Beacon
            | Self::Cluster
            | Self::Aws
            | Self::Parameters
            | Self::Role
            | Self::Function
            | Self::Token
            | Self::Disk
            | Self::Wear => &[],
            Self::Address | Self::DuckDns => &[Self::NameServers],
            Self::PublicDns => &[Self::Address, Self::DuckDns],
            Self::Lan | Self::Proof => &[Self::Beacon, Self::Cluster],
            Self::Router => &[Self::Cgnat],
            Self::PublicName => &[
                Self::DuckDns,
                Self::PublicDns,
                Self::Cgnat,
                Self::Beacon,
                Self::Cluster,
                Self::Lan,
                Self::Router,
                Self::Proof,
                Self::Keys,
            ],
            Self::Keys => &[Self::Proof, Self::Parameters],
            Self::Schedule | Self::Receiver => &[Self::Function],
            Self::Alarms => &[Self::Runs],
            Self::Runs => &[
                Self::Clock,
                Self::Parameters,
                Self::Role,
                Self::Function,
                Self::Schedule,
                Self::Token,
                Self::Page,
                Self::Component,
                Self::RateLimit,
                Self::Keeper,
            ],
            Self::Page | Self::RateLimit => &[Self::Token],
            Self::Component => &[Self::Token, Self::Page],
            Self::Metrics => &[Self::Clock, Self::Token, Self::Page, Self::Runs, Self::Relay, Self::Jobs],
            Self::Keeper => &[Self::Disk],
            Self::Looks => &[Self::Clock, Self::Keeper, Self::Function, Self::Schedule, Self::Runs, Self::PublicName],
            Self::Heartbeat => &[Self::Clock, Self::NameServers, Self::Receiver, Self::Keeper],
            Self::Relay => &[Self::Keeper, Self::Token, Self::Page],
            Self::Jobs => &[Self::Clock, Self::Keeper, Self::NameServers],
            Self::Inside => &[Self::Keeper, Self::Jobs],
            Self::Notices => &[Self::Keeper],
        }
    }

    /// All that it needs, by whatever way.
    pub fn all_needs(self) -> Vec<Self> {
        let (mut needed, mut next) = (Vec::new(), self.needs().to_vec());
        while let Some(link) = next.pop() {
            if !needed.contains(&link) {
                needed.push(link);
                next.extend(link.needs());
            }
        }
        needed
    }

    /// The settings by which it is looked at: where one of them is wrong, something else may have been looked at. A secret stands
    /// for the file that holds it, too.
    pub const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Settings
            | Self::Clock
            | Self::NameServers
            | Self::SearchDomains
            | Self::Cluster
            | Self::Aws
            | Self::Role
            | Self::Alarms
            | Self::RateLimit => &[],
            Self::Address => &["ADDRESS_SOURCES"],
            Self::DuckDns => &["CANARY_URL", "DOMAIN", "DUCKDNS_TOKEN", "DUCKDNS_URL", "TOKEN"],
            Self::PublicDns => &["CANARY_URL", "DOMAIN", "PUBLIC_DNS", "TARGETS"],
            Self::Cgnat => &["ROUTER"],
            Self::Beacon => &["PUBLIC_ADDR"],
            Self::Lan => &["PORT_INTERNAL", "PORT_TO", "PUBLIC_ADDR"],
            Self::Router => &["PORT_EXTERNAL", "PORT_INTERNAL", "PORT_TO", "ROUTER", "STATE_DIR"],
            Self::PublicName | Self::Schedule | Self::Runs => &["CANARY_URL", "COMPONENT_ID", "TARGETS"],
            Self::Proof => &["BEACON_KEY", "PUBLIC_ADDR"],
            Self::Keys => &[
                "BEACON_KEY",
                "BEACON_KEY_OLD_PARAMETER",
                "BEACON_KEY_PARAMETER",
                "CANARY_URL",
                "COMPONENT_ID",
                "TARGETS",
            ],
            Self::Parameters => &[
                "BEACON_KEY",
                "BEACON_KEY_PARAMETER",
                "CANARY_URL",
                "COMPONENT_ID",
                "STATUSPAGE_TOKEN_PARAMETER",
                "TARGETS",
                "TARGETS_PARAMETER",
            ],
            Self::Function => &["CANARY_URL", "COMPONENT_ID", "PAGE_ID", "TARGETS"],
            Self::Token => &["STATUSPAGE_TOKEN", "STATUSPAGE_URL", "TOKEN"],
            Self::Page => &["PAGE_ID", "TARGETS"],
            Self::Component | Self::Looks => &["COMPONENT_ID", "TARGETS"],
            Self::Metrics => {
                &["METRIC_ID", "METRIC_ID_JITTER", "METRIC_ID_LOSS", "METRIC_ID_RESPONSE", "METRIC_ID_UPLOAD"]
            }
            Self::Keeper => &["KEEPER_TOKEN", "KEEPER_URL"],
            Self::Receiver => &["HEARTBEAT_URL"],
            Self::Heartbeat => &["BEACON_KEY", "HEARTBEAT_URL"],
            Self::Relay => &["UPSTREAM_TOKEN", "UPSTREAM_URL"],
            Self::Disk => &["DATABASE_URL", "PORCHLIGHT_DATA"],
            Self::Wear => &["SYS_DIR"],
            Self::Jobs => &["TARGET_HOST"],
            Self::Inside => &["ROUTER_HOST"],
            Self::Notices => &["NOTIFY_URLS"],
        }
    }
}

#[cfg(test)]
mod tests {
    use shared::settings::OURS;

    use super::*;

    /// Else both could be put down to the other one, and none would be named.
    #[test]
    fn no_link_needs_itself_by_whatever_way() {
        for link in Link::ALL {
            assert!(!link.all_needs().contains(&link), "{link:?} needs itself");
        }
    }

    #[test]
    fn what_a_link_is_looked_at_by_are_settings_that_there_are() {
        for link in Link::ALL {
            assert!(link.settings().iter().all(|name| OURS.contains(name)), "{link:?}");
        }
    }
}

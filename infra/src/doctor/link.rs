//! The links of the chain, in the order in which what is seen of a home travels from it to its page.

use serde::Serialize;

/// One link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// What the user has set.
    Settings,
    /// This machine's clock.
    Clock,
    /// The servers that this machine asks about names.
    NameServers,
    /// The domains that short names are looked for in.
    SearchDomains,
    /// The address that the world sees.
    Address,
    /// The name and the token at `DuckDNS`.
    DuckDns,
    /// What the world is told of the home's name.
    PublicDns,
    /// Whether the provider gives an address of one's own.
    Cgnat,
    /// The beacon, where it runs.
    Beacon,
    /// The beacon's pod and service.
    Cluster,
    /// The beacon, as the router finds it.
    Lan,
    /// The port that the router opens.
    Router,
    /// The beacon, as the world finds it.
    PublicName,
    /// Whether the beacon has the key that is set here.
    Proof,
    /// Whether home and prober have the same key.
    Keys,
    /// The account at AWS, as this machine gets to it.
    Aws,
    /// Secrets and settings in Parameter Store.
    Parameters,
    /// What the function may do.
    Role,
    /// The function.
    Function,
    /// What runs it every minute.
    Schedule,
    /// What watches it.
    Alarms,
    /// The function that takes heartbeats, with its table and its address.
    Receiver,
    /// What its last runs came to.
    Runs,
    /// The token of the page.
    Token,
    /// The page.
    Page,
    /// The component that shows the home.
    Component,
    /// The metrics, and their last points.
    Metrics,
    /// How many calls the page's API still takes.
    RateLimit,
    /// The keeper.
    Keeper,
    /// When somebody outside looked last.
    Looks,
    /// What the home tells the cloud of itself, where nobody can reach it.
    Heartbeat,
    /// What the keeper sends on.
    Relay,
    /// The room on the disk.
    Disk,
    /// How worn flash memory is.
    Wear,
    /// The jobs, and what they measured last.
    Jobs,
    /// What is asked at home, so that an outage gets its cause.
    Inside,
    /// Who is written to.
    Notices,
}

impl Link {
    /// All of them, in order.
    pub const ALL: [Self; 37] = [
        Self::Settings,
        Self::Clock,
        Self::NameServers,
        Self::SearchDomains,
        Self::Address,
        Self::DuckDns,
        Self::PublicDns,
        Self::Cgnat,
        Self::Beacon,
        Self::Cluster,
        Self::Lan,
        Self::Router,
        Self::PublicName,
        Self::Proof,
        Self::Keys,
        Self::Aws,
        Self::Parameters,
        Self::Role,
        Self::Function,
        Self::Schedule,
        Self::Alarms,
        Self::Receiver,
        Self::Runs,
        Self::Token,
        Self::Page,
        Self::Component,
        Self::Metrics,
        Self::RateLimit,
        Self::Keeper,
        Self::Looks,
        Self::Heartbeat,
        Self::Relay,
        Self::Disk,
        Self::Wear,
        Self::Jobs,
        Self::Inside,
        Self::Notices,
    ];

    /// What it is called, for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Clock => "clock",
            Self::NameServers => "name servers",
            Self::SearchDomains => "search domains",
            Self::Address => "own address",
            Self::DuckDns => "DuckDNS",
            Self::PublicDns => "public DNS",
            Self::Cgnat => "provider",
            Self::Beacon => "beacon",
            Self::Cluster => "pod, service",
            Self::Lan => "home network",
            Self::Router => "router's port",
            Self::PublicName => "from outside",
            Self::Proof => "proof",
            Self::Keys => "keys",
            Self::Aws => "AWS account",
            Self::Parameters => "parameters",
            Self::Role => "role",
            Self::Function => "function",
            Self::Schedule => "schedule",
            Self::Alarms => "alarms",
            Self::Receiver => "receiver",
            Self::Runs => "last runs",
            Self::Token => "page's token",
            Self::Page => "page",
            Self::Component => "component",
            Self::Metrics => "metrics",
            Self::RateLimit => "rate limit",
            Self::Keeper => "keeper",
            Self::Looks => "looks",
            Self::Heartbeat => "heartbeat",
            Self::Relay => "relay",
            Self::Disk => "disk",
            Self::Wear => "disk's wear",
            Self::Jobs => "jobs",
            Self::Inside => "inside view",
            Self::Notices => "notices",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_link_is_listed_once_in_order_and_has_a_name_of_its_own() {
        assert!(Link::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let mut titles: Vec<_> = Link::ALL.iter().map(|link| link.title()).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), Link::ALL.len());
        assert!(Link::ALL.iter().all(|link| link.title().len() <= 14));
    }
}

//! What `porchlight port` prints: for a person, or as JSON.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use jiff::{Span, SpanRound, Timestamp, Unit};
use serde::Serialize;
use shared::{message::PortFault, names::Family, settings::WebAddresses};
use url::Url;

use super::{
    mapping::{Mapping, Protocol},
    negotiation::Taken,
    open::Opened,
    outside::{Outside, Reach},
    router::Router,
};

/// What is open, as it is shown: nothing by which a stranger could close it.
#[derive(Clone, Debug, Serialize)]
pub struct Open {
    /// By which protocol.
    pub protocol: Protocol,
    /// Where what arrives is sent.
    pub internal: SocketAddr,
    /// The port that was asked for.
    pub wanted: u16,
    /// The port that the world sees.
    pub external: u16,
    /// For how many seconds; `None` until it is closed.
    pub lease: Option<u32>,
    /// Until when; `None` until it is closed.
    pub until: Option<Timestamp>,
    /// Whether somebody else made it: it is used, and never closed.
    pub is_made_by_others: bool,
    /// In a sentence.
    #[serde(skip)]
    words: String,
}

impl From<&Mapping> for Open {
    fn from(mapping: &Mapping) -> Self {
        let Mapping { protocol, internal, wanted, external, lease, .. } = *mapping;
        let (until, words) = (mapping.ends(), format!("{mapping}, {}", lasts(mapping)));
        Self { protocol, internal, wanted, external, lease, until, is_made_by_others: false, words }
    }
}

/// A router, and what is open at it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// The router, by its address at home.
    pub router: IpAddr,
    /// Where what arrives is sent.
    pub target: IpAddr,
    /// What it speaks.
    pub speaks: Vec<Protocol>,
    /// How its line is, in its own word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Its address outside, in words.
    pub outside: String,
    /// Whether the world gets here.
    pub reach: Reach,
    /// What is open.
    pub opened: Option<Open>,
    /// Where the prober finds the home.
    pub canary_url: Option<String>,
    /// What a person should know of it, a sentence each.
    pub notes: Vec<String>,
}

impl Report {
    /// Of a router that was found.
    pub fn new(router: &Router, family: Family, outside: &Outside) -> Self {
        let mut report = Self {
            family: family.to_string(),
            router: router.address,
            target: router.target,
            speaks: router.speaks(),
            connection: router.connection.clone(),
            outside: outside.words(),
            reach: outside.reach(),
            opened: None,
            canary_url: None,
            notes: Vec::new(),
        };
        if let Some(fault) = outside.fault() {
            report.note(fault, &outside.words());
        }
        if let Some(refusal) = router.trouble() {
            report.notes.push(format!("it says that it speaks UPnP, but {refusal}"));
        }
        if !router.others.is_empty() {
            let others = router.others.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
            report.notes.push(format!(
                "{others} says that it is a router, too; this machine does not go out by it, so it was left alone \
                 (--router takes it)"
            ));
        }
        report
    }

    /// With what was opened.
    #[must_use]
    pub fn with(mut self, opened: &Opened, outside: &Outside, canary: Option<&WebAddresses>) -> Self {
        let Opened { mapping, taken, by_hand, .. } = opened;
        if let Some(words) = moved(mapping, taken) {
            self.note(PortFault::OtherPort, &words);
        }
        if mapping.lease.is_none() && by_hand.is_none() {
            self.note(PortFault::ForEver, "the router knows no leases");
        }
        self.canary_url = canary_url(mapping, outside, canary);
        let mut open = Open::from(mapping);
        if let Some(by) = by_hand {
            open.is_made_by_others = true;
            self.notes.push(format!(
                "the router has that port for {by} already, which is here, and porchlight port did not make it: it is used as it \
                 is, and left alone when the port is closed"
            ));
        }
        self.opened = Some(open);
        self
    }

    /// Adds a sentence, with what to do and where there is more of it.
    pub fn note(&mut self, fault: PortFault, what: &str) {
        self.notes.push(fault.entry().ending(&format!("{what}: {}", fault.words())));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let speaks = match &self.speaks[..] {
            [] => "speaks neither PCP, NAT-PMP nor UPnP".to_owned(),
            speaks => format!("speaks {}", in_words(speaks.iter())),
        };
        let connection = self.connection.as_ref().map(|word| format!(", and calls its line {word}"));
        writeln!(f, "router    {}, which {speaks}{}", self.router, connection.unwrap_or_default())?;
        if let Some(open) = &self.opened {
            writeln!(f, "open      {}", open.words)?;
        }
        writeln!(f, "outside   {}", self.outside)?;
        if let Some(url) = &self.canary_url {
            writeln!(f, "CANARY_URL={url}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(f, "{note}"))
    }
}

/// Why the port is another one than was asked for.
fn moved(mapping: &Mapping, taken: &[Taken]) -> Option<String> {
    let SocketAddr::V4(_) = mapping.internal else { return None };
    if mapping.external == mapping.wanted {
        return None;
    }
    let by = taken.iter().find(|taken| taken.port == mapping.wanted).and_then(|taken| taken.by.as_ref());
    let by = by.map(|by| format!(", which leads to {by},")).unwrap_or_default();
    Some(format!("the router opened port {} instead of {}{by}", mapping.external, mapping.wanted))
}

/// Where the prober finds the home: by the names that it has been told, else by address.
pub fn canary_url(mapping: &Mapping, outside: &Outside, canary: Option<&WebAddresses>) -> Option<String> {
    let port = mapping.external;
    if let Some(canary) = canary {
        let at_port = |url: &Url| {
            let mut url = url.clone();
            url.set_port(Some(port)).ok().map(|()| url.to_string())
        };
        return Some(canary.iter().map(at_port).collect::<Option<Vec<_>>>()?.join(","));
    }
    match mapping.internal {
        SocketAddr::V4(_) => outside.address().map(|address| format!("http://{address}:{port}")),
        SocketAddr::V6(internal) => Some(format!("http://[{}]:{port}", internal.ip())),
    }
}

/// How long it stays open.
pub fn lasts(mapping: &Mapping) -> String {
    match mapping.ends() {
        None => "until it is closed".into(),
        Some(end) => format!("until {end:.0} ({})", length(mapping.at.clock, end)),
    }
}

fn length(from: Timestamp, until: Timestamp) -> String {
    let round = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
    let span = Span::try_from(until.duration_since(from)).and_then(|span| span.round(round));
    span.map_or_else(|_| "long".into(), |span| format!("{span:#}"))
}

fn in_words<T: fmt::Display>(of: impl ExactSizeIterator<Item = T>) -> String {
    let words: Vec<_> = of.map(|word| word.to_string()).collect();
    match &words[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        words => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{asked::Holder, mapping::sample},
        *,
    };

    #[test]
    fn another_port_than_was_asked_for_is_told_with_who_has_that_one() {
        assert_eq!(moved(&sample(), &[]), None);
        let other = Mapping { external: 30009, ..sample() };
        let by = Holder { client: "192.168.1.9".into(), port: 443, description: "nas".into(), lease: 0 };
        let taken = [Taken { port: 30008, by: Some(by) }];
        assert_eq!(
            moved(&other, &taken).unwrap(),
            "the router opened port 30009 instead of 30008, which leads to 192.168.1.9:443 (\"nas\"),"
        );
        assert_eq!(moved(&other, &[]).unwrap(), "the router opened port 30009 instead of 30008");
    }

    #[test]
    fn the_prober_is_told_the_name_that_it_knows_or_the_address_with_the_port_that_there_is() {
        let outside = Outside::Confirmed([81, 2, 69, 142].into());
        let canary = "http://home.duckdns.org:30008/x".parse().unwrap();
        let other = Mapping { external: 30009, ..sample() };
        assert_eq!(canary_url(&other, &outside, Some(&canary)).unwrap(), "http://home.duckdns.org:30009/x");
        let two = "http://home.duckdns.org:30008 http://home.example:30008".parse().unwrap();
        let followed = canary_url(&other, &outside, Some(&two)).unwrap();
        assert_eq!(followed, "http://home.duckdns.org:30009/,http://home.example:30009/");
        assert_eq!(canary_url(&other, &outside, None).unwrap(), "http://81.2.69.142:30009");
        let six = Mapping { internal: "[2a02:8109::7]:8080".parse().unwrap(), external: 8080, ..sample() };
        assert_eq!(canary_url(&six, &outside, None).unwrap(), "http://[2a02:8109::7]:8080");
        let none = Outside::of(Some([10, 0, 0, 2].into()), Err("nobody told".into()));
        assert_eq!(canary_url(&other, &none, None), None);
    }

    #[test]
    fn what_closes_it_is_shown_to_nobody() {
        let shown = serde_json::to_string(&Open::from(&sample())).unwrap();
        assert!(
            !shown.contains("nonce") && !shown.contains("[1,2,3]") && shown.contains("\"external\":30008"),
            "{shown}"
        );
    }

    #[test]
    fn how_long_it_lasts_is_told_with_the_time() {
        assert_eq!(lasts(&sample()), "until 1970-01-01T02:16:40Z (2h)");
        assert_eq!(lasts(&Mapping { lease: None, ..sample() }), "until it is closed");
        assert_eq!(in_words([Protocol::Pcp, Protocol::NatPmp, Protocol::Upnp].iter()), "PCP, NAT-PMP and UPnP");
        assert_eq!(in_words([Protocol::Upnp].iter()), "UPnP");
    }
}

//! What a router describes itself as (pure): which of its services opens ports, and where that is asked.

use url::Url;

use super::xml::{Part, walk};

/// The services that open a port over IPv4, by preference: only the first two have leases that are kept to.
const MAPPING: [&str; 3] = [
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:1",
];

/// The one that lets through over IPv6.
const FIREWALL: [&str; 1] = ["urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"];

/// The most services of a kind that are asked whether their line is up: a router has one for each line.
const MOST: usize = 4;

/// A service of a router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// As it is named in calls.
    pub(super) kind: String,
    /// Where it is called.
    pub(super) control: Url,
}

/// Those that open a port over IPv4, or let through over IPv6, the preferred one first. Only what is asked at the host that describes
/// it counts: no router is to have us ask another machine, or this one.
pub(super) fn services(description: &str, at: &Url, is_v6: bool) -> Vec<Service> {
    let wanted: &[&str] = if is_v6 { &FIREWALL } else { &MAPPING };
    let (mut found, mut base) = (Vec::new(), None);
    let (mut kind, mut control) = (None, None);
    let read = walk(description, |part| match part {
        Part::Begin("service") => (kind, control) = (None, None),
        Part::End("URLBase", text) => base = base.take().or_else(|| Url::parse(text).ok()),
        Part::End("serviceType", text) => kind = wanted.iter().position(|wanted| *wanted == text),
        Part::End("controlURL", text) => control = Some(text.to_owned()),
        Part::End("service", _) => found.extend(kind.take().zip(control.take())),
        Part::Begin(_) | Part::End(..) => (),
    });
    if read.is_none() {
        return Vec::new();
    }
    found.sort_by_key(|(preference, _)| *preference);
    let base = base.filter(|base| base.host() == at.host()).unwrap_or_else(|| at.clone());
    let services = found.into_iter().filter_map(|(preference, control)| {
        let control = base.join(&control).ok()?;
        let is_its_own = control.scheme() == "http" && control.host() == at.host();
        is_its_own.then(|| Service { kind: wanted[preference].to_owned(), control })
    });
    services.take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at() -> Url {
        "http://192.168.1.1:5000/rootDesc.xml".parse().unwrap()
    }

    fn service(kind: &str, control: &str) -> String {
        format!(
            "<service><serviceType>urn:schemas-upnp-org:service:{kind}</serviceType><serviceId>x</serviceId>\
             <controlURL>{control}</controlURL><SCPDURL>/x.xml</SCPDURL></service>"
        )
    }

    fn described(base: &str, services: &[String]) -> String {
        let list = services.concat();
        format!(
            "<?xml version=\"1.0\"?>\r\n<root xmlns=\"urn:schemas-upnp-org:device-1-0\">{base}<device><deviceList><device>\
             <serviceList>{list}</serviceList></device></deviceList></device></root>"
        )
    }

    fn controls(description: &str, is_v6: bool) -> Vec<String> {
        services(description, &at(), is_v6).into_iter().map(|service| service.control.to_string()).collect()
    }

    #[test]
    fn the_service_that_opens_ports_is_found_by_family_and_the_better_one_first() {
        let all = [
            service("WANCommonInterfaceConfig:1", "/ctl/Common"),
            service("WANPPPConnection:1", "/ctl/PPP"),
            service("WANIPConnection:1", "/ctl/IP1"),
            service("WANIPConnection:2", "ctl/IP2"),
            service("WANIPv6FirewallControl:1", "/ctl/Six"),
        ];
        let described = described("", &all);
        let expected =
            ["http://192.168.1.1:5000/ctl/IP2", "http://192.168.1.1:5000/ctl/IP1", "http://192.168.1.1:5000/ctl/PPP"];
        assert_eq!(controls(&described, false), expected);
        assert_eq!(controls(&described, true), ["http://192.168.1.1:5000/ctl/Six"]);
        assert_eq!(services(&described, &at(), false)[0].kind, MAPPING[0]);
    }

    #[test]
    fn what_is_asked_elsewhere_is_not_asked() {
        let one = |control: &str| [service("WANIPConnection:1", control)];
        let based = described("<URLBase>http://192.168.1.1:49152/</URLBase>", &one("upnp/control"));
        assert_eq!(controls(&based, false), ["http://192.168.1.1:49152/upnp/control"]);
        let lying = described("<URLBase>http://192.168.1.9/</URLBase>", &one("/ctl"));
        assert_eq!(controls(&lying, false), ["http://192.168.1.1:5000/ctl"]);
        for control in ["http://127.0.0.1:9100/x", "//192.168.1.9/x", "https://192.168.1.1/x", "file:///x"] {
            assert!(controls(&described("", &one(control)), false).is_empty(), "{control}");
        }
        for page in ["", "<html><body>Login</body></html>", &described("", &one("/ctl"))[..200]] {
            assert!(controls(page, false).is_empty(), "{page}");
        }
    }

    #[test]
    fn of_services_without_end_a_few_are_asked() {
        assert_eq!(controls(&described("", &vec![service("WANIPConnection:1", "/ctl"); 500]), false).len(), MOST);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_without_a_panic(text: String, cut in 0..300_usize) {
            services(&text, &at(), false);
            let whole = described("", &[service("WANIPConnection:1", "/ctl")]);
            services(whole.get(..cut).unwrap_or_default(), &at(), false);
        }
    }
}

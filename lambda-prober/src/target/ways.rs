//! How a home is known to be there: by an answer, by its heartbeats, or by both.

use shared::id::ComponentId;
use url::Url;

use super::{Home, Target, WrongTargets};

/// How a home is known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ways {
    /// It is probed.
    Probe,
    /// It sends heartbeats, and nobody can reach it.
    Heartbeat,
    /// Both: what cannot be reached and still speaks has lost its way in only.
    Both,
}

impl Ways {
    /// Whether it has an address to probe.
    pub const fn is_probed(self) -> bool {
        matches!(self, Self::Probe | Self::Both)
    }

    /// Whether it sends heartbeats.
    pub const fn sends_heartbeats(self) -> bool {
        matches!(self, Self::Heartbeat | Self::Both)
    }
}

impl Home {
    /// A home that nobody can reach, named after its component.
    pub(crate) fn by_heartbeat(component: &ComponentId) -> Option<Self> {
        let url = Url::parse(&format!("heartbeat:{component}")).ok()?;
        Some(Self { name: "Home".into(), addresses: url.into(), ways: Ways::Heartbeat, keys: None, expect: None })
    }
}

/// A key tells whose a heartbeat is: of two homes with one key, either could speak for the other.
pub(super) fn check_keys(targets: &[Target]) -> Result<(), WrongTargets> {
    let by_heartbeat = |target: &&Target| target.home.ways.sends_heartbeats();
    for (index, target) in targets.iter().enumerate().filter(|(_, target)| by_heartbeat(target)) {
        let same = |other: &&Target| {
            other.home.keys.as_ref().map(|it| &it.current) == target.home.keys.as_ref().map(|it| &it.current)
        };
        if let Some(other) = targets[..index].iter().filter(by_heartbeat).find(same) {
            return Err(WrongTargets(format!(
                "{} and {} send heartbeats with one key: give each home a key of its own, in heartbeat_key_parameter",
                other.home.name, target.home.name
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Targets;

    fn read(list: &str) -> Result<Targets, String> {
        list.parse::<Targets>().map_err(|error| error.to_string())
    }

    fn home(number: u8, more: &str) -> String {
        format!(r#"{{"name":"Home {number}","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c07{number}"{more}}}"#)
    }

    #[test]
    fn a_home_that_nobody_can_reach_needs_no_address() {
        let by_heartbeat = r#","kind":"heartbeat","heartbeat_key_parameter":"/porchlight/keys/one""#;
        let both =
            r#","kind":"heartbeat","url":"http://home.example:30008","heartbeat_key_parameter":"/porchlight/keys/two""#;
        let targets = read(&format!("[{},{}]", home(0, by_heartbeat), home(1, both))).unwrap();
        let ways: Vec<_> =
            targets.iter().map(|target| (target.home.ways.is_probed(), target.home.ways.sends_heartbeats())).collect();
        assert_eq!(ways, [(false, true), (true, true)]);
        let first = &targets.iter().next().unwrap().home;
        assert_eq!(first.url().as_str(), "heartbeat:8kbf7d35c070");
        assert_eq!(first.keys.as_ref().unwrap().current.as_str(), "/porchlight/keys/one");
    }

    #[test]
    fn one_key_for_two_homes_that_send_heartbeats_is_refused() {
        let by_heartbeat = r#","kind":"heartbeat""#;
        let keyed = r#","kind":"heartbeat","key_parameter":"/porchlight/keys/one""#;
        for more in [by_heartbeat, keyed] {
            let refused = read(&format!("[{},{}]", home(0, more), home(1, more))).unwrap_err();
            assert!(refused.starts_with("Home 0 and Home 1 send heartbeats with one key: "), "{refused}");
        }
        assert!(read(&format!("[{},{}]", home(0, by_heartbeat), home(1, keyed))).is_ok());
        let probed = r#","url":"http://home.example:30008""#;
        assert!(read(&format!("[{},{}]", home(0, by_heartbeat), home(1, probed))).is_ok());
    }

    #[test]
    fn a_kind_that_does_not_fit_is_refused_in_a_sentence() {
        for (more, refused) in [
            ("", "target 1: missing field `url`"),
            (r#","kind":"probe""#, "target 1: missing field `url`"),
            (r#","kind":"pigeon""#, "target 1: kind `pigeon`: it is probe or heartbeat"),
            (
                r#","url":"http://h","heartbeat_key_parameter":"/k""#,
                r#"target 1: heartbeat_key_parameter is for a target with "kind":"heartbeat""#,
            ),
            (
                r#","kind":"heartbeat","heartbeat_key_parameter":"/k","key_parameter":"/l""#,
                "target 1: key_parameter and heartbeat_key_parameter are both set",
            ),
            (r#","kind":"heartbeat","expect":{}"#, "target 1: expect: there is no answer without a url"),
            (
                r#","kind":"heartbeat","metric_id_response":"8kbf7d35c07m""#,
                "target 1: metric_id_response: there is no answer",
            ),
        ] {
            let error = read(&format!("[{}]", home(0, more))).unwrap_err();
            assert!(error.starts_with(refused), "{more}: {error}");
        }
    }
}

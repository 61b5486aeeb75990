//! Which names are asked for where a host is meant.

/// Whether a name may be completed with the domains of the search list.
///
/// A search list can hold a domain in which every name exists. With a line that is cut, or a name server that denies what it
/// cannot reach, a name of the world would then become some machine at home: it is measured, or given a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The name is complete: that of a service in the world, or of a home.
    Never,
    /// The name is asked for as it is first, and below the domains only after the answer that it does not exist.
    AfterNoSuchName,
}

/// The domains whose names are always complete.
const WORLD: [&str; 3] = ["statuspage.io", "duckdns.org", "amazonaws.com"];

impl Search {
    /// That of a host in an address which may be one of the home network: a keeper's.
    pub fn of(host: &str) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let below =
            |domain: &&str| host.strip_suffix(*domain).is_some_and(|name| name.is_empty() || name.ends_with('.'));
        if WORLD.iter().any(below) { Self::Never } else { Self::AfterNoSuchName }
    }

    /// That of the host that a person names as the one to be measured: a dot makes it complete, but for that of a service in a
    /// cluster, which ends with `.svc`, as no domain of the world does.
    pub fn of_target(host: &str) -> Self {
        match host.rsplit_once('.') {
            Some((_, last)) if !last.eq_ignore_ascii_case("svc") => Self::Never,
            _ => Self::AfterNoSuchName,
        }
    }

    /// The names to ask for, one after the other, without their final dots.
    pub(super) fn candidates(self, host: &str, domains: &[String]) -> Vec<String> {
        let complete = host.ends_with('.');
        let host = host.trim_end_matches('.');
        let mut names = vec![host.to_owned()];
        if self == Self::AfterNoSuchName && !complete {
            names.extend(domains.iter().map(|domain| format!("{host}.{domain}")));
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_final_dot_or_a_complete_name_stops_the_search() {
        let domains = ["lan".to_owned(), "home.arpa".to_owned()];
        let asked = |search: Search, host| search.candidates(host, &domains);
        assert_eq!(asked(Search::AfterNoSuchName, "keeper"), ["keeper", "keeper.lan", "keeper.home.arpa"]);
        assert_eq!(asked(Search::AfterNoSuchName, "keeper.monitoring."), ["keeper.monitoring"]);
        assert_eq!(asked(Search::Never, "home.duckdns.org"), ["home.duckdns.org"]);
    }

    #[test]
    fn what_is_public_by_nature_is_complete() {
        for host in ["api.statuspage.io", "API.StatusPage.io.", "statuspage.io", "home.duckdns.org"] {
            assert_eq!(Search::of(host), Search::Never, "{host}");
        }
        for host in ["keeper", "keeper.monitoring", "notstatuspage.io"] {
            assert_eq!(Search::of(host), Search::AfterNoSuchName, "{host}");
        }
        assert_eq!(Search::of_target("example.com"), Search::Never);
        assert_eq!(Search::of_target("example.com."), Search::Never);
        assert_eq!(Search::of_target("router"), Search::AfterNoSuchName);
        assert_eq!(Search::of_target("web.default.svc"), Search::AfterNoSuchName);
    }
}

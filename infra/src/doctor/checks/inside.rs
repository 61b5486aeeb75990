//! The inside view: whether enough is asked at home to tell a router from a line, and a line from a provider.

use super::super::{finding::Finding, link::Link, reply::Reply, words::ago};

/// What comes later than this is no longer of now: pings come every minute.
const FRESH: i64 = 10 * 60;

/// What `ping` asks with `ROUTER_HOST`, and what that is for people.
const ASKED: [(&str, &str); 5] = [
    ("router", "the router"),
    ("first_hop", "the provider's first hop"),
    ("ping", "a host far away"),
    ("far", "another one, on another network"),
    ("names", "name servers"),
];

/// What is asked at home, by the keeper's metrics.
pub fn inside(metrics: Option<&str>, why_not: &Reply, now: i64) -> Finding {
    let link = Link::Inside;
    let Some(text) = metrics else {
        return match why_not {
            Reply::NotAsked(why) => Finding::unused(link, why.clone()),
            other => Finding::unknown(link, other.why(), "see the link keeper"),
        };
    };
    let value = |name: &str, metric: &str| -> Option<f64> {
        let begin = format!("porchlight_{name}{{metric=\"{metric}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(begin.as_str())?.trim().parse().ok())
    };
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let age = |metric: &str| value("reading_timestamp_seconds", metric).map(|at| now - at as i64);
    let Some(router) = age("router") else {
        return Finding::unused(link, "ping asks no router: with ROUTER_HOST an outage gets its cause");
    };
    if router > FRESH {
        let saw = format!("the router was asked last {} ago", ago(router));
        return Finding::unknown(link, saw, "see the link jobs, and whether ping still has ROUTER_HOST");
    }
    // The first hop is searched for while hosts behind it answer, and may have moved.
    let is_missing = |metric: &str| age(metric).is_none_or(|age| age > FRESH);
    if let Some((_, what)) = ASKED.iter().find(|(metric, _)| is_missing(metric)) {
        return Finding::unknown(
            link,
            format!("{what} is not asked yet"),
            "after some runs of ping look again, or see what it says: porchlight ping",
        );
    }
    let fails = |metric: &str| value("reading_failed", metric).is_some_and(|failed| failed > 0.5);
    if fails("router") && !fails("ping") {
        return Finding::unknown(
            link,
            "the router does not answer, though hosts behind it do",
            "see whether ROUTER_HOST is its address; some routers never answer, and then router and line cannot be told apart",
        );
    }
    Finding::ok(link, format!("router, first hop, two hosts far away and name servers were asked {} ago", ago(router)))
}

#[cfg(test)]
mod tests {
    use super::super::super::reply::fixtures::{not_asked, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn the_inside_view_is_whole_or_something_is_missing() {
        let text = |asked: &[(&str, i64, u8)]| -> String {
            let lines = asked.iter().map(|(metric, at, failed)| {
                format!(
                    "porchlight_reading_timestamp_seconds{{metric=\"{metric}\"}} {at}\n\
                     porchlight_reading_failed{{metric=\"{metric}\"}} {failed}\n"
                )
            });
            lines.collect()
        };
        let all = |router: u8| ASKED.map(|(metric, _)| (metric, 99_960, if metric == "router" { router } else { 0 }));
        let found = |asked: &[(&str, i64, u8)]| inside(Some(&text(asked)), &silent(), 100_000);
        let whole = found(&all(0));
        assert_eq!((whole.outcome, whole.saw.ends_with("were asked 40 s ago")), (Outcome::Ok, true), "{whole:?}");
        assert_eq!(found(&all(0)[2..]).outcome, Outcome::NotUsed, "without ROUTER_HOST");
        for (asked, saw) in [
            (all(1).to_vec(), "the router does not answer, though hosts behind it do"),
            (all(0)[..1].to_vec(), "the provider's first hop is not asked yet"),
            ([&all(0)[..3], &all(0)[4..]].concat(), "another one, on another network is not asked yet"),
            (vec![("router", 90_000, 0)], "the router was asked last 2 h ago"),
        ] {
            let found = found(&asked);
            assert_eq!(found.outcome, Outcome::NotConclusive);
            assert!(found.saw.starts_with(saw), "{found:?}");
        }
        assert_eq!(inside(None, &silent(), 0).outcome, Outcome::NotConclusive);
        assert_eq!(inside(None, &not_asked(), 0).outcome, Outcome::NotUsed);
    }
}

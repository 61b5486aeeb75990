//! The page's API: its token, the page, its component, and how many calls it still takes.

use serde_json::Value;

use super::super::{finding::Finding, link::Link, reply::Reply};

/// The most that one call of the page's API lists. A list of that length may go on.
pub const LISTED: usize = 100;

/// Whether a list may go on.
pub fn is_cut(list: &Value) -> bool {
    list.as_array().is_some_and(|all| all.len() >= LISTED)
}

/// What a call that brought nothing says of any link of the page; `None` where it brought something.
pub fn unanswered(link: Link, reply: &Reply) -> Option<Finding> {
    match reply {
        Reply::NotAsked(why) => Some(Finding::unused(link, why.clone())),
        Reply::Limited(_) => Some(Finding::unknown(link, "the rate limit is used up", "see the link rate limit")),
        Reply::Silent(why) => {
            Some(Finding::unknown(link, why.clone(), "see whether STATUSPAGE_URL can be reached from here"))
        }
        Reply::Refused { code, .. } if matches!(code.as_str(), "401" | "403") => {
            Some(Finding::unknown(link, "the token is refused", "see the link page's token"))
        }
        Reply::Is(_) | Reply::Refused { .. } => None,
    }
}

/// The token.
pub fn token(pages: &Reply, origin: &str) -> Finding {
    let link = Link::Token;
    match pages {
        Reply::Refused { code, words } if matches!(code.as_str(), "401" | "403") => Finding::failed(
            link,
            format!("the one in {origin} is refused ({code}: {words})"),
            "copy it anew (User menu, API info), and store it: Another token in infra/README.md",
        ),
        // The limit is told to who has a token only.
        Reply::Limited(_) => Finding::unknown(link, "the rate limit is used up", "see the link rate limit"),
        Reply::Refused { code, words } => Finding::unknown(
            link,
            format!("the page's API answers with {code}: {words}"),
            "see whether STATUSPAGE_URL ends as the API's address does: https://api.statuspage.io/v1",
        ),
        other => unanswered(link, other).unwrap_or_else(|| Finding::ok(link, format!("the one in {origin} is taken"))),
    }
}

/// The page. `pages`: those that the token reaches.
pub fn page(pages: &Reply, wanted: Option<&str>) -> Finding {
    let link = Link::Page;
    if let Some(finding) = unanswered(link, pages) {
        return finding;
    }
    let Reply::Is(list) = pages else { return Finding::unknown(link, pages.why(), "see the link page's token") };
    let ids: Vec<&str> = list.as_array().into_iter().flatten().filter_map(|page| page["id"].as_str()).collect();
    let Some(wanted) = wanted else {
        return Finding::unknown(
            link,
            "no PAGE_ID is set",
            format!("set it to one of those that the token reaches: {}", ids.join(", ")),
        );
    };
    let found = list.as_array().into_iter().flatten().find(|page| page["id"] == wanted);
    match found {
        Some(page) => Finding::ok(link, format!("{wanted}: {}", page["name"].as_str().unwrap_or("it has no name"))),
        None => Finding::failed(
            link,
            format!(
                "the token does not reach {wanted}; it reaches {}",
                if ids.is_empty() { "none".into() } else { ids.join(", ") }
            ),
            "set PAGE_ID to one of those, or take the key of the account that has the page",
        ),
    }
}

/// The component. `components`: those of the page.
pub fn component(components: &Reply, wanted: Option<&str>, page: Option<&str>) -> Finding {
    let link = Link::Component;
    if let Some(finding) = unanswered(link, components) {
        return finding;
    }
    let Reply::Is(list) = components else { return Finding::unknown(link, components.why(), "see the link page") };
    let all = || list.as_array().into_iter().flatten();
    let names = || {
        let one = |it: &Value| {
            format!("{} ({})", it["id"].as_str().unwrap_or_default(), it["name"].as_str().unwrap_or_default())
        };
        all().filter(|it| it["group"] != true).take(10).map(one).collect::<Vec<_>>().join(", ")
    };
    let Some(wanted) = wanted else {
        return Finding::unknown(link, "no COMPONENT_ID is set", format!("set it to one of the page's: {}", names()));
    };
    let Some(found) = all().find(|it| it["id"] == wanted) else {
        let saw = if Some(wanted) == page {
            format!("{wanted} is the page's id, and no component's")
        } else if is_cut(list) {
            return Finding::unknown(
                link,
                format!("{wanted} is not among the page's first {LISTED} components"),
                "see whether the page has it: its address in the page's administration ends in its id",
            );
        } else {
            format!("the page has no component {wanted}")
        };
        return Finding::failed(link, saw, format!("set COMPONENT_ID to one of the page's: {}", names()));
    };
    let name = found["name"].as_str().unwrap_or_default();
    if found["group"] == true {
        return Finding::failed(
            link,
            format!("{wanted} ({name}) is a group, whose status cannot be set"),
            format!("set COMPONENT_ID to a component: {}", names()),
        );
    }
    if found["porchlight_shown"] == false {
        let why = found["porchlight_warning"].as_str().unwrap_or("the keeper does not say why");
        return Finding::failed(
            link,
            format!("{name} is not shown to readers: {why}"),
            "set PAGE_ID and COMPONENT_ID to the page that is shown",
        );
    }
    let status = found["status"].as_str().unwrap_or_default().replace('_', " ");
    match status.as_str() {
        "under maintenance" => Finding::ok(link, format!("{name} is under maintenance, which the prober leaves alone")),
        status => Finding::ok(link, format!("{name} is {status}")),
    }
}

/// How many calls are left: that is told only once there are none.
pub fn rate_limit(reply: &[&Reply]) -> Finding {
    let link = Link::RateLimit;
    let taken = reply.iter().filter(|reply| matches!(reply, Reply::Is(_) | Reply::Refused { .. })).count();
    match reply.iter().find(|reply| matches!(reply, Reply::Limited(_))) {
        Some(limited) => Finding::failed(
            link,
            format!("{}: 60 calls in a minute are used up", limited.why()),
            "see who else has this token: each client needs an API key of its own, or fewer calls",
        ),
        None if taken == 0 => match reply.first() {
            Some(Reply::NotAsked(why)) => Finding::unused(link, why.clone()),
            _ => Finding::unknown(link, "the page's API did not answer", "see the link page's token"),
        },
        None => {
            Finding::ok(link, format!("{taken} calls in a row were taken; what is left of 60 a minute is not told"))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{limited, refused, silent};
    use super::{super::super::finding::Outcome, *};

    const PAGE: &str = "gytm4qzbx9t6";
    const COMPONENT: &str = "8kbf7d35c070";

    #[test]
    fn a_token_is_taken_or_refused_or_nobody_says() {
        let pages = Reply::Is(json!([{"id": PAGE, "name": "Home"}]));
        assert_eq!(token(&pages, "prober.env").outcome, Outcome::Ok);
        for code in ["401", "403"] {
            assert_eq!(token(&refused(code), "prober.env").outcome, Outcome::Failed);
        }
        for reply in [limited(), silent(), refused("404")] {
            assert_eq!(token(&reply, "prober.env").outcome, Outcome::NotConclusive);
        }
        assert_eq!(token(&Reply::NotAsked("none".into()), "").outcome, Outcome::NotUsed);
    }

    #[test]
    fn a_page_is_within_reach_of_the_token_or_not() {
        let pages = Reply::Is(json!([{"id": PAGE, "name": "Home"}]));
        assert_eq!(page(&pages, Some(PAGE)).saw, "gytm4qzbx9t6: Home");
        let other = page(&pages, Some("gytm4qzbx9t7"));
        assert_eq!((other.outcome, other.saw.contains("it reaches gytm4qzbx9t6")), (Outcome::Failed, true));
        assert_eq!(page(&Reply::Is(json!([])), Some(PAGE)).outcome, Outcome::Failed);
        assert_eq!(page(&pages, None).outcome, Outcome::NotConclusive);
        for reply in [limited(), silent(), refused("401")] {
            assert_eq!(page(&reply, Some(PAGE)).outcome, Outcome::NotConclusive);
        }
        assert_eq!(page(&Reply::NotAsked("none".into()), None).outcome, Outcome::NotUsed);
    }

    #[test]
    fn a_component_is_there_is_a_group_a_page_or_is_missing() {
        let list = |change: &Value| {
            let mut one = json!({"id": COMPONENT, "name": "Home internet", "status": "operational", "group": false});
            one.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            Reply::Is(json!([one]))
        };
        let found = |reply: &Reply, wanted: &str| component(reply, Some(wanted), Some(PAGE));
        assert_eq!(found(&list(&json!({})), COMPONENT).saw, "Home internet is operational");
        assert!(found(&list(&json!({"status": "under_maintenance"})), COMPONENT).saw.contains("leaves alone"));
        for (reply, wanted, words) in [
            (list(&json!({"group": true})), COMPONENT, "is a group"),
            (list(&json!({"porchlight_shown": false})), COMPONENT, "is not shown"),
            (list(&json!({})), PAGE, "is the page's id"),
            (list(&json!({})), "8kbf7d35c071", "has no component 8kbf7d35c071"),
        ] {
            let found = found(&reply, wanted);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{}", found.saw);
        }
        assert_eq!(component(&list(&json!({})), None, None).outcome, Outcome::NotConclusive);
        let long = Reply::Is(json!(vec![json!({"id": COMPONENT, "name": "One", "status": "operational"}); LISTED]));
        assert_eq!(found(&long, "8kbf7d35c071").outcome, Outcome::NotConclusive, "it may be the next one");
        assert_eq!(found(&long, COMPONENT).outcome, Outcome::Ok);
        for reply in [limited(), silent(), refused("403"), refused("404")] {
            assert_eq!(found(&reply, COMPONENT).outcome, Outcome::NotConclusive);
        }
        assert_eq!(found(&Reply::NotAsked("none".into()), COMPONENT).outcome, Outcome::NotUsed);
    }

    #[test]
    fn a_limit_that_is_used_up_is_said() {
        let one = Reply::Is(json!([]));
        assert_eq!(rate_limit(&[&one, &one]).outcome, Outcome::Ok);
        assert_eq!(rate_limit(&[&one, &limited()]).outcome, Outcome::Failed);
        assert_eq!(rate_limit(&[&silent()]).outcome, Outcome::NotConclusive);
        assert_eq!(rate_limit(&[&Reply::NotAsked("none".into())]).outcome, Outcome::NotUsed);
    }
}

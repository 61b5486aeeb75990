//! The keeper, and what it knows of looks.

use serde_json::Value;

use super::super::{finding::Finding, link::Link, reply::Reply, words::ago};

/// The code of a connection that was refused.
pub const CLOSED: &str = "closed";

/// What a keeper says that has no channels.
const NO_CHANNELS: &str = "writes to nobody";

/// After this long without a look a component is shown as not looked at.
const LOOKED: i64 = 5 * 60;

/// The keeper: what it says of its health, and whether it takes the token.
pub fn keeper(health: &Reply, with_token: &Reply) -> Finding {
    let link = Link::Keeper;
    let start = "start it: systemctl start porchlight-keeper, or porchlight up";
    let is = match health {
        Reply::NotAsked(why) => return Finding::unused(link, why.clone()),
        Reply::Refused { code, words } if code == CLOSED => return Finding::failed(link, words.clone(), start),
        Reply::Refused { words, .. } | Reply::Limited(words) => {
            return Finding::failed(
                link,
                format!("something else answers: {words}"),
                "set KEEPER_URL to the keeper's own address",
            );
        }
        Reply::Silent(why) => {
            return Finding::unknown(
                link,
                why.clone(),
                "run this where KEEPER_URL can be reached: a name of a cluster is known in it only",
            );
        }
        Reply::Is(is) => is,
    };
    let Some(storage) = is["storage"].as_str() else {
        return Finding::failed(link, "what answers is no keeper", "set KEEPER_URL to the keeper's own address");
    };
    if storage != "ok" {
        return Finding::failed(
            link,
            format!("it cannot write to its storage: {storage}"),
            "see the link disk, and the keeper's log",
        );
    }
    if is["clock"] != "ok" {
        return Finding::failed(
            link,
            "its clock is not set, so it keeps readings back",
            "see timedatectl timesync-status on that machine",
        );
    }
    match with_token {
        Reply::Refused { code, .. } if matches!(code.as_str(), "401" | "403") => Finding::failed(
            link,
            "it is well, and refuses the token that is set here",
            "set KEEPER_TOKEN to what the keeper was started with",
        ),
        Reply::NotAsked(_) => Finding::ok(link, "it is well; without KEEPER_TOKEN nothing more is known of it"),
        Reply::Is(_) => Finding::ok(link, "it is well, and takes the token"),
        // It says so to who has the token only.
        Reply::Refused { code, words } if code == "404" && words.contains(NO_CHANNELS) => {
            Finding::ok(link, "it is well, and takes the token")
        }
        Reply::Refused { words, .. } | Reply::Limited(words) | Reply::Silent(words) => Finding::unknown(
            link,
            format!("it is well; whether it takes the token is not known: {words}"),
            "try again in a minute; if it stays so, see the keeper's log",
        ),
    }
}

/// Which of a keeper's components is the home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HomeOf {
    /// The one with that id.
    Is(String),
    /// More than one is a home, and no setting says which.
    Several,
    /// None that anybody outside looks at: the keeper has none but those of checks, or the one of the settings is one of them.
    OnlyChecked,
    /// Nothing says which.
    Unknown,
}

/// Which is the home: the one of the settings, else the only one that the keeper's metrics call one. Components of checks are
/// none: who runs checks may stand in the home itself.
pub fn home_of(component: Option<&str>, metrics: Option<&str>) -> HomeOf {
    let id = |line: &str| {
        let (_, rest) = line.strip_prefix("porchlight_home_info{")?.split_once("component=\"")?;
        Some(rest.split('"').next()?.to_owned())
    };
    let homes = metrics.map(|text| text.lines().filter_map(id).collect::<Vec<_>>());
    match (component, homes.as_deref()) {
        (Some(component), Some(homes)) if !homes.iter().any(|home| home == component) => HomeOf::OnlyChecked,
        (Some(component), _) => HomeOf::Is(component.to_owned()),
        (None, Some([home])) => HomeOf::Is(home.clone()),
        (None, Some([])) => HomeOf::OnlyChecked,
        (None, Some(_)) => HomeOf::Several,
        (None, None) => HomeOf::Unknown,
    }
}

/// The home's row of the keeper's page.
pub fn row_of<'page>(summary: &'page Value, home: &HomeOf) -> Option<&'page Value> {
    let HomeOf::Is(id) = home else { return None };
    summary["components"].as_array()?.iter().find(|row| row["id"] == id.as_str())
}

/// When somebody outside looked at the home last, by the keeper's page.
pub fn looks(summary: &Reply, home: &HomeOf) -> Finding {
    let link = Link::Looks;
    if let Reply::NotAsked(why) = summary {
        return Finding::unused(link, why.clone());
    }
    let Reply::Is(summary) = summary else { return Finding::unknown(link, summary.why(), "see the link keeper") };
    let which = "set COMPONENT_ID to the home's own component";
    let saw = match home {
        HomeOf::Is(_) => "the keeper's page does not show the home's component",
        HomeOf::Several => "the keeper has several homes",
        HomeOf::OnlyChecked => "no component is known to be the home's; runs of checks are no looks at it",
        HomeOf::Unknown => "nothing says which of the keeper's components is the home",
    };
    let Some(row) = row_of(summary, home) else { return Finding::unknown(link, saw, which) };
    let name = row["name"].as_str().unwrap_or_default();
    match row["porchlight"]["looked_at_age_seconds"].as_i64() {
        Some(age) if age <= LOOKED => Finding::ok(link, format!("{name} was looked at {age} s ago")),
        Some(age) => Finding::symptom(
            link,
            format!("{name} was looked at last {} ago", ago(age)),
            "see what looks from outside: the function, or the outside machine (porchlight status there)",
        ),
        None => Finding::unknown(
            link,
            "nobody outside has looked yet",
            "have it looked at: the cloud road (infra/README.md), or porchlight up --outside elsewhere (infra/UP.md)",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{not_asked, refused, silent};
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_keeper_is_well_full_without_a_clock_or_not_there() {
        let well = Reply::Is(json!({"storage": "ok", "clock": "ok"}));
        let is = Reply::Is(json!([]));
        assert_eq!(keeper(&well, &is).outcome, Outcome::Ok);
        assert_eq!(keeper(&well, &not_asked()).outcome, Outcome::Ok);
        for (health, token, words) in [
            (refused(CLOSED), &is, "(closed)"),
            (refused("404"), &is, "something else answers"),
            (Reply::Is(json!({})), &is, "is no keeper"),
            (Reply::Is(json!({"storage": "full", "clock": "ok"})), &is, "its storage: full"),
            (Reply::Is(json!({"storage": "ok", "clock": "not set"})), &is, "its clock is not set"),
            (well, &refused("401"), "refuses the token"),
        ] {
            let found = keeper(&health, token);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{}", found.saw);
        }
        let well = Reply::Is(json!({"storage": "ok", "clock": "ok"}));
        let unknown_name = Reply::Refused { code: "404".into(), words: "this keeper writes to nobody".into() };
        assert_eq!(keeper(&well, &unknown_name).saw, "it is well, and takes the token");
        for token in [silent(), Reply::Limited("429".into()), refused("500"), refused("404")] {
            assert_eq!(keeper(&well, &token).outcome, Outcome::NotConclusive, "{token:?}");
        }
        assert_eq!(keeper(&silent(), &is).outcome, Outcome::NotConclusive);
        assert_eq!(keeper(&not_asked(), &is).outcome, Outcome::NotUsed);
    }

    #[test]
    fn a_home_is_looked_at_was_or_never_was() {
        let home = HomeOf::Is("8kbf7d35c070".into());
        let summary = |age: Value| {
            let row =
                |id: &str, age: Value| json!({"id": id, "name": id, "porchlight": {"looked_at_age_seconds": age}});
            Reply::Is(json!({"components": [row("8kbf7d35c071", json!(1)), row("8kbf7d35c070", age)]}))
        };
        assert_eq!(looks(&summary(json!(40)), &home).saw, "8kbf7d35c070 was looked at 40 s ago");
        assert_eq!(
            looks(&summary(json!(4000)), &home).outcome,
            Outcome::Failed,
            "a check's run is no look at the home"
        );
        for unknown in [
            looks(&summary(Value::Null), &home),
            looks(&silent(), &home),
            looks(&summary(json!(40)), &HomeOf::Several),
            looks(&summary(json!(40)), &HomeOf::OnlyChecked),
            looks(&summary(json!(40)), &HomeOf::Unknown),
            looks(&summary(json!(40)), &HomeOf::Is("8kbf7d35c072".into())),
        ] {
            assert_eq!(unknown.outcome, Outcome::NotConclusive, "{}", unknown.saw);
        }
        assert_eq!(looks(&not_asked(), &home).outcome, Outcome::NotUsed);
    }

    #[test]
    fn the_home_is_the_component_that_is_set_or_the_only_one_that_no_check_is_of() {
        let is = |id: &str| HomeOf::Is(id.into());
        let one = "porchlight_home_info{component=\"a\",name=\"Home\"} 1\nporchlight_check_up{component=\"b\"} 1\n";
        let two = format!("{one}porchlight_home_info{{component=\"c\",name=\"Cabin\"}} 1\n");
        assert_eq!(home_of(None, Some(one)), is("a"));
        assert_eq!(home_of(Some("a"), Some(one)), is("a"));
        assert_eq!(home_of(Some("b"), Some(one)), HomeOf::OnlyChecked);
        assert_eq!(home_of(Some("c"), Some(&two)), is("c"));
        assert_eq!(home_of(None, Some(&two)), HomeOf::Several);
        assert_eq!(home_of(None, Some("")), HomeOf::OnlyChecked);
        assert_eq!(home_of(Some("a"), None), is("a"));
        assert_eq!(home_of(None, None), HomeOf::Unknown);
    }
}

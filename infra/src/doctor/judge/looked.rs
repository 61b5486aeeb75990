//! Who has looked at the home from outside, and what that says (pure).

use serde_json::Value;
use shared::verdict::{DownCause, Verdict};

use super::super::{
    checks::{
        address::FromOutside,
        keeper::{HomeOf, row_of},
        outside::OutsideLook,
    },
    reply::Reply,
};

/// What it says of now.
pub(super) fn from_outside(look: Option<&OutsideLook>) -> FromOutside {
    match look.filter(|look| look.is_fresh()).map(|look| look.verdict) {
        Some(verdict) if verdict.answers() => FromOutside::Reached,
        Some(Verdict::Down(_)) => FromOutside::Missed,
        _ => FromOutside::Unseen,
    }
}

/// What the function saw, unless that is how it was and somebody else says how it is.
pub(super) fn newest(by_function: Option<OutsideLook>, by_keeper: Option<OutsideLook>) -> Option<OutsideLook> {
    match (by_function, by_keeper) {
        (Some(function), Some(keeper)) if !function.is_fresh() && keeper.is_fresh() => Some(keeper),
        (Some(function), _) => Some(function),
        (None, keeper) => keeper,
    }
}

/// The newest look at the home that a keeper's page tells of: it says when, and the component's status says what.
pub(super) fn of_keeper(summary: &Reply, home: &HomeOf) -> Option<OutsideLook> {
    let summary = summary.value();
    let row = row_of(summary, home)?;
    let age = row["porchlight"]["looked_at_age_seconds"].as_i64()?;
    let is_about = |incident: &&Value| {
        incident["components"].as_array().into_iter().flatten().any(|component| component["id"] == row["id"])
    };
    let advice = || {
        let incident = summary["incidents"].as_array()?.iter().find(is_about)?;
        incident["incident_updates"][0]["body"].as_str().map(str::to_owned)
    };
    let (verdict, advice) = match row["status"].as_str()? {
        "operational" => (Verdict::Up, None),
        "major_outage" => (Verdict::Down(DownCause::Unreachable), advice()),
        _ => return None,
    };
    Some(OutsideLook { who: "who looks for the keeper".into(), age, verdict, advice, differs: Vec::new() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_check_of_ones_own_saw_is_not_what_the_world_sees_of_the_home() {
        let looked = |age: i64| json!({"looked_at_age_seconds": age});
        let row = |id: &str, status: &str, age: i64| json!({"id": id, "status": status, "porchlight": looked(age)});
        let (home, nas) = ("8kbf7d35c070", "8kbf7d35c071");
        let update = |body: &str| json!([{"body": body}]);
        let of = |id: &str, body: &str| json!({"components": [{"id": id}], "incident_updates": update(body)});
        let summary = Reply::Is(json!({
            "components": [row(nas, "operational", 3), row(home, "major_outage", 40)],
            "incidents": [of(nas, "the disk"), of(home, "the line")],
        }));
        let look = of_keeper(&summary, &HomeOf::Is(home.into())).unwrap();
        assert_eq!((look.age, look.advice.as_deref()), (40, Some("the line")));
        assert_eq!(look.verdict, Verdict::Down(DownCause::Unreachable));
        for home in [HomeOf::Several, HomeOf::OnlyChecked, HomeOf::Unknown, HomeOf::Is("other".into())] {
            assert_eq!(of_keeper(&summary, &home), None, "{home:?}");
        }
    }
}

//! What the function's role may.

use super::{
    super::{finding::Finding, link::Link, told::Told},
    cloud::unanswered,
};

/// What the function must be let do, as IAM writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The action.
    pub action: &'static str,
    /// On what.
    pub resource: String,
}

/// What the role may, as the policy simulator says.
pub fn role(told: &Told, deeds: &[Deed]) -> Finding {
    let link = Link::Role;
    if let Some(finding) = unanswered(link, told) {
        return finding;
    }
    if told.is_refused(&["NoSuchEntity", "NoSuchEntityException"]) {
        return Finding::failed(
            link,
            "the function's role does not exist",
            "deploy infra/base.yaml, and the function with its role",
        );
    }
    if let Told::Refused { words, .. } = told {
        return Finding::unknown(
            link,
            format!("the policy simulator does not tell: {words}"),
            "compare the role with infra/base.yaml",
        );
    }
    let results = told.value()["EvaluationResults"].as_array().cloned().unwrap_or_default();
    let decision = |deed: &Deed| {
        let found = results
            .iter()
            .find(|it| it["EvalActionName"] == deed.action && it["EvalResourceName"] == deed.resource.as_str());
        found.and_then(|it| it["EvalDecision"].as_str())
    };
    let denied: Vec<_> =
        deeds.iter().filter(|deed| decision(deed).is_some_and(|decision| decision != "allowed")).collect();
    let known = deeds.iter().filter(|deed| decision(deed).is_some()).count();
    match denied.first() {
        Some(Deed { action, resource }) => Finding::failed(
            link,
            format!(
                "it may not {action} on {}",
                resource.rsplit_once("parameter").map_or(resource.as_str(), |(_, name)| name)
            ),
            "deploy infra/base.yaml again: its role may what the function needs, and nothing else",
        ),
        None if known == 0 => {
            Finding::unknown(link, "the policy simulator answers with nothing", "compare the role with infra/base.yaml")
        }
        None => Finding::ok(link, format!("it may do all {known} things that were asked of the policy simulator")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::refused;
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_role_may_or_may_not_or_nobody_may_ask() {
        let deed = |action, resource: &str| Deed { action, resource: resource.into() };
        let deeds = [
            deed("ssm:GetParameters", "arn:…:parameter/porchlight/statuspage-token"),
            deed("ssm:PutParameter", "arn:…:parameter/s"),
        ];
        let told = |decisions: [&str; 2]| {
            let one = |(deed, decision): (&Deed, &str)| json!({"EvalActionName": deed.action, "EvalResourceName": deed.resource, "EvalDecision": decision});
            Told::Is(json!({"EvaluationResults": deeds.iter().zip(decisions).map(one).collect::<Vec<_>>()}))
        };
        assert_eq!(role(&told(["allowed", "allowed"]), &deeds).outcome, Outcome::Ok);
        let found = role(&told(["implicitDeny", "allowed"]), &deeds);
        assert_eq!(
            (found.outcome, found.saw.as_str()),
            (Outcome::Failed, "it may not ssm:GetParameters on /porchlight/statuspage-token")
        );
        assert_eq!(role(&refused("NoSuchEntity"), &deeds).outcome, Outcome::Failed);
        for told in
            [refused("AccessDenied"), refused("NotImplemented"), Told::Silent("timeout".into()), Told::Is(json!({}))]
        {
            assert_eq!(role(&told, &deeds).outcome, Outcome::NotConclusive, "{told:?}");
        }
        assert_eq!(role(&Told::NotAsked("no aws".into()), &deeds).outcome, Outcome::NotUsed);
    }
}

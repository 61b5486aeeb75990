//! What the function's role may.

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, reply::Reply},
    cloud::{DENIED, unanswered},
    parameters::Names,
    receiver::table_of,
};

/// What the function must be let do, as IAM writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// The action.
    pub action: &'static str,
    /// On what.
    pub resource: String,
}

/// What the function with that configuration does, on what. `kms:Decrypt` is left out: its condition knows the call by SSM alone.
pub fn deeds(function: &Value, names: &Names, component: Option<&str>) -> Vec<Deed> {
    let arn = function["FunctionArn"].as_str().unwrap_or_default();
    let Some((before, name)) = arn.split_once(":function:") else { return Vec::new() };
    let ssm = before.replacen(":lambda:", ":ssm:", 1);
    let on = |name: &str| format!("{ssm}:parameter/{}", name.trim_start_matches('/'));
    let mut deeds: Vec<Deed> =
        names.all().into_iter().map(|name| Deed { action: "ssm:GetParameters", resource: on(name) }).collect();
    if let Some(state) = function["Environment"]["Variables"]["STATE_PARAMETER"].as_str().filter(|it| !it.is_empty()) {
        let record = on(&format!("{}/{}", state.trim_end_matches('/'), component.unwrap_or("component")));
        deeds.push(Deed { action: "ssm:GetParameters", resource: record.clone() });
        deeds.push(Deed { action: "ssm:PutParameter", resource: record });
    }
    if let Some(table) = table_of(function) {
        let resource = if table.starts_with("arn:") {
            table.to_owned()
        } else {
            format!("{}:table/{table}", before.replacen(":lambda:", ":dynamodb:", 1))
        };
        deeds.push(Deed { action: "dynamodb:BatchGetItem", resource });
    }
    let logs = before.replacen(":lambda:", ":logs:", 1);
    let resource = format!("{logs}:log-group:/aws/lambda/{name}:log-stream:s");
    deeds.push(Deed { action: "logs:PutLogEvents", resource });
    deeds
}

/// What the role may, as the policy simulator says. `runs_well`: the function has just run, read its secrets and updated the page.
pub fn role(reply: &Reply, deeds: &[Deed], runs_well: bool) -> Finding {
    let link = Link::Role;
    if reply.is_refused(&DENIED) {
        let seen = if runs_well { "; the last run could do all that it needed" } else { "" };
        return Finding::unknown(
            link,
            format!("who asks here may not ask the policy simulator (iam:SimulatePrincipalPolicy){seen}"),
            "allow that, or compare the role's policy with infra/base.yaml: aws iam get-role-policy --policy-name porchlight \
             --role-name, and the role's name",
        );
    }
    if let Some(finding) = unanswered(link, reply) {
        return finding;
    }
    if reply.is_refused(&["NoSuchEntity", "NoSuchEntityException"]) {
        return Finding::failed(
            link,
            "the function's role does not exist",
            "deploy infra/base.yaml, and the function with its role",
        );
    }
    if let Reply::Refused { words, .. } = reply {
        return Finding::unknown(
            link,
            format!("the policy simulator does not tell: {words}"),
            "compare the role with infra/base.yaml",
        );
    }
    let results = reply.value()["EvaluationResults"].as_array().cloned().unwrap_or_default();
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
            format!("it may not {action} on {}", on_what(resource)),
            "deploy infra/base.yaml again, whose role may what the function needs; where that finds nothing to change, the role was \
             changed by hand: give it the template's policy once more (aws iam put-role-policy), or delete the stack and deploy it",
        ),
        None if known == 0 => {
            Finding::unknown(link, "the policy simulator answers with nothing", "compare the role with infra/base.yaml")
        }
        None => Finding::ok(link, format!("it may do all {known} things that were asked of the policy simulator")),
    }
}

/// The end of an ARN, which a person knows it by.
fn on_what(resource: &str) -> &str {
    let after = |mark: &str| resource.split_once(mark).map(|(_, rest)| rest);
    after(":parameter").or_else(|| after(":log-group:")).or_else(|| after(":table/")).unwrap_or(resource)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::refused;
    use super::{super::super::finding::Outcome, *};

    #[test]
    fn a_role_may_or_may_not_or_nobody_may_ask() {
        let deed = |action, resource: &str| Deed { action, resource: resource.into() };
        let deeds = [
            deed("ssm:GetParameters", "arn:…:parameter/porchlight/statuspage-token"),
            deed("ssm:PutParameter", "arn:…:parameter/s"),
        ];
        let reply = |decisions: [&str; 2]| {
            let one = |(deed, decision): (&Deed, &str)| json!({"EvalActionName": deed.action, "EvalResourceName": deed.resource, "EvalDecision": decision});
            Reply::Is(json!({"EvaluationResults": deeds.iter().zip(decisions).map(one).collect::<Vec<_>>()}))
        };
        assert_eq!(role(&reply(["allowed", "allowed"]), &deeds, false).outcome, Outcome::Ok);
        let found = role(&reply(["implicitDeny", "allowed"]), &deeds, true);
        assert_eq!(
            (found.outcome, found.saw.as_str()),
            (Outcome::Failed, "it may not ssm:GetParameters on /porchlight/statuspage-token")
        );
        assert_eq!(role(&refused("NoSuchEntity"), &deeds, false).outcome, Outcome::Failed);
        for reply in
            [refused("AccessDenied"), refused("NotImplemented"), Reply::Silent("timeout".into()), Reply::Is(json!({}))]
        {
            assert_eq!(role(&reply, &deeds, false).outcome, Outcome::NotConclusive, "{reply:?}");
        }
        assert_eq!(role(&Reply::NotAsked("no aws".into()), &deeds, false).outcome, Outcome::NotUsed);
    }

    #[test]
    fn who_may_not_ask_the_simulator_is_told_what_to_allow() {
        let found = role(&refused("AccessDenied"), &[], true);
        assert!(found.saw.contains("(iam:SimulatePrincipalPolicy); the last run could do all"), "{}", found.saw);
        assert!(found.next.unwrap().contains("infra/base.yaml"));
    }

    #[test]
    fn the_simulator_is_asked_for_what_the_function_does() {
        let set = |name: &str| (name == "TARGETS_PARAMETER").then_some("/porchlight/targets");
        let names = Names::of(set, None);
        let function = json!({"FunctionArn": "arn:aws:lambda:eu-central-1:123456789012:function:lambda-prober",
            "Environment": {"Variables": {"STATE_PARAMETER": "/porchlight/state/"}}});
        let all = deeds(&function, &names, Some("8kbf7d35c070"));
        let shown: Vec<_> = all.iter().map(|deed| format!("{} {}", deed.action, deed.resource)).collect();
        let on = "arn:aws:ssm:eu-central-1:123456789012:parameter/porchlight";
        let logs = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/lambda-prober:log-stream:s";
        assert_eq!(
            shown,
            [
                format!("ssm:GetParameters {on}/statuspage-token"),
                format!("ssm:GetParameters {on}/beacon-key"),
                format!("ssm:GetParameters {on}/beacon-key-old"),
                format!("ssm:GetParameters {on}/targets"),
                format!("ssm:GetParameters {on}/state/8kbf7d35c070"),
                format!("ssm:PutParameter {on}/state/8kbf7d35c070"),
                format!("logs:PutLogEvents {logs}"),
            ]
        );
        assert_eq!(
            (on_what(&all[1].resource), on_what(logs)),
            ("/porchlight/beacon-key", "/aws/lambda/lambda-prober:log-stream:s")
        );
        assert!(deeds(&json!({}), &names, None).is_empty());
    }
}

//! What depends on how the function is set: its parameters, its role, and what runs it.

use lambda_prober::target::{Target, Targets};
use serde_json::{Value, json};

use super::{
    super::super::{
        checks::{
            homes::{OfOwn, Whose},
            parameters::Names,
            role::Deed,
            schedule::is_of,
        },
        reply::Reply,
    },
    Cli, list_of,
};

/// The names of the rules that run it.
pub(super) async fn rule_names(cli: &Cli, reply: &Reply) -> Reply {
    match reply.value()["FunctionArn"].as_str() {
        Some(arn) => cli.call(&["events", "list-rule-names-by-target", "--target-arn", arn]).await,
        None => unknown(reply),
    }
}

/// How many rules of one function are looked at.
const MAX_RULES: usize = 5;

/// What these rules start, each by its name.
pub(super) async fn rule_targets(cli: &Cli, names: &Reply) -> Vec<(String, Reply)> {
    let names = names.value()["RuleNames"].as_array().into_iter().flatten().filter_map(Value::as_str).take(MAX_RULES);
    let asked = names.map(|name| async move {
        (name.to_owned(), cli.call(&["events", "list-targets-by-rule", "--rule", name]).await)
    });
    futures_util::future::join_all(asked).await
}

/// The rules, each with what it starts the function with, as a schedule has it: the list of them does not tell that. One with several
/// targets at the function is there once for each: each of them starts it.
pub(super) fn with_targets(rules: Reply, targets: &[(String, Reply)], function: &str) -> Reply {
    let Reply::Is(mut list) = rules else { return rules };
    let expanded = |rule: Value| {
        let reply = targets.iter().find(|(name, _)| rule["Name"] == **name).map(|(_, reply)| reply.value());
        let all = reply.and_then(|reply| reply["Targets"].as_array()).into_iter().flatten();
        let each = all.map(|target| json!({ "Target": target })).filter(|it| is_of(it, function));
        let each: Vec<_> = each.map(|mut it| with(rule.clone(), "Target", it["Target"].take())).collect();
        if each.is_empty() { vec![rule] } else { each }
    };
    if let Some(rules) = list.get_mut("Rules").and_then(Value::as_array_mut) {
        *rules = std::mem::take(rules).into_iter().flat_map(expanded).collect();
    }
    Reply::Is(list)
}

fn with(mut object: Value, field: &str, value: Value) -> Value {
    object[field] = value;
    object
}

/// How often a function that does not run may run at once: its configuration does not say so.
pub(super) async fn allowance(cli: &Cli, function: &mut Reply) {
    let Reply::Is(Value::Object(is)) = function else { return };
    let Some(name) = is.get("FunctionName").and_then(Value::as_str).map(str::to_owned) else { return };
    if let Reply::Is(more) = cli.call(&["lambda", "get-function-concurrency", "--function-name", &name]).await {
        let field = "ReservedConcurrentExecutions";
        is.extend(more.get(field).map(|allowed| (field.to_owned(), allowed.clone())));
    }
}

/// Why what depends on the function cannot be asked.
fn unknown(reply: &Reply) -> Reply {
    match reply {
        Reply::Silent(why) => Reply::Silent(why.clone()),
        other => Reply::Silent(format!("the function is not known: {}", other.why())),
    }
}

/// Whose home the function's own settings name, and its list of targets.
pub(super) fn own(function: &Reply, parameters: &Reply, whose: Whose<'_>) -> (OfOwn, Option<Targets>) {
    let variables = &function.value()["Environment"]["Variables"];
    let set = |name: &str| variables[name].as_str().filter(|text| !text.is_empty());
    let text = set("TARGETS").or_else(|| list_of(parameters, &Names::of(set, None)));
    let list = text.and_then(|text| text.parse().ok());
    (whose.of_own(variables, list.as_ref()), list)
}

/// The parameters that the function reads, as far as that can be seen. `input`: the home, as a schedule's input names it.
pub(super) fn names(
    function: &Reply,
    parameters: &Reply,
    input: Option<&Target>,
    whose: Whose<'_>,
    before: &Names,
) -> Names {
    let (own, list) = own(function, parameters, whose);
    // Without its configuration nothing says that it reads this home's key where the guides have it.
    let Reply::Is(is) = function else { return before.clone().of_home(None, own, input, whose) };
    let variables = &is["Environment"]["Variables"];
    let set = |name: &str| variables[name].as_str().filter(|text| !text.is_empty());
    Names::of(set, None).of_home(list.as_ref(), own, input, whose)
}

/// The parameters, decrypted.
pub(super) async fn parameters(cli: &Cli, names: &Names) -> Reply {
    let mut words = vec!["ssm", "get-parameters", "--with-decryption", "--names"];
    words.extend(names.all());
    cli.call(&words).await
}

/// What the policy simulator says of these.
pub(super) async fn simulated(cli: &Cli, function: &Reply, deeds: &[Deed]) -> Reply {
    let Some(role) = function.value()["Role"].as_str().filter(|_| !deeds.is_empty()) else { return unknown(function) };
    let mut words = vec!["iam", "simulate-principal-policy", "--policy-source-arn", role, "--action-names"];
    let mut actions: Vec<&str> = deeds.iter().map(|deed| deed.action).collect();
    let mut resources: Vec<&str> = deeds.iter().map(|deed| deed.resource.as_str()).collect();
    for all in [&mut actions, &mut resources] {
        all.sort_unstable();
        all.dedup();
    }
    words.extend(actions);
    words.push("--resource-arns");
    words.extend(resources);
    cli.call(&words).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_there_once_for_each_of_its_targets_at_the_function() {
        let of = |function: &str, input: &str| json!({"Arn": format!("arn:aws:lambda:eu-central-1:1:function:{function}"), "Input": input});
        let rules = Reply::Is(json!({"Rules": [{"Name": "other"}, {"Name": "r", "State": "ENABLED"}]}));
        let targets = Reply::Is(json!({"Targets": [of("payroll", "0"), of("f", "1"), of("f:live", "2")]}));
        let reply = with_targets(rules.clone(), &[("r".to_owned(), targets)], "f");
        let list = reply.value()["Rules"].as_array().unwrap();
        let inputs: Vec<_> =
            list.iter().map(|rule| (rule["Name"].as_str(), rule["Target"]["Input"].as_str())).collect();
        assert_eq!(inputs, [(Some("other"), None), (Some("r"), Some("1")), (Some("r"), Some("2"))]);
        assert!(list[1..].iter().all(|rule| rule["State"] == "ENABLED"));
        // What was not answered takes no rule away.
        let silent = Reply::Silent("no answer".into());
        assert_eq!(with_targets(rules.clone(), &[("r".to_owned(), silent)], "f").value(), rules.value());
    }
}

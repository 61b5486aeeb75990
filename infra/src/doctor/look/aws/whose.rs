//! What depends on how the function is set: its parameters, its role, and what runs it.

use lambda_prober::target::{Target, Targets};
use serde_json::Value;

use super::{
    super::super::{
        checks::{
            homes::{OfOwn, Whose},
            parameters::Names,
            role::Deed,
        },
        told::Told,
    },
    Cli, list_of,
};

/// The names of the rules that run it.
pub(super) async fn rule_names(cli: &Cli, told: &Told) -> Told {
    match told.value()["FunctionArn"].as_str() {
        Some(arn) => cli.call(&["events", "list-rule-names-by-target", "--target-arn", arn]).await,
        None => unknown(told),
    }
}

/// How often a function that does not run may run at once: its configuration does not say so.
pub(super) async fn allowance(cli: &Cli, function: &mut Told) {
    let Told::Is(Value::Object(is)) = function else { return };
    let Some(name) = is.get("FunctionName").and_then(Value::as_str).map(str::to_owned) else { return };
    if let Told::Is(more) = cli.call(&["lambda", "get-function-concurrency", "--function-name", &name]).await {
        let field = "ReservedConcurrentExecutions";
        is.extend(more.get(field).map(|allowed| (field.to_owned(), allowed.clone())));
    }
}

/// Why what depends on the function cannot be asked.
fn unknown(told: &Told) -> Told {
    match told {
        Told::Silent(why) => Told::Silent(why.clone()),
        other => Told::Silent(format!("the function is not known: {}", other.why())),
    }
}

/// Whose home the function's own settings name, and its list of targets.
pub(super) fn own(function: &Told, parameters: &Told, whose: Whose<'_>) -> (OfOwn, Option<Targets>) {
    let variables = &function.value()["Environment"]["Variables"];
    let set = |name: &str| variables[name].as_str().filter(|text| !text.is_empty());
    let text = set("TARGETS").or_else(|| list_of(parameters, &Names::of(set, None)));
    let list = text.and_then(|text| text.parse().ok());
    (whose.of_own(variables, list.as_ref()), list)
}

/// The parameters that the function reads, as far as that can be seen. `input`: the home, as a schedule's input names it.
pub(super) fn names(
    function: &Told,
    parameters: &Told,
    input: Option<&Target>,
    whose: Whose<'_>,
    before: &Names,
) -> Names {
    let (own, list) = own(function, parameters, whose);
    // Without its configuration nothing says that it reads this home's key where the guides have it.
    let Told::Is(is) = function else { return before.clone().of_home(None, own, input, whose) };
    let variables = &is["Environment"]["Variables"];
    let set = |name: &str| variables[name].as_str().filter(|text| !text.is_empty());
    Names::of(set, None).of_home(list.as_ref(), own, input, whose)
}

/// The parameters, decrypted.
pub(super) async fn parameters(cli: &Cli, names: &Names) -> Told {
    let mut words = vec!["ssm", "get-parameters", "--with-decryption", "--names"];
    words.extend(names.all());
    cli.call(&words).await
}

/// What the policy simulator says of these.
pub(super) async fn simulated(cli: &Cli, function: &Told, deeds: &[Deed]) -> Told {
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

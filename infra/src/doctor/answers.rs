//! What of the answers goes into a bundle (pure): nothing of the account that is not the function's.

use serde_json::{Value, json};

use super::{
    checks::{alarms::watches, schedule::is_of},
    examine::Seen,
    reply::Reply,
};

/// What others answered, by the name of its file. Secrets are in it still.
pub(super) fn answers(seen: &Seen, function: &str) -> Vec<(&'static str, Value)> {
    let aws = &seen.aws;
    let targeted = aws.rule_names.value()["RuleNames"].as_array().cloned().unwrap_or_default();
    vec![
        ("aws/function", of(&aws.function)),
        ("aws/parameters", names(&aws.parameters)),
        ("aws/rules", only(&aws.rules, "Rules", |rule| targeted.contains(&rule["Name"]))),
        ("aws/rule-names", of(&aws.rule_names)),
        ("aws/schedules", only(&aws.schedules, "Schedules", |schedule| is_of(schedule, function))),
        ("aws/alarms", only(&aws.alarms, "MetricAlarms", |alarm| watches(alarm, function))),
        ("aws/log", of(&aws.log)),
        ("aws/probe", of(&aws.probe)),
        ("aws/simulated", of(&aws.simulated)),
        ("page/pages", of(&seen.page.pages)),
        ("page/components", of(&seen.page.components)),
        ("page/metrics", of(&seen.page.metrics)),
        ("keeper/health", of(&seen.keeper.health)),
        ("keeper/summary", of(&seen.keeper.summary)),
        ("keeper/notices", of(&seen.keeper.notices)),
        ("cluster", of(&seen.cluster)),
    ]
}

fn of(reply: &Reply) -> Value {
    match reply {
        Reply::Is(value) => value.clone(),
        Reply::Refused { code, words } => json!({"refused": code, "words": words}),
        other => json!({"no_answer": other.why()}),
    }
}

/// Of a list of the whole account, what is the function's.
fn only(reply: &Reply, list: &str, is_ours: impl Fn(&Value) -> bool) -> Value {
    match reply.value()[list].as_array() {
        Some(all) => json!({list: all.iter().filter(|one| is_ours(one)).collect::<Vec<_>>(), "listed": all.len()}),
        None => of(reply),
    }
}

/// Parameters without their values.
fn names(reply: &Reply) -> Value {
    let Reply::Is(is) = reply else { return of(reply) };
    let listed = is["Parameters"].as_array().into_iter().flatten();
    listed.map(|it| json!({"Name": it["Name"], "Type": it["Type"], "Version": it["Version"]})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_account_only_what_is_the_functions_is_kept() {
        let of_function = |function: &str| json!([{"Name": "FunctionName", "Value": function}]);
        let alarm = |name: &str, function: &str| json!({"AlarmName": name, "Dimensions": of_function(function)});
        let reply = Reply::Is(
            json!({"MetricAlarms": [alarm("ours", "f"), alarm("theirs", "payroll")], "CompositeAlarms": ["theirs"]}),
        );
        let kept = only(&reply, "MetricAlarms", |alarm| watches(alarm, "f")).to_string();
        assert!(kept.contains("ours") && kept.contains("\"listed\":2") && !kept.contains("theirs"), "{kept}");
        let schedule = |arn: &str| json!({"Name": arn, "Target": {"Arn": arn}});
        let (ours, theirs) = (schedule("arn:function:f:live"), schedule("arn:function:payroll"));
        let reply = Reply::Is(json!({"Schedules": [ours, theirs]}));
        let kept = only(&reply, "Schedules", |schedule| is_of(schedule, "f")).to_string();
        assert!(kept.contains("function:f:live") && !kept.contains("payroll"), "{kept}");
        let nothing = only(&Reply::Silent("no answer".into()), "Schedules", |_| true);
        assert_eq!(nothing, json!({"no_answer": "no answer"}));
    }

    #[test]
    fn parameters_are_kept_without_their_values() {
        let reply = Reply::Is(json!({"Parameters": [{"Name": "/p/token", "Value": "planted"}]}));
        let kept = names(&reply).to_string();
        assert!(kept.contains("/p/token") && !kept.contains("planted"), "{kept}");
    }
}

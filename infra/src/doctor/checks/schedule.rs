//! What runs the function every minute, and the alarms that watch it.

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, told::Told},
    cloud::unanswered,
};

/// What runs the function: a rule of `EventBridge`, or a schedule of its Scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    kind: &'static str,
    name: String,
    rate: Option<String>,
    is_enabled: bool,
}

/// What runs it, of all rules (with the names of those that have it as their target) and schedules.
pub fn triggers(rules: &Told, names: &Told, schedules: &Told, function: Option<&str>) -> Vec<Trigger> {
    let list = |told: &Told, field: &str| told.value()[field].as_array().cloned().unwrap_or_default();
    let targeted: Vec<Value> = list(names, "RuleNames");
    let text = |value: &Value, field: &str| value[field].as_str().map(str::to_owned);
    let rules = list(rules, "Rules").into_iter().filter(|rule| targeted.contains(&rule["Name"])).filter_map(|rule| {
        let (name, rate) = (text(&rule, "Name")?, text(&rule, "ScheduleExpression"));
        Some(Trigger { kind: "rule", name, rate, is_enabled: rule["State"] != "DISABLED" })
    });
    let ours = list(schedules, "Schedules").into_iter().filter(|schedule| is_of(schedule, function));
    let schedules = ours.filter_map(|schedule| {
        let (name, rate) = (text(&schedule, "Name")?, text(&schedule, "ScheduleExpression"));
        Some(Trigger { kind: "schedule", name, rate, is_enabled: schedule["State"] != "DISABLED" })
    });
    rules.chain(schedules).collect()
}

/// Whether a schedule of Scheduler runs the function with that ARN, which it may name with a version or an alias.
pub fn is_of(schedule: &Value, function: Option<&str>) -> bool {
    let arn = schedule["Target"]["Arn"].as_str().unwrap_or_default();
    function
        .is_some_and(|function| arn == function || arn.strip_prefix(function).is_some_and(|rest| rest.starts_with(':')))
}

/// Whether an alarm watches the function with that name.
pub fn watches(alarm: &Value, function: &str) -> bool {
    let mut dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
    dimensions.any(|it| it["Name"] == "FunctionName" && it["Value"] == function)
}

/// The schedule. `told`: what was answered to the questions about it; `runs`: whether the function ran within minutes.
pub fn schedule(triggers: &[Trigger], told: &[&Told], runs: bool) -> Finding {
    let link = Link::Schedule;
    let deploy = "aws cloudformation deploy --stack-name porchlight-schedule --template-file infra/schedule.yaml \
                  --capabilities CAPABILITY_IAM";
    let enabled: Vec<_> = triggers.iter().filter(|trigger| trigger.is_enabled).collect();
    let shown = |all: &[&Trigger]| {
        let one = |it: &&Trigger| {
            let rate = it.rate.as_deref().map(|rate| format!(", {rate}")).unwrap_or_default();
            format!("the {} {}{rate}", it.kind, it.name)
        };
        all.iter().map(one).collect::<Vec<_>>().join(" and ")
    };
    match (&enabled[..], triggers) {
        ([_, _, ..], _) => {
            Finding::ok(link, format!("{}: the function may run more than once a minute", shown(&enabled)))
        }
        ([_], _) => Finding::ok(link, shown(&enabled)),
        ([], [first, ..]) => Finding::failed(
            link,
            format!("{} is disabled", shown(&[first])),
            match first.kind {
                "rule" => format!("aws events enable-rule --name {}", first.name),
                _ => format!("enable it in the console, or deploy it again: {deploy}"),
            },
        ),
        ([], []) => match told.iter().find_map(|told| unanswered(link, told)) {
            Some(finding) => finding,
            // By an alias, or from another account.
            None if runs => Finding::unknown(
                link,
                "no rule and no schedule was found that runs the function, and it runs",
                "see what runs it in the console: the function, Configuration, Triggers",
            ),
            None => Finding::failed(link, "no rule and no schedule runs the function", deploy),
        },
    }
}

/// The alarms of the function, and who is told of them.
pub fn alarms(function: &str, told: &Told, subscriptions: &Told) -> Finding {
    let link = Link::Alarms;
    if let Some(finding) = unanswered(link, told) {
        return finding;
    }
    let Told::Is(list) = told else { return Finding::unknown(link, told.why(), "see the link AWS account") };
    let all: Vec<&Value> =
        list["MetricAlarms"].as_array().into_iter().flatten().filter(|it| watches(it, function)).collect();
    if all.is_empty() {
        return Finding::failed(
            link,
            "no alarm watches the function: if it stops, nobody is told",
            "deploy infra/schedule.yaml, which has three",
        );
    }
    let name = |alarm: &Value| alarm["AlarmName"].as_str().unwrap_or_default().to_owned();
    let actions = |alarm: &Value| alarm["AlarmActions"].as_array().cloned().unwrap_or_default();
    if let Some(mute) = all.iter().find(|it| it["ActionsEnabled"] == false || actions(it).is_empty()) {
        return Finding::failed(
            link,
            format!("{} tells nobody", name(mute)),
            "deploy infra/schedule.yaml again, with infra/base.yaml's topic",
        );
    }
    if let Told::Is(list) = subscriptions {
        let topics: Vec<Value> = all.iter().flat_map(|alarm| actions(alarm)).collect();
        let mut of_topics = list["Subscriptions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|it| topics.contains(&it["TopicArn"]))
            .peekable();
        if of_topics.peek().is_none() {
            return Finding::failed(
                link,
                "nobody has subscribed to the topic of the alarms",
                "deploy infra/base.yaml with --parameter-overrides AlarmEmail=you@example.com",
            );
        }
        if of_topics.all(|it| it["SubscriptionArn"] == "PendingConfirmation") {
            return Finding::failed(
                link,
                "the mail address of the alarms was never confirmed",
                "click the link in the mail of AWS Notifications; its sender is no-reply@sns.amazonaws.com",
            );
        }
    }
    let ringing: Vec<_> = all.iter().filter(|it| it["StateValue"] == "ALARM").map(|it| name(it)).collect();
    if !ringing.is_empty() {
        return Finding::symptom(
            link,
            format!("{} rings", ringing.join(" and ")),
            format!("see the function's log: aws logs tail /aws/lambda/{function} --since 15m"),
        );
    }
    Finding::ok(link, format!("{} watch the function, and none rings", all.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::silent;
    use super::{super::super::finding::Outcome, *};

    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:1:function:f";

    fn rules(state: &str) -> Told {
        Told::Is(
            json!({"Rules": [{"Name": "r", "State": state, "ScheduleExpression": "rate(1 minute)"}, {"Name": "other"}]}),
        )
    }

    fn found(rules: &Told, names: &Value, schedules: &Told) -> Finding {
        let names = Told::Is(json!({"RuleNames": names}));
        schedule(&triggers(rules, &names, schedules, Some(FUNCTION)), &[rules, schedules], false)
    }

    #[test]
    fn a_rule_or_a_schedule_runs_it_is_disabled_or_there_is_none() {
        let (none, named) = (Told::Is(json!({"Schedules": []})), json!(["r"]));
        let by_rule = found(&rules("ENABLED"), &named, &none);
        assert_eq!((by_rule.outcome, by_rule.saw.as_str()), (Outcome::Ok, "the rule r, rate(1 minute)"));
        let off = found(&rules("DISABLED"), &named, &none);
        assert_eq!((off.outcome, off.next.as_deref()), (Outcome::Failed, Some("aws events enable-rule --name r")));
        let scheduler = |state: &str, arn: &str| {
            Told::Is(json!({"Schedules": [{"Name": "s", "State": state, "Target": {"Arn": arn}}]}))
        };
        let of_none = json!([]);
        assert_eq!(found(&rules("ENABLED"), &of_none, &scheduler("ENABLED", FUNCTION)).saw, "the schedule s");
        assert_eq!(
            found(&rules("ENABLED"), &of_none, &scheduler("ENABLED", &format!("{FUNCTION}:live"))).outcome,
            Outcome::Ok
        );
        assert_eq!(found(&rules("ENABLED"), &of_none, &scheduler("DISABLED", FUNCTION)).outcome, Outcome::Failed);
        let other = found(&rules("ENABLED"), &of_none, &scheduler("ENABLED", &format!("{FUNCTION}2")));
        assert!(other.saw.contains("no rule and no schedule"), "{}", other.saw);
        assert!(
            found(&rules("ENABLED"), &named, &scheduler("ENABLED", FUNCTION)).saw.contains("more than once a minute")
        );
        assert_eq!(found(&rules("ENABLED"), &of_none, &silent()).outcome, Outcome::NotConclusive);
        assert_eq!(found(&silent(), &of_none, &none).outcome, Outcome::NotConclusive);
        assert_eq!(found(&Told::NotAsked("no aws".into()), &of_none, &none).outcome, Outcome::NotUsed);
        assert_eq!(schedule(&[], &[&rules("ENABLED"), &none], true).outcome, Outcome::NotConclusive);
    }

    fn alarm(change: impl FnOnce(&mut Value)) -> Told {
        let mut alarm = json!({"AlarmName": "a", "Dimensions": [{"Name": "FunctionName", "Value": "f"}], "StateValue": "OK",
            "ActionsEnabled": true, "AlarmActions": ["topic"]});
        change(&mut alarm);
        Told::Is(json!({"MetricAlarms": [alarm]}))
    }

    #[test]
    fn alarms_watch_ring_or_tell_nobody() {
        let mail = |arn: &str| Told::Is(json!({"Subscriptions": [{"TopicArn": "topic", "SubscriptionArn": arn}]}));
        let well = mail("arn:aws:sns:1");
        let outcome = |told: &Told, subscriptions: &Told| alarms("f", told, subscriptions);
        assert_eq!(outcome(&alarm(|_| ()), &well).outcome, Outcome::Ok);
        assert_eq!(outcome(&alarm(|_| ()), &silent()).outcome, Outcome::Ok);
        let rings = outcome(&alarm(|it| it["StateValue"] = json!("ALARM")), &well);
        assert_eq!((rings.outcome, rings.saw.as_str()), (Outcome::Failed, "a rings"));
        for (told, subscriptions, words) in [
            (alarm(|it| it["AlarmActions"] = json!([])), &well, "tells nobody"),
            (alarm(|it| it["ActionsEnabled"] = json!(false)), &well, "tells nobody"),
            (alarm(|it| it["Dimensions"] = json!([])), &well, "no alarm watches"),
            (alarm(|_| ()), &mail("PendingConfirmation"), "never confirmed"),
            (alarm(|_| ()), &Told::Is(json!({"Subscriptions": []})), "nobody has subscribed"),
        ] {
            let found = outcome(&told, subscriptions);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{}", found.saw);
        }
        assert_eq!(outcome(&silent(), &well).outcome, Outcome::NotConclusive);
        assert_eq!(outcome(&Told::NotAsked("no aws".into()), &well).outcome, Outcome::NotUsed);
    }
}

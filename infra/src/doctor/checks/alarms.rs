//! The alarms that watch the function.

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, reply::Reply},
    cloud::unanswered,
};

/// What infra/schedule.yaml calls its alarms; a stack puts its own name before that.
const OF_THE_TEMPLATE: [&str; 3] = ["ErrorAlarm", "SilenceAlarm", "ThrottleAlarm"];

/// Whether an alarm watches the function with that name.
pub fn watches(alarm: &Value, function: &str) -> bool {
    let mut dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
    dimensions.any(|it| it["Name"] == "FunctionName" && it["Value"] == function)
}

/// The alarms of the function, and who is told of them. `is_without_mail`: it was chosen that nobody is.
pub fn alarms(function: &str, reply: &Reply, subscriptions: &Reply, is_without_mail: bool) -> Finding {
    let link = Link::Alarms;
    if let Some(finding) = unanswered(link, reply) {
        return finding;
    }
    let Reply::Is(list) = reply else { return Finding::unknown(link, reply.why(), "see the link AWS account") };
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
    // Others of one's own may be for a chart only.
    let is_ours = |alarm: &Value| OF_THE_TEMPLATE.iter().any(|known| name(alarm).contains(known));
    let of_template: Vec<&Value> = all.iter().copied().filter(|alarm| is_ours(alarm)).collect();
    let to_report = if of_template.is_empty() { &all } else { &of_template };
    let is_mute = |it: &&&Value| it["ActionsEnabled"] == false || actions(it).is_empty();
    if let Some(mute) = to_report.iter().find(is_mute) {
        return Finding::failed(
            link,
            format!("{} tells nobody", name(mute)),
            if mute["ActionsEnabled"] == false {
                format!("aws cloudwatch enable-alarm-actions --alarm-names {}", name(mute))
            } else {
                // A stack that was changed by hand finds nothing to change.
                "have the stack make it anew: aws cloudformation deploy --stack-name porchlight-schedule --template-file \
                 infra/schedule.yaml --capabilities CAPABILITY_IAM --parameter-overrides Scope=trigger-only, then the same with \
                 Scope=everything"
                    .into()
            },
        );
    }
    let topics: Vec<Value> = all.iter().flat_map(|alarm| actions(alarm)).collect();
    let mails = Mails::of(subscriptions, &topics);
    if mails == Mails::Unconfirmed {
        return Finding::failed(
            link,
            "the mail address of the alarms was never confirmed",
            "click the link in the mail of AWS Notifications; its sender is no-reply@sns.amazonaws.com",
        );
    }
    let ringing: Vec<_> = all.iter().filter(|it| it["StateValue"] == "ALARM").map(|it| name(it)).collect();
    if !ringing.is_empty() {
        return Finding::symptom(
            link,
            format!("{} rings", ringing.join(" and ")),
            format!("see the function's log: aws logs tail /aws/lambda/{function} --since 15m"),
        );
    }
    let watching = format!("{} watch the function, and none rings", all.len());
    match mails {
        Mails::None if is_without_mail => Finding::unused(
            link,
            format!("{watching}; nobody is mailed when one does, as was chosen in porchlight setup"),
        ),
        Mails::None => Finding::unknown(
            link,
            format!("{watching}, but nobody has subscribed to their topic, so nobody is mailed when one does"),
            "if that is not meant, deploy infra/base.yaml with --parameter-overrides AlarmEmail=you@example.com",
        ),
        _ => Finding::ok(link, watching),
    }
}

/// Whether somebody is mailed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mails {
    /// Somebody is.
    Some,
    /// Who was to be has never said yes.
    Unconfirmed,
    /// Nobody is to be, or is any more.
    None,
    /// It is not told.
    Untold,
}

impl Mails {
    /// Of the subscriptions to these topics. One that was ended is listed for days, as deleted.
    fn of(subscriptions: &Reply, topics: &[Value]) -> Self {
        let Reply::Is(list) = subscriptions else { return Self::Untold };
        let all = list["Subscriptions"].as_array().into_iter().flatten();
        let of_topics: Vec<&Value> =
            all.filter(|it| topics.contains(&it["TopicArn"])).map(|it| &it["SubscriptionArn"]).collect();
        let is_any = |is: &dyn Fn(&str) -> bool| of_topics.iter().any(|arn| arn.as_str().is_some_and(is));
        if is_any(&|arn| arn.starts_with("arn:")) {
            Self::Some
        } else if is_any(&|arn| arn == "PendingConfirmation") {
            Self::Unconfirmed
        } else {
            Self::None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::reply::fixtures::{refused, silent};
    use super::{super::super::finding::Outcome, *};

    fn alarm(change: impl FnOnce(&mut Value)) -> Reply {
        let mut alarm = json!({"AlarmName": "a", "Dimensions": [{"Name": "FunctionName", "Value": "f"}], "StateValue": "OK",
            "ActionsEnabled": true, "AlarmActions": ["topic"]});
        change(&mut alarm);
        Reply::Is(json!({"MetricAlarms": [alarm]}))
    }

    #[test]
    fn alarms_watch_ring_or_tell_nobody() {
        let mail = |arn: &str| Reply::Is(json!({"Subscriptions": [{"TopicArn": "topic", "SubscriptionArn": arn}]}));
        let well = mail("arn:aws:sns:1");
        let outcome = |reply: &Reply, subscriptions: &Reply| alarms("f", reply, subscriptions, false);
        assert_eq!(outcome(&alarm(|_| ()), &well).outcome, Outcome::Ok);
        assert_eq!(outcome(&alarm(|_| ()), &silent()).outcome, Outcome::Ok);
        let rings = outcome(&alarm(|it| it["StateValue"] = json!("ALARM")), &well);
        assert_eq!((rings.outcome, rings.saw.as_str()), (Outcome::Failed, "a rings"));
        for (reply, subscriptions, words) in [
            (alarm(|it| it["AlarmActions"] = json!([])), &well, "tells nobody"),
            (alarm(|it| it["ActionsEnabled"] = json!(false)), &well, "tells nobody"),
            (alarm(|it| it["Dimensions"] = json!([])), &well, "no alarm watches"),
            (alarm(|_| ()), &mail("PendingConfirmation"), "never confirmed"),
        ] {
            let found = outcome(&reply, subscriptions);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{}", found.saw);
        }
        for reply in [silent(), refused("ValidationError"), Reply::Limited("slow down".into())] {
            assert_eq!(outcome(&reply, &well).outcome, Outcome::NotConclusive, "{reply:?}");
        }
        assert_eq!(outcome(&Reply::NotAsked("no aws".into()), &well).outcome, Outcome::NotUsed);
    }

    #[test]
    fn that_nobody_is_mailed_may_be_chosen_and_a_deleted_subscription_mails_nobody() {
        let subscribed = |arns: &[&str]| {
            let one = |arn: &&str| json!({"TopicArn": "topic", "SubscriptionArn": arn});
            Reply::Is(json!({"Subscriptions": arns.iter().map(one).collect::<Vec<_>>()}))
        };
        let found = |arns: &[&str], is_chosen| alarms("f", &alarm(|_| ()), &subscribed(arns), is_chosen);
        for arns in [&[][..], &["Deleted"]] {
            let unconfirmed = found(arns, false);
            assert_eq!(unconfirmed.outcome, Outcome::NotConclusive, "{arns:?}");
            assert!(
                unconfirmed.saw.contains("nobody has subscribed") && unconfirmed.next.unwrap().contains("AlarmEmail")
            );
            let chosen = found(arns, true);
            assert_eq!((chosen.outcome, chosen.saw.contains("as was chosen")), (Outcome::NotUsed, true));
        }
        assert_eq!(found(&["Deleted", "PendingConfirmation"], false).outcome, Outcome::Failed);
        assert_eq!(found(&["Deleted", "arn:aws:sns:1"], false).outcome, Outcome::Ok);
        let rings = alarms("f", &alarm(|it| it["StateValue"] = json!("ALARM")), &subscribed(&[]), true);
        assert_eq!((rings.outcome, rings.saw.as_str()), (Outcome::Failed, "a rings"));
    }

    #[test]
    fn an_alarm_of_ones_own_may_be_for_a_chart_only() {
        let one = |name: &str, actions: Value| {
            json!({"AlarmName": name, "Dimensions": [{"Name": "FunctionName", "Value": "f"}], "StateValue": "OK",
                "ActionsEnabled": true, "AlarmActions": actions})
        };
        let all = |mute: &str| {
            Reply::Is(
                json!({"MetricAlarms": [one(mute, json!([])), one("porchlight-schedule-ErrorAlarm-1", json!(["t"]))]}),
            )
        };
        assert_eq!(alarms("f", &all("of-mine"), &silent(), false).outcome, Outcome::Ok);
        assert_eq!(alarms("f", &all("porchlight-schedule-SilenceAlarm-2"), &silent(), false).outcome, Outcome::Failed);
    }
}

//! What runs the function every minute.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, told::Told},
    cloud::unanswered,
};

/// What runs the function: a rule of `EventBridge`, or a schedule of its Scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    kind: Kind,
    name: String,
    /// As AWS writes it; nothing where it is not told.
    rate: Option<String>,
    is_enabled: bool,
    /// From when until when it runs.
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Rule,
    Schedule,
}

/// What each minute is called.
const EACH_MINUTE: [&str; 4] = ["rate(1 minute)", "rate(1 minutes)", "cron(* * * * ? *)", "cron(*/1 * * * ? *)"];

const DEPLOY: &str = "aws cloudformation deploy --stack-name porchlight-schedule --template-file infra/schedule.yaml \
                      --capabilities CAPABILITY_IAM";

/// What runs it, of all rules (with the names of those that have it as their target) and schedules.
pub fn triggers(rules: &Told, names: &Told, schedules: &Told, function: &str) -> Vec<Trigger> {
    let list = |told: &Told, field: &str| told.value()[field].as_array().cloned().unwrap_or_default();
    let targeted: Vec<Value> = list(names, "RuleNames");
    let rules = list(rules, "Rules").into_iter().filter(|rule| targeted.contains(&rule["Name"]));
    let schedules = list(schedules, "Schedules").into_iter().filter(|schedule| is_of(schedule, function));
    let of = |kind: Kind, it: &Value| {
        let text = |field: &str| it[field].as_str().map(str::to_owned);
        let time = |field: &str| text(field).and_then(|text| text.parse().ok());
        Some(Trigger {
            kind,
            name: text("Name")?,
            rate: text("ScheduleExpression"),
            is_enabled: it["State"] != "DISABLED",
            from: time("StartDate"),
            until: time("EndDate"),
        })
    };
    let rules = rules.filter_map(|rule| of(Kind::Rule, &rule));
    rules.chain(schedules.filter_map(|schedule| of(Kind::Schedule, &schedule))).collect()
}

/// Whether a schedule of Scheduler runs the function of that name, which it may name with a version or an alias.
pub fn is_of(schedule: &Value, function: &str) -> bool {
    let arn = schedule["Target"]["Arn"].as_str().unwrap_or_default();
    let Some((_, named)) = arn.split_once(":function:") else { return false };
    named.split(':').next() == Some(function)
}

impl Trigger {
    fn words(&self) -> String {
        let kind = if self.kind == Kind::Rule { "rule" } else { "schedule" };
        let rate = self.rate.as_deref().map(|rate| format!(", {rate}")).unwrap_or_default();
        format!("the {kind} {}{rate}", self.name)
    }

    fn is_each_minute(&self) -> Option<bool> {
        let rate = self.rate.as_deref()?.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(EACH_MINUTE.contains(&rate.as_str()))
    }

    /// How to have it run each minute again. A stack whose template has not changed finds nothing to do.
    fn mended(&self) -> String {
        let anew = |one: &str, other: &str| {
            format!(
                "have the stack make it anew, if it is its own: {DEPLOY} --parameter-overrides Trigger={one}, then the same with \
                 Trigger={other}"
            )
        };
        match self.kind {
            Kind::Rule => format!(
                "aws events put-rule --name {} --schedule-expression 'rate(1 minute)' --state ENABLED",
                self.name
            ),
            Kind::Schedule => anew("rule", "scheduler"),
        }
    }
}

/// The schedule. `told`: what was answered to the questions about it; `ran`: whether the function ran within minutes; `looks`:
/// whether somebody else than this function has looked within minutes.
pub fn schedule(triggers: &[Trigger], told: &[&Told], ran: bool, looks: bool, now: Timestamp) -> Finding {
    let link = Link::Schedule;
    let other = |saw: String| {
        Finding::unknown(
            link,
            format!("{saw}, and all the same somebody has looked at the home within minutes"),
            "see who: an outside machine, or the function in another account or region, which is then the one to ask",
        )
    };
    let failed = |saw: String, next: String| if looks { other(saw) } else { Finding::failed(link, saw, next) };
    let enabled: Vec<_> = triggers.iter().filter(|trigger| trigger.is_enabled).collect();
    let Some(first) = enabled.first() else {
        return match triggers.first() {
            Some(off) => failed(format!("{} is disabled", off.words()), off.mended()),
            None => match told.iter().find_map(|told| unanswered(link, told)) {
                Some(finding) => finding,
                // By an alias, or from another account.
                None if ran => Finding::unknown(
                    link,
                    "no rule and no schedule was found that runs the function, and it runs",
                    "see what runs it in the console: the function, Configuration, Triggers",
                ),
                None => failed("no rule and no schedule runs the function".into(), DEPLOY.into()),
            },
        };
    };
    if enabled.iter().all(|it| it.until.is_some_and(|until| until < now)) {
        return failed(format!("{} has come to its end", first.words()), first.mended());
    }
    if enabled.iter().all(|it| it.from.is_some_and(|from| from > now)) {
        return failed(format!("{} has not begun yet", first.words()), first.mended());
    }
    let shown = enabled.iter().map(|it| it.words()).collect::<Vec<_>>().join(" and ");
    let each: Vec<_> = enabled.iter().map(|it| it.is_each_minute()).collect();
    if !each.contains(&Some(true)) {
        return match enabled.iter().find(|it| it.is_each_minute() == Some(false)) {
            // Nothing that is not told may be every minute.
            Some(rare) if !each.contains(&None) => {
                failed(format!("{shown}: the function is to run every minute, rate(1 minute)"), rare.mended())
            }
            _ if ran => Finding::ok(link, format!("{shown}: how often is not told, and it ran within minutes")),
            _ => Finding::unknown(
                link,
                format!("{shown}: how often is not told"),
                "let who asks here do scheduler:GetSchedule, or see the schedule in the console: rate(1 minute)",
            ),
        };
    }
    let more = if enabled.len() > 1 { ": the function may run more than once a minute" } else { "" };
    Finding::ok(link, format!("{shown}{more}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::silent;
    use super::{super::super::finding::Outcome, *};

    const FUNCTION: &str = "arn:aws:lambda:eu-central-1:1:function:f";
    const MINUTE: &str = "rate(1 minute)";

    fn rules(state: &str, rate: &str) -> Told {
        Told::Is(json!({"Rules": [{"Name": "r", "State": state, "ScheduleExpression": rate}, {"Name": "other"}]}))
    }

    fn scheduler(change: impl FnOnce(&mut Value)) -> Told {
        let mut one =
            json!({"Name": "s", "State": "ENABLED", "ScheduleExpression": MINUTE, "Target": {"Arn": FUNCTION}});
        change(&mut one);
        Told::Is(json!({ "Schedules": [one] }))
    }

    fn judged(rules: &Told, names: &Value, schedules: &Told, ran: bool, looks: bool) -> Finding {
        let names = Told::Is(json!({ "RuleNames": names }));
        schedule(&triggers(rules, &names, schedules, "f"), &[rules, schedules], ran, looks, Timestamp::UNIX_EPOCH)
    }

    fn found(rules: &Told, names: &Value, schedules: &Told) -> Finding {
        judged(rules, names, schedules, false, false)
    }

    fn nothing() -> Told {
        Told::Is(json!({"Schedules": []}))
    }

    #[test]
    fn a_rule_or_a_schedule_runs_it_is_disabled_or_there_is_none() {
        let (named, of_none, on) = (json!(["r"]), json!([]), rules("ENABLED", MINUTE));
        let by_rule = found(&on, &named, &nothing());
        assert_eq!((by_rule.outcome, by_rule.saw.as_str()), (Outcome::Ok, "the rule r, rate(1 minute)"));
        let off = found(&rules("DISABLED", MINUTE), &named, &nothing());
        assert_eq!(off.outcome, Outcome::Failed);
        assert_eq!(
            off.next.as_deref(),
            Some("aws events put-rule --name r --schedule-expression 'rate(1 minute)' --state ENABLED")
        );
        assert_eq!(found(&on, &of_none, &scheduler(|_| ())).saw, "the schedule s, rate(1 minute)");
        let at = |arn: String| scheduler(move |it| it["Target"]["Arn"] = json!(arn));
        assert_eq!(found(&on, &of_none, &at(format!("{FUNCTION}:live"))).outcome, Outcome::Ok);
        assert_eq!(found(&on, &of_none, &scheduler(|it| it["State"] = json!("DISABLED"))).outcome, Outcome::Failed);
        let other = found(&on, &of_none, &at(format!("{FUNCTION}2")));
        assert!(other.saw.contains("no rule and no schedule"), "{}", other.saw);
        assert!(found(&on, &named, &scheduler(|_| ())).saw.contains("more than once a minute"));
        assert_eq!(found(&on, &of_none, &silent()).outcome, Outcome::NotConclusive);
        assert_eq!(found(&silent(), &of_none, &nothing()).outcome, Outcome::NotConclusive);
        assert_eq!(found(&Told::NotAsked("no aws".into()), &of_none, &nothing()).outcome, Outcome::NotUsed);
        assert_eq!(judged(&on, &of_none, &nothing(), true, false).outcome, Outcome::NotConclusive);
    }

    #[test]
    fn anything_else_than_a_minute_is_named() {
        let (named, of_none) = (json!(["r"]), json!([]));
        for rare in ["rate(1 hour)", "rate(5 minutes)", "cron(0 * * * ? *)", "at(2026-01-01T00:00:00)"] {
            let rule = found(&rules("ENABLED", rare), &named, &nothing());
            assert_eq!(rule.outcome, Outcome::Failed, "{rare}");
            assert!(rule.saw.contains(rare) && rule.next.unwrap().contains("'rate(1 minute)'"), "{}", rule.saw);
            let by = found(&nothing(), &of_none, &scheduler(|it| it["ScheduleExpression"] = json!(rare)));
            assert_eq!(by.outcome, Outcome::Failed, "{rare}");
            assert!(by.next.unwrap().contains("Trigger=rule, then the same with Trigger=scheduler"));
        }
        for minute in EACH_MINUTE {
            assert_eq!(found(&rules("ENABLED", minute), &named, &nothing()).outcome, Outcome::Ok, "{minute}");
        }
        // One of two is enough, and what is not told is not known.
        let hourly = rules("ENABLED", "rate(1 hour)");
        assert_eq!(found(&hourly, &named, &scheduler(|_| ())).outcome, Outcome::Ok);
        let untold = || scheduler(|it| it["ScheduleExpression"] = json!(null));
        assert_eq!(found(&nothing(), &of_none, &untold()).outcome, Outcome::NotConclusive);
        assert_eq!(found(&hourly, &named, &untold()).outcome, Outcome::NotConclusive);
        assert_eq!(judged(&nothing(), &of_none, &untold(), true, false).outcome, Outcome::Ok);
    }

    #[test]
    fn a_schedule_has_ended_or_not_begun() {
        let with = |field: &'static str, at: &'static str| scheduler(move |it| it[field] = json!(at));
        for (told, words) in [
            (with("EndDate", "1969-12-31T00:00:00+00:00"), "has come to its end"),
            (with("StartDate", "1970-01-02T00:00:00+00:00"), "has not begun yet"),
        ] {
            let found = found(&nothing(), &json!([]), &told);
            assert_eq!((found.outcome, found.saw.contains(words)), (Outcome::Failed, true), "{}", found.saw);
        }
        assert_eq!(found(&nothing(), &json!([]), &with("EndDate", "1970-01-02T00:00:00Z")).outcome, Outcome::Ok);
    }

    #[test]
    fn where_somebody_looks_all_the_same_another_function_may_be_meant() {
        for (names, rule) in [(json!([]), rules("ENABLED", MINUTE)), (json!(["r"]), rules("DISABLED", MINUTE))] {
            let found = judged(&rule, &names, &nothing(), false, true);
            assert_eq!(found.outcome, Outcome::NotConclusive);
            assert!(found.next.unwrap().contains("another account or region"));
        }
    }
}

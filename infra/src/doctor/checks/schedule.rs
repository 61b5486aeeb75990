//! What runs the function every minute.

use jiff::Timestamp;
use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, reply::Reply},
    cloud::unanswered,
    homes::{OfOwn, Whose},
};

/// What runs the function: a rule of `EventBridge`, or a schedule of its Scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    kind: Kind,
    name: String,
    /// As AWS writes it; nothing where it is not told.
    rate: Option<String>,
    is_enabled: bool,
    /// Whether it is this home that it has the function look at; nothing where that is not known.
    is_ours: Option<bool>,
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

/// The stack of a first home.
const STACK: &str = "porchlight-schedule";

/// What a stack puts between its own name and what makes the schedule's name the only one.
const LOGICAL: &str = "-Schedule-";

fn deploy(stack: &str) -> String {
    format!(
        "aws cloudformation deploy --stack-name {stack} --template-file infra/schedule.yaml --capabilities CAPABILITY_IAM"
    )
}

/// What runs it, of all rules (with the names of those that have it as their target) and schedules. `own`: whose home the function's
/// own settings name.
pub fn triggers(
    rules: &Reply,
    names: &Reply,
    schedules: &Reply,
    function: &str,
    whose: Whose<'_>,
    own: OfOwn,
) -> Vec<Trigger> {
    let list = |reply: &Reply, field: &str| reply.value()[field].as_array().cloned().unwrap_or_default();
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
            // The list of rules does not tell what they start.
            is_ours: if it["Target"].is_object() { whose.is_started(it, own) } else { None },
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
        // The stack keeps the input that it was given. Of a schedule that no template has made, nobody knows it.
        let stack = self.name.split_once(LOGICAL).map_or("…", |(stack, _)| stack);
        match self.kind {
            Kind::Rule => format!(
                "aws events put-rule --name {} --schedule-expression 'rate(1 minute)' --state ENABLED",
                self.name
            ),
            Kind::Schedule => format!(
                "have the stack make it anew, if it is its own: {} --parameter-overrides Trigger=rule, then the same with \
                 Trigger=scheduler",
                deploy(stack)
            ),
        }
    }
}

/// Each once: a rule is there for each of its targets.
fn names(triggers: &[Trigger]) -> String {
    let mut names: Vec<_> = triggers.iter().map(|trigger| trigger.name.as_str()).collect();
    names.dedup();
    names.join(", ")
}

/// In words, a rule with several targets once.
fn shown(triggers: &[&Trigger]) -> String {
    let alike = triggers.chunk_by(|one, next| one.kind == next.kind && one.name == next.name);
    let words = alike.map(|targets| match targets.len() {
        1 => targets[0].words(),
        several => format!("{}, with {several} targets at the function", targets[0].words()),
    });
    words.collect::<Vec<_>>().join(" and ")
}

/// The schedule. `reply`: what was answered to the questions about it; `ran`: whether the function ran within minutes; `looks`:
/// whether somebody else than this function has looked within minutes.
pub fn schedule(all: &[Trigger], reply: &[&Reply], ran: bool, looks: bool, now: Timestamp) -> Finding {
    let link = Link::Schedule;
    let triggers: Vec<&Trigger> = all.iter().filter(|trigger| trigger.is_ours != Some(false)).collect();
    let other = |saw: String| {
        Finding::unknown(
            link,
            format!("{saw}, and all the same somebody has looked at the home within minutes"),
            "see who: an outside machine, or the function in another account or region, which is then the one to ask",
        )
    };
    let failed = |saw: String, next: String| if looks { other(saw) } else { Finding::failed(link, saw, next) };
    let enabled: Vec<_> = triggers.iter().copied().filter(|trigger| trigger.is_enabled).collect();
    let off = triggers.iter().find(|trigger| trigger.is_ours == Some(true) && !trigger.is_enabled);
    let is_untold = !enabled.is_empty() && enabled.iter().all(|trigger| trigger.is_ours.is_none());
    if let Some(off) = off
        && is_untold
        && !ran
    {
        return Finding::unknown(
            link,
            format!("{} is disabled, and whether another one is for this home is not told", off.words()),
            off.mended(),
        );
    }
    let Some(first) = enabled.first() else {
        return match triggers.first() {
            Some(off) => failed(format!("{} is disabled", off.words()), off.mended()),
            None => match reply.iter().find_map(|reply| unanswered(link, reply)) {
                Some(finding) => finding,
                // By an alias, or from another account.
                None if ran => Finding::unknown(
                    link,
                    "no rule and no schedule was found that runs the function, and it runs",
                    "see what runs it in the console: the function, Configuration, Triggers",
                ),
                None if !all.is_empty() => failed(
                    format!("no schedule runs the function for this home: {} is for others", names(all)),
                    "give this home one of its own: porchlight setup, or infra/README.md, More homes".into(),
                ),
                None => failed("no rule and no schedule runs the function".into(), deploy(STACK)),
            },
        };
    };
    if enabled.iter().all(|it| it.until.is_some_and(|until| until < now)) {
        return failed(format!("{} has come to its end", first.words()), first.mended());
    }
    if enabled.iter().all(|it| it.from.is_some_and(|from| from > now)) {
        return failed(format!("{} has not begun yet", first.words()), first.mended());
    }
    let shown = shown(&enabled);
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
mod tests;

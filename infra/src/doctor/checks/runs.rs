//! The function's last runs, as its log has them.

use jiff::Timestamp;
use serde_json::Value;
use shared::verdict::Verdict;

use super::{
    super::{
        finding::Finding,
        link::Link,
        reply::Reply,
        words::{ago, is_same_address},
    },
    cloud::unanswered,
    outside::OutsideLook,
};

/// A run a minute, and a log that is some seconds behind.
const LATE: i64 = 3 * 60;

/// One run, as it reported itself.
#[derive(Clone, Debug)]
pub struct Run {
    age: i64,
    report: Value,
}

/// The runs of the log's answer, the newest first.
pub fn runs(reply: &Reply, now: Timestamp) -> Vec<Run> {
    let events = reply.value()["events"].as_array().into_iter().flatten();
    let read = events.filter_map(|event| {
        let report: Value = serde_json::from_str(event["message"].as_str()?.trim()).ok()?;
        let at: Timestamp = report["at"].as_str()?.parse().ok()?;
        (report["event"] == "run").then(|| Run { age: now.duration_since(at).as_secs().max(0), report })
    });
    let mut runs: Vec<Run> = read.collect();
    runs.sort_by_key(|run| run.age);
    runs
}

impl Run {
    /// Whether it was a moment ago.
    pub const fn is_fresh(&self) -> bool {
        self.age <= LATE
    }

    /// Whether it was about that component; where none is known, whether it was about anything.
    pub fn is_of(&self, component: Option<&str>) -> bool {
        self.target(component).is_some()
    }

    /// Whether it was about that component, at that address.
    pub fn is_about(&self, component: Option<&str>, home: Option<&str>) -> bool {
        let same = |url: &str| home.is_none_or(|home| is_same_address(home, url));
        component.is_some() && self.target(component).is_some_and(|target| target["url"].as_str().is_some_and(same))
    }

    /// Its part about a component, or about the only one.
    fn target(&self, component: Option<&str>) -> Option<&Value> {
        let targets = self.report["targets"].as_array()?;
        let named = targets.iter().find(|target| component.is_some_and(|id| target["component_id"] == id));
        named.or_else(|| targets.first().filter(|_| component.is_none()))
    }

    /// What it saw of the home.
    pub fn look(&self, component: Option<&str>) -> Option<OutsideLook> {
        let target = self.target(component)?;
        Some(OutsideLook {
            who: "the function".into(),
            age: self.age,
            verdict: Verdict::from_labels(target["verdict"].as_str()?, target["cause"].as_str())?,
            advice: target["advice"].as_str().map(str::to_owned),
            differs: target["differs"].as_array().into_iter().flatten().filter_map(words_of).collect(),
        })
    }
}

/// An address that does not lead to the home, in words.
fn words_of(differing: &Value) -> Option<String> {
    Some(format!("{}: {}", differing["url"].as_str()?, differing["text"].as_str()?))
}

/// What the function saw of the home that was run just now, or why that is not known; `None` where it was not.
pub fn probed(reply: &Reply, component: Option<&str>) -> Option<Result<OutsideLook, String>> {
    let report = match reply {
        Reply::NotAsked(_) => return None,
        Reply::Is(report) => report,
        other => return Some(Err(other.why().to_owned())),
    };
    if let Some(why) = report["errorMessage"].as_str() {
        return Some(Err(format!("it failed: {why}")));
    }
    let run = Run { age: 0, report: report.clone() };
    if run.target(component).is_none() {
        return Some(Err("it looked at other homes than this one".into()));
    }
    let look = run.look(component).ok_or_else(|| "what it answered is no verdict".to_owned());
    Some(look.map(|look| OutsideLook { who: "the function, which was run for this".into(), ..look }))
}

/// How long ago the home's newest run, if it was within minutes, read its secrets and made the page say what it should.
pub fn went_well(runs: &[Run], component: Option<&str>) -> Option<i64> {
    let newest = runs.iter().filter(|run| run.report["dry_run"] != true).find(|run| run.target(component).is_some())?;
    let target = newest.target(component)?;
    let is_well = newest.report["published"] == true && target["outcome"] != "failed" && newest.is_fresh();
    is_well.then_some(newest.age)
}

/// The last runs. `looks`: whether somebody else than this function has looked at the home within minutes.
pub fn last(function: &str, reply: &Reply, runs: &[Run], component: Option<&str>, looks: bool) -> Finding {
    let link = Link::Runs;
    if let Some(finding) = unanswered(link, reply) {
        return finding;
    }
    let silent = |saw: String, next: String| {
        if looks {
            return Finding::unknown(
                link,
                format!("{saw}, and all the same somebody has looked at the home within minutes"),
                "see who: an outside machine, or the function in another account or region, which is then the one to ask",
            );
        }
        Finding::symptom(link, saw, next)
    };
    let tail = format!("see its log: aws logs tail /aws/lambda/{function} --since 15m");
    if let Reply::Refused { code, words } = reply {
        return match code.as_str() {
            "ResourceNotFoundException" => silent(
                format!("there is no log /aws/lambda/{function}: it never ran, or may not write one"),
                "deploy infra/base.yaml, which makes it".into(),
            ),
            _ => Finding::unknown(link, words.clone(), "see the link AWS account"),
        };
    }
    let Some(first) = runs.first() else {
        return silent("no run of the last 15 minutes has reported".into(), tail);
    };
    // Another home's schedule may run the same function, and a person may try it by hand.
    let ours: Vec<&Run> = runs.iter().filter(|run| run.target(component).is_some()).collect();
    let newest = ours.iter().find(|run| run.report["dry_run"] != true).or(ours.first()).copied().unwrap_or(first);
    let Run { age, report } = newest;
    if *age > LATE {
        return silent(format!("the last run was {} ago", ago(*age)), tail);
    }
    let Some(target) = newest.target(component) else {
        return Finding::symptom(
            link,
            format!("the run of {age} s ago was about other components than {}", component.unwrap_or_default()),
            "have it look at this component, too: name it in TARGETS of the function, or in the input of a schedule of its own (porchlight \
             setup, or infra/README.md, More homes)",
        );
    };
    let outcome = target["outcome"].as_str().unwrap_or_default();
    if report["dry_run"] == true {
        return Finding::symptom(link, format!("the run of {age} s ago was a dry run, which changes nothing"), tail);
    }
    if outcome == "failed" || report["published"] == false {
        let why = target["error"].as_str().unwrap_or("it does not say why");
        return Finding::symptom(link, format!("the run of {age} s ago could not update the page: {why}"), tail);
    }
    if let Some(why) = target["state_error"].as_str() {
        return Finding::symptom(
            link,
            format!("the run of {age} s ago could not keep its record: {why}"),
            "see the links parameters and role: it writes below STATE_PARAMETER",
        );
    }
    let said = target["cause"].as_str().or_else(|| target["verdict"].as_str()).unwrap_or("nothing");
    Finding::ok(
        link,
        format!("{} in 15 min, the last {age} s ago: {said}, the page {}", ours.len(), outcome.replace('_', " ")),
    )
}

#[cfg(test)]
mod tests;

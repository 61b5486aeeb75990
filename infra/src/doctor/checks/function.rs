//! The function, as it is set.

use std::path::Path;

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, told::Told, wanted::Wanted, words::is_same_address},
    cloud::{Place, unanswered},
    drift::{Ours, drift},
};

/// The shortest timeout that a run is started with, in seconds; the guides set 55.
const MIN_TIMEOUT: u64 = 15;

/// How long the guides let it run, in seconds.
const GUIDES_TIMEOUT: u64 = 55;

/// What is known of the function besides.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Where was asked.
    pub place: &'a Place,
    /// One of its runs was about this component, so an input names it.
    pub knows_it: bool,
    /// What is set for the prober here, by its name, and where.
    pub ours: &'a [Ours],
}

/// The function.
pub fn function(name: &str, told: &Told, wanted: &Wanted, around: Around<'_>) -> Finding {
    let link = Link::Function;
    let Around { place, knows_it, ours } = around;
    if let Some(finding) = unanswered(link, told) {
        return finding;
    }
    if place.lacks_function {
        let saw = format!("there is no function {name} in {}", place.words());
        return match &place.traces[..] {
            [] => Finding::unknown(link, format!("{saw}, and nothing else of it"), place.elsewhere()),
            traces => Finding::failed(
                link,
                format!("{saw}, where {} can be found", traces.join(", ")),
                "deploy it (step 5 of infra/README.md, or porchlight setup), or name another one with --function",
            )
            .whatever_is_set(),
        };
    }
    let Told::Is(is) = told else { return Finding::unknown(link, told.why(), "see the link AWS account") };
    if let Some(finding) = unfit(name, is) {
        return finding.whatever_is_set();
    }
    let variables = &is["Environment"]["Variables"];
    let set = |variable: &str| variables[variable].as_str().filter(|text| !text.is_empty());
    let named = set("CANARY_URL").is_some() || set("TARGETS").is_some() || set("TARGETS_PARAMETER").is_some();
    if !named && !knows_it {
        return Finding::failed(link, "no home is named: CANARY_URL is not set", redeploy(ours));
    }
    if let Some((variable, theirs, ours_is)) = differs(variables, wanted).filter(|_| !knows_it) {
        return Finding::failed(link, format!("its {variable} is {theirs}, and here it is {ours_is}"), redeploy(ours));
    }
    let drifted: Vec<String> = drift(variables, ours).iter().map(ToString::to_string).collect();
    if !drifted.is_empty() {
        return Finding::unknown(
            link,
            format!("it is set otherwise than here: {}", drifted.join("; ")),
            format!("take the function's values over where they are meant, else {}", redeploy(ours)),
        );
    }
    let (memory, timeout, changed) = (&is["MemorySize"], &is["Timeout"], text(is, "LastModified"));
    Finding::ok(link, format!("{name} in {}, {memory} MB, {timeout} s, changed {changed}", place.words()))
}

fn text<'a>(is: &'a Value, field: &str) -> &'a str {
    is[field].as_str().unwrap_or_default()
}

/// Why it cannot do its work, whatever is set here.
fn unfit(name: &str, is: &Value) -> Option<Finding> {
    let link = Link::Function;
    if text(is, "State") == "Failed" || text(is, "LastUpdateStatus") == "Failed" {
        let why = ["StateReason", "LastUpdateStatusReason"].map(|field| text(is, field));
        let why = why.into_iter().find(|why| !why.is_empty()).unwrap_or("AWS gives no reason");
        return Some(Finding::failed(link, format!("it was not deployed: {why}"), "deploy it again"));
    }
    if text(is, "State") == "Inactive" {
        let saw = "it is inactive: nothing has run it for a long time";
        return Some(Finding::failed(link, saw, "invoke it once, and see its schedule"));
    }
    if is["ReservedConcurrentExecutions"] == 0 {
        return Some(Finding::failed(
            link,
            "its reserved concurrency is 0, as the console's button Throttle sets it: it is never let run",
            format!("aws lambda delete-function-concurrency --function-name {name}"),
        ));
    }
    if let Some(seconds) = is["Timeout"].as_u64().filter(|seconds| *seconds < MIN_TIMEOUT) {
        return Some(Finding::failed(
            link,
            format!("its timeout of {seconds} s ends a run in the middle; the guide sets {GUIDES_TIMEOUT} s"),
            format!("aws lambda update-function-configuration --function-name {name} --timeout {GUIDES_TIMEOUT}"),
        ));
    }
    let set = |variable: &str| is["Environment"]["Variables"][variable].as_str().is_some_and(|text| !text.is_empty());
    let secrets = ["TOKEN", "STATUSPAGE_TOKEN", "BEACON_KEY", "BEACON_KEY_OLD", "NOTIFY_URLS"];
    if let Some(secret) = secrets.iter().find(|name| set(name)) {
        return Some(Finding::failed(
            link,
            format!("{secret} is a plain variable, which everybody with read access to the function sees"),
            "store it in Parameter Store (step 2 of infra/README.md), and take the variable away",
        ));
    }
    let saw = "STATUSPAGE_TOKEN_PARAMETER is not set, so it has no token";
    (!set("STATUSPAGE_TOKEN_PARAMETER")).then(|| Finding::failed(link, saw, redeploy(&[])))
}

/// The file is that of the settings, where they are in one.
fn redeploy(ours: &[Ours]) -> String {
    let is_file = |file: &&str| Path::new(file).extension().is_some_and(|it| it == "env");
    let file = ours.first().map(|ours| ours.file.as_str()).filter(is_file).unwrap_or("prober.env");
    format!("deploy it with this file: cargo lambda deploy lambda-prober --merge-env --env-file {file}")
}

/// A variable that names another home, page or component than the settings here.
fn differs<'a>(variables: &'a Value, wanted: &Wanted) -> Option<(&'static str, &'a str, String)> {
    let ours = [
        ("CANARY_URL", wanted.home.as_ref().map(ToString::to_string)),
        ("PAGE_ID", wanted.page.as_ref().map(ToString::to_string)),
        ("COMPONENT_ID", wanted.component.as_ref().map(ToString::to_string)),
    ];
    ours.into_iter().find_map(|(name, ours)| {
        let (theirs, ours) = (variables[name].as_str()?, ours?);
        let is_same = if name == "CANARY_URL" { is_same_address(theirs, &ours) } else { theirs.trim() == ours };
        (!is_same).then_some((name, theirs, ours))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::told::fixtures::refused;
    use super::{
        super::super::{finding::Outcome, given::Given},
        *,
    };

    fn wanted() -> Wanted {
        let mut given = Given::default();
        given.set("CANARY_URL", "http://h:30008", "test");
        given.set("PAGE_ID", "gytm4qzbx9t6", "test");
        Wanted::of(&mut given)
    }

    fn configuration(change: impl FnOnce(&mut Value)) -> Told {
        let mut is = json!({"State": "Active", "Timeout": 55, "MemorySize": 128, "Environment": {"Variables": {
            "CANARY_URL": "http://h:30008/", "PAGE_ID": "gytm4qzbx9t6",
            "STATUSPAGE_TOKEN_PARAMETER": "/porchlight/statuspage-token"}}});
        change(&mut is);
        Told::Is(is)
    }

    fn seen(told: &Told, knows_it: bool, ours: &[Ours], traces: &[&'static str]) -> Finding {
        let lacks_function = told.is_refused(&["ResourceNotFoundException"]);
        let account = Some("123456789012".to_owned());
        let place = Place { account, traces: traces.to_vec(), lacks_function, ..Place::default() };
        function("f", told, &wanted(), Around { place: &place, knows_it, ours })
    }

    fn set(name: &'static str, value: Value) -> Told {
        configuration(move |is| is["Environment"]["Variables"][name] = value)
    }

    #[test]
    fn a_function_is_as_deployed_or_what_is_not_is_named() {
        let found = |told: &Told| seen(told, false, &[], &[]);
        assert_eq!(found(&configuration(|_| ())).outcome, Outcome::Ok);
        for same in ["HTTP://H:30008", "http://h:30008", "http://h.:30008/"] {
            assert_eq!(found(&set("CANARY_URL", json!(same))).outcome, Outcome::Ok, "{same}");
        }
        for (told, words) in [
            (configuration(|is| is["State"] = json!("Failed")), "it was not deployed"),
            (configuration(|is| is["State"] = json!("Inactive")), "inactive"),
            (configuration(|is| is["ReservedConcurrentExecutions"] = json!(0)), "its reserved concurrency is 0"),
            (configuration(|is| is["Timeout"] = json!(3)), "its timeout of 3 s"),
            (set("TOKEN", json!("secret")), "TOKEN is a plain variable"),
            (set("STATUSPAGE_TOKEN_PARAMETER", json!(null)), "has no token"),
            (set("CANARY_URL", json!(null)), "no home is named"),
            (
                set("CANARY_URL", json!("http://other:1")),
                "its CANARY_URL is http://other:1, and here it is http://h:30008/",
            ),
            (set("PAGE_ID", json!("gytm4qzbx9t7")), "its PAGE_ID is"),
        ] {
            let found = found(&told);
            assert_eq!(found.outcome, Outcome::Failed, "{words}");
            assert!(found.saw.contains(words), "{words}: {}", found.saw);
        }
        assert_eq!(seen(&set("CANARY_URL", json!(null)), true, &[], &[]).outcome, Outcome::Ok, "its input names it");
        assert_eq!(found(&Told::Silent("timeout".into())).outcome, Outcome::NotConclusive);
        for code in ["AccessDeniedException", "ValidationException"] {
            assert_eq!(found(&refused(code)).outcome, Outcome::NotConclusive, "{code}");
        }
        assert_eq!(found(&Told::NotAsked("no aws".into())).outcome, Outcome::NotUsed);
    }

    #[test]
    fn a_function_that_is_not_there_may_be_elsewhere_unless_something_of_it_is_there() {
        let gone = refused("ResourceNotFoundException");
        let elsewhere = seen(&gone, false, &[], &[]);
        assert_eq!(elsewhere.outcome, Outcome::NotConclusive);
        assert!(elsewhere.saw.starts_with("there is no function f in account 123456789012"), "{}", elsewhere.saw);
        assert!(elsewhere.next.unwrap().contains("AWS_REGION=… porchlight doctor"));
        let deleted = seen(&gone, false, &[], &["its parameters"]);
        assert_eq!(
            (deleted.outcome, deleted.saw.contains("where its parameters can be found")),
            (Outcome::Failed, true)
        );
    }

    #[test]
    fn a_setting_that_was_changed_by_hand_is_named_with_both_values_and_the_command() {
        let ours = Ours { name: "INCIDENT_AFTER".into(), text: "5m".into(), file: "/etc/porchlight/prober.env".into() };
        let found = seen(&set("INCIDENT_AFTER", json!("10m")), false, &[ours], &[]);
        assert_eq!(found.outcome, Outcome::NotConclusive, "it works, only otherwise");
        assert!(found.saw.contains("its INCIDENT_AFTER is 10m, and in"), "{}", found.saw);
        assert!(found.next.unwrap().contains("--merge-env --env-file /etc/porchlight/prober.env"));
    }
}

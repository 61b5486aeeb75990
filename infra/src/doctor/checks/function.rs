//! The function, as it is set.

use serde_json::Value;

use super::{
    super::{finding::Finding, link::Link, told::Told, wanted::Wanted},
    cloud::unanswered,
};

/// The shortest timeout that a run is started with, in seconds; the guides set 55.
const MIN_TIMEOUT: u64 = 15;

/// The function. `knows_it`: one of its runs was about this component, so an input names it.
pub fn function(name: &str, told: &Told, wanted: &Wanted, knows_it: bool) -> Finding {
    let link = Link::Function;
    if let Some(finding) = unanswered(link, told) {
        return finding;
    }
    if told.is_refused(&["ResourceNotFoundException"]) {
        return Finding::failed(
            link,
            format!("there is no function {name} in this account and region"),
            "deploy it (step 5 of infra/README.md), or name another one with --function, or the region with AWS_REGION",
        );
    }
    let Told::Is(is) = told else { return Finding::unknown(link, told.why(), "see the link AWS account") };
    let text = |field: &str| is[field].as_str().unwrap_or_default();
    if text("State") == "Failed" || text("LastUpdateStatus") == "Failed" {
        let why = [text("StateReason"), text("LastUpdateStatusReason")].into_iter().find(|why| !why.is_empty());
        return Finding::failed(
            link,
            format!("it was not deployed: {}", why.unwrap_or("AWS gives no reason")),
            "deploy it again",
        );
    }
    if text("State") == "Inactive" {
        return Finding::failed(
            link,
            "it is inactive: nothing has run it for a long time",
            "invoke it once, and see its schedule",
        );
    }
    if is["Timeout"].as_u64().is_some_and(|seconds| seconds < MIN_TIMEOUT) {
        let timeout = &is["Timeout"];
        return Finding::failed(
            link,
            format!("its timeout of {timeout} s ends a run in the middle"),
            format!("aws lambda update-function-configuration --function-name {name} --timeout 55"),
        );
    }
    let variables = &is["Environment"]["Variables"];
    let set = |variable: &str| variables[variable].as_str().filter(|text| !text.is_empty());
    if let Some(secret) =
        ["TOKEN", "STATUSPAGE_TOKEN", "BEACON_KEY", "BEACON_KEY_OLD", "NOTIFY_URLS"].iter().find(|it| set(it).is_some())
    {
        return Finding::failed(
            link,
            format!("{secret} is a plain variable, which everybody with read access to the function sees"),
            "store it in Parameter Store (step 2 of infra/README.md), and take the variable away",
        );
    }
    if set("STATUSPAGE_TOKEN_PARAMETER").is_none() {
        return Finding::failed(link, "STATUSPAGE_TOKEN_PARAMETER is not set, so it has no token", redeploy());
    }
    let named = set("CANARY_URL").is_some() || set("TARGETS").is_some() || set("TARGETS_PARAMETER").is_some();
    if !named && !knows_it {
        return Finding::failed(link, "no home is named: CANARY_URL is not set", redeploy());
    }
    if let Some((variable, theirs, ours)) = differs(variables, wanted).filter(|_| !knows_it) {
        return Finding::failed(link, format!("its {variable} is {theirs}, and here it is {ours}"), redeploy());
    }
    let (memory, timeout, changed) = (&is["MemorySize"], &is["Timeout"], text("LastModified"));
    Finding::ok(link, format!("{name}, {memory} MB, {timeout} s, changed {changed}"))
}

fn redeploy() -> &'static str {
    "deploy it with this file: cargo lambda deploy lambda-prober --merge-env --env-file prober.env"
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
        let same = |text: &str| text.trim().trim_end_matches('/').to_owned();
        (same(theirs) != same(&ours)).then_some((name, theirs, ours))
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

    #[test]
    fn a_function_is_as_deployed_or_what_is_not_is_named() {
        let found = |told: &Told| function("f", told, &wanted(), false);
        assert_eq!(found(&configuration(|_| ())).outcome, Outcome::Ok);
        let set =
            |name: &'static str, value: Value| configuration(move |is| is["Environment"]["Variables"][name] = value);
        for (told, words) in [
            (refused("ResourceNotFoundException"), "there is no function f"),
            (configuration(|is| is["State"] = json!("Failed")), "it was not deployed"),
            (configuration(|is| is["State"] = json!("Inactive")), "inactive"),
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
        assert_eq!(
            function("f", &set("CANARY_URL", json!(null)), &wanted(), true).outcome,
            Outcome::Ok,
            "its input names it"
        );
        assert_eq!(found(&Told::Silent("timeout".into())).outcome, Outcome::NotConclusive);
        assert_eq!(found(&refused("AccessDeniedException")).outcome, Outcome::NotConclusive);
        assert_eq!(found(&Told::NotAsked("no aws".into())).outcome, Outcome::NotUsed);
    }
}

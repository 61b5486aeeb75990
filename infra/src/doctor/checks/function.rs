//! The function, as it is set.

use std::path::Path;

use lambda_prober::target::Target;
use serde_json::Value;
use shared::settings::WebAddresses;
use url::Url;

use super::{
    super::{finding::Finding, link::Link, reply::Reply, wanted::Wanted, words::are_same_addresses},
    cloud::{Place, unanswered},
    drift::{Ours, drift},
    homes::OfOwn,
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
    /// Whose home its own settings name.
    pub own: OfOwn,
    /// This home, as the input of one of its schedules names it.
    pub input: Option<&'a Target>,
    /// What is set for the prober here, by its name, and where.
    pub ours: &'a [Ours],
}

/// The function.
pub fn function(name: &str, reply: &Reply, wanted: &Wanted, around: Around<'_>) -> Finding {
    let link = Link::Function;
    let Around { place, knows_it, own, input, ours } = around;
    if let Some(finding) = unanswered(link, reply) {
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
    let Reply::Is(is) = reply else { return Finding::unknown(link, reply.why(), "see the link AWS account") };
    let variables = &is["Environment"]["Variables"];
    let redeploy = if is_for_another(variables, wanted) { leave_it() } else { redeploy(ours) };
    if let Some(finding) = unfit(name, is, &redeploy) {
        return finding.whatever_is_set();
    }
    let set = |variable: &str| variables[variable].as_str().filter(|text| !text.is_empty());
    let named = set("CANARY_URL").is_some() || set("TARGETS").is_some() || set("TARGETS_PARAMETER").is_some();
    let is_there = |theirs: &&WebAddresses| {
        wanted.addresses.as_ref().is_none_or(|ours| are_same_addresses(&theirs.to_string(), &ours.to_string()))
    };
    let elsewhere = input.map(|it| &it.home.addresses).filter(|theirs| !is_there(theirs));
    if let Some((theirs, ours)) = elsewhere.zip(wanted.addresses.as_ref()) {
        return Finding::failed(
            link,
            format!("the input of its schedule has this component at {theirs}, and here it is {ours}"),
            "correct the address that is wrong: here, or in that input (porchlight setup, or infra/README.md, More homes)",
        );
    }
    let knows_it = knows_it || input.is_some();
    if !named && !knows_it {
        return Finding::failed(link, "no home is named: CANARY_URL is not set", redeploy);
    }
    if let Some((variable, theirs, ours_is)) = differs(variables, wanted).filter(|_| !knows_it) {
        if own == OfOwn::Others && is_for_another(variables, wanted) {
            return Finding::unknown(
                link,
                format!("it looks at another home, {theirs}, and no input that was seen names this one, {ours_is}"),
                "if nothing else looks at this home, give it a schedule of its own beside that: porchlight setup, or \
                 infra/README.md, More homes",
            );
        }
        return Finding::failed(link, format!("its {variable} is {theirs}, and here it is {ours_is}"), redeploy);
    }
    let drifted: Vec<String> = drift(variables, ours).iter().map(ToString::to_string).collect();
    if !drifted.is_empty() {
        return Finding::unknown(
            link,
            format!("it is set otherwise than here: {}", drifted.join("; ")),
            format!("take the function's values over where they are meant, else {redeploy}"),
        );
    }
    let (memory, timeout, changed) = (&is["MemorySize"], &is["Timeout"], text(is, "LastModified"));
    Finding::ok(link, format!("{name} in {}, {memory} MB, {timeout} s, changed {changed}", place.words()))
}

fn text<'a>(is: &'a Value, field: &str) -> &'a str {
    is[field].as_str().unwrap_or_default()
}

/// Why it cannot do its work, whatever is set here.
fn unfit(name: &str, is: &Value, redeploy: &str) -> Option<Finding> {
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
    (!set("STATUSPAGE_TOKEN_PARAMETER")).then(|| Finding::failed(link, saw, redeploy))
}

/// Whether its `CANARY_URL` names another host than this home's: to deploy it with this home's settings would take it from that one.
fn is_for_another(variables: &Value, wanted: &Wanted) -> bool {
    let hosts = |addresses: &WebAddresses| {
        let hosts = addresses.iter().filter_map(Url::host_str).map(|host| host.trim_end_matches('.').to_owned());
        hosts.collect::<Vec<_>>()
    };
    let theirs = variables["CANARY_URL"].as_str().and_then(|text| text.parse().ok());
    let both = theirs.as_ref().map(hosts).zip(wanted.addresses.as_ref().map(hosts));
    both.is_some_and(|(theirs, ours)| !theirs.iter().any(|host| ours.contains(host)))
}

/// What to do where it is another home's, too.
fn leave_it() -> String {
    "if another home is at its CANARY_URL, leave that as it is, and give this one a component and a schedule of its own \
     (porchlight setup, or infra/README.md, More homes); if not, correct that variable of the function"
        .into()
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
        ("CANARY_URL", wanted.addresses.as_ref().map(ToString::to_string)),
        ("PAGE_ID", wanted.page.as_ref().map(ToString::to_string)),
        ("COMPONENT_ID", wanted.component.as_ref().map(ToString::to_string)),
    ];
    ours.into_iter().find_map(|(name, ours)| {
        let (theirs, ours) = (variables[name].as_str()?, ours?);
        let is_same = if name == "CANARY_URL" { are_same_addresses(theirs, &ours) } else { theirs.trim() == ours };
        (!is_same).then_some((name, theirs, ours))
    })
}

#[cfg(test)]
mod tests;

//! The function that takes heartbeats, its table, its address and who knows that.

use serde_json::Value;

use super::{
    super::{
        finding::{Finding, Outcome},
        link::Link,
        look::aws::AwsSeen,
        reply::Reply,
    },
    cloud::unanswered,
    parameters::parameter,
};

const LINK: Link = Link::Receiver;
const GUIDE: &str = "infra/README.md, Homes behind CGNAT";
/// What AWS says of what is not there.
const MISSING: &str = "ResourceNotFoundException";

/// Both permissions that a function's URL needs since October 2025.
const PERMISSIONS: [&str; 2] = ["lambda:InvokeFunctionUrl", "lambda:InvokeFunction"];

/// What is there of it.
#[derive(Clone, Debug)]
pub struct ReceiverSeen {
    /// The function's configuration.
    pub function: Reply,
    /// How its URL is set.
    pub url: Reply,
    /// Who may call it.
    pub policy: Reply,
    /// The table.
    pub table: Reply,
}

impl ReceiverSeen {
    /// The same reply to all.
    pub fn all_replied(reply: &Reply) -> Self {
        let reply = || reply.clone();
        Self { function: reply(), url: reply(), policy: reply(), table: reply() }
    }
}

/// The table that a function's configuration names.
pub fn table_of(function: &Value) -> Option<&str> {
    function["Environment"]["Variables"]["HEARTBEAT_TABLE"].as_str().filter(|table| !table.is_empty())
}

/// What the function beside a prober of that name is called, as the stack calls it.
pub fn function_of(prober: &str) -> String {
    format!("{prober}-heartbeat")
}

/// All of it. `prober` is the prober's name, `ours` the address that this home sends its heartbeats to.
pub fn receiver(prober: &str, aws: &AwsSeen, ours: Option<&str>) -> Finding {
    if let Some(finding) = unanswered(LINK, &aws.function) {
        return finding;
    }
    let Reply::Is(configuration) = &aws.function else {
        return Finding::unknown(LINK, "the function is not known", "see the link function");
    };
    let Some(table) = table_of(configuration) else {
        return match ours {
            None => Finding::unused(LINK, "the function reads no heartbeats"),
            Some(_) => Finding::failed(
                LINK,
                "HEARTBEAT_URL is set here, and the function has no HEARTBEAT_TABLE: it judges no home by its heartbeats",
                format!("set HEARTBEAT_TABLE and HEARTBEAT_URL_PARAMETER of the function ({GUIDE})"),
            ),
        };
    };
    let (seen, name) = (&aws.receiver, function_of(prober));
    let url = seen.url.value()["FunctionUrl"].as_str();
    let parts = [
        of_function(&name, table, &seen.function),
        of_table(table, &seen.table),
        of_url(&name, &seen.url),
        of_policy(&name, &seen.policy),
        of_prober(url, configuration, aws),
        url.zip(ours).and_then(|(url, ours)| of_home(url, ours)),
    ];
    let mut found: Vec<Finding> = parts.into_iter().flatten().collect();
    // What is broken for certain comes before what is not known.
    found.sort_by_key(|finding| finding.outcome != Outcome::Failed);
    let known_here = if ours.is_some() { ", which this home sends to" } else { "" };
    let well = format!("{name} takes heartbeats, with its table, its URL{known_here} and both permissions");
    found.into_iter().next().unwrap_or_else(|| Finding::ok(LINK, well))
}

fn deploy() -> String {
    format!("deploy infra/heartbeat.yaml ({GUIDE})")
}

/// Of what was asked: nothing where it is there, a finding where it is not, or where that is not known.
fn missing(reply: &Reply, what: &str) -> Option<Finding> {
    if reply.is_refused(&[MISSING]) {
        return Some(Finding::failed(LINK, format!("there is no {what}"), deploy()));
    }
    match reply {
        Reply::Refused { words, .. } if unanswered(LINK, reply).is_none() => {
            Some(Finding::unknown(LINK, words.clone(), "see the link AWS account"))
        }
        _ => unanswered(LINK, reply),
    }
}

fn of_function(name: &str, table: &str, reply: &Reply) -> Option<Finding> {
    if let Some(finding) = missing(reply, &format!("function {name}, which takes heartbeats")) {
        return Some(finding);
    }
    let is = reply.value();
    if is["State"] == "Failed" || is["LastUpdateStatus"] == "Failed" {
        return Some(Finding::failed(LINK, format!("{name} was not deployed"), deploy()));
    }
    if is["Environment"]["Variables"]["RECEIVE_HEARTBEATS"] != "true" {
        return Some(Finding::failed(LINK, format!("{name} does not have RECEIVE_HEARTBEATS=true"), deploy()));
    }
    let theirs = table_of(is).unwrap_or("no table");
    (bare(theirs) != bare(table)).then(|| {
        Finding::failed(
            LINK,
            format!("{name} keeps heartbeats in {theirs}, and the prober reads {table}"),
            "set the prober's HEARTBEAT_TABLE to the output Table of the stack porchlight-heartbeat",
        )
    })
}

/// A table's name, of its ARN.
fn bare(table: &str) -> &str {
    table.rsplit_once("table/").map_or(table, |(_, name)| name)
}

fn of_table(table: &str, reply: &Reply) -> Option<Finding> {
    if let Some(finding) = missing(reply, &format!("table {table}, which heartbeats are kept in")) {
        return Some(finding);
    }
    let is = &reply.value()["Table"];
    let status = is["TableStatus"].as_str().unwrap_or("not told");
    if !matches!(status, "ACTIVE" | "UPDATING") {
        return Some(Finding::failed(LINK, format!("the table {table} is {status}"), deploy()));
    }
    (is["KeySchema"][0]["AttributeName"] != "home")
        .then(|| Finding::failed(LINK, format!("the table {table} has another key than home"), deploy()))
}

fn of_url(name: &str, reply: &Reply) -> Option<Finding> {
    if let Some(finding) = missing(reply, &format!("function URL of {name}")) {
        return Some(finding);
    }
    (reply.value()["AuthType"] != "NONE").then(|| {
        Finding::failed(
            LINK,
            format!("the URL of {name} asks for a signature of AWS, which no home has"),
            format!("aws lambda update-function-url-config --auth-type NONE --function-name {name}"),
        )
    })
}

fn of_policy(name: &str, reply: &Reply) -> Option<Finding> {
    let add = || format!("deploy infra/heartbeat.yaml, which gives both that a URL needs ({GUIDE})");
    if reply.is_refused(&[MISSING]) {
        return Some(Finding::failed(LINK, format!("nobody may call the URL of {name}"), add()));
    }
    if let Some(finding) = missing(reply, "policy") {
        return Some(finding);
    }
    let statements = reply.value()["Statement"].as_array().map_or(&[][..], Vec::as_slice);
    let is_for_all = |it: &&Value| it["Principal"] == "*" || it["Principal"]["AWS"] == "*";
    let allows = |action: &str| statements.iter().filter(is_for_all).any(|it| it["Action"] == action);
    let lacks = PERMISSIONS.into_iter().find(|action| !allows(action))?;
    Some(Finding::failed(LINK, format!("the URL of {name} lacks the permission {lacks}"), add()))
}

/// What the prober sends its own to, by which it knows whether the way is open.
fn of_prober(url: Option<&str>, configuration: &Value, aws: &AwsSeen) -> Option<Finding> {
    let variable = configuration["Environment"]["Variables"]["HEARTBEAT_URL"].as_str();
    let (theirs, place) = match (variable, &aws.names.heartbeat_url) {
        (Some(theirs), _) => (theirs, "HEARTBEAT_URL of the function"),
        (None, Some(name)) => match parameter(&aws.parameters, name) {
            Some(theirs) => (theirs, name.as_str()),
            None if !matches!(aws.parameters, Reply::Is(_)) => {
                return Some(Finding::unknown(LINK, aws.parameters.why(), "see the link parameters"));
            }
            None => return Some(Finding::failed(LINK, format!("{name} does not exist"), deploy())),
        },
        (None, None) => return None,
    };
    (!is_same(url?, theirs)).then(|| {
        Finding::failed(
            LINK,
            format!("{place} holds another address than the URL that there is"),
            format!("{}, which writes it; a function's variable takes HEARTBEAT_URL_PARAMETER", deploy()),
        )
    })
}

fn of_home(url: &str, ours: &str) -> Option<Finding> {
    (!is_same(url, ours)).then(|| {
        Finding::failed(
            LINK,
            "HEARTBEAT_URL here is another address than the one that takes this home's heartbeats",
            "set it to what the parameter heartbeat-url holds: aws ssm get-parameter --name /porchlight/heartbeat-url",
        )
    })
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().trim_end_matches('/') == other.trim().trim_end_matches('/')
}

#[cfg(test)]
mod tests;

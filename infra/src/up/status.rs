//! `porchlight status`: how everything is that `up` runs, in ten lines.

use std::{process::ExitCode, time::Duration};

use home_beacon::job::keeper::KeeperClient;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shared::{
    http::{Client, Deadlines, client_for},
    secret::SecretSource,
};
use url::Url;

use super::{
    NOT_LOOKED_AT, choices::Choices, folder::Folder, install, router_port, running, running::Running, say,
    settings::StatusSettings,
};

/// How long each question may take: all of them go to this machine.
const DEADLINE: Duration = Duration::from_secs(3);

/// Prints how everything is; fails where nothing runs, or something is wrong.
///
/// # Errors
/// When the folder cannot be read.
pub async fn status(settings: &StatusSettings) -> anyhow::Result<ExitCode> {
    let folder = Folder::named(settings.data.data.as_deref())?;
    let place = folder.path().display();
    if !folder.is_ours()? {
        say(format_args!("Nothing was made in {place} yet: `porchlight up` makes and runs it."));
        return Ok(ExitCode::FAILURE);
    }
    let choices = Choices::of(&folder)?;
    let as_a = if install::is_installed(&folder) { ", as a unit" } else { "" };
    let Some(running) = running::of(&folder) else {
        let what = if running::is_held(&folder) { "is starting" } else { "does not run" };
        say(format_args!("Porchlight {what}{as_a}; what it keeps is in {place}. `porchlight up` starts it."));
        return Ok(ExitCode::FAILURE);
    };
    if choices.is_outside {
        return outside(&folder, &choices, &running, as_a).await;
    }
    let asked = Asked::of(&folder, &running).await?;
    say(format_args!("Porchlight runs{as_a} (process {}, since {:.0}).", running.process, running.since));
    say(format_args!("  page       {}: {}", running.page, asked.page));
    let looked_at_by = match &choices.outside {
        Some(outside) => format!("{}, by {}{}", asked.looks, outside.url.host_str().unwrap_or_default(), asked.relay),
        None => format!("{}. {NOT_LOOKED_AT}", asked.looks),
    };
    say(format_args!("  looks      {looked_at_by}"));
    if let Some(incident) = &asked.incident {
        say(format_args!("  incident   {incident}"));
    }
    say(format_args!("  beacon     {}", asked.beacon));
    say(format_args!("  keeper     {}", asked.keeper));
    say(format_args!("  ping       {}", asked.ping));
    say(format_args!("  bandwidth  {}", if choices.no_bandwidth { "switched off" } else { &asked.bandwidth }));
    let dns = choices
        .dns
        .map_or_else(|| "not used (--dns NAME)".into(), |name| format!("{name}.duckdns.org, every five minutes"));
    say(format_args!("  DuckDNS    {dns}"));
    for words in router_port::words(&folder, choices.router_port)? {
        say(format_args!("  router     {words}"));
    }
    say(format_args!("  data       {place}"));
    Ok(if asked.is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The same of an outside machine.
async fn outside(folder: &Folder, choices: &Choices, running: &Running, as_a: &str) -> anyhow::Result<ExitCode> {
    let asked = Asked::of(folder, running).await?;
    let page = running.shown.as_ref().unwrap_or(&running.page);
    let home = choices.home.as_ref().map_or_else(
        || {
            "none has joined yet: `porchlight code` prints a code, and `porchlight up --join` takes it at home"
                .to_owned()
        },
        |home| format!("{}, {}", home.url, asked.looks),
    );
    let port = choices.tls.map_or(0, |address| address.port());
    say(format_args!(
        "Porchlight runs as the outside machine{as_a} (process {}, since {:.0}).",
        running.process, running.since
    ));
    say(format_args!("  page       {page}: {}", asked.page));
    say(format_args!("  home       {home}"));
    if let Some(incident) = &asked.incident {
        say(format_args!("  incident   {incident}"));
    }
    say(format_args!("  join       port {port} (TLS)"));
    say(format_args!("  keeper     {}", asked.keeper));
    say(format_args!("  data       {}", folder.path().display()));
    Ok(if asked.is_stored_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What keeper and beacon answer.
struct Asked {
    page: String,
    looks: String,
    incident: Option<String>,
    beacon: String,
    keeper: String,
    ping: String,
    bandwidth: String,
    /// What is wrong with what is sent to the outside machine.
    relay: String,
    is_well: bool,
    is_stored_well: bool,
}

impl Asked {
    async fn of(folder: &Folder, running: &Running) -> anyhow::Result<Self> {
        let deadlines = Deadlines { connect: DEADLINE, read: DEADLINE, total: DEADLINE };
        let http = client_for([&running.page], deadlines)?;
        let token = SecretSource::File { setting: "KEEPER_TOKEN", path: folder.file("keeper.token") };
        let keeper = KeeperClient::new(http.clone(), &running.page, token);
        let summary = json(&http, &running.page, "api/v2/summary.json");
        let health = json(&http, &running.page, "healthz");
        let beacon = async { Some(http.get(running.beacon.as_ref()?).send().await.is_ok()) };
        let (summary, health, beacon, ping, bandwidth) = tokio::join!(
            summary,
            health,
            beacon,
            newest(&keeper, "ping", "ms"),
            newest(&keeper, "bandwidth", "Mbit/s")
        );
        let storage = health.as_ref().and_then(|health| health["storage"].as_str());
        let clock = health.as_ref().and_then(|health| health["clock"].as_str());
        let relay = relay(health.as_ref());
        Ok(Self {
            is_well: storage == Some("ok") && beacon == Some(true) && relay.is_empty(),
            relay,
            page: summary
                .as_ref()
                .and_then(|it| it["status"]["description"].as_str())
                .unwrap_or("does not answer")
                .into(),
            looks: looks(summary.as_ref()),
            incident: summary.as_ref().and_then(incident),
            beacon: match (beacon, &running.beacon) {
                (Some(true), Some(url)) => format!("answers at port {} of this machine", url.port().unwrap_or(80)),
                _ => "does not answer".into(),
            },
            keeper: match (storage, clock) {
                (Some(storage), Some(clock)) => format!("storage {storage}, clock {clock}"),
                _ => "does not answer".into(),
            },
            is_stored_well: storage == Some("ok"),
            ping,
            bandwidth,
        })
    }
}

/// What keeps the home from its outside machine; empty where nothing does.
fn relay(health: Option<&Value>) -> String {
    let relay = health.map_or(&Value::Null, |health| &health["relay"]);
    let reason = relay["reason"].as_str().unwrap_or_default();
    match relay["condition"].as_str() {
        Some("paused") => format!(
            "; it refuses what this home sends ({reason}): run `porchlight code` there, and `porchlight up --join` here"
        ),
        Some("trouble") => format!("; it is not reached now ({reason}), and tried again by itself"),
        _ => String::new(),
    }
}

async fn json(http: &Client, base: &Url, path: &str) -> Option<Value> {
    let answer = http.get(&base.join(path).ok()?).send().await.ok()?;
    serde_json::from_slice(&answer.bytes().await.ok()?).ok()
}

/// When the page's components were looked at last.
fn looks(summary: Option<&Value>) -> String {
    let components = summary.and_then(|summary| summary["components"].as_array());
    let ages = components.into_iter().flatten().filter_map(|it| it["porchlight"]["looked_at_age_seconds"].as_i64());
    match ages.min() {
        Some(age) => format!("looked at from outside {:#} ago", SignedDuration::from_secs(age)),
        None => "not looked at from outside yet".into(),
    }
}

/// The newest incident that is not over, with what was written to it last: why the home is down.
fn incident(summary: &Value) -> Option<String> {
    let incident = summary["incidents"].as_array()?.first()?;
    let body = incident["incident_updates"][0]["body"].as_str().unwrap_or_default();
    let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(format!("{}: {body}", incident["name"].as_str()?))
}

/// The newest reading of a metric, within a day.
async fn newest(keeper: &KeeperClient, metric: &str, unit: &str) -> String {
    let from = Timestamp::now() - SignedDuration::from_hours(24);
    let Ok(series) = keeper.series::<Value>(metric, from, Duration::from_mins(5)).await else {
        return "none yet".into();
    };
    let newest = series["points"].as_array().and_then(|points| points.last()).cloned();
    let Some(point) = newest else { return "none within a day".into() };
    let at: Option<Timestamp> = point["at"].as_str().and_then(|at| at.parse().ok());
    let at = at.map(|at| format!(", in the five minutes from {at:.0}")).unwrap_or_default();
    match point["value"].as_f64() {
        Some(value) => format!("{value:.1} {unit}{at}"),
        None => format!("failed{at}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_incident_is_said_in_one_line() {
        assert_eq!(incident(&json!({"incidents": []})), None);
        let updates = json!([{"body": "Nothing answered\nin time."}, {"body": "older"}]);
        let summary = json!({"incidents": [{"name": "Not reachable", "incident_updates": updates}]});
        assert_eq!(incident(&summary).unwrap(), "Not reachable: Nothing answered in time.");
    }

    #[test]
    fn what_keeps_a_home_from_its_outside_machine_is_said_with_what_to_do() {
        let health = |condition: &str| json!({"relay": {"condition": condition, "reason": "401"}});
        assert_eq!(relay(None), "");
        assert_eq!(relay(Some(&health("well"))), "");
        assert!(relay(Some(&health("paused"))).contains("(401): run `porchlight code` there"));
        assert!(relay(Some(&health("trouble"))).contains("tried again by itself"));
    }
}

//! Statping's database, as its own program has it (<https://github.com/statping-ng/statping-ng>, `types/`, read on 2026-11-30), and
//! its `config.yml`.

use std::{
    collections::{HashMap, HashSet},
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use checks::{
    check::{Check, CheckName},
    file::{Loaded, ThisMachine, Wrong, statping},
};
use home_beacon::keeper::{
    db::foreign,
    portable::{Columns, Incident, Of as OfComponent, Record},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{
    api::Api,
    http::Method,
    id::{PageId, derived},
    settings::WrongSetting,
};

use super::{
    Of,
    checks_file::{is_there, write},
    history::{Past, Run, millis},
    of_file,
    records::Sender,
    rows, wrong_file,
};
use crate::tokens::in_words;

/// A service's hits and failures, in the order of time: all of its times are in UTC. Of a check-in's failures nothing is known here.
const RUNS: &str = "SELECT created_at, latency, NULL AS issue FROM hits WHERE service = ?1 UNION ALL
     SELECT created_at, NULL, COALESCE(issue, '') FROM failures WHERE service = ?1 AND COALESCE(checkin, 0) = 0
     ORDER BY created_at";

/// Its services and groups.
pub(super) async fn database(file: &Path) -> Result<Loaded, Vec<Wrong>> {
    let mut loaded = services(file).await?;
    loaded.notes.push(
        "hits, failures and incidents: once checks runs with this, bring them to the keeper with --history".to_owned(),
    );
    Ok(loaded)
}

/// As it would export them: one column of its table has another name than there.
async fn services(file: &Path) -> Result<Loaded, Vec<Wrong>> {
    let mut services = rows(file, "services").await?;
    for service in &mut services {
        if let Some(kind) = service.remove("check_type") {
            service.insert("type".into(), kind);
        }
    }
    let export = json!({ "services": services, "groups": rows(file, "groups").await? });
    statping::read_export(&export.to_string(), &file.display().to_string(), &ThisMachine)
}

/// Brings what it has measured, and its incidents, to the keeper.
///
/// # Errors
/// When the file cannot be read, or the keeper does not take it.
pub(super) async fn history(file: &Path, keeper: &Api) -> anyhow::Result<ExitCode> {
    let loaded = services(file).await.map_err(|wrong| wrong_file(&wrong))?;
    let wrong = |error: foreign::ForeignError| wrong_file(&of_file(file, &error.to_string()));
    let checks: HashMap<_, _> = loaded.checks.iter().map(|check| (&check.name, check)).collect();
    let here = shown(keeper).await?;
    let mut by_service: HashMap<i64, &Check> = HashMap::new();
    for (service, name) in &loaded.origins {
        let Some(check) = checks.get(name) else { continue };
        if here.contains(name) {
            by_service.insert(*service, check);
        } else {
            let title = &check.title;
            println!("note: {title}: no check {name} with a component of its own runs here, so its past is left out");
        }
    }
    if by_service.is_empty() {
        anyhow::bail!(
            "none of its services is checked here: start `checks` with what was imported, and then import the past"
        );
    }
    let (incidents, mut odd) = incidents(file, &by_service).await.map_err(wrong)?;
    let mut sender = Sender::new(keeper);
    for (service, check) in &by_service {
        let mut past = Past::new(check);
        let read = foreign::for_each(file, RUNS, *service, async |row| {
            match run(&row) {
                Some(run) => {
                    if let Some(record) = past.add(run) {
                        sender.send(record).await?;
                    }
                }
                None => odd += 1,
            }
            Ok(())
        });
        read.await.map_err(|error: foreign::EachError<anyhow::Error>| match error {
            foreign::EachError::Foreign(error) => wrong(error).into(),
            foreign::EachError::Other(error) => error,
        })?;
        for record in past.finish() {
            sender.send(record).await?;
        }
    }
    for record in incidents {
        sender.send(record).await?;
    }
    if odd > 0 {
        println!("note: {odd} of its rows have no time or latency that can be read, and are left out");
    }
    sender.finish().await?;
    Ok(ExitCode::SUCCESS)
}

/// The checks that have a component of their own in the keeper.
async fn shown(keeper: &Api) -> anyhow::Result<HashSet<CheckName>> {
    #[derive(Deserialize)]
    struct List {
        checks: Vec<Known>,
    }
    #[derive(Deserialize)]
    struct Known {
        name: CheckName,
        /// `own`, where it has one.
        component: String,
    }
    let list: Result<List, _> = keeper.call(Method::GET, "/porchlight/v1/checks", None).await;
    let checks = list.map_err(|error| in_words(&error))?.checks;
    Ok(checks.into_iter().filter(|known| known.component == "own").map(|known| known.name).collect())
}

/// A hit or a failure. Latency is in microseconds, a whole number; before version 0.80 it was in seconds.
fn run(row: &Map<String, Value>) -> Option<Run> {
    let at = millis(row.get("created_at")?.as_str()?)?;
    let took = match row.get("latency")? {
        Value::Number(number) if number.is_f64() => number.as_f64().map(|seconds| seconds * 1000.0),
        Value::Number(number) => number.as_f64().map(|micros| micros / 1000.0),
        _ => None,
    };
    match (row.get("issue").and_then(Value::as_str), took) {
        (Some(issue), _) => Some(Run { at, outcome: Err(issue.to_owned()) }),
        (None, Some(took)) => Some(Run { at, outcome: Ok(took) }),
        (None, None) => None,
    }
}

/// Its incidents with their updates, and how many cannot be read. One of which no update says that it is resolved goes on.
async fn incidents(file: &Path, checks: &HashMap<i64, &Check>) -> Result<(Vec<Record>, u64), foreign::ForeignError> {
    let mut updates: HashMap<i64, Vec<Map<String, Value>>> = HashMap::new();
    for update in foreign::rows(file, "incident_updates").await? {
        updates.entry(number(&update, "incident")).or_default().push(update);
    }
    let list = foreign::rows(file, "incidents").await?;
    let (mut records, mut odd) = (Vec::new(), 0);
    for incident in &list {
        match one(incident, updates.get(&number(incident, "id")), checks) {
            Some(record) => records.push(record),
            None => odd += 1,
        }
    }
    Ok((records, odd))
}

fn one(
    incident: &Map<String, Value>,
    updates: Option<&Vec<Map<String, Value>>>,
    checks: &HashMap<i64, &Check>,
) -> Option<Record> {
    let text =
        |row: &Map<String, Value>, name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let began = millis(&text(incident, "created_at"))?;
    let origin = format!("statping/incident/{}/{began}", number(incident, "id"));
    let (mut status, mut resolved, mut last) = ("investigating", None, began);
    // What it is about is its first update here.
    let mut entries = vec![(0, began, "investigating", text(incident, "description"))];
    for update in updates.into_iter().flatten() {
        let at = millis(&text(update, "created_at")).unwrap_or(last);
        status = match text(update, "type").to_lowercase().as_str() {
            "resolved" => "resolved",
            "investigating" => "investigating",
            // An update, and what Statping calls unknown, change nothing of where it stands.
            _ => status,
        };
        resolved = if status == "resolved" { resolved.or(Some(at)) } else { None };
        last = last.max(at);
        entries.push((number(update, "id"), at, status, text(update, "message")));
    }
    let updates = entries.into_iter().filter(|(_, _, _, body)| !body.is_empty()).map(|(id, at, status, body)| {
        columns(json!({"id": derived(&format!("{origin}/{id}")), "status": status, "body": body,
            "deliver_notifications": 0, "display_at": at, "created_at": at, "updated_at": at}))
    });
    let name = Some(text(incident, "title")).filter(|title| !title.is_empty()).unwrap_or_else(|| "Incident".into());
    if resolved.is_none() {
        println!("note: {name}: it goes on, as far as Statping says: resolve it on the page once it is over");
    }
    let check = checks.get(&number(incident, "service"));
    Some(Record::Incident(Incident {
        columns: columns(
            json!({"id": derived(&origin), "name": name, "status": status, "impact": "none", "metadata": "{}",
            "backfilled": i64::from(resolved.is_some()), "started_at": began, "resolved_at": resolved, "created_at": began,
            "updated_at": last}),
        ),
        updates: updates.collect(),
        components: check
            .map(|check| OfComponent { component: None, check: Some(check.name.clone()), made: None })
            .into_iter()
            .collect(),
    }))
}

fn columns(value: Value) -> Columns {
    match value {
        Value::Object(columns) => columns.into_iter().filter(|(_, value)| !value.is_null()).collect(),
        _ => Columns::new(),
    }
}

fn number(row: &Map<String, Value>, name: &str) -> i64 {
    row.get(name).and_then(Value::as_i64).unwrap_or_default()
}

/// Whether the file is called as its `config.yml` is.
pub(super) fn is_config(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == "config.yml" || name == "config.yaml")
}

/// Writes what the page is called to a seed beside `out`, and of the database that it names, where that is beside it, the checks.
pub(super) async fn config(file: &Path, out: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| WrongSetting(format!("{}: it cannot be read: {error}", file.display())))?;
    let config = statping::config::read(&text, &file.display().to_string()).map_err(|wrong| wrong_file(&wrong))?;
    for note in &config.notes {
        println!("note: {note}");
    }
    if let Some(name) = &config.name {
        let page: PageId = derived(&format!("statping/page/{name}")).parse()?;
        let page = columns(json!({"id": page.as_str(), "name": name, "description": config.description}));
        let mut seed = "# What Statping's page was called, written by `porchlight import`: for KEEPER_SEED. It is yours to change.\n".to_owned();
        let page: toml::Table = [("page".to_owned(), toml::Value::try_from(page)?)].into_iter().collect();
        seed.push_str(&toml::to_string(&page)?);
        let path = out.with_file_name("page.toml");
        if !is_there(&path, &seed)? {
            write(&path, &seed, 0o644)?;
        }
        println!("{}: the page, for KEEPER_SEED", path.display());
    }
    if let Some(path) = &config.base_path {
        println!("KEEPER_BASE_PATH={path}: where the page was");
    }
    let named = config.database.map(PathBuf::from);
    let beside = named.as_ref().and_then(|named| {
        let folder = file.parent().unwrap_or(Path::new(""));
        // Its own folder in a container is another one here.
        let near = [folder.join(named), folder.join(named.file_name()?)];
        near.into_iter().find(|path| path.is_file())
    });
    match (named, beside) {
        (_, Some(database)) => {
            let loaded = self::database(&database).await.map_err(|wrong| wrong_file(&wrong))?;
            super::write(Of::Statping, &database, &loaded, out)?;
        }
        (Some(named), None) => {
            let named = named.display();
            writeln!(
                std::io::stdout(),
                "note: {named}: it is not beside the file: import it by itself, with `porchlight import statping`"
            )?;
        }
        (None, None) => {}
    }
    Ok(ExitCode::SUCCESS)
}

//! Statping's database, as its own program has it (<https://github.com/statping-ng/statping-ng>, `types/`, read on 2026-11-30), and
//! its `config.yml`.

use std::{
    collections::HashMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use checks::{
    check::{Check, Place},
    file::{Loaded, ThisMachine, Wrong, statping},
};
use home_beacon::keeper::{
    db::foreign,
    portable::{Columns, Incident, Of as OfComponent, Record},
};
use serde_json::{Map, Value, json};
use shared::{
    api::Api,
    id::{PageId, derived},
    settings::WrongSetting,
};

use super::{
    Of,
    checks_file::{is_there, write},
    history::{Run, millis, records},
    of_file,
    records::Sender,
    rows, wrong_file,
};

/// A service's hits and failures. Of a check-in's failures nothing is known here.
const RUNS: &str = "SELECT created_at, latency, NULL AS issue FROM hits WHERE service = ?1 UNION ALL
     SELECT created_at, NULL, COALESCE(issue, '') FROM failures WHERE service = ?1 AND COALESCE(checkin, 0) = 0
     ORDER BY created_at LIMIT 4000000";

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
    let mut sender = Sender::new(keeper);
    for (service, name) in &loaded.origins {
        let Some(check) = checks.get(name) else { continue };
        let mut runs = Vec::new();
        foreign::for_each(file, RUNS, *service, |row| runs.extend(run(&row))).await.map_err(wrong)?;
        // As texts, times are in order but for their fractions.
        runs.sort_by_key(|run: &Run| run.at);
        for record in records(check, &runs) {
            sender.send(record).await?;
        }
    }
    let by_service: HashMap<i64, &Check> =
        loaded.origins.iter().filter_map(|(id, name)| Some((*id, *checks.get(name)?))).collect();
    for record in incidents(file, &by_service).await.map_err(wrong)? {
        sender.send(record).await?;
    }
    sender.finish().await?;
    Ok(ExitCode::SUCCESS)
}

/// A hit or a failure. Latency is in microseconds, a whole number; before version 0.80 it was in seconds.
fn run(row: &Map<String, Value>) -> Option<Run> {
    let at = millis(row.get("created_at")?.as_str()?)?;
    let took = match row.get("latency")? {
        Value::Number(number) if number.is_f64() => number.as_f64().map(|seconds| seconds * 1000.0),
        Value::Number(number) => number.as_f64().map(|micros| micros / 1000.0),
        _ => None,
    };
    let issue = row.get("issue").and_then(Value::as_str).map(str::to_owned);
    if issue.is_none() && took.is_none() {
        return None;
    }
    Some(Run { at, outcome: issue.map_or(Ok(took.unwrap_or_default()), Err) })
}

/// Its incidents with their updates. One of which no update says that it is resolved goes on.
async fn incidents(file: &Path, checks: &HashMap<i64, &Check>) -> Result<Vec<Record>, foreign::ForeignError> {
    let mut updates: HashMap<i64, Vec<Map<String, Value>>> = HashMap::new();
    for update in foreign::rows(file, "incident_updates").await? {
        updates.entry(number(&update, "incident")).or_default().push(update);
    }
    let list = foreign::rows(file, "incidents").await?;
    Ok(list.iter().filter_map(|incident| one(incident, updates.get(&number(incident, "id")), checks)).collect())
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
    let mut told = vec![(0, began, "investigating", text(incident, "description"))];
    for update in updates.into_iter().flatten() {
        let at = millis(&text(update, "created_at")).unwrap_or(last);
        status = match text(update, "type").to_lowercase().as_str() {
            "resolved" => "resolved",
            "investigating" => "investigating",
            // An update, and what Statping calls unknown, change nothing of where it stands.
            _ => status,
        };
        resolved = (status == "resolved").then_some(at);
        last = last.max(at);
        told.push((number(update, "id"), at, status, text(update, "message")));
    }
    let updates = told.into_iter().filter(|(_, _, _, body)| !body.is_empty()).map(|(id, at, status, body)| {
        columns(json!({"id": derived(&format!("{origin}/{id}")), "status": status, "body": body,
            "deliver_notifications": 0, "display_at": at, "created_at": at, "updated_at": at}))
    });
    let name = Some(text(incident, "title")).filter(|title| !title.is_empty()).unwrap_or_else(|| "Incident".into());
    let check = checks.get(&number(incident, "service")).filter(|check| check.component == Place::Own);
    Some(Record::Incident(Incident {
        columns: columns(
            json!({"id": derived(&origin), "name": name, "status": status, "impact": "none", "metadata": "{}",
            "backfilled": 1, "started_at": began, "resolved_at": resolved, "created_at": began, "updated_at": last}),
        ),
        updates: updates.collect(),
        components: check
            .map(|check| OfComponent { component: None, check: Some(check.name.clone()) })
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
        let page = json!({"id": page.as_str(), "name": name, "description": config.description});
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

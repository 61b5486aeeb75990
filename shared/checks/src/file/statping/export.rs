//! What Statping exports of itself (`export.json`): its services with their groups. Neither its history nor its incidents are in it,
//! and what else is belongs elsewhere here.

use std::path::Path;

use serde::{Deserialize, de::IgnoredAny};

use super::{
    Groups, Names, build_all,
    service::{Service, Services},
};
use crate::file::{Loaded, Machine, Parts, ThisMachine, Wrong, reading::Reading, text_of, words::Words, yaml};

/// What becomes of what is no service.
const PARTS: [(&str, &str); 3] = [
    ("notifiers", "channels of notices are one address a line in NOTIFY_URLS"),
    ("messages", "write an announcement as an incident or a maintenance on the page"),
    ("users", "the keeper has tokens instead (porchlight tokens)"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Export {
    services: Option<Vec<Option<Service>>>,
    groups: Option<Vec<Group>>,
    checkins: Option<Vec<Checkin>>,
    notifiers: Option<Vec<Notifier>>,
    messages: Option<Vec<IgnoredAny>>,
    users: Option<Vec<IgnoredAny>>,
}

#[derive(Debug, Deserialize)]
struct Group {
    id: i64,
    name: Words,
}

#[derive(Debug, Deserialize)]
struct Checkin {
    name: Option<Words>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Notifier {
    enabled: Option<bool>,
}

/// Reads the `export.json` at `path`.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load_export(path: &Path) -> Result<Loaded, Vec<Wrong>> {
    read_export(&text_of(path)?, &path.display().to_string(), &ThisMachine)
}

/// Reads a text that is called `file` in messages.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read_export(text: &str, file: &str, machine: &dyn Machine) -> Result<Loaded, Vec<Wrong>> {
    // Every JSON is YAML.
    let export: Export = yaml::read(text).map_err(|error| vec![yaml::wrong(file, &error)])?;
    let mut reading = Reading::new(machine);
    let notifiers = export.notifiers.iter().flatten().any(|notifier| notifier.enabled == Some(true));
    let is_there = [notifiers, is_any(export.messages.as_ref()), is_any(export.users.as_ref())];
    for ((part, why), _) in PARTS.iter().zip(is_there).filter(|(_, is_there)| *is_there) {
        reading.notes.push(format!("{part}: {why}"));
    }
    for Checkin { name } in export.checkins.iter().flatten() {
        let name = name.as_ref().map_or("a check-in", |name| &name.0);
        reading
            .notes
            .push(format!("{name}: what reports by itself is a passive check here, with an address of its own"));
    }
    let groups: Groups = export.groups.into_iter().flatten().map(|group| (group.id, group.name.0)).collect();
    let mut services = Services { services: export.services, unknown: Vec::new() };
    let mut numbers = Vec::new();
    for service in services.services.iter_mut().flatten() {
        numbers.push(service.as_ref().and_then(|service| service.number("id").ok().flatten()));
        if let Some(service) = service {
            service.settings_alone();
        }
    }
    let mut names = Names::default();
    let built = build_all(&mut reading, &services, &groups, &mut names);
    let origins = built.iter().filter_map(|(index, check)| Some((numbers[*index]?, check.name.clone()))).collect();
    let loaded = Parts::of(reading, text, file, built, || names.all(), services.services.is_some()).whole()?;
    Ok(Loaded { origins, ..loaded })
}

fn is_any(list: Option<&Vec<IgnoredAny>>) -> bool {
    list.is_some_and(|list| !list.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::Kind, file::tests::World};

    const EXPORT: &str = r#"{
        "core": {"name": "Mine", "api_secret": "hunter2hunter2"},
        "notifiers": [{"method": "slack", "enabled": false}, {"method": "email", "enabled": true}],
        "users": [], "messages": [{"title": "Moving"}],
        "checkins": [{"id": 1, "service_id": 1, "name": "Backup", "interval": 60, "api_key": "x"}],
        "groups": [{"id": 2, "name": "Web", "public": true, "order_id": 1}],
        "services": [
            {"id": 1, "name": "Shop", "domain": "https://shop.example", "expected": "", "expected_status": 200,
             "check_interval": 30, "type": "http", "method": "GET", "post_data": "", "port": 0, "timeout": 10,
             "order_id": 1, "verify_ssl": true, "public": true, "group_id": 2, "headers": null, "redirect": false,
             "online": true, "latency": 120345, "avg_response": 1.5e5, "last_success": "2026-11-01T10:00:00Z",
             "stats": {"failures": 3, "hits": 100, "first_hit": "2026-01-01T00:00:00Z"}, "failures": [{"id": 1}]},
            {"id": 2, "name": "SSH", "domain": "nas.lan", "type": "tcp", "port": 22, "check_interval": 60}
        ]}"#;

    #[test]
    fn an_export_is_its_services_in_their_groups_and_the_rest_is_named_once() {
        let loaded = read_export(EXPORT, "export.json", &World).unwrap();
        let checks: Vec<_> = loaded.checks.iter().map(|check| (check.title.as_str(), check.group.as_deref())).collect();
        assert_eq!(checks, [("SSH", None), ("Shop", Some("Web"))]);
        assert!(matches!(loaded.checks[1].kind, Kind::Http(_)) && loaded.checks[1].every.as_secs() == 30);
        let said: Vec<_> = loaded.notes.iter().filter_map(|note| note.split_once(": ")).map(|(what, _)| what).collect();
        assert_eq!(said, ["notifiers", "messages", "Backup"]);
        assert!(!format!("{loaded:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_wrong_with_an_export_is_said_with_its_line() {
        for (text, said) in [
            ("{", "export.json"),
            (r#"{"services": [{"name": "A", "type": "http"}]}"#, "export.json:1: "),
            (r#"{"services": 5}"#, "export.json:1: "),
        ] {
            let wrong = read_export(text, "export.json", &World).unwrap_err();
            assert!(wrong[0].to_string().starts_with(said), "{wrong:?}");
        }
    }
}

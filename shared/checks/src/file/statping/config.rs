//! Statping's `config.yml`: what of it has a meaning here.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use crate::file::{Wrong, words::Words, yaml};

/// What is taken over of a `config.yml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// What the page is called (`NAME`).
    pub name: Option<String>,
    /// What stands below it (`DESCRIPTION`).
    pub description: Option<String>,
    /// The path that the page is served under (`BASE_PATH`), with a slash before it and none behind: for `KEEPER_BASE_PATH`.
    pub base_path: Option<String>,
    /// Where its SQLite database is (`sqlfile`, or `statping.db` in `location`), where it has one: for the import.
    pub database: Option<String>,
    /// What is not taken over, each key in one sentence.
    pub notes: Vec<String>,
}

/// The keys that are taken over.
const TAKEN: [&str; 6] = ["name", "description", "base_path", "sqlfile", "sql_file", "location"];

/// What becomes of a key. Those of a value that says nothing are not mentioned.
const NOT_DONE: [(&[&str], &str); 9] = [
    (
        &["connection", "host", "user", "password", "database", "port", "postgres_ssl"],
        "the keeper has a database of its own (DATABASE_URL)",
    ),
    (
        &["db_open_connections", "db_idle_connections", "db_max_life_connections"],
        "connections to the database are the keeper's affair",
    ),
    (&["api_secret"], "make a token for who calls the keeper (KEEPER_TOKEN)"),
    (&["admin_user", "admin_password", "admin_email"], "there are no users: who has the token may write"),
    (
        &["letsencrypt_host", "letsencrypt_email", "letsencrypt_enable"],
        "certificates are made by what stands before the keeper, or given to it (KEEPER_TLS_CERTIFICATE)",
    ),
    (&["language"], "the page is in English"),
    (&["allow_reports"], "nothing is sent to us, so there is nothing to allow"),
    (&["sample_data", "demo_mode"], "the demo is a program of its own (porchlight demo)"),
    (
        &["disable_http", "disable_logs", "disable_colors", "use_assets", "use_cdn", "domain", "email", "local_ip"],
        "there is nothing of the kind here",
    ),
];

/// Reads a `config.yml`.
///
/// # Errors
/// When it is no YAML, or no mapping.
pub fn read(text: &str, file: &str) -> Result<Config, Vec<Wrong>> {
    let values: Option<Values> = yaml::read(text).map_err(|error| vec![yaml::wrong(file, &error)])?;
    Ok(config(&values.unwrap_or_default()))
}

fn config(values: &Values) -> Config {
    let text = |key: &str| values.0.get(key).filter(|value| !value.is_empty()).cloned();
    let base_path = text("base_path").map(|path| path.trim_matches('/').to_owned());
    let is_sqlite = text("connection").is_none_or(|connection| connection.starts_with("sqlite"));
    let in_location = || text("location").map(|folder| format!("{}/statping.db", folder.trim_end_matches('/')));
    let mut notes = Vec::new();
    for (key, value) in &values.0 {
        let is_ours = TAKEN.contains(&key.as_str());
        if is_ours || value.is_empty() || value == "false" || value == "0" || (key == "connection" && is_sqlite) {
            continue;
        }
        let why = NOT_DONE.iter().find(|(keys, _)| keys.contains(&key.as_str()));
        notes
            .push(format!("{key}: {}", why.map_or("this is no key of a config.yml, and is left out", |(_, why)| *why)));
    }
    Config {
        name: text("name"),
        description: text("description"),
        base_path: base_path.filter(|path| !path.is_empty()).map(|path| format!("/{path}")),
        database: text("sqlfile").or_else(|| text("sql_file")).or_else(in_location).filter(|_| is_sqlite),
        notes,
    }
}

/// Keys in small letters: Statping takes them in any.
#[derive(Default)]
struct Values(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys with values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let mut values = Values::default();
        while let Some(key) = map.next_key::<String>()? {
            let key = key.to_ascii_lowercase();
            let is_known =
                NOT_DONE.iter().any(|(keys, _)| keys.contains(&key.as_str())) || TAKEN.contains(&key.as_str());
            let value = if is_known {
                map.next_value::<Option<Words>>()?.map(|words| words.0.trim().to_owned())
            } else {
                map.next_value::<IgnoredAny>()?;
                Some("set".to_owned())
            };
            values.0.insert(key, value.unwrap_or_default());
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_the_description_the_path_and_the_database_are_taken_over() {
        let text = "connection: sqlite\nlanguage: en\nallow_reports: true\nlocation: /app\nsqlfile: /app/statping.db\n\
                    api_secret: hunter2\nsample_data: false\nuse_cdn: false\nNAME: My services\nDESCRIPTION: at home\nBASE_PATH: status/\n\
                    admin_password: hunter2\ntheme: [a]\n";
        let config = read(text, "config.yml").unwrap();
        assert_eq!(config.name.as_deref(), Some("My services"));
        assert_eq!(config.description.as_deref(), Some("at home"));
        assert_eq!(config.base_path.as_deref(), Some("/status"));
        assert_eq!(config.database.as_deref(), Some("/app/statping.db"));
        let keys: Vec<_> = config.notes.iter().filter_map(|note| note.split_once(": ")).map(|(key, _)| key).collect();
        assert_eq!(keys, ["admin_password", "allow_reports", "api_secret", "language", "theme"]);
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn a_database_elsewhere_is_named_and_not_looked_for() {
        let config = read("connection: postgres\nhost: db\npassword: hunter2\nlocation: /app\n", "config.yml").unwrap();
        assert_eq!((config.database, config.notes.len()), (None, 3));
        assert_eq!(read("", "config.yml").unwrap(), Config::default());
        assert!(read("- a", "config.yml").unwrap_err()[0].to_string().starts_with("config.yml:1: "));
    }
}

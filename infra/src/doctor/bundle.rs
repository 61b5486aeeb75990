//! A support bundle: what was seen, without any secret, for whoever helps. A gzipped tar, for this user alone.

use std::{io::Write, path::Path};

use anyhow::Context;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde_json::Value;
use shared::{file::replace_private, settings::OURS};

use super::{
    checks::drift::TUNING,
    examine::Examination,
    given::Given,
    report::{self, Report},
    scrub::{Scrubber, is_secret},
};

/// Variables of a function whose values say for whom it is set, besides those that say how; of all others the name alone is kept.
const HOMES: [&str; 4] = ["CANARY_URL", "COMPONENT_ID", "PAGE_ID", "TARGETS_PARAMETER"];

/// Writes it; the names of what is in it.
///
/// # Errors
/// When the file cannot be written.
pub fn write(
    path: &Path,
    examined: &Examination,
    given: &Given,
    scrubber: &Scrubber,
    at: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let files = files(examined, given, at);
    let cannot = || format!("--bundle {} cannot be written", path.display());
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (name, text) in &files {
        let text = scrubber.scrub(text);
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_mtime(u64::try_from(at.as_second()).unwrap_or(0));
        archive.append_data(&mut header, format!("porchlight-doctor/{name}"), text.as_bytes()).with_context(cannot)?;
    }
    let mut packed = archive.into_inner().and_then(GzEncoder::finish).with_context(cannot)?;
    packed.flush().with_context(cannot)?;
    replace_private(path, &packed).with_context(cannot)?;
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

fn files(examined: &Examination, given: &Given, at: Timestamp) -> Vec<(String, String)> {
    let shown = |(name, value): (&str, &str)| {
        let value = if is_shown(name) { value } else { "***" };
        format!("{name}={value}   # {}\n", given.origin(name))
    };
    let machine = format!(
        "porchlight {}\n{} {}\n{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::OS,
        std::env::consts::ARCH,
        std::fs::read_to_string("/proc/version").unwrap_or_default()
    );
    let resolv = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut files = vec![
        ("doctor.txt".to_owned(), Report(&examined.findings).to_string()),
        ("doctor.json".to_owned(), report::json(&examined.findings, at).to_string()),
        ("settings.env".to_owned(), given.all().map(shown).collect()),
        ("machine.txt".to_owned(), machine),
        ("resolv.conf".to_owned(), resolv),
    ];
    for (name, answer) in &examined.answers {
        let text = serde_json::to_string_pretty(&cleaned(answer.clone())).unwrap_or_default();
        files.push((format!("answers/{name}.json"), text));
    }
    files
}

/// Whether the value of a setting says how Porchlight is set, and is no secret. An address of a database may have a password
/// anywhere in it; what is none of ours may be anything.
fn is_shown(name: &str) -> bool {
    OURS.contains(&name) && !is_secret(name) && name != "DATABASE_URL"
}

/// An answer without what may be a secret in it, and without mail addresses.
fn cleaned(answer: Value) -> Value {
    let mut answer = without_variables(answer);
    clean(&mut answer);
    answer
}

/// Variables of pods may hold anything, and annotations all of that once more; who has the address by which statuspage.io takes
/// mails can set a component.
fn clean(answer: &mut Value) {
    match answer {
        Value::Array(all) => all.iter_mut().for_each(clean),
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let is_mail = name == "email" || name.ends_with("_email");
                !(is_mail && value.is_string() || matches!(name.as_str(), "annotations" | "managedFields"))
            });
            for variable in fields.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
                let is_ours = variable["name"].as_str().is_some_and(is_shown);
                if let Some(value) = variable.get_mut("value").filter(|_| !is_ours) {
                    *value = "(hidden)".into();
                }
            }
            fields.values_mut().for_each(clean);
        }
        _ => (),
    }
}

/// A function may have any secret among its variables.
fn without_variables(mut answer: Value) -> Value {
    if let Some(variables) = answer.pointer_mut("/Environment/Variables").and_then(Value::as_object_mut) {
        for (name, value) in variables.iter_mut() {
            if !HOMES.iter().chain(&TUNING).any(|known| known == name) {
                *value = "(hidden)".into();
            }
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::fs::PermissionsExt};

    use serde_json::json;
    use shared::secret::Secret;

    use super::{
        super::{finding::Finding, link::Link},
        *,
    };

    #[test]
    fn everything_that_was_seen_is_in_it_and_no_secret_is() {
        let mut given = Given::default();
        given.set("KEEPER_TOKEN", "planted-1", "prober.env");
        given.set("PAGE_ID", "gytm4qzbx9t6", "prober.env");
        given.set("MY_DSN", "planted-4", "mine.env");
        given.set("DATABASE_URL", "postgres://db/x?password=planted-5", "mine.env");
        let env = json!([{"name": "MY_DSN", "value": "planted-6"}, {"name": "PAGE_ID", "value": "of-the-pod"}]);
        let template = json!({"spec": {"containers": [{"env": env}]}, "metadata": {"annotations": {"x": "planted-7"}}});
        let cluster =
            json!({"items": [{"metadata": {"annotations": {"last": "planted-8"}}, "spec": {"template": template}}]});
        let components =
            json!([{"id": "8kbf7d35c070", "automation_email": "component+planted-9@notifications.statuspage.io"}]);
        let function = json!({"Environment": {"Variables": {"PAGE_ID": "gytm4qzbx9t6", "MY_PASS": "planted-2"}}});
        let examined = Examination {
            findings: vec![Finding::failed(Link::Token, "planted-1 is refused", "planted-3")],
            answers: vec![
                ("aws/function", function),
                ("aws/log", json!({"events": ["planted-3"]})),
                ("cluster", cluster),
                ("page/components", components),
            ],
            secrets: vec![Secret::new("planted-3")],
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.tar.gz");
        let scrubber = Scrubber::of(&given).knowing(&examined.secrets);
        let listed = write(&path, &examined, &given, &scrubber, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()));
        let mut all = String::new();
        let mut names = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            names.push(entry.path().unwrap().display().to_string().trim_start_matches("porchlight-doctor/").to_owned());
            entry.read_to_string(&mut all).unwrap();
        }
        assert_eq!(names, listed);
        assert!(all.contains("gytm4qzbx9t6") && all.contains("page's token"), "{all}");
        assert!(all.contains("of-the-pod") && all.contains("8kbf7d35c070") && all.contains("MY_DSN=***"), "{all}");
        assert!(!all.contains("planted"), "{all}");
    }
}

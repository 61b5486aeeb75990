//! A support bundle: what was seen, without any secret, for whoever helps. A gzipped tar, for this user alone.

use std::{io::Write, path::Path};

use anyhow::Context;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use serde_json::Value;
use shared::file::replace_private;

use super::{
    examine::Examination,
    given::Given,
    report::{self, Report},
    scrub::{Scrubber, is_secret},
};

/// Variables of a function whose values say how it is set; of all others the name alone is kept.
const OF_THE_FUNCTION: [&str; 14] = [
    "ATTEMPTS",
    "BEACON_KEY_OLD_PARAMETER",
    "BEACON_KEY_PARAMETER",
    "CANARY_URL",
    "COMPONENT_ID",
    "DEGRADED_ABOVE",
    "INCIDENT_AFTER",
    "METRIC_ID_RESPONSE",
    "PAGE_ID",
    "RESOLVE_AFTER",
    "STATE_PARAMETER",
    "STATUSPAGE_TOKEN_PARAMETER",
    "STATUSPAGE_URL",
    "WITNESSES",
];

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
        let value = if is_secret(name) { "(hidden)" } else { value };
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
        let text = serde_json::to_string_pretty(&without_variables(answer.clone())).unwrap_or_default();
        files.push((format!("answers/{name}.json"), text));
    }
    files
}

/// A function may have any secret among its variables.
fn without_variables(mut answer: Value) -> Value {
    if let Some(variables) = answer.pointer_mut("/Environment/Variables").and_then(Value::as_object_mut) {
        for (name, value) in variables.iter_mut() {
            if !OF_THE_FUNCTION.contains(&name.as_str()) {
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
        let function = json!({"Environment": {"Variables": {"PAGE_ID": "gytm4qzbx9t6", "MY_PASS": "planted-2"}}});
        let examined = Examination {
            findings: vec![Finding::failed(Link::Token, "planted-1 is refused", "planted-3")],
            answers: vec![("aws/function", function), ("aws/log", json!({"events": ["planted-3"]}))],
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
        assert!(!all.contains("planted"), "{all}");
    }
}

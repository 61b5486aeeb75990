//! The chart, installed by `helm` with the values that were written; not again where neither they nor the chart have changed.

use std::{fs, path::Path, time::Duration};

use anyhow::{anyhow, bail};
use serde::{Deserialize, Serialize};
use shared::fingerprint::Fingerprint;

use super::{
    Outcome,
    cluster::{CALL, NAMESPACE},
    home::VALUES,
    made::Made,
    mend::noted,
    record::Record,
    settings::SetupSettings,
    tool::Tool,
};

/// Where a checkout has the chart.
pub(super) const CHART: &str = "charts/home-beacon";

const RELEASE: &str = "porchlight";
pub(super) const MISSING: &str = "install helm (https://helm.sh/docs/intro/install/)";
/// What helm says of a release that is not there, and of nothing else.
pub(super) const NO_RELEASE: &str = "release: not found";

/// How long an installation may take: it waits for nothing but the cluster's answers.
pub(super) const INSTALL: Duration = Duration::from_secs(300);

/// What was installed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Release {
    /// As helm counts them.
    revision: u64,
    /// Of values and chart.
    fingerprint: String,
}

/// Installs it where it is not as it should be.
///
/// # Errors
/// When helm is there and does not do it.
pub(super) async fn install(settings: &SetupSettings, record: &mut Record) -> anyhow::Result<Outcome> {
    let by_hand = |why: String| Ok(Outcome::Skipped(format!("{why}: the chart goes there by the command above")));
    let helm = match Tool::find("helm", MISSING, settings.dry_run) {
        Ok(helm) => match &record.chosen().cluster {
            Some(context) => helm.pinned(&["--kube-context", context]),
            None => helm,
        },
        Err(missing) => return by_hand(missing.to_string()),
    };
    let chart = &settings.chart;
    if !chart.contains("://") && !Path::new(chart).exists() {
        return by_hand(format!(
            "there is no chart {chart} here: a checkout has it, and a release's is to be had by \
             --chart oci://ghcr.io/OWNER/charts/home-beacon"
        ));
    }
    let values = record.path(VALUES);
    let fingerprint = fingerprint(Path::new(chart), &values);
    let made = Made::Release(RELEASE.to_owned());
    let there = status(&helm).await?;
    if there.is_some() && !record.has_made(&made) {
        return by_hand(format!("the release {RELEASE} is there, and this setup did not make it"));
    }
    if let (Some((revision, true)), Some(before)) = (there, &record.chosen().release)
        && before.fingerprint == fingerprint
    {
        return Ok(match before.revision {
            before if before == revision => Outcome::Already(format!("the release {RELEASE} is as it should be")),
            before => Outcome::Skipped(format!(
                "the release {RELEASE} is at revision {revision}, and this setup has made {before}: it stays as somebody has it since"
            )),
        });
    }
    let values = values.display().to_string();
    let words = ["upgrade", "--install", RELEASE, chart, "--namespace", NAMESPACE, "--values", &values];
    let done = noted(record, made, helm.change(&words, INSTALL)).await.map_err(|error| {
        let is_held = error.to_string().contains("another operation");
        let hint = format!(
            "one that was ended has left it so; helm uninstall {RELEASE} -n {NAMESPACE} removes it, then run this again"
        );
        if is_held { anyhow!("{error}: {hint}") } else { error }
    })?;
    if done {
        let Some((revision, _)) = status(&helm).await? else {
            bail!("helm has installed {RELEASE}, and does not know it")
        };
        record.choose(|chosen| chosen.release = Some(Release { revision, fingerprint }))?;
    }
    let what = if there.is_some() { "upgraded" } else { "installed" };
    Ok(Outcome::of(done, format!("helm has {what} {RELEASE}; its pods run once the image is there")))
}

/// The revision of the release that there is, and whether that one is installed as a whole.
async fn status(helm: &Tool) -> anyhow::Result<Option<(u64, bool)>> {
    let words = ["status", RELEASE, "--namespace", NAMESPACE, "--output", "json"];
    let answer = helm.ask(&words, CALL).await?.json_unless(&[NO_RELEASE])?;
    Ok(answer.map(|it| (it["version"].as_u64().unwrap_or_default(), it["info"]["status"] == "deployed")))
}

/// Of the values, and of the chart where it is a folder or a file; of one elsewhere, its name has its version.
fn fingerprint(chart: &Path, values: &Path) -> String {
    let mut all = chart.display().to_string().into_bytes();
    let mut files = Vec::new();
    below(chart, &mut files);
    files.sort();
    files.push(values.to_owned());
    for file in files {
        all.extend(file.display().to_string().bytes());
        all.extend(Fingerprint::of(&fs::read(&file).unwrap_or_default()).to_string().bytes());
    }
    Fingerprint::of(&all).to_string()
}

fn below(path: &Path, files: &mut Vec<std::path::PathBuf>) {
    match fs::read_dir(path) {
        Ok(entries) => entries.flatten().for_each(|entry| below(&entry.path(), files)),
        Err(_) if path.is_file() => files.push(path.to_owned()),
        Err(_) => (),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_template_or_value_is_another_fingerprint() {
        let folder = tempfile::tempdir().unwrap();
        let (chart, values) = (folder.path().join("chart"), folder.path().join("values.yaml"));
        fs::create_dir_all(chart.join("templates")).unwrap();
        fs::write(chart.join("templates/beacon.yaml"), "a").unwrap();
        fs::write(&values, "b").unwrap();
        let first = fingerprint(&chart, &values);
        assert_eq!(fingerprint(&chart, &values), first);
        fs::write(&values, "c").unwrap();
        let second = fingerprint(&chart, &values);
        fs::write(chart.join("templates/beacon.yaml"), "d").unwrap();
        assert!(second != first && fingerprint(&chart, &values) != second);
    }
}

//! The function: deployed as a release has it, or built in a checkout; and asked once whether it sees the home.

use std::{collections::BTreeMap, fs, io::Write, path::Path, time::Duration};

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use serde_json::{Value, json};
use shared::{fingerprint::Fingerprint, settings::WrongSetting, statuspage::STATUSPAGE_IO};
use tempfile::NamedTempFile;
use tokio::time::{Instant, sleep};
use url::Url;

use super::{
    Outcome,
    cloud::{CALL, KEY, NO_FUNCTION, STATE, TOKEN},
    made::Made,
    mend::noted,
    record::Record,
    tool::Tool,
};

pub(super) const FUNCTION: &str = "lambda-prober";

/// Where a checkout has it.
const PACKAGE: &str = "lambda-prober/Cargo.toml";

const INSTALL: &str =
    "install it (`pip install cargo-lambda`), or name a release's lambda-prober-arm64.zip by --function";

/// How long a build may take on a small machine, and one upload on a thin line.
const BUILD: Duration = Duration::from_secs(3600);
const UPLOAD: Duration = Duration::from_secs(600);

/// How long a new role may be unknown to Lambda.
const ROLE: Duration = Duration::from_secs(60);
const ROLE_PAUSE: Duration = Duration::from_secs(5);

/// Settings that say the same as ours in another way: with both, the function refuses to start.
const CONTRADICTING: [&str; 5] = ["TARGETS", "TARGETS_PARAMETER", "STATUSPAGE_TOKEN", "BEACON_KEY", "STATE_FILE"];

/// Its variables: no secret is among them.
pub(super) type Variables = BTreeMap<&'static str, String>;

/// Those for that home.
pub(super) fn variables(canary: &str, page: &str, component: &str, api: &Url) -> Variables {
    let old = format!("{KEY}-old");
    let api = (api.as_str().trim_end_matches('/') != STATUSPAGE_IO).then(|| ("STATUSPAGE_URL", api.to_string()));
    let variables = BTreeMap::from([
        ("CANARY_URL", canary.to_owned()),
        ("PAGE_ID", page.to_owned()),
        ("COMPONENT_ID", component.to_owned()),
        ("STATUSPAGE_TOKEN_PARAMETER", TOKEN.to_owned()),
        ("BEACON_KEY_PARAMETER", KEY.to_owned()),
        ("BEACON_KEY_OLD_PARAMETER", old),
        ("STATE_PARAMETER", STATE.to_owned()),
    ]);
    variables.into_iter().chain(api).collect()
}

/// Where the function comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From<'a> {
    /// A file of a release.
    Zip(&'a Path),
    /// This folder, which is a checkout.
    Checkout,
}

impl<'a> From<'a> {
    /// # Errors
    /// When there is neither, or the file is no archive.
    pub(super) fn of(file: Option<&'a Path>) -> anyhow::Result<Self> {
        let Some(file) = file else {
            if !Path::new(PACKAGE).is_file() {
                return Err(WrongSetting(format!(
                    "--function: there is no {PACKAGE} here to build: run this in a checkout, or name a release's lambda-prober-arm64.zip"
                ))
                .into());
            }
            for program in ["cargo", "cargo-lambda"] {
                Tool::find(program, INSTALL, false)?;
            }
            return Ok(Self::Checkout);
        };
        let begin = fs::read(file).map_err(|error| {
            WrongSetting(format!("--function: {}: {error}: name a release's lambda-prober-arm64.zip", file.display()))
        })?;
        if !begin.starts_with(b"PK\x03\x04") {
            let sentence =
                format!("--function: {} is no zip archive: name a release's lambda-prober-arm64.zip", file.display());
            return Err(WrongSetting(sentence).into());
        }
        Ok(Self::Zip(file))
    }
}

/// Deploys it where it is not there, or is another one than `before`, or is set otherwise.
///
/// # Errors
/// When it cannot be built or deployed.
pub(super) async fn deploy(
    aws: &Tool,
    from: From<'_>,
    role: &str,
    wanted: &Variables,
    before: Option<Value>,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let Some(before) = before else {
        return match from {
            From::Zip(zip) => create(aws, zip, role, wanted, record).await,
            From::Checkout => build(aws, role, wanted, record).await,
        };
    };
    let set = before["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
    let mut changed = Vec::new();
    if let From::Zip(zip) = from
        && sha256(zip)? != before["CodeSha256"].as_str().unwrap_or_default()
    {
        let zip = format!("fileb://{}", zip.display());
        aws.change(&["lambda", "update-function-code", "--function-name", FUNCTION, "--zip-file", &zip], UPLOAD)
            .await?;
        aws.change(&["lambda", "wait", "function-updated-v2", "--function-name", FUNCTION], UPLOAD).await?;
        changed.push("code");
    }
    let is_other_role = before["Role"] != json!(role);
    if is_other_role || wanted.iter().any(|(name, value)| set.get(*name).and_then(Value::as_str) != Some(value)) {
        // What somebody has set besides stays.
        let mut all = set;
        all.extend(wanted.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        let file = json_file(&json!({ "Variables": all }))?;
        let environment = format!("file://{}", file.path().display());
        let mut words = vec!["lambda", "update-function-configuration", "--function-name", FUNCTION];
        words.extend(["--environment", &environment, "--role", role]);
        aws.change(&words, CALL).await?;
        aws.change(&["lambda", "wait", "function-updated-v2", "--function-name", FUNCTION], UPLOAD).await?;
        changed.push("settings");
    }
    Ok(match changed.as_slice() {
        [] if matches!(from, From::Checkout) => Outcome::Already(format!(
            "{FUNCTION} is deployed, and set for this home; a new version of its code is deployed as infra/README.md says"
        )),
        [] => Outcome::Already(format!("{FUNCTION} is deployed, and set for this home")),
        changed => Outcome::of(!aws.is_dry(), format!("{FUNCTION} has new {}", changed.join(" and "))),
    })
}

/// A function that somebody has set for something else is not taken over, nor one whose settings would contradict ours. To be asked
/// before anything is made for it.
///
/// # Errors
/// When it is another's.
pub(super) fn refuse_another(before: &Value, wanted: &Variables, record: &Record) -> anyhow::Result<()> {
    if !before["Environment"]["Error"].is_null() {
        bail!("the variables of {FUNCTION} cannot be read: let this account use the key that they are encrypted by");
    }
    let set = before["Environment"]["Variables"].as_object().cloned().unwrap_or_default();
    if let Some(name) = CONTRADICTING.iter().find(|name| set.contains_key(**name)) {
        bail!("{FUNCTION} is there, and has {name}: remove it there, or set this home by hand (infra/README.md)");
    }
    let is_ours = record.has_made(&Made::Function(FUNCTION.to_owned()));
    let other = ["CANARY_URL", "PAGE_ID", "COMPONENT_ID"].into_iter().find_map(|name| {
        let is = set.get(name).and_then(Value::as_str)?;
        (Some(is) != wanted.get(name).map(String::as_str)).then_some((name, is))
    });
    match other.filter(|_| !is_ours) {
        Some((name, is)) => bail!(
            "{FUNCTION} is there, and has {name}={is}, which this setup did not make: several homes are in infra/README.md, \
             under Later; to have it look at this home instead, delete it first"
        ),
        None => Ok(()),
    }
}

/// What it is and how it is set; `None` where it is not there.
///
/// # Errors
/// When it cannot be asked.
pub(super) async fn configuration(aws: &Tool) -> anyhow::Result<Option<Value>> {
    let words = ["lambda", "get-function-configuration", "--output", "json", "--function-name", FUNCTION];
    aws.ask(&words, CALL).await?.json_unless(&[NO_FUNCTION])
}

async fn create(
    aws: &Tool,
    zip: &Path,
    role: &str,
    wanted: &Variables,
    record: &mut Record,
) -> anyhow::Result<Outcome> {
    let file = json_file(&json!({ "Variables": wanted }))?;
    let (environment, zip) = (format!("file://{}", file.path().display()), format!("fileb://{}", zip.display()));
    let mut words = vec!["lambda", "create-function", "--function-name", FUNCTION, "--role", role, "--zip-file", &zip];
    words.extend(["--runtime", "provided.al2023", "--architectures", "arm64", "--handler", "bootstrap"]);
    words.extend(["--memory-size", "128", "--timeout", "55", "--environment", &environment]);
    let until = Instant::now() + ROLE;
    let creating = async {
        loop {
            match aws.change(&words, UPLOAD).await {
                // A role is known to all of AWS some seconds after it was made.
                Err(error) if error.to_string().contains("cannot be assumed") && Instant::now() < until => {
                    sleep(ROLE_PAUSE).await;
                }
                done => return done,
            }
        }
    };
    if !noted(record, Made::Function(FUNCTION.to_owned()), creating).await? {
        return Ok(Outcome::of(false, format!("{FUNCTION} is deployed")));
    }
    aws.change(&["lambda", "wait", "function-active-v2", "--function-name", FUNCTION], UPLOAD).await?;
    Ok(Outcome::Done(format!("deployed {FUNCTION}")))
}

async fn build(aws: &Tool, role: &str, wanted: &Variables, record: &mut Record) -> anyhow::Result<Outcome> {
    let cargo = aws.beside("cargo", INSTALL)?;
    let mut file = NamedTempFile::new().context("a temporary file for the variables")?;
    for (name, value) in wanted {
        writeln!(file, "{name}={value}").context("a temporary file for the variables")?;
    }
    let file = file.path().display().to_string();
    eprintln!("  building the function; the first time that takes some minutes");
    if !cargo.change(&["lambda", "build", "--package", FUNCTION, "--release", "--arm64"], BUILD).await? {
        return Ok(Outcome::of(false, format!("{FUNCTION} is built and deployed")));
    }
    let words = ["lambda", "deploy", FUNCTION, "--role", role, "--merge-env", "--env-file", &file];
    noted(record, Made::Function(FUNCTION.to_owned()), cargo.change(&words, UPLOAD)).await?;
    Ok(Outcome::Done(format!("built and deployed {FUNCTION}")))
}

/// A file for a call.
///
/// # Errors
/// When it cannot be written.
pub(super) fn json_file(value: &Value) -> anyhow::Result<NamedTempFile> {
    let mut file = NamedTempFile::new().context("a temporary file")?;
    file.write_all(value.to_string().as_bytes()).context("a temporary file")?;
    Ok(file)
}

/// As Lambda says it of what is deployed.
fn sha256(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(STANDARD.encode(Fingerprint::of(&bytes).as_bytes()))
}

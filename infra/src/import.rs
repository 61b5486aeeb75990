//! `porchlight import`: what another program's file has it check, as a `checks.yml`. Once more, nothing is doubled; a file that a
//! person has changed since is left as it is.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use checks::file::{
    Loaded, Machine, ThisMachine, Wrong,
    checks_yml::{self, Written},
    gatus, kuma, statping,
};
use clap::{Parser, ValueEnum};
use home_beacon::keeper::db::foreign;
use serde_json::{Map, Value, json};
use shared::{secret::Secret, settings::WrongSetting};

/// Write a checks.yml of what another program's file has it check.
///
/// Its notes say what of it is not done here. Secrets go to a folder beside it, a file each, by the names that checks.yml has for them.
#[derive(Clone, Debug, Parser)]
pub struct ImportSettings {
    /// Whose file it is
    #[arg(value_enum, value_name = "PROGRAM")]
    pub of: Of,
    /// The file: Gatus's config.yaml; Uptime Kuma's kuma.db, with kuma.db-wal beside it where there is one; Statping's services.yml,
    /// export.json or statping.db
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The file that is written
    #[arg(long, value_name = "FILE", default_value = "checks.yml")]
    pub out: PathBuf,
}

/// Whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    Gatus,
    Kuma,
    Statping,
}

impl Of {
    async fn load(self, file: &Path) -> Result<Loaded, Vec<Wrong>> {
        match self {
            Self::Gatus => gatus::load(file),
            Self::Kuma => rows(file, "monitor").await.map(|rows| kuma::read(&rows)),
            Self::Statping if has_ending(file, &["db", "sqlite", "sqlite3"]) => statping_database(file).await,
            Self::Statping if has_ending(file, &["json"]) => statping::load_export(file),
            Self::Statping => statping::load(file, &statping::Groups::new()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gatus => "Gatus",
            Self::Kuma => "Uptime Kuma",
            Self::Statping => "Statping",
        }
    }
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|end| endings.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

async fn rows(file: &Path, table: &'static str) -> Result<Vec<Map<String, Value>>, Vec<Wrong>> {
    let wrong = |sentence| vec![Wrong { file: file.display().to_string(), line: None, sentence }];
    foreign::rows(file, table).await.map_err(|error| wrong(error.to_string()))
}

/// Its services and groups as it would export them: one column of its table has another name than there.
async fn statping_database(file: &Path) -> Result<Loaded, Vec<Wrong>> {
    let mut services = rows(file, "services").await?;
    for service in &mut services {
        if let Some(kind) = service.remove("check_type") {
            service.insert("type".into(), kind);
        }
    }
    let export = json!({ "services": services, "groups": rows(file, "groups").await? });
    let mut loaded = statping::read_export(&export.to_string(), &file.display().to_string(), &ThisMachine)?;
    loaded.notes.push("hits and failures: what it has measured so far stays with it".to_owned());
    Ok(loaded)
}

/// Writes the file, and says what came of it.
///
/// # Errors
/// When the file is wrong, defines nothing, or what is written would replace something that an import did not write so.
pub async fn import(settings: &ImportSettings) -> anyhow::Result<ExitCode> {
    let ImportSettings { of, file, out } = settings;
    let loaded = of
        .load(file)
        .await
        .map_err(|wrong| WrongSetting(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    for note in &loaded.notes {
        println!("note: {note}");
    }
    if loaded.checks.is_empty() {
        let sentence = format!("{}: nothing of it is checked here, so nothing is written", file.display());
        return Err(WrongSetting(sentence).into());
    }
    let Written { text, secrets } = checks_yml::written(&loaded.checks).context("the checks cannot be written")?;
    let machine = With(&secrets);
    if let Err(wrong) = checks_yml::read(&text, "what was made of it", &machine) {
        return Err(WrongSetting(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")).into());
    }
    let text = format!("# What {} checked, written by `porchlight import`. It is yours to change.\n{text}", of.name());
    let folder = folder_of(out);
    // All is looked at before anything is written.
    let mode = if loaded.is_confidential { 0o600 } else { 0o644 };
    let mut files = vec![(out.clone(), text, mode)];
    if !secrets.is_empty() {
        let mut environment = String::new();
        for (name, secret) in &secrets {
            let path = std::path::absolute(folder.join(name))?;
            writeln!(environment, "{name}_FILE={}", quoted(&path))?;
            files.push((path, secret.expose().to_owned(), 0o600));
        }
        files.push((folder.join("env"), environment, 0o600));
    }
    let mut new = Vec::new();
    for file @ (path, text, _) in &files {
        if !is_there(path, text)? {
            new.push(file);
        }
    }
    if !secrets.is_empty() && !folder.is_dir() {
        let folder_made = DirBuilder::new().mode(0o700).create(&folder);
        folder_made.with_context(|| format!("{} cannot be made", folder.display()))?;
    }
    for (path, text, mode) in new {
        write(path, text, *mode).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    let count = loaded.checks.len();
    println!("{}: {count} check{}", out.display(), if count == 1 { "" } else { "s" });
    if !secrets.is_empty() {
        println!("{}: the secrets that it names, a file each", folder.display());
        let environment = quoted(&folder.join("env"));
        println!("To try it: set -a; . {environment}; set +a; porchlight checks --check {}", quoted(out));
    }
    Ok(ExitCode::SUCCESS)
}

/// This machine, with these secrets in its environment.
struct With<'a>(&'a [(String, Secret)]);

impl Machine for With<'_> {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, secret)| secret.expose().into())
    }

    fn program(&self, path: &Path) -> Result<(), String> {
        ThisMachine.program(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        ThisMachine.is_folder(path)
    }
}

/// As a shell takes it for one word.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn folder_of(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".secrets");
    name.into()
}

/// Whether that is there already.
///
/// # Errors
/// When something else is.
fn is_there(path: &Path, text: &str) -> anyhow::Result<bool> {
    match fs::read(path) {
        Ok(there) if there == text.as_bytes() => Ok(true),
        Ok(_) => {
            let sentence = "something else is in it, and stays: name another file by --out, or move this one away";
            Err(WrongSetting(format!("{}: {sentence}", path.display())).into())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

/// Whole or not at all.
fn write(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".porchlight-import");
    let partial = path.with_file_name(name);
    // What was left of a write that was cut off may be open for more.
    let _ = fs::remove_file(&partial);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&partial, path)
}

//! `porchlight import`: what another program checks, as a `checks.yml`; what it has measured, for the keeper; and what a keeper has
//! exported. Once more, nothing is doubled.
//!
//! - `checks_file`: writes the `checks.yml`
//! - `statping`: Statping's database and `config.yml`; `history`: what a service was, from its hits and failures (pure)
//! - `records`: records of a keeper, as they are sent to one

mod checks_file;
mod history;
pub(crate) mod records;
mod statping;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use checks::file::{Loaded, Wrong, gatus, kuma, statping as statping_files};
use clap::{Parser, ValueEnum};
use home_beacon::keeper::db::foreign;
use serde_json::{Map, Value};
use shared::settings::WrongSetting;

use crate::tokens::AskedSettings;

/// Write a checks.yml of what another program's file has it check, or bring its past to the keeper.
///
/// Its notes say what of it is not done here. Secrets go to a folder beside it, a file each, by the names that checks.yml has for them.
#[derive(Clone, Debug, Parser)]
pub struct ImportSettings {
    /// Whose file it is
    #[arg(value_enum, value_name = "PROGRAM")]
    pub of: Of,
    /// The file: Gatus's config.yaml; Uptime Kuma's kuma.db, with kuma.db-wal beside it where there is one; Statping's services.yml,
    /// export.json, statping.db or config.yml; what porchlight export has written
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The file that is written
    #[arg(long, value_name = "FILE", default_value = "checks.yml")]
    pub out: PathBuf,
    /// Of Statping's statping.db: write nothing, but bring what it has measured, and its incidents, to the keeper, once checks runs
    /// with what was imported
    #[arg(long)]
    pub history: bool,
    #[command(flatten)]
    pub asked: AskedSettings,
}

/// Whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Of {
    Gatus,
    Kuma,
    Porchlight,
    Statping,
}

impl Of {
    const fn name(self) -> &'static str {
        match self {
            Self::Gatus => "Gatus",
            Self::Kuma => "Uptime Kuma",
            Self::Porchlight => "Porchlight",
            Self::Statping => "Statping",
        }
    }
}

/// Imports the file, and says what came of it.
///
/// # Errors
/// When the file is wrong, defines nothing, what is written would replace something that an import did not write so, or the keeper
/// does not take it.
pub async fn import(settings: &ImportSettings) -> anyhow::Result<ExitCode> {
    let ImportSettings { of, file, out, history, asked } = settings;
    let is_database = has_ending(file, &["db", "sqlite", "sqlite3"]);
    if *history {
        if *of != Of::Statping || !is_database {
            let why = "--history is of Statping's database, a file like statping.db: no other file here has its past";
            return Err(WrongSetting(why.into()).into());
        }
        return statping::history(file, &crate::tokens::keeper(asked)?).await;
    }
    let loaded = match of {
        Of::Porchlight => return records::import(file, &crate::tokens::keeper(asked)?).await,
        Of::Gatus => gatus::load(file),
        Of::Kuma => rows(file, "monitor").await.map(|rows| kuma::read(&rows)),
        Of::Statping if is_database => statping::database(file).await,
        Of::Statping if has_ending(file, &["json"]) => statping_files::load_export(file),
        Of::Statping if statping::is_config(file) => return statping::config(file, out).await,
        Of::Statping => statping_files::load(file, &statping_files::Groups::new()),
    };
    write(*of, file, &loaded.map_err(|wrong| wrong_file(&wrong))?, out)?;
    Ok(ExitCode::SUCCESS)
}

fn write(of: Of, file: &Path, loaded: &Loaded, out: &Path) -> anyhow::Result<()> {
    for note in &loaded.notes {
        println!("note: {note}");
    }
    checks_file::write_checks(of, file, loaded, out)
}

fn wrong_file(wrong: &[Wrong]) -> WrongSetting {
    WrongSetting(wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    file.extension().is_some_and(|end| endings.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

async fn rows(file: &Path, table: &'static str) -> Result<Vec<Map<String, Value>>, Vec<Wrong>> {
    foreign::rows(file, table).await.map_err(|error| of_file(file, &error.to_string()))
}

fn of_file(file: &Path, sentence: &str) -> Vec<Wrong> {
    vec![Wrong { file: file.display().to_string(), line: None, sentence: sentence.to_owned() }]
}

//! `porchlight probe`: one look at a home, explained.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use lambda_prober::{
    explain::progress,
    mode::Mode,
    pace::{LONGEST_RUN, Pace},
    run::{Prober, RunError},
    secrets::{Places, Secrets},
    target::Home,
};
use shared::{settings::WrongSetting, statuspage::STATUSPAGE_IO};

use crate::settings::ProbeSettings;

/// Says what was seen, and whether the home is up: success where it answers.
///
/// # Errors
/// When a key is none, a witness is the home itself, or this machine cannot look at all.
pub async fn probe(settings: &ProbeSettings) -> anyhow::Result<ExitCode> {
    let looking = settings.looking.looking();
    let secrets = Secrets::new(Places::without_a_page()?);
    let prober =
        Prober::new(STATUSPAGE_IO.parse()?, secrets, Mode::DryRun).with_looking(looking).with_progress(progress());
    let pace = Pace::of(LONGEST_RUN, settings.looking.attempts.into());
    let looked = prober.look(&Home::at(&settings.url), &pace).await.map_err(|error| match error {
        RunError::Witnesses(wrong) => anyhow::Error::from(WrongSetting(format!("WITNESSES: {wrong}"))),
        other => other.into(),
    })?;
    write!(io::stdout(), "{looked}")?;
    Ok(if looked.verdict.answers() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

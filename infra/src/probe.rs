//! `porchlight probe`: probes a home once, and explains the verdict.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use lambda_prober::{
    kept::secrets::{Places, Secrets},
    mode::Mode,
    report::explain::progress,
    run::{Prober, RunError},
    target::Home,
    timing::{MAX_RUN, Timing},
};
use shared::{settings::WrongSetting, statuspage::STATUSPAGE_IO};

use crate::settings::ProbeSettings;

/// Prints what was seen and the verdict; succeeds if the home answers.
///
/// # Errors
/// When a key is malformed, a witness is the home itself, or no probe can begin on this machine.
pub async fn probe(settings: &ProbeSettings) -> anyhow::Result<ExitCode> {
    let config = settings.probing.config();
    let secrets = Secrets::new(Places::without_a_page()?);
    let prober =
        Prober::new(STATUSPAGE_IO.parse()?, secrets, Mode::DryRun).with_config(config).with_progress(progress());
    let timing = Timing::of(MAX_RUN, settings.probing.attempts.into());
    let result = prober.probe(&Home::at(settings.url.clone()), &timing).await.map_err(|error| match error {
        RunError::Witnesses(wrong) => anyhow::Error::from(WrongSetting(format!("WITNESSES: {wrong}"))),
        other => other.into(),
    })?;
    write!(io::stdout(), "{result}")?;
    Ok(if result.verdict.answers() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `porchlight probe`: one look at a home, explained.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use lambda_prober::{
    pace::{LONGEST_RUN, Pace},
    run::{Mode, Prober},
    secrets::{Places, Secrets},
    target::Home,
    verdict::Verdict,
};
use shared::statuspage::STATUSPAGE_IO;

use crate::settings::ProbeSettings;

/// Says what was seen, and whether the home is up: success where it is.
///
/// # Errors
/// When a key is none, or this machine cannot look at all.
pub async fn probe(settings: &ProbeSettings) -> anyhow::Result<ExitCode> {
    let secrets = Secrets::new(Places::without_a_page()?);
    let prober = Prober::new(STATUSPAGE_IO.parse()?, secrets, None, Mode::DryRun);
    let pace = Pace::of(LONGEST_RUN, settings.attempts.into());
    let looked = prober.look(&Home::at(&settings.url), &pace).await?;
    write!(io::stdout(), "{looked}")?;
    Ok(match looked.verdict {
        Verdict::Up => ExitCode::SUCCESS,
        Verdict::Down(_) | Verdict::Unknown(_) => ExitCode::FAILURE,
    })
}

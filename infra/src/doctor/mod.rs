//! `porchlight doctor`: every link between a home and its page, each ok, broken or not conclusive, with what was seen and the one
//! thing to do next. It changes nothing.
//!
//! What is decided, without any socket:
//! - [`link`]: the links, in the order of the data; `needs`: what each rests on; [`finding`]: what was found of one
//! - [`checks`]: a small function for each; [`conclude`]: which is broken first; `judge`: all of them; [`report`]: what is printed
//! - `env_file`, [`given`], [`wanted`]: what the user has set, and what that comes to; [`wrong`]: what is wrong with it
//! - [`scrub`]: what is taken out of a bundle; `answers`: what goes into one
//! - [`words`]: words that several checks use
//!
//! What is done:
//! - [`look`]: what is seen, [`until`] when; [`reply`]: what was answered
//! - [`examine()`]: all of it at once; [`bundle`]: what is sent to whoever helps

mod answers;
pub mod bundle;
pub mod checks;
pub mod conclude;
mod env_file;
pub mod examine;
pub mod finding;
pub mod given;
mod judge;
pub mod link;
pub mod look;
mod needs;
pub mod progress;
pub mod reply;
pub mod report;
pub mod scrub;
mod settings;
pub mod until;
pub mod wanted;
pub mod words;
pub mod wrong;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use jiff::Timestamp;
use shared::file::check_place;

pub use self::settings::{DoctorSettings, SECRETS};
use self::{conclude::failures, examine::examine, given::Given, report::Report, scrub::Scrubber};

/// The most that an exit code counts: shells have meanings of their own above.
const MOST: usize = 100;

/// Looks at everything and prints it; the exit code is the number of broken links.
///
/// # Errors
/// When the bundle is to be where no file can be, or it or stdout cannot be written.
pub async fn doctor(settings: &DoctorSettings) -> anyhow::Result<ExitCode> {
    if let Some(path) = &settings.bundle {
        check_place("--bundle", path)?;
    }
    let given = Given::find(settings);
    let scrubber = Scrubber::of(&given);
    let examined = examine(settings, given.clone()).await;
    let at = Timestamp::now();
    let printed = if settings.json {
        report::json(&examined.findings, at).to_string() + "\n"
    } else {
        Report(&examined.findings).to_string()
    };
    let scrubber = scrubber.knowing(&examined.secrets);
    // What others say may hold what they were sent.
    write!(io::stdout(), "{}", scrubber.scrub(&printed))?;
    if let Some(path) = &settings.bundle {
        let listed = bundle::write(path, &examined, &given, &scrubber, at)?;
        writeln!(
            io::stderr(),
            "{} has {}; no secret is in it, but the home's name and address are.",
            path.display(),
            listed.join(", ")
        )?;
    }
    let broken = failures(&examined.findings).min(MOST);
    Ok(ExitCode::from(u8::try_from(broken).unwrap_or(u8::MAX)))
}

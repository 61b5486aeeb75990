//! `porchlight setup` and `porchlight teardown`: from accounts to a page that tells the truth, step by step, and back.
//!
//! - [`settings`]: what is said on the command line
//! - `ask`: what is asked
//! - `record`: what was chosen and made, for the next run and for the way back
//! - `tool`: programs of others, as children
//! - `status_page`, `duck`, `home`, `cloud`, `function`: the steps
//! - `teardown`: the way back
//!
//! A step looks before it makes anything, so that a second run changes nothing, and one that was ended halfway goes on.

mod ask;
mod cloud;
mod duck;
mod function;
mod home;
mod record;
pub mod settings;
mod status_page;
mod teardown;
mod tool;

use std::{
    io::{self, Write},
    num::NonZeroU16,
    process::ExitCode,
};

use clap::ValueEnum;
use shared::{secret::Secret, settings::WrongSetting, shutdown};

use self::{
    ask::{Asker, Question},
    function::From,
    record::Record,
    settings::RunsOn,
    tool::Tool,
};
pub use self::{
    settings::{SetupSettings, TeardownSettings},
    teardown::teardown,
};

/// The port that the chart's service has at each node.
const USUAL_PORT: &str = "30008";

/// What came of a step that did not fail; with a sentence.
#[derive(Debug)]
enum Outcome {
    /// Something is there, or another, that was not.
    Done(String),
    /// It was as it should be.
    Already(String),
    /// It is not wanted, or not possible.
    Skipped(String),
}

impl Outcome {
    fn say(&self, step: &str) {
        let (word, text) = match self {
            Self::Done(text) => ("done", text),
            Self::Already(text) => ("already", text),
            Self::Skipped(text) => ("skipped", text),
        };
        say(&format!("{word:<8}{step}: {text}"));
    }
}

/// Prints a line. A closed stdout ends nothing.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Sets up what is missing.
///
/// # Errors
/// When a setting is wrong, or the record cannot be used. A step that fails is said, and is exit code 1.
pub async fn setup(settings: &SetupSettings) -> anyhow::Result<ExitCode> {
    let mut record = Record::of(&settings.folder, settings.dry_run)?;
    let from = if settings.without_aws { None } else { Some(From::of(settings.function.as_deref())?) };
    let asker = Asker::new(settings.yes);
    let ended = shutdown::requested();
    let mut step = "settings";
    let done = tokio::select! {
        done = Box::pin(steps(asker, settings, from, &mut record, &mut step)) => done,
        () = ended => Err(anyhow::anyhow!("it was ended here: run it again, it goes on from here")),
    };
    match done {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.is::<WrongSetting>() => Err(error),
        Err(error) => {
            say(&format!("failed  {step}: {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn steps(
    asker: Asker,
    settings: &SetupSettings,
    from: Option<From<'_>>,
    record: &mut Record,
    step: &mut &'static str,
) -> anyhow::Result<()> {
    // What is missing on this machine is said before anything is asked.
    *step = "AWS";
    let mut aws = None;
    if from.is_some() {
        let (found, account) = cloud::aws(settings.dry_run).await?;
        Outcome::Already(format!("the account {account}")).say(step);
        aws = Some(found);
    }
    *step = "statuspage.io";
    let (token, client, pages) = status_page::token(asker, settings).await?;
    Outcome::Already("the API key is right".into()).say(step);
    status_page::component(asker, settings, &client, &pages, record).await?.say(step);
    *step = "DuckDNS";
    let (outcome, _) = duck::name(asker, settings, record).await?;
    outcome.say(step);
    *step = "the home";
    choose(asker, settings, record).await?;
    let (outcome, key) = home::key(aws.as_ref(), record).await?;
    outcome.say("the beacon's key");
    let (outcome, how) = home::files(record)?;
    outcome.say(step);
    say(&format!("\nThe home side, where it is not running yet, once its image or package is there:\n\n{how}"));
    if let (Some(aws), Some(from)) = (aws, from) {
        return in_the_cloud(&aws, from, &token, &key, record, settings.dry_run, step).await;
    }
    Outcome::Skipped("left out, as --without-aws says".into()).say("AWS");
    Ok(())
}

/// What is known by nobody else.
async fn choose(asker: Asker, settings: &SetupSettings, record: &mut Record) -> anyhow::Result<()> {
    let chosen = record.chosen().clone();
    let port = if let Some(port) = settings.port.or(chosen.port) {
        port
    } else {
        let text = "The port that your router forwards to the beacon, as the world sees it";
        asker.ask::<NonZeroU16>(Question { text, flag: "--port", default: Some(USUAL_PORT) }).await?.get()
    };
    let runs_on = if let Some(runs_on) = settings.runs_on.or(chosen.runs_on) {
        runs_on
    } else {
        let text = "What runs the home side: kubernetes or systemd";
        let read = |text: &str| RunsOn::from_str(text, true).map_err(|_| "write kubernetes or systemd".to_owned());
        asker.choose(Question { text, flag: "--runs-on", default: Some("kubernetes") }, read).await?
    };
    let mail = settings.alarm_email.clone().or(chosen.alarm_email).or(settings.without_aws.then(String::new));
    let mail = if let Some(mail) = mail {
        mail_address(&mail).map_err(|why| WrongSetting(format!("--alarm-email: {why}")))?
    } else {
        let text = "The address that AWS mails its alarms to; nothing for no mails";
        asker.choose(Question { text, flag: "--alarm-email", default: Some("") }, mail_address).await?
    };
    record.choose(|chosen| {
        (chosen.port, chosen.runs_on, chosen.alarm_email) = (Some(port), Some(runs_on), Some(mail));
    })
}

/// An address, or nothing.
fn mail_address(text: &str) -> Result<String, String> {
    let is_one = text.split_once('@').is_some_and(|(who, host)| !who.is_empty() && host.contains('.'));
    let has_blanks = text.chars().any(|c| c.is_whitespace() || c.is_control());
    if text.is_empty() || (is_one && !has_blanks) {
        Ok(text.to_owned())
    } else {
        Err("that is no mail address: write one like you@example.com, or nothing".into())
    }
}

async fn in_the_cloud(
    aws: &Tool,
    from: From<'_>,
    token: &Secret,
    key: &Secret,
    record: &mut Record,
    is_dry: bool,
    step: &mut &'static str,
) -> anyhow::Result<()> {
    *step = "the secrets";
    cloud::store(aws, cloud::KEY, key, record).await?.say(step);
    cloud::store(aws, cloud::TOKEN, token, record).await?.say(step);
    *step = "the role";
    let mail = record.chosen().alarm_email.clone().unwrap_or_default();
    let (outcome, role) = cloud::base(aws, &mail, record).await?;
    outcome.say(step);
    *step = "the function";
    let chosen = record.chosen().clone();
    let (Some(home), Some(port), Some(page)) = (&chosen.home, chosen.port, &chosen.page) else {
        anyhow::bail!("the home, its port or the page is not known: run this again");
    };
    let component = match &chosen.component {
        Some(component) => component.to_string(),
        None if is_dry => "the one that would be made".into(),
        None => anyhow::bail!("the component is not known: run this again"),
    };
    let variables = function::variables(&format!("http://{home}:{port}"), page.as_str(), &component);
    let role = match role {
        Some(role) => role,
        None if is_dry => "the one that would be made".into(),
        None => anyhow::bail!("the stack {} names no role: delete it, and run this again", cloud::BASE),
    };
    function::deploy(aws, from, &role, &variables, record).await?.say(step);
    if is_dry {
        Outcome::Skipped("would run the function once, and start it every minute once it has seen the home".into())
            .say("the schedule");
        return Ok(());
    }
    *step = "the first look";
    function::prove(aws).await?.say(step);
    *step = "the schedule";
    cloud::schedule(aws, record).await?.say(step);
    say(&format!(
        "\nFrom now on the function looks at http://{home}:{port} every minute. `porchlight teardown` undoes all of it."
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_address_is_one_or_nothing() {
        for good in ["", "you@example.com"] {
            assert_eq!(mail_address(good).as_deref(), Ok(good));
        }
        for wrong in ["you", "@example.com", "you@example", "you @example.com", "you@example.com\n"] {
            assert!(mail_address(wrong).unwrap_err().starts_with("that is no mail address"), "{wrong}");
        }
    }
}

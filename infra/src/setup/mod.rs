//! `porchlight setup` and `porchlight teardown`: from accounts to a page that tells the truth, step by step, and back.
//!
//! - [`settings`]: what is said on the command line
//! - `ask`: what is asked
//! - `record`: what was chosen and made, for the next run and for the way back
//! - `tool`: programs of others, as children
//! - `status_page`, `duck`, `way_in`, `home`, `cluster`, `cloud`, `function`: the steps
//! - `teardown`: the way back
//!
//! A step looks before it makes anything, so that a second run changes nothing, and one that was ended halfway goes on.

mod ask;
mod cloud;
mod cluster;
mod duck;
mod function;
mod home;
mod record;
pub mod settings;
mod status_page;
mod teardown;
mod tool;
mod way_in;

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
    record::{Record, WayIn},
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
    /// Of something that was done, or would be.
    fn of(is_done: bool, text: String) -> Self {
        if is_done { Self::Done(text) } else { Self::Skipped(format!("in a dry run: {text}")) }
    }

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
        cloud::same(&account, record)?;
        Outcome::Already(format!("the account {}, in {}", account.id, account.region)).say(step);
        record.choose(|chosen| chosen.account = Some(account))?;
        aws = Some(found);
    }
    *step = "statuspage.io";
    let (token, client, pages) = status_page::token(asker, settings).await?;
    Outcome::Already("the API key is right".into()).say(step);
    status_page::component(asker, settings, &client, &pages, record).await?.say(step);
    *step = "DuckDNS";
    let (outcome, duckdns, seen) = duck::name(asker, settings, record).await?;
    outcome.say(step);
    *step = "the way in";
    let found = way_in::find(settings, seen).await;
    found.outcome.say(step);
    by_itself(asker, settings, found.opens, record).await?;
    *step = "the home";
    choose(asker, settings, record).await?;
    let (outcome, key) = home::key(aws.as_ref(), record).await?;
    outcome.say("the beacon's key");
    *step = "the cluster";
    let secrets = [("beacon-key", "KEY", &key), ("duckdns", "TOKEN", &duckdns), ("statuspage", "TOKEN", &token)];
    let outcome = cluster::bring(asker, settings, &secrets, record).await?;
    let has_secrets = !matches!(outcome, Outcome::Skipped(_));
    outcome.say(step);
    *step = "the home";
    let (outcome, how) = home::files(record, has_secrets)?;
    outcome.say(step);
    say(&format!("\nThe home side, where it is not running yet, once its image or package is there:\n\n{how}"));
    if let (Some(aws), Some(from)) = (aws, from) {
        return in_the_cloud(&aws, from, &token, &key, record, settings, step).await;
    }
    Outcome::Skipped("left out, as --without-aws says".into()).say("AWS");
    Ok(())
}

/// Whether the router is to open the port by itself, where it can.
async fn by_itself(
    asker: Asker,
    settings: &SetupSettings,
    opens: Option<WayIn>,
    record: &mut Record,
) -> anyhow::Result<()> {
    let chosen = settings.router_port.or(record.chosen().router_port);
    let wanted = match (opens, chosen) {
        (None, _) => return record.choose(|chosen| chosen.way_in = None),
        (Some(_), Some(wanted)) => wanted,
        (Some(_), None) => {
            let text = "Have the router open the port by itself, and keep it open: yes or no";
            asker.choose(Question { text, flag: "--router-port", default: Some("yes") }, yes_or_no).await?
        }
    };
    record.choose(|chosen| (chosen.router_port, chosen.way_in) = (Some(wanted), opens.filter(|_| wanted)))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        _ => Err("write yes or no".into()),
    }
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
    let mail = match settings.alarm_email.clone().or(chosen.alarm_email) {
        None if !settings.without_aws => {
            let text = "The address that AWS mails its alarms to; nothing for no mails";
            Some(asker.choose(Question { text, flag: "--alarm-email", default: Some("") }, mail_address).await?)
        }
        mail => mail,
    };
    record.choose(|chosen| (chosen.port, chosen.runs_on, chosen.alarm_email) = (Some(port), Some(runs_on), mail))
}

/// An address, or nothing.
pub(crate) fn mail_address(text: &str) -> Result<String, String> {
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
    settings: &SetupSettings,
    step: &mut &'static str,
) -> anyhow::Result<()> {
    let is_dry = settings.dry_run;
    *step = "the secrets";
    cloud::store(aws, cloud::KEY, key, record).await?.say(step);
    cloud::store(aws, cloud::TOKEN, token, record).await?.say(step);
    *step = "the role";
    let (outcome, role) = cloud::base(aws, record).await?;
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
    let variables =
        function::variables(&format!("http://{home}:{port}"), page.as_str(), &component, &settings.statuspage_url);
    let role = match role {
        Some(role) => role,
        None if is_dry => "the one that would be made".into(),
        None => anyhow::bail!("the stack {} names no role: delete it, and run this again", cloud::BASE),
    };
    function::deploy(aws, from, &role, &variables, record).await?.say(step);
    if is_dry {
        Outcome::Skipped("in a dry run: the function runs once, and every minute once it has seen the home".into())
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

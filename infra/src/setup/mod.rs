//! `porchlight setup` and `porchlight teardown`: from accounts to a page that tells the truth, step by step, and back.
//!
//! - [`settings`]: what is said on the command line
//! - `ask`, `choices`: what is asked
//! - `answers`: the same from a file
//! - `record`, `chosen`, `made`: what was chosen and made, for the next run and for the way back; `mend`: what
//!   was made by a run that was ended; `kept`: files until their owner changes them
//! - `tool`: programs of others, as children; `local_ports`: which ports of this machine containers publish
//! - `status_page`, `measured`, `duck`, `way_in` (with `kept_open`), `home`, `compose`, `relay`, `cluster`, `helm`, `in_the_cloud`, `cloud`,
//!   `stack`, `function`, `first_look`: the steps; `beside`: a home beside another one
//! - `teardown`: the way back; `opened`: the router's port on it
//!
//! A step looks before it makes anything, so that a second run changes nothing, and one that was ended halfway goes on.

mod answers;
mod ask;
mod beside;
mod choices;
mod chosen;
mod cloud;
mod cluster;
mod compose;
mod duck;
mod first_look;
mod function;
mod helm;
mod home;
mod in_the_cloud;
mod kept;
mod kept_open;
mod local_ports;
mod made;
mod measured;
mod mend;
mod noted;
mod opened;
mod record;
mod relay;
pub mod settings;
mod stack;
mod status_page;
mod teardown;
mod tool;
mod way_in;

use std::{
    io::{self, Write},
    process::ExitCode,
};

use shared::{settings::WrongSetting, shutdown};

pub(crate) use self::noted::Noted;
use self::{ask::Asker, choices::yes_or_no, function::From, in_the_cloud::There, record::Record, settings::RunsOn};
pub use self::{
    settings::{SetupSettings, TeardownSettings},
    teardown::teardown,
};

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
    let settings = &answers::with_answers(settings)?;
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
        if !stack::is_scheduled(record) {
            cloud::has_scheduler(&found, &account.region).await?;
        }
        Outcome::Already(format!("the account {}, in {}", account.id, account.region)).say(step);
        record.choose(|chosen| chosen.account = Some(account))?;
        aws = Some(found);
    }
    *step = "statuspage.io";
    let (token, client, pages) = status_page::token(asker, settings).await?;
    Outcome::Already("the API key is right".into()).say(step);
    status_page::component(asker, settings, &client, &pages, record).await?.say(step);
    *step = "DuckDNS";
    let (outcome, duckdns, place) = duck::name(asker, settings, record).await?;
    outcome.say(step);
    *step = "the metrics";
    measured::metrics(asker, settings, &client, record).await?.say(step);
    *step = "the way in";
    // Before the router is asked: what it opens for a home beside this one is not this one's.
    if let Some(outcome) = local_ports::choose(settings, record)? {
        outcome.say("the ports");
    }
    let found = way_in::find(settings, choices::likely_ports(settings, record), &place, record).await;
    found.outcome.say(step);
    choices::by_itself(asker, settings, (found.opens, found.closed), record).await?;
    *step = "the home";
    // That of another router leads to another home.
    let is_its = found.opens.map(|opens| opens.router) == record.chosen().way_in.map(|way_in| way_in.router);
    if let Some(outcome) = choices::choose(asker, settings, found.granted.filter(|_| is_its), record).await? {
        outcome.say("the ports");
    }
    let there = match &aws {
        Some(aws) => There::look(aws, settings, record).await?,
        None => There::default(),
    };
    let (outcome, key) = home::key(&there.stored, there.key_parameter(), settings.take_stored_key, record)?;
    outcome.say("the beacon's key");
    *step = "the cluster";
    let secrets = [(cluster::KEY, "KEY", &key), ("duckdns", "TOKEN", &duckdns), ("statuspage", "TOKEN", &token)];
    let outcome = cluster::bring(asker, settings, &secrets, record).await?;
    let has_secrets = !matches!(outcome, Outcome::Skipped(_));
    outcome.say(step);
    *step = "the home";
    let (outcome, how) = match record.chosen().runs_on {
        Some(RunsOn::Compose) => compose::files(asker, settings, [&key, &duckdns, &token], record).await?,
        _ => home::files(record, has_secrets, &settings.chart)?,
    };
    outcome.say(step);
    say(&format!("\nThe home side, where it is not running yet, once its image or package is there:\n\n{how}"));
    if has_secrets {
        *step = "the chart";
        helm::install(settings, record).await?.say(step);
    }
    if let (Some(aws), Some(from)) = (aws, from) {
        return there.looked_at(asker, &aws, from, &key, &token, record, settings, step).await;
    }
    Outcome::Skipped("left out, as --without-aws says".into()).say("AWS");
    Ok(())
}

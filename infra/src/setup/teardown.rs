//! The way back: removes what a setup made, the last first, and nothing else.

use std::{fmt::Display, io::ErrorKind, process::ExitCode};

use anyhow::{Context, bail};
use home_beacon::job::settings::STATUSPAGE_TOKEN;
use tokio::sync::OnceCell;

use super::{
    ask::Asker,
    beside::HOMES,
    cloud::{self, CALL, NO_FUNCTION, NO_PARAMETER},
    cluster,
    function::FUNCTION,
    helm, kept,
    made::{Intent, Made},
    mend, opened,
    record::Record,
    say,
    settings::{Owner, TeardownSettings},
    stack, status_page,
    tool::{Ended, Tool},
};
use shared::{api::ApiError, settings::WrongSetting, shutdown, statuspage::Client};

/// Removes it.
///
/// # Errors
/// When there is nothing to remove, or the record cannot be used. What cannot be removed is said, stays in the record, and is exit
/// code 1.
pub async fn teardown(settings: &TeardownSettings) -> anyhow::Result<ExitCode> {
    let record = Record::of(&settings.folder, settings.dry_run)?;
    if record.is_empty() {
        let folder = settings.folder.display();
        return Err(WrongSetting(format!("--folder: no setup was made in {folder}: name its folder")).into());
    }
    let ended = shutdown::requested();
    tokio::select! {
        done = Box::pin(all(settings, record)) => done,
        () = ended => bail!("it was ended here: run it again, it goes on from here"),
    }
}

/// What removes.
struct Back<'a> {
    settings: &'a TeardownSettings,
    /// Of the page, once its API key was asked for.
    client: OnceCell<Client>,
}

async fn all(settings: &TeardownSettings, mut record: Record) -> anyhow::Result<ExitCode> {
    let back = Back { settings, client: OnceCell::new() };
    if let Err(error) = back.refuse_what_others_need(&record).await {
        say(&format!("failed   nothing was removed: {error:#}"));
        return Ok(ExitCode::FAILURE);
    }
    let mut tally = Tally::default();
    // What a run that was ended may have made is found first.
    for intent in record.intents() {
        if settings.dry_run {
            say(&format!("would look for  {intent}, and remove it"));
            continue;
        }
        match back.found(&record, &intent).await {
            Ok(found) => record.became(&intent, found)?,
            Err(error) if tally.leaves(settings, Some(Owner::Page), &intent, &error) => record.became(&intent, None)?,
            Err(_) => (),
        }
    }
    for made in record.made() {
        if settings.dry_run {
            say(&format!("would remove  {made}"));
            continue;
        }
        match back.goes(&record, &made).await {
            Ok(how) => {
                record.forget(&made)?;
                say(&format!("{how}  {made}"));
            }
            Err(error) if tally.leaves(settings, made.owner(), &made, &error) => record.forget(&made)?,
            Err(_) => (),
        }
    }
    opened::close(settings, &record, &mut tally).await;
    if tally.left > 0 {
        say("What is left is noted nowhere any more: remove it by hand, should its owner come back.");
    }
    if tally.failures > 0 {
        say("What failed is still noted: run this again once it can be removed.");
        return Ok(ExitCode::FAILURE);
    }
    record.end()?;
    Ok(ExitCode::SUCCESS)
}

/// What was not removed.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// It is still noted, for the next run.
    failures: usize,
    /// It was forgotten, because its owner has gone.
    left: usize,
}

impl Tally {
    /// Says that something stays, and whether it is to be forgotten.
    pub(super) fn leaves(
        &mut self,
        settings: &TeardownSettings,
        owner: Option<Owner>,
        what: &dyn Display,
        why: &anyhow::Error,
    ) -> bool {
        let is_forgotten = owner.is_some_and(|owner| settings.forget.contains(&owner));
        let (count, word) = if is_forgotten { (&mut self.left, "left") } else { (&mut self.failures, "failed") };
        *count += 1;
        say(&format!("{word:<9}{what}: {why:#}"));
        is_forgotten
    }
}

impl Back<'_> {
    /// A function that looks at homes of other setups stays, and so does all that it needs, unless its owner says otherwise.
    async fn refuse_what_others_need(&self, record: &Record) -> anyhow::Result<()> {
        if self.settings.others_too || !record.has_made(&Made::Function(FUNCTION.to_owned())) {
            return Ok(());
        }
        let asked = async { stack::named(&aws(record).await?, stack::OURS).await };
        let stacks = match asked.await {
            // Who has gone looks at nobody.
            Err(_) if self.settings.forget.contains(&Owner::Aws) => return Ok(()),
            asked => asked.with_context(|| {
                format!("whether other homes are looked at by {FUNCTION} cannot be seen (--others-too does not ask)")
            })?,
        };
        if stacks.iter().any(|name| name == stack::HEARTBEAT) {
            bail!(
                "the stack {0} takes heartbeats by what this setup has made: delete it first, with aws cloudformation delete-stack \
                 --stack-name {0}",
                stack::HEARTBEAT
            );
        }
        let is_others = |name: &String| name.starts_with(HOMES) && !record.has_made(&Made::Stack(name.clone()));
        let others: Vec<_> = stacks.into_iter().filter(is_others).collect();
        if others.is_empty() {
            return Ok(());
        }
        bail!(
            "{FUNCTION} looks at other homes, too, by {}: tear those setups down first, or have it go by --others-too",
            others.join(", ")
        )
    }

    async fn found(&self, record: &Record, intent: &Intent) -> anyhow::Result<Option<Made>> {
        mend::found(self.client(record).await?, intent).await
    }

    /// What becomes of something.
    async fn goes(&self, record: &Record, made: &Made) -> anyhow::Result<&'static str> {
        match made {
            Made::Provider { page, id } => {
                // What somebody has added to it since would go with it.
                match self.client(record).await?.metrics_of(page, id).await {
                    Ok(metrics) if !metrics.is_empty() => return Ok("stays, because it has metrics of others:"),
                    Ok(_) => (),
                    Err(error) => on_page(Err(error))?,
                }
            }
            Made::File(name) if kept::is_owners(record, name) => return Ok("stays, because it is yours by now:"),
            _ => (),
        }
        self.remove(record, made).await.map(|()| "removed")
    }

    async fn remove(&self, record: &Record, made: &Made) -> anyhow::Result<()> {
        match made {
            Made::File(name) => {
                let path = record.path(name);
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(error).with_context(|| path.display().to_string());
                    }
                    _ => (),
                }
                if let Some(folder) = path.parent().filter(|_| name.contains('/')) {
                    // The last one takes the folder with it; what somebody has put there stays.
                    let _ = std::fs::remove_dir(folder);
                }
                Ok(())
            }
            Made::Component { page, id } => on_page(self.client(record).await?.delete_component(page, id).await),
            Made::Metric { page, id } => on_page(self.client(record).await?.delete_metric(page, id).await),
            Made::Provider { page, id } => on_page(self.client(record).await?.delete_provider(page, id).await),
            Made::Release(name) => {
                let context = cluster::same(record).await?;
                let helm = Tool::find("helm", helm::MISSING, false)?.pinned(&["--kube-context", &context]);
                match helm.ask(&["uninstall", name, "--namespace", cluster::NAMESPACE], helm::INSTALL).await? {
                    Ended::Badly(why) if !why.contains(helm::NO_RELEASE) => bail!("{why}"),
                    Ended::Well(_) | Ended::Badly(_) => Ok(()),
                }
            }
            Made::Secret(name) => {
                let context = cluster::same(record).await?;
                let kubectl = Tool::find("kubectl", cluster::INSTALL, false)?.pinned(&["--context", &context]);
                let words = ["--namespace", cluster::NAMESPACE, "delete", "secret", name, "--ignore-not-found"];
                kubectl.change(&words, cluster::CALL).await.map(drop)
            }
            Made::Parameter(name) => {
                gone(&aws(record).await?, &["ssm", "delete-parameter", "--name", name], NO_PARAMETER).await
            }
            Made::Function(name) => {
                let aws = aws(record).await?;
                gone(&aws, &["lambda", "delete-function", "--function-name", name], NO_FUNCTION).await?;
                state(&aws).await
            }
            Made::Stack(name) => {
                let aws = aws(record).await?;
                match stack::described(&aws, name).await? {
                    Some(_) => stack::delete(&aws, name).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// A client of the page that the setup was for.
    async fn client(&self, record: &Record) -> anyhow::Result<&Client> {
        let asked = async || {
            // Who says that it has gone need not know its key any more.
            let asker = Asker::new(self.settings.forget.contains(&Owner::Page));
            let token = asker.secret(&STATUSPAGE_TOKEN, None, "API key of statuspage.io (User menu, API info)").await?;
            let address = record.chosen().statuspage_url.as_ref().unwrap_or(&self.settings.statuspage_url);
            status_page::client(address, token)
        };
        self.client.get_or_try_init(asked).await
    }
}

/// What a removal from the page came to; what has gone already is removed.
fn on_page(done: Result<(), ApiError>) -> anyhow::Result<()> {
    match done {
        Err(ApiError::Permanent(gone)) if gone.status == 404 => Ok(()),
        done => done.map_err(|error| status_page::in_words(&error)),
    }
}

async fn aws(record: &Record) -> anyhow::Result<Tool> {
    let (aws, account) = cloud::aws(false).await?;
    cloud::same(&account, record)?;
    Ok(aws)
}

/// Removes something, which may have been removed by somebody else.
async fn gone(aws: &Tool, words: &[&str], missing: &str) -> anyhow::Result<()> {
    let ended = aws.ask(words, CALL).await?;
    match ended {
        Ended::Badly(why) if !why.contains(missing) => bail!("{why}"),
        Ended::Well(_) | Ended::Badly(_) => Ok(()),
    }
}

/// What the function has written goes with it.
async fn state(aws: &Tool) -> anyhow::Result<()> {
    let words = ["ssm", "get-parameters-by-path", "--recursive", "--output", "json", "--path", cloud::STATE];
    let listed = aws.ask(&words, CALL).await?.json_unless(&[NO_PARAMETER])?.unwrap_or_default();
    let names = listed["Parameters"].as_array().into_iter().flatten().filter_map(|it| it["Name"].as_str());
    for name in names {
        gone(aws, &["ssm", "delete-parameter", "--name", name], NO_PARAMETER).await?;
    }
    Ok(())
}

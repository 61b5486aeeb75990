//! The way back: removes what a setup made, the last first, and nothing else.

use std::{io::ErrorKind, process::ExitCode};

use anyhow::{Context, bail};
use home_beacon::job::settings::STATUSPAGE_TOKEN;

use super::{
    ask::Asker,
    cloud::{self, CALL, NO_FUNCTION, NO_PARAMETER, STACK},
    record::{Made, Record},
    say,
    settings::TeardownSettings,
    status_page,
    tool::{Ended, Tool},
};
use shared::{api::ApiError, settings::WrongSetting};

/// Removes it.
///
/// # Errors
/// When there is nothing to remove, or the record cannot be used. What cannot be removed is said, stays in the record, and is exit
/// code 1.
pub async fn teardown(settings: &TeardownSettings) -> anyhow::Result<ExitCode> {
    let mut record = Record::of(&settings.folder, settings.dry_run)?;
    if record.is_empty() {
        let folder = settings.folder.display();
        return Err(WrongSetting(format!("--folder: no setup was made in {folder}: name its folder")).into());
    }
    let mut failures = 0;
    for made in record.made() {
        if settings.dry_run {
            say(&format!("would remove  {made}"));
            continue;
        }
        match remove(settings, &record, &made).await {
            Ok(()) => {
                record.forget(&made)?;
                say(&format!("removed  {made}"));
            }
            Err(error) => {
                failures += 1;
                say(&format!("failed   {made}: {error:#}"));
            }
        }
    }
    if failures > 0 {
        say("What failed is still noted: run this again once it can be removed.");
        return Ok(ExitCode::FAILURE);
    }
    record.end()?;
    Ok(ExitCode::SUCCESS)
}

async fn remove(settings: &TeardownSettings, record: &Record, made: &Made) -> anyhow::Result<()> {
    match made {
        Made::File(name) => {
            let path = record.path(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    Err(error).with_context(|| path.display().to_string())
                }
                _ => Ok(()),
            }
        }
        Made::Component { page, id } => {
            let asker = Asker::new(false);
            let token = asker.secret(&STATUSPAGE_TOKEN, "API key of statuspage.io (User menu, API info)").await?;
            let client = status_page::client(&settings.statuspage_url, token)?;
            match client.delete_component(page, id).await {
                Err(ApiError::Permanent(gone)) if gone.status == 404 => Ok(()),
                done => done.map_err(|error| status_page::in_words(&error)),
            }
        }
        Made::Parameter(name) => gone(&aws().await?, &["ssm", "delete-parameter", "--name", name], NO_PARAMETER).await,
        Made::Function(name) => {
            let aws = aws().await?;
            gone(&aws, &["lambda", "delete-function", "--function-name", name], NO_FUNCTION).await?;
            state(&aws).await
        }
        Made::Stack(name) => {
            let aws = aws().await?;
            if cloud::described(&aws, name).await?.is_none() {
                return Ok(());
            }
            aws.change(&["cloudformation", "delete-stack", "--stack-name", name], CALL).await?;
            aws.change(&["cloudformation", "wait", "stack-delete-complete", "--stack-name", name], STACK).await?;
            Ok(())
        }
    }
}

async fn aws() -> anyhow::Result<Tool> {
    Ok(cloud::aws(false).await?.0)
}

/// Removes something, which may have been removed by somebody else.
async fn gone(aws: &Tool, words: &[&str], missing: &str) -> anyhow::Result<()> {
    let ended = aws.ask(words, CALL).await?;
    match ended {
        Ended::Well(_) => Ok(()),
        ended if cloud::is_gone(&ended, &[missing]) => Ok(()),
        Ended::Badly(why) => bail!("{why}"),
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

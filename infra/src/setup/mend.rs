//! What is made by a call that gives it its id: noted before the call, and found again where a run was ended before its answer.

use shared::{
    api::ApiError,
    statuspage::{Client, MetricsProvider},
};

use super::{
    made::{Intent, Made},
    measured::kind_of,
    record::Record,
    status_page::{DESCRIPTION, all, in_words},
    tool::is_refused,
};

/// Makes something by a call.
///
/// # Errors
/// When the call fails. Where it was refused, nothing was made; where its answer is missing, the next run looks.
pub(super) async fn made_by<T>(
    record: &mut Record,
    intent: Intent,
    call: impl Future<Output = Result<T, ApiError>>,
    note: impl Fn(&T) -> Made,
) -> anyhow::Result<T> {
    record.intend(intent.clone())?;
    match call.await {
        Ok(made) => {
            record.became(&intent, Some(note(&made)))?;
            Ok(made)
        }
        Err(error) => {
            if matches!(error, ApiError::Permanent(_) | ApiError::Pausing(_)) {
                record.became(&intent, None)?;
            }
            Err(in_words(&error))
        }
    }
}

/// Makes something that is noted by its name. Where the call was refused, and this run has noted it, nothing of ours is there: what has
/// that name is somebody else's.
///
/// # Errors
/// When the call fails, or the record cannot be written.
pub(super) async fn noted(
    record: &mut Record,
    made: Made,
    call: impl Future<Output = anyhow::Result<bool>>,
) -> anyhow::Result<bool> {
    let is_new = record.note(made.clone())?;
    let done = call.await;
    if is_new && done.as_ref().is_err_and(is_refused) {
        record.forget(&made)?;
    }
    done
}

/// Notes what was made by runs that were ended before they knew.
///
/// # Errors
/// When the page cannot be asked.
pub(super) async fn mend(client: &Client, record: &mut Record) -> anyhow::Result<()> {
    for intent in record.intents() {
        let made = found(client, &intent).await?;
        record.became(&intent, made)?;
    }
    Ok(())
}

/// What came of an intent: the one of that name that says of itself what a setup writes there. There was none of that name before; on
/// a page that has gone there is nothing.
///
/// # Errors
/// When the page cannot be asked.
pub(super) async fn found(client: &Client, intent: &Intent) -> anyhow::Result<Option<Made>> {
    let found = match intent {
        Intent::Component { page, name } => all(client, page).await.map(|known| {
            let ours = known.into_iter().find(|it| it.name == *name && it.description == DESCRIPTION);
            ours.map(|it| Made::Component { page: page.clone(), id: it.id })
        }),
        Intent::Metric { page, name } => client.named_metrics(page).await.map(|known| {
            let ours = known.into_iter().find(|metric| metric.name == *name && kind_of(metric).is_some());
            ours.map(|it| Made::Metric { page: page.clone(), id: it.id })
        }),
        Intent::Provider { page } => client.providers(page).await.map(|known| {
            let ours = known.into_iter().find(MetricsProvider::takes_points);
            ours.map(|it| Made::Provider { page: page.clone(), id: it.id })
        }),
    };
    match found {
        Err(ApiError::Permanent(gone)) if gone.status == 404 => Ok(None),
        found => found.map_err(|error| in_words(&error)),
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::setup::tool::Tool;

    async fn fails(script: &str) -> anyhow::Result<bool> {
        Tool::find("sh", "install a shell", false)?.change(&["-c", script], std::time::Duration::from_millis(500)).await
    }

    #[tokio::test]
    async fn what_was_refused_is_noted_only_where_an_earlier_run_may_have_made_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = Record::of(folder.path(), false).unwrap();
        let made = Made::Parameter("/porchlight/beacon-key".into());
        let refused = "echo 'An error occurred (ParameterAlreadyExists)' >&2; exit 254";
        assert!(noted(&mut record, made.clone(), fails(refused)).await.is_err() && !record.has_made(&made));
        for unclear in ["sleep 60", "echo 'Read timeout on endpoint URL' >&2; exit 255"] {
            assert!(noted(&mut record, made.clone(), fails(unclear)).await.is_err() && record.has_made(&made));
        }
        assert!(noted(&mut record, made.clone(), fails(refused)).await.is_err());
        assert!(record.has_made(&made), "the run before may have made it");
        assert!(noted(&mut record, made, async { Err(anyhow!("AccessDenied")) }).await.is_err());
    }
}

//! What is made by a call that gives it its id: noted before the call, and found again where a run was ended before its answer.

use shared::{
    api::ApiError,
    statuspage::{Client, MetricsProvider},
};

use super::{
    made::{Intent, Made},
    measured::KINDS,
    record::Record,
    status_page::{DESCRIPTION, all, in_words},
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

/// What came of an intent: the one of that name that says of itself what a setup writes there. There was none of that name before.
///
/// # Errors
/// When the page cannot be asked.
pub(super) async fn found(client: &Client, intent: &Intent) -> anyhow::Result<Option<Made>> {
    match intent {
        Intent::Component { page, name } => {
            let ours =
                all(client, page).await?.into_iter().find(|it| it.name == *name && it.description == DESCRIPTION);
            Ok(ours.map(|it| Made::Component { page: page.clone(), id: it.id }))
        }
        Intent::Metric { page, name } => {
            let known = client.named_metrics(page).await.map_err(|error| in_words(&error))?;
            let ours = known.into_iter().find(|metric| {
                let identifier = metric.metric_identifier.as_deref();
                KINDS.iter().any(|kind| kind.new.name == name && Some(kind.new.identifier) == identifier)
                    && metric.name == *name
            });
            Ok(ours.map(|it| Made::Metric { page: page.clone(), id: it.id }))
        }
        Intent::Provider { page } => {
            let known = client.providers(page).await.map_err(|error| in_words(&error))?;
            let ours = known.into_iter().find(MetricsProvider::takes_points);
            Ok(ours.map(|it| Made::Provider { page: page.clone(), id: it.id }))
        }
    }
}

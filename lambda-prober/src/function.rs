//! The prober as a Lambda function: one invocation is one run, and one JSON line in the log.

use std::time::{Duration, SystemTime};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::settings::WrongSetting;

use crate::{
    event::Event,
    pace::{LONGEST_RUN, Pace},
    report::Report,
    run::Prober,
    settings::ProberSettings,
    target::Targets,
};

/// What is left of the invocation's time for the runtime itself.
const MARGIN: Duration = Duration::from_secs(1);

/// Serves invocations until the platform ends the process.
///
/// # Errors
/// When a setting is wrong, or the runtime API cannot be talked to.
pub async fn serve(settings: &ProberSettings) -> Result<(), ServeError> {
    let prober = settings.prober()?;
    let targets = settings.targets()?;
    let attempts = usize::from(settings.attempts);
    let handler = |event: LambdaEvent<Value>| {
        let (prober, targets) = (&prober, targets.as_ref());
        async move {
            let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
            let pace = Pace::of(left.saturating_sub(MARGIN).min(LONGEST_RUN), attempts);
            handle(prober, targets, &pace, event.payload).await
        }
    };
    lambda_runtime::run(service_fn(handler)).await.map_err(ServeError::Runtime)
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    #[error("the Lambda runtime API cannot be talked to: {0}")]
    Runtime(#[source] Error),
}

/// One invocation. The report is told in the log before the run is called a failure, so that both can be seen.
async fn handle(prober: &Prober, targets: Option<&Targets>, pace: &Pace, event: Value) -> Result<Report, Error> {
    let named;
    let targets = match Event::try_from(event)? {
        Event::Targets(targets) => {
            named = targets;
            &named
        }
        Event::Scheduled => targets.ok_or(
            "there is nothing to probe: set CANARY_URL, PAGE_ID and COMPONENT_ID, or TARGETS, or give the schedule \
             an input with targets",
        )?,
    };
    let report = prober.run(targets, pace).await?;
    println!("{}", serde_json::to_string(&report)?);
    match report.failure() {
        None => Ok(report),
        Some(failure) => Err(format!("the page could not be made true: {failure}").into()),
    }
}

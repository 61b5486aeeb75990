//! The prober as a Lambda function: one invocation is one run, and one JSON line in the log.

use std::{
    process::ExitCode,
    time::{Duration, SystemTime},
};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use reqwest::{
    Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use shared::{
    http::{Deadlines, client_for},
    settings::{self, Settings, WrongSetting},
};
use url::Url;

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

/// The least time that a run is begun with: less would only get it killed in the middle, or judge in a hurry.
const LEAST: Duration = Duration::from_secs(14);

/// Serves invocations until the platform ends the process.
///
/// # Errors
/// When a setting is wrong, or the runtime API cannot be talked to.
pub async fn serve(settings: &ProberSettings) -> Result<(), ServeError> {
    let prober = settings.prober()?;
    let targets = settings.targets()?;
    settings.warn_of_visible_secrets();
    ProberSettings::warn_of_doubts(&[]);
    let attempts = usize::from(settings.looking.attempts);
    let handler = |event: LambdaEvent<Value>| {
        let (prober, targets) = (&prober, targets.as_ref());
        async move {
            let pace = Pace::of(time_for_a_run(event.context.deadline(), SystemTime::now())?, attempts);
            handle(prober, targets, &pace, event.payload).await
        }
    };
    lambda_runtime::run(service_fn(handler)).await.map_err(ServeError::Runtime)
}

/// How long the runtime API may take to hear why we end.
const LAST_WORD: Duration = Duration::from_secs(2);

/// How the runtime API is told what kind of error it is.
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");

/// Tells the wrong setting on stderr, and to the runtime API, so that whoever invokes the function is told the same; the
/// exit code to end with.
pub async fn refuse(wrong: &WrongSetting, runtime_api: &str) -> ExitCode {
    let wrong = ProberSettings::with_doubts(wrong);
    // An emulator's address may be a whole one, with a path.
    let base = if runtime_api.contains("://") { runtime_api.to_owned() } else { format!("http://{runtime_api}") };
    let told = async {
        let url = Url::parse(&format!("{base}/2018-06-01/runtime/init/error"))?;
        let client = client_for([&url], Deadlines { connect: LAST_WORD, read: LAST_WORD, total: LAST_WORD })?;
        let kind = HeaderValue::from_static("Settings.Wrong");
        let call = client.call(Method::POST, url).header(ERROR_TYPE, kind);
        call.json(&json!({"errorType": "Settings.Wrong", "errorMessage": wrong.to_string()})).send().await?;
        Ok::<(), Error>(())
    };
    let code = settings::refuse(&wrong);
    if let Err(error) = told.await {
        tracing::debug!(%error, "the runtime API did not hear why this function ends");
    }
    code
}

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    #[error("the Lambda runtime API cannot be talked to: {0}")]
    Runtime(#[source] Error),
}

/// How long a run may take. A deadline that has passed before the run begins is no deadline (cargo lambda's emulator
/// tells one).
fn time_for_a_run(deadline: SystemTime, now: SystemTime) -> Result<Duration, Error> {
    let Ok(left) = deadline.duration_since(now) else { return Ok(LONGEST_RUN) };
    match left.checked_sub(MARGIN) {
        Some(left) if left >= LEAST => Ok(left.min(LONGEST_RUN)),
        _ => Err(format!("the function's timeout leaves {:.1} s for a run: set it to 55 s", left.as_secs_f64()).into()),
    }
}

/// One invocation. The report is told in the log before the run is called a failure, so that both can be seen.
async fn handle(prober: &Prober, targets: Option<&Targets>, pace: &Pace, event: Value) -> Result<Report, Error> {
    let named;
    let targets = match Event::try_from(event)? {
        Event::Targets(targets) => {
            named = targets;
            Some(&named)
        }
        Event::Scheduled => targets,
    };
    let report = prober.run(targets, pace).await?;
    println!("{}", serde_json::to_string(&report)?);
    match report.failure() {
        None => Ok(report),
        Some(failure) => Err(format!("the page could not be made true: {failure}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_what_the_function_s_timeout_leaves() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let left = |seconds| time_for_a_run(now + Duration::from_secs(seconds), now);
        assert_eq!(left(55).unwrap(), LONGEST_RUN);
        assert_eq!(left(30).unwrap(), Duration::from_secs(29));
        assert!(left(14).unwrap_err().to_string().contains("set it to 55 s"));
        assert_eq!(time_for_a_run(SystemTime::UNIX_EPOCH, now).unwrap(), LONGEST_RUN);
    }
}

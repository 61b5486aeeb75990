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
    heartbeat::receive,
    report::Report,
    run::Prober,
    settings::ProberSettings,
    target::Targets,
    timing::{MAX_RUN, Timing},
};

/// How much of the invocation's time is left for the runtime itself.
const RUNTIME_RESERVE: Duration = Duration::from_secs(1);

/// The shortest time that a run is started with: a shorter one would be killed in the middle, or have too short
/// deadlines.
const MIN_TIME: Duration = Duration::from_secs(14);

/// Serves invocations until the platform ends the process.
///
/// # Errors
/// When a setting is wrong, or the runtime API cannot be reached.
pub async fn serve(settings: &ProberSettings) -> Result<(), ServeError> {
    if settings.heartbeats.receive_heartbeats {
        return receive::serve(settings).await;
    }
    let prober = settings.prober()?;
    let targets = settings.targets()?;
    ProberSettings::warn_of_visible_secrets();
    ProberSettings::log_warnings(&[]);
    let attempts = usize::from(settings.probing.attempts);
    let handler = |event: LambdaEvent<Value>| {
        let (prober, targets) = (&prober, targets.as_ref());
        async move {
            let timing = Timing::of(time_for_a_run(event.context.deadline(), SystemTime::now())?, attempts);
            if is_trial(&event.payload) {
                let settings = ProberSettings { dry_run: true, ..settings.clone() };
                return handle(&settings.prober()?, targets, &timing, event.payload).await;
            }
            handle(prober, targets, &timing, event.payload).await
        }
    };
    lambda_runtime::run(service_fn(handler)).await.map_err(ServeError::Runtime)
}

/// The deadline of reporting a wrong setting to the runtime API.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The header that says what kind of error it is.
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");

/// Reports a wrong setting on stderr, and to the runtime API at `runtime_api`, so that invocations fail with it;
/// returns the exit code.
pub async fn refuse(wrong: &WrongSetting, runtime_api: &str) -> ExitCode {
    let wrong = ProberSettings::with_warnings(wrong);
    // An emulator's address may be a URL with a path.
    let base = if runtime_api.contains("://") { runtime_api.to_owned() } else { format!("http://{runtime_api}") };
    let report = async {
        let url = Url::parse(&format!("{base}/2018-06-01/runtime/init/error"))?;
        let deadlines = Deadlines { connect: REFUSAL_TIMEOUT, read: REFUSAL_TIMEOUT, total: REFUSAL_TIMEOUT };
        let client = client_for([&url], deadlines)?;
        let kind = HeaderValue::from_static("Settings.Wrong");
        let call = client.call(Method::POST, url).header(ERROR_TYPE, kind);
        call.json(&json!({"errorType": "Settings.Wrong", "errorMessage": wrong.to_string()})).send().await?;
        Ok::<(), Error>(())
    };
    let code = settings::refuse(&wrong);
    if let Err(error) = report.await {
        tracing::debug!(%error, "the wrong setting could not be reported to the runtime API");
    }
    code
}

/// Why the function ends.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting is wrong.
    #[error(transparent)]
    Setting(#[from] WrongSetting),
    /// The runtime API does not answer as it should; a new process may succeed.
    #[error("the Lambda runtime API cannot be reached: {0}")]
    Runtime(#[source] Error),
}

/// How long a run may take. A deadline that has passed before the run begins is ignored (cargo lambda's emulator sends
/// one).
fn time_for_a_run(deadline: SystemTime, now: SystemTime) -> Result<Duration, Error> {
    let Ok(left) = deadline.duration_since(now) else { return Ok(MAX_RUN) };
    match left.checked_sub(RUNTIME_RESERVE) {
        Some(left) if left >= MIN_TIME => Ok(left.min(MAX_RUN)),
        _ => Err(format!("the function's timeout leaves {:.1} s for a run: set it to 55 s", left.as_secs_f64()).into()),
    }
}

/// Whether this run is to look, and to write nothing: `"dry_run":true` beside what else is in the event.
fn is_trial(event: &Value) -> bool {
    event.get("dry_run") == Some(&Value::Bool(true))
}

/// One invocation. The report is logged before the invocation fails, so that both can be seen.
async fn handle(prober: &Prober, targets: Option<&Targets>, timing: &Timing, event: Value) -> Result<Report, Error> {
    let named;
    let targets = match Event::try_from(event)? {
        Event::Targets(targets) => {
            named = targets;
            Some(&named)
        }
        Event::Scheduled => targets,
    };
    let report = prober.run(targets, timing).await?;
    println!("{}", serde_json::to_string(&report)?);
    match report.failure() {
        None => Ok(report),
        Some(failure) => Err(format!("the page could not be updated: {failure}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_may_ask_for_a_look_that_writes_nothing() {
        assert!(is_trial(&json!({"source": "aws.events", "dry_run": true})));
        for other in [json!({"source": "aws.events"}), json!({"dry_run": "true"}), json!({"dry_run": false}), json!([])]
        {
            assert!(!is_trial(&other), "{other}");
        }
    }

    #[test]
    fn a_run_takes_what_the_function_s_timeout_leaves() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let left = |seconds| time_for_a_run(now + Duration::from_secs(seconds), now);
        assert_eq!(left(55).unwrap(), MAX_RUN);
        assert_eq!(left(30).unwrap(), Duration::from_secs(29));
        assert!(left(14).unwrap_err().to_string().contains("set it to 55 s"));
        assert_eq!(time_for_a_run(SystemTime::UNIX_EPOCH, now).unwrap(), MAX_RUN);
    }
}

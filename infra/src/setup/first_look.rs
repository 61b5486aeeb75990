//! The first look: the function looks at the home once, and only a home that has proved itself is looked at every minute.

use std::{fs, time::Duration};

use anyhow::{anyhow, bail};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{
    Outcome,
    ask::{Asker, Question},
    choices::yes_or_no,
    function::{FUNCTION, json_file},
    say,
    tool::{Ended, Tool},
};

/// How long the first look may take: the function has 55 s, and may have to be started.
const LOOK: Duration = Duration::from_secs(120);

/// How often somebody who starts the home side meanwhile may have it look again.
const LOOKS: usize = 50;

/// Looks until the home is seen; each time anew, who sits at the terminal is asked.
///
/// # Errors
/// When the function cannot be asked, or does not see the home; says why.
pub(super) async fn until_seen(asker: Asker, aws: &Tool, input: Option<Value>) -> anyhow::Result<Outcome> {
    for _ in 0..LOOKS {
        match prove(aws, input.clone()).await {
            Err(why) if !asker.is_silent => {
                say(&format!("waits   the first look: {why:#}"));
                let text = "Look again, once the home side runs (its commands are above): yes or no";
                let question = Question { text, flag: "--yes", default: Some("yes") };
                if !asker.choose(question, yes_or_no).await? {
                    return Err(why);
                }
            }
            done => return done,
        }
    }
    bail!("the function has not seen the home: run this again, it goes on from here")
}

/// Has it look at the home once, or at that of the input, without a word to the page. Only what proves to be the home counts: a
/// schedule that cannot see it would tell the page so.
///
/// # Errors
/// When it cannot be asked, or does not see the home; says why.
async fn prove(aws: &Tool, input: Option<Value>) -> anyhow::Result<Outcome> {
    let mut event = input.unwrap_or_else(|| json!({}));
    (event["source"], event["dry_run"]) = (json!("aws.events"), json!(true));
    let (input, output) = (json_file(&event)?, NamedTempFile::new()?);
    let payload = format!("fileb://{}", input.path().display());
    let path = output.path().display().to_string();
    // Its own deadline would start a second run while the first one looks.
    let mut words = vec!["lambda", "invoke", "--cli-read-timeout", "110", "--function-name", FUNCTION];
    words.extend(["--payload", &payload, &path]);
    match aws.ask(&words, LOOK).await? {
        Ended::Well(_) => (),
        Ended::Badly(why) => bail!("{FUNCTION} cannot be run: {why}"),
    }
    let report = fs::read(output.path())?;
    judged(&serde_json::from_slice(&report).map_err(|_| anyhow!("{FUNCTION} answered with no report"))?)
}

fn judged(report: &Value) -> anyhow::Result<Outcome> {
    if let Some(message) = report["errorMessage"].as_str() {
        bail!("{FUNCTION} failed: {message}");
    }
    let target = &report["targets"][0];
    let verdict = target["verdict"].as_str().unwrap_or_default();
    let exchanges = target["attempts"].as_array().into_iter().flatten().filter_map(|it| it["exchanges"].as_array());
    let mut identities = exchanges.flatten().filter_map(|exchange| exchange["identity"].as_str());
    if ["up", "degraded"].contains(&verdict) && identities.any(|identity| identity.starts_with("proven")) {
        if let Some(error) = target["error"].as_str() {
            bail!("the home is up, but its page could not be set: {error}");
        }
        return Ok(Outcome::Done("the function has seen the home, and the home has proved that it is itself".into()));
    }
    let cause = target["cause"].as_str().unwrap_or("nothing was proved");
    let advice = target["advice"].as_str().map(|advice| format!(" ({advice})")).unwrap_or_default();
    bail!(
        "the function does not see the home yet: {verdict}, {cause}{advice}: start the beacon, forward the port, and run this again"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: &str, cause: Option<&str>, identity: &str) -> Value {
        let attempts = json!([{"exchanges": [{"identity": identity}]}]);
        json!({"targets": [{"verdict": verdict, "cause": cause, "attempts": attempts, "error": null}]})
    }

    #[test]
    fn only_a_home_that_has_proved_itself_starts_the_schedule() {
        assert!(judged(&report("up", None, "proven")).is_ok());
        assert!(judged(&report("degraded", Some("slow"), "proven_with_old_key")).is_ok());
        for (seen, expected) in [
            (report("up", None, "absent"), "up, nothing was proved"),
            (report("down", Some("refused"), "not_asked"), "down, refused"),
            (report("down", Some("impostor"), "foreign"), "down, impostor"),
            (json!({"errorMessage": "CANARY_URL is not set"}), "failed: CANARY_URL is not set"),
            (json!({}), "nothing was proved"),
        ] {
            let error = judged(&seen).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let mut unpublished = report("up", None, "proven");
        unpublished["targets"][0]["error"] = json!("401");
        assert!(judged(&unpublished).unwrap_err().to_string().contains("its page could not be set: 401"));
    }
}

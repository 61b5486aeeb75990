//! The function, run once now: it looks at the home from where it is, and as a dry run it tells the page nothing.

use std::{
    fs,
    io::{self, Write},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{super::super::reply::Reply, Cli};

/// How long it may take: the function has 55 s, and may have to be started.
const PATIENCE: Duration = Duration::from_secs(75);

/// A second run would begin while the first one looks.
const READ: &str = "70";

/// What it reports. `event`: what it is started with for this home, where that is not what its own settings say.
pub(super) async fn ask(cli: &Cli, function: &str, event: Option<Value>) -> Reply {
    let mut event = event.filter(Value::is_object).unwrap_or_else(|| json!({}));
    (event["source"], event["dry_run"]) = (json!("aws.events"), json!(true));
    let files = || -> io::Result<_> {
        let mut input = NamedTempFile::new()?;
        input.write_all(event.to_string().as_bytes())?;
        Ok((input, NamedTempFile::new()?))
    };
    let (input, output) = match files() {
        Ok(files) => files,
        Err(error) => return Reply::Silent(format!("no temporary file can be made ({error})")),
    };
    let (payload, path) = (format!("fileb://{}", input.path().display()), output.path().display().to_string());
    let words = ["lambda", "invoke", "--output", "json", "--cli-connect-timeout", "4", "--cli-read-timeout", READ];
    let words = [&words[..], &["--function-name", function, "--payload", &payload, &path]].concat();
    match cli.once(&words, PATIENCE).await {
        Reply::Is(_) => {
            let report = fs::read(output.path()).ok().and_then(|report| serde_json::from_slice(&report).ok());
            report.map_or_else(|| Reply::Silent("it answered with no report".into()), Reply::Is)
        }
        other => other,
    }
}

//! What the demo checks beside the home: its own page, and what is behind the line. Of that nobody knows anything while the line
//! is cut, so it is not red.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use checks::outcome::State;
use home_beacon::checks::{ChecksSettings, command};
use jiff::Timestamp;
use serde::Deserialize;
use shared::{
    api::Api,
    http::{Deadlines, Method, client_for},
    secret::SecretSource,
};
use tokio::time::{sleep, timeout};
use url::Url;

use super::say;

/// A name of the demo's own: a folder that is kept may have a file of the user's.
const FILE: &str = "demo-checks.yml";

/// How long the first probe waits for a first run of each check; each has one within its interval.
const FIRST: Duration = Duration::from_secs(10);

/// How often the keeper is asked for what has changed.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

/// The checks, as `checks` runs them.
pub(super) struct Checks {
    settings: ChecksSettings,
    file: PathBuf,
}

/// What is said of them.
pub(super) struct Narrator {
    api: Api,
    /// How each ended that was said, by its name.
    said: HashMap<String, State>,
}

#[derive(Deserialize)]
struct List {
    checks: Vec<Known>,
}

/// A check as the keeper knows it.
#[derive(Deserialize)]
struct Known {
    name: String,
    title: String,
    /// `None` of what is on no page, as the file itself.
    component_id: Option<String>,
    /// Its state after its thresholds.
    counts: Option<State>,
    last_run: Option<Run>,
}

#[derive(Deserialize)]
struct Run {
    state: State,
    text: String,
}

/// Writes the file of the checks into the folder: of the page, and of the beacon as what is behind the line.
///
/// # Errors
/// When it cannot be written.
pub(super) fn of(
    folder: &Path,
    page: &Url,
    beacon: SocketAddr,
    token: &SecretSource,
) -> anyhow::Result<(Checks, Narrator)> {
    let file = folder.join(FILE);
    fs::write(&file, text(page, beacon)).with_context(|| format!("{} cannot be written", file.display()))?;
    let settings = ChecksSettings::within(&file, page, token.clone())?;
    let api = Api::new(client_for([page], Deadlines::default())?, page, token.clone());
    Ok((Checks { settings, file }, Narrator { api, said: HashMap::new() }))
}

fn text(page: &Url, beacon: SocketAddr) -> String {
    format!(
        r#"# What `porchlight demo` checks, written anew at each start. Edit it while the demo runs: the page follows.
defaults: {{ every: 5s }}
checks:
  - name: page
    title: This page
    http: {{ url: "{page}healthz", expect: {{ json: [{{ path: "$.storage", equals: ok }}] }} }}
  - name: service
    title: A service at home
    # It is reached through the line: while that is cut, nothing is known of it.
    depends_on: [home]
    http: {{ url: "http://{beacon}/" }}
"#
    )
}

impl Checks {
    /// For a person.
    pub(super) fn words(&self) -> String {
        format!("by {}", self.file.display())
    }

    /// Runs them until `stop`.
    pub(super) async fn run(&self, stop: impl Future<Output = ()>) {
        if let Err(wrong) = Box::pin(command(&self.settings, stop)).await {
            say(format_args!("The checks do not run: {wrong}."));
        }
    }
}

impl Narrator {
    /// Waits until each has run once.
    pub(super) async fn first(&self) {
        let all_have_run = async {
            loop {
                let known = self.known().await;
                if !known.is_empty() && known.iter().all(|check| check.last_run.is_some()) {
                    return;
                }
                sleep(ASK_INTERVAL).await;
            }
        };
        // Those that have not are grey on the page.
        let _ = timeout(FIRST, all_have_run).await;
    }

    /// Says how each is when that changes; never returns.
    pub(super) async fn changes(&mut self) {
        loop {
            for Known { name, title, counts, last_run, .. } in self.known().await {
                let Some(Run { state, text }) = last_run else { continue };
                // A failure that does not count yet is no news.
                let is_said = state == State::Unknown || counts == Some(state);
                if is_said && self.said.get(&name) != Some(&state) {
                    say(format_args!("{}  {title}: {}: {text}", Timestamp::now().strftime("%H:%M:%S"), state.label()));
                    self.said.insert(name, state);
                }
            }
            sleep(ASK_INTERVAL).await;
        }
    }

    /// Those that are on the page; none while the keeper does not answer.
    async fn known(&self) -> Vec<Known> {
        let list: Result<List, _> = self.api.call(Method::GET, "/porchlight/v1/checks", None).await;
        let checks = list.map(|list| list.checks).unwrap_or_default();
        checks.into_iter().filter(|check| check.component_id.is_some()).collect()
    }
}

#[cfg(test)]
mod tests {
    use checks::{check::Dependency, file::checks_yml::load};

    use super::*;

    #[test]
    fn what_is_behind_the_line_depends_on_it_and_the_page_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let page = Url::parse("http://127.0.0.1:8030/").unwrap();
        fs::write(&file, text(&page, "127.0.0.1:8080".parse().unwrap())).unwrap();
        let loaded = load(&file).unwrap();
        let depend: Vec<_> = loaded.checks.iter().map(|it| (it.title.as_str(), it.depends_on.as_slice())).collect();
        assert_eq!(depend, [("This page", [].as_slice()), ("A service at home", &[Dependency::Home])]);
    }
}

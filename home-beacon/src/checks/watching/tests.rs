//! Files that come, are mended and are broken while virtual time passes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use checks::{cause::Cause, check::PassiveCheck, outcome::State};
use clap::Parser;
use shared::secret::SecretSource;
use tempfile::TempDir;

use super::{super::settings::ChecksSettings, *};

/// What is watched, and what comes of it.
struct Watched {
    folder: TempDir,
    definitions: mpsc::Receiver<Definitions>,
    list: Option<CheckList>,
    refused: watch::Sender<Vec<Refused>>,
    results: Results,
    totals: Arc<Totals>,
}

fn write(folder: &Path, text: &str) -> PathBuf {
    // A new file each time, as its time may be that of the one before.
    let (path, new) = (folder.join("checks.yml"), folder.join("new.yml"));
    fs::write(&new, text).unwrap();
    fs::rename(new, &path).unwrap();
    path
}

impl Watched {
    fn start(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = write(folder.path(), text);
        let settings = ChecksSettings::parse_from(["checks", "--checks-file", path.to_str().unwrap()]);
        let (definitions, receiver) = mpsc::channel(10);
        let (refused, refusals) = watch::channel(Vec::new());
        let totals: Arc<Totals> = Arc::default();
        let results = Results::new(Arc::clone(&totals));
        let outlets = Outlets { definitions, refused: refusals, results: results.clone(), totals: Arc::clone(&totals) };
        let source = Source::new(&settings);
        let first = source.load();
        tokio::spawn(source.watch(first, HashMap::new(), outlets));
        Self { folder, definitions: receiver, list: None, refused, results, totals }
    }

    fn write(&self, text: &str) {
        write(self.folder.path(), text);
    }

    /// The names of the checks that are run from now on, where that has changed within a while.
    async fn defined(&mut self) -> Option<Vec<String>> {
        let wait = tokio::time::timeout(Duration::from_secs(70), self.definitions.recv()).await;
        let new = wait.ok()??;
        self.list = Some(new.list);
        Some(new.defined.into_iter().map(|defined| defined.check.name.to_string()).collect())
    }

    /// How the program's own files are by the newest report: the state, and the sentence.
    async fn own(&self) -> (State, String) {
        sleep(Duration::from_secs(70)).await;
        let all = self.results.all();
        let last = all.into_iter().rfind(|it| it.check.name.as_str() == own_files::NAME).unwrap();
        assert!(matches!(last.outcome.cause, None | Some(Cause::Files)));
        (last.outcome.state, last.outcome.text)
    }

    fn is_whole(&self) -> bool {
        self.list.as_ref().unwrap().is_whole
    }

    fn are_valid(&self) -> bool {
        let written = self.totals.exposition().written(shared::metrics::Format::Text);
        written.contains("porchlight_checks_files_valid 1")
    }
}

const GOOD: &str = "checks:\n  - { name: good, icmp: { host: a } }\n";

fn with(line: &str) -> String {
    format!("{GOOD}  - {{ name: other, {line} }}\n")
}

#[tokio::test(start_paused = true)]
async fn at_the_start_a_wrong_check_is_left_out_and_the_others_run() {
    let mut watched = Watched::start(&with("every: 1s, icmp: { host: b }"));
    assert_eq!(watched.defined().await.unwrap(), ["good"]);
    assert!(!watched.is_whole() && !watched.are_valid());
    let (state, text) = watched.own().await;
    assert_eq!(state, State::Critical);
    assert!(text.contains("checks.yml:3: every is 1s") && text.ends_with("is not checked, and all else is"), "{text}");
    // As long as none was right, what is right of another one counts; what ran, and is wrong now, goes on.
    watched.write(&with("every: 2s, icmp: { host: b }").replace("good", "better"));
    assert_eq!(watched.defined().await.unwrap(), ["better"]);
    watched
        .write("checks:\n  - { name: better, every: 1s, icmp: { host: a } }\n  - { name: next, icmp: { host: b } }\n");
    assert_eq!(watched.defined().await.unwrap(), ["next", "better"]);
    watched.write(&with("icmp: { host: b }"));
    assert_eq!(watched.defined().await.unwrap(), ["good", "other"]);
    assert!(watched.is_whole() && watched.are_valid());
    assert_eq!(watched.own().await, (State::Ok, "they define 2 checks".into()));
    // Now one that is wrong changes nothing.
    watched.write(&with("every: 1s, icmp: { host: b }").replace("good", "better"));
    assert_eq!(watched.defined().await, None);
    let (_, text) = watched.own().await;
    assert!(watched.is_whole() && !watched.are_valid() && text.ends_with("what runs goes on as it is"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_told_until_it_is_there_and_starts_nothing_anew() {
    let secret = tempfile::tempdir().unwrap();
    let program = secret.path().join("check_it");
    let text = with(&format!("script: {{ command: [{}] }}", program.display()));
    let mut watched = Watched::start(GOOD);
    assert_eq!(watched.defined().await.unwrap(), ["good"]);
    watched.write(&text);
    assert_eq!(watched.defined().await.unwrap(), ["good", "other"], "at a change, too");
    assert!(watched.is_whole() && !watched.are_valid());
    let (state, text) = watched.own().await;
    assert_eq!(state, State::Critical);
    assert!(text.contains("checks.yml:3: command:") && text.ends_with("is not checked, and all else is"), "{text}");
    assert_eq!(watched.defined().await, None, "it is read again, and nothing has changed");
    fs::write(&program, "").unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(watched.own().await, (State::Ok, "they define 2 checks".into()));
    assert!(watched.are_valid());
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_wrong_as_a_whole_has_nothing_run_until_it_is_not() {
    let mut watched = Watched::start("checks: [");
    assert_eq!(watched.defined().await, None);
    let (_, text) = watched.own().await;
    assert!(watched.list.is_none() && text.ends_with("nothing that is defined is checked"), "{text}");
    watched.write(GOOD);
    assert_eq!(watched.defined().await.unwrap(), ["good"]);
}

#[tokio::test(start_paused = true)]
async fn what_a_keeper_refuses_is_told_like_a_wrong_file() {
    let mut watched = Watched::start(GOOD);
    watched.defined().await;
    assert_eq!(watched.own().await.0, State::Ok);
    let refused = |sentence: &str| Refused { check: None, sentence: sentence.into() };
    watched.refused.send_replace(vec![refused("good: component x is the home itself"), refused("other")]);
    let expected = "the keeper does not take all as it is: good: component x is the home itself (and 1 more)";
    assert_eq!(watched.own().await, (State::Critical, expected.into()));
    watched.refused.send_replace(Vec::new());
    assert_eq!(watched.own().await.0, State::Ok);
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_comes_or_is_another_one_is_told_although_no_file_of_ours_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    let secret = SecretSource::Named { name: "BACKUP".into(), path: path.clone() };
    let passive = PassiveCheck { period: EVERY, grace: EVERY, secret };
    let backup = Check { kind: Kind::Passive(passive), ..super::super::fixtures::check("backup") };
    let (definitions, mut received) = mpsc::channel(1);
    let results = Results::new(Arc::default());
    let outlets = Outlets { definitions, refused: watch::channel(Vec::new()).1, results, totals: Arc::default() };
    let list = Arc::new(List { checks: [backup].into(), is_whole: true, wrong: Box::default() });
    let mut watch = Watch {
        outlets,
        own: OwnFiles::new(),
        known: HashMap::new(),
        secrets: secrets(&list),
        current: Some(list),
        listless: Vec::new(),
        said: Vec::new(),
        failed_at: None,
    };
    watch.renew().await;
    assert!(received.try_recv().is_err(), "nothing has changed");
    for text in ["0123456789abcdef0123456789abcdef", "another0another0another0another0"] {
        fs::write(&path, text).unwrap();
        watch.renew().await;
        assert!(received.try_recv().is_ok(), "{text}");
        watch.renew().await;
        assert!(received.try_recv().is_err(), "once");
    }
}

//! What one user has: a file of settings, and `aws` and `kubectl` that answer what a test has them answer.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    namespace::Namespace,
    process::{Ended, ours, run},
};
use tokio::process::Command;

use crate::answers::{log, report};

/// Everything in it has a deadline below 30 s; the rest is for a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Prints the file that has the name of what it is asked (where there is one, that of the thing that is asked about), or complains as
/// the file beside it does.
const AWS: &str = "#!/bin/sh\nf=\"${0%/*}/$1-$2\"\nif [ -f \"$f-$4\" ]; then f=\"$f-$4\"; fi\nif [ -f \"$f.err\" ]; then cat \"$f.err\" >&2; exit 254; fi\nif [ \"$1 $2\" = \"lambda invoke\" ]; then for o in \"$@\"; do :; done; cp \"${0%/*}/lambda-invoke\" \"$o\"; echo '{\"StatusCode\": 200}'; exit; fi\nexec cat \"$f\"\n";

const KUBECTL: &str = "#!/bin/sh\nf=\"${0%/*}/objects\"\nif [ -f \"$f\" ]; then exec cat \"$f\"; fi\n\
                       echo 'The connection to the server localhost:8080 was refused' >&2\nexit 1\n";

pub(crate) struct Variant {
    pub(crate) folder: PathBuf,
    settings: BTreeMap<String, String>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// Where `aws` is.
    path: String,
}

/// What doctor said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) all: Value,
    pub(crate) code: Option<i32>,
    pub(crate) took: Duration,
    pub(crate) stderr: String,
}

impl Variant {
    pub(crate) fn new(folder: &Path) -> Self {
        for (name, script) in [("aws", AWS), ("kubectl", KUBECTL)] {
            let path = folder.join(name);
            fs::write(&path, script).expect("it is written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
        }
        let path = format!("{}:/usr/bin:/bin", folder.display());
        Self { folder: folder.to_owned(), settings: BTreeMap::new(), arguments: vec![], environment: vec![], path }
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    pub(crate) fn unset(&mut self, name: &str) -> &mut Self {
        self.settings.remove(name);
        self
    }

    pub(crate) fn arguments(&mut self, words: &str) -> &mut Self {
        self.arguments.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    pub(crate) fn environment(&mut self, name: &str, value: &str) -> &mut Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The real command line comes before the stand-in.
    pub(crate) fn real_aws(&mut self, folder: &Path) -> &mut Self {
        fs::remove_file(self.folder.join("aws")).expect("it was there");
        self.path = format!("{}:{}", self.path, folder.display());
        self
    }

    pub(crate) fn aws(&mut self, call: &str, answer: &Value) -> &mut Self {
        fs::write(self.folder.join(call), answer.to_string()).expect("it is written");
        self
    }

    /// As AWS's command line complains.
    pub(crate) fn aws_refuses(&mut self, call: &str, code: &str) -> &mut Self {
        let text = format!("\nAn error occurred ({code}) when calling the X operation: no\n");
        fs::write(self.folder.join(format!("{call}.err")), text).expect("it is written");
        self
    }

    /// A change of what AWS answers.
    pub(crate) fn aws_says(&mut self, call: &str, change: impl FnOnce(&mut Value)) -> &mut Self {
        let text = fs::read_to_string(self.folder.join(call)).expect("it was answered");
        let mut answer = serde_json::from_str(&text).expect("JSON");
        change(&mut answer);
        self.aws(call, &answer)
    }

    /// AWS knows nothing of the function: it is in another account or region.
    pub(crate) fn aws_has_nothing(&mut self) -> &mut Self {
        self.aws_refuses("lambda-get-function-configuration", "ResourceNotFoundException");
        self.aws_refuses("logs-filter-log-events", "ResourceNotFoundException");
        self.aws("ssm-get-parameters", &json!({"Parameters": [], "InvalidParameters": ["/porchlight/beacon-key"]}));
        self.aws("events-list-rules", &json!({"Rules": []}));
        self.aws("cloudwatch-describe-alarms", &json!({"MetricAlarms": []}))
    }

    /// The function's runs cannot update the page.
    pub(crate) fn runs_fail(&mut self) -> &mut Self {
        let failed = report(40, |it| {
            it["published"] = json!(false);
            it["targets"][0]["outcome"] = json!("failed");
        });
        self.aws("logs-filter-log-events", &log(&[failed]))
    }

    /// There is no keeper that would say that somebody has looked all the same.
    pub(crate) fn no_looks(&mut self) -> &mut Self {
        self.unset("KEEPER_URL").unset("KEEPER_TOKEN")
    }

    pub(crate) fn kubectl(&mut self, objects: &Value) -> &mut Self {
        fs::write(self.folder.join("objects"), objects.to_string()).expect("it is written");
        self
    }

    /// How doctor is run.
    pub(crate) fn command(&self) -> Command {
        let lines: Vec<String> = self.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let file = self.folder.join("prober.env");
        fs::write(&file, lines.join("\n")).expect("it is written");
        let mut doctor = ours("porchlight");
        doctor.env_remove("WITNESSES").args(["doctor", "--env"]).arg(&file).args(&self.arguments);
        doctor.env("PATH", &self.path).env("HOME", &self.folder).env("AWS_REGION", tests::aws::REGION);
        doctor.envs(self.environment.iter().map(|(name, value)| (name, value)));
        doctor
    }

    /// How doctor is run in that network and in a folder without a file of settings: these alone are in its environment.
    pub(crate) fn plain(&self, namespace: &Namespace, folder: &Path, settings: &[&str], arguments: &[&str]) -> Command {
        let mut doctor = ours("porchlight");
        doctor.env_remove("WITNESSES").arg("doctor").args(arguments);
        doctor.env("PATH", &self.path).env("HOME", &self.folder);
        doctor.env("AWS_REGION", "").env("AWS_DEFAULT_REGION", "");
        doctor.envs(settings.iter().map(|name| (*name, &self.settings[*name])));
        let mut doctor = namespace.inside(&doctor);
        doctor.current_dir(folder);
        doctor
    }

    /// Runs doctor in that network.
    pub(crate) async fn ended(&self, namespace: &Namespace) -> (Ended, Duration) {
        let doctor = self.command();
        let began = Instant::now();
        let ended = run(namespace.inside(&doctor), LIMIT).await;
        (ended, began.elapsed())
    }

    pub(crate) async fn said(&mut self, namespace: &Namespace) -> Said {
        self.arguments("--json");
        let (ended, took) = self.ended(namespace).await;
        let all = serde_json::from_str(&ended.stdout);
        let all = all.unwrap_or_else(|error| panic!("{error}: {}{}", ended.stdout, ended.stderr));
        Said { all, code: ended.code, took, stderr: ended.stderr }
    }
}

impl Said {
    /// How a link is, in a word.
    pub(crate) fn outcome(&self, link: &str) -> &str {
        self.of(link)["outcome"].as_str().expect("an outcome")
    }

    pub(crate) fn saw(&self, link: &str) -> &str {
        self.of(link)["saw"].as_str().expect("what was seen")
    }

    pub(crate) fn of(&self, link: &str) -> &Value {
        let links = self.all["links"].as_array().expect("links");
        links.iter().find(|it| it["link"] == link).unwrap_or_else(|| panic!("{link}: {:#}", self.all))
    }

    /// The links that are broken, with certainty.
    pub(crate) fn failed(&self) -> Vec<&str> {
        let links = self.all["links"].as_array().expect("links").iter();
        links.filter(|it| it["outcome"] == "failed").filter_map(|it| it["link"].as_str()).collect()
    }

    /// The broken link is named first, and alone, with these words; prints the line that a person reads.
    pub(crate) fn names(&self, world: &str, link: &str, words: &str) {
        println!("{world:<44} {link:<14} {}", self.saw(link));
        assert_eq!(self.all["first"], link, "{world}: {:#}", self.all);
        assert_eq!(self.failed(), [link], "{world}: {:#}", self.all);
        assert!(self.saw(link).contains(words), "{world}: `{words}` is not in `{}`", self.saw(link));
        assert_eq!(self.code, Some(1), "{world}: {}", self.stderr);
    }
}

/// Runs doctor in each, of which none is broken, and holds it to what it says of a link: its outcome, and words of it.
pub(crate) async fn each_is_well(namespace: &Namespace, worlds: Vec<(Broken, &'static str)>) {
    let mut worlds = worlds.into_iter().peekable();
    while worlds.peek().is_some() {
        let together = worlds.by_ref().take(AT_ONCE).map(|((world, link, words, mut variant), outcome)| async move {
            let said = variant.said(namespace).await;
            println!("{world:<44} {link:<14} {}", said.saw(link));
            assert_eq!((said.failed(), said.code), (vec![], Some(0)), "{world}: {:#}", said.all);
            assert_eq!(said.outcome(link), outcome, "{world}: {:#}", said.all);
            let all = said.of(link).to_string();
            assert!(all.contains(words), "{world}: `{words}` is not in `{all}`");
        });
        futures_util::future::join_all(together).await;
    }
}

/// A world in which one link is broken: what it is called, which link that is, words that doctor prints of it, and its settings.
pub(crate) type Broken = (&'static str, &'static str, &'static str, Variant);

/// As many at once as a small machine has cores, and some.
const AT_ONCE: usize = 4;

/// Runs doctor in each, and holds it to what is broken there.
pub(crate) async fn each_is_named(namespace: &Namespace, worlds: Vec<Broken>) {
    let mut worlds = worlds.into_iter().peekable();
    while worlds.peek().is_some() {
        let together = worlds.by_ref().take(AT_ONCE).map(|(world, link, words, mut variant)| async move {
            let said = variant.said(namespace).await;
            said.names(world, link, words);
        });
        futures_util::future::join_all(together).await;
    }
}

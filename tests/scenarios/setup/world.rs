//! What a setup meets.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use tempfile::TempDir;
use tests::{
    aws::{Moto, pointed_at},
    beacon::Beacon,
    binaries::{binary, python, root},
    duckdns::{self, Duckdns},
    guide::blocks,
    keeper::{Keeper, TOKEN},
    lan::Lan,
    prober::witnesses,
    process::{Ended, command, file, ours, run},
    skip::program,
};
use tokio::process::Command;

/// How long a setup may take beside other tests.
const PATIENCE: Duration = Duration::from_mins(3);

/// Where no beacon is.
const NO_SERVER: &str = "http://127.0.0.1:9/";

/// An `aws` before the real one: it notes what it is called with, and runs the function, which moto cannot.
const SHIM: &str = r#"#!/bin/sh
[ -z "$STATUSPAGE_TOKEN$DUCKDNS_TOKEN" ] || exit 9
for WORD in "$@"; do OUT=$WORD; printf '%s\n' "$WORD"; done >> "$CALLS"
# Here a run can be killed.
[ "$1 $2" != "lambda get-function-configuration" ] || [ -z "$HOLD" ] || exec sleep 30
# A region without it.
[ "$1" != scheduler ] || [ -z "$NO_SCHEDULER" ] || { echo "Could not connect to the endpoint URL: \"https://scheduler.\"" >&2; exit 255; }
if [ "$1 $2" = "lambda invoke" ]; then
  for WORD in "$@"; do case "$WORD" in fileb://*) EVENT=${WORD#fileb://} ;; esac; done
  DRY=
  grep -q '"dry_run":true' "$EVENT" && DRY=--dry-run
  of() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$EVENT"; }
  AT=$(of key_parameter)
  KEY=$("$REAL_AWS" ssm get-parameter --name "${AT:-/porchlight/beacon-key}" --with-decryption --query Parameter.Value --output text)
  if [ -n "$AT" ]; then set -- "$(of page_id)" "$(of component_id)" "$(of url)"; else
    set -- $("$REAL_AWS" lambda get-function-configuration --function-name lambda-prober --output text \
      --query 'Environment.Variables.[PAGE_ID, COMPONENT_ID, CANARY_URL]')
  fi
  # A home that is not there looks the same each time, and takes ten seconds to.
  if [ "$BEACON" = "$NOBODY" ] && [ -s "$CALLS.nobody" ]; then cp "$CALLS.nobody" "$OUT"; echo '{"StatusCode": 200}'; exit 0; fi
  env -i PATH="$PATH" BEACON_KEY="$KEY" CANARY_URL="${BEACON:-$3}" PAGE_ID="$1" COMPONENT_ID="$2" STATUSPAGE_URL="$PAGE_API" \
    STATUSPAGE_TOKEN="$PAGE_TOKEN" WITNESSES="$PAGE_WITNESSES" VANTAGE=outside ATTEMPTS=2 "$PROBER" --once --json $DRY > "$OUT"
  [ "$BEACON" != "$NOBODY" ] || cp "$OUT" "$CALLS.nobody"
  echo '{"StatusCode": 200}'
  exit 0
fi
exec "$REAL_AWS" "$@"
"#;

/// A `kubectl` whose cluster is a folder. It knows no word but those of a setup.
const KUBECTL: &str = r#"#!/bin/sh
printf '%s\n' "$*" >> "$CALLS"
[ "$*" != "config current-context" ] || { [ -n "$CLUSTER" ] && echo pi && exit 0 || exit 1; }
[ "$1 $2" = "--context pi" ] && shift 2 || { echo "error: it does not say which context" >&2; exit 1; }
case "$*" in
  "get namespace kube-system --output json --ignore-not-found")
    printf '{"metadata": {"uid": "%s"}}' "$(cat "$CLUSTER/uid" 2>/dev/null || echo 6f1c)" ;;
  "get namespace porchlight --output json --ignore-not-found") [ ! -d "$CLUSTER/ns" ] || echo '{}' ;;
  "create namespace porchlight") mkdir -p "$CLUSTER/ns" ;;
  "--namespace porchlight get secret "*" --output json --ignore-not-found") [ ! -f "$CLUSTER/ns/$5" ] || cat "$CLUSTER/ns/$5" ;;
  "create --filename -" | "replace --filename -")
    cat > "$CLUSTER/new" && NAME=$(sed 's/.*"metadata":{"name":"\([^"]*\)".*/\1/' "$CLUSTER/new")
    [ "$1" = create ] && [ -f "$CLUSTER/ns/$NAME" ] && exit 1
    mv "$CLUSTER/new" "$CLUSTER/ns/$NAME" ;;
  "--namespace porchlight delete secret "*" --ignore-not-found") rm -f "$CLUSTER/ns/$5" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"#;

/// A `helm` whose release is a file. It knows no word but those of a setup.
const HELM: &str = r#"#!/bin/sh
printf 'helm %s\n' "$*" >> "$CALLS"
[ -z "$HELM_KUBECONTEXT$HELM_NAMESPACE" ] && [ "$1 $2" = "--kube-context pi" ] && shift 2 || exit 1
case "$*" in
  "status porchlight --namespace porchlight --output json")
    [ -f "$CLUSTER/release" ] || { echo "Error: release: not found" >&2; exit 1; }
    cat "$CLUSTER/release" ;;
  "upgrade --install porchlight "*" --namespace porchlight --values "*)
    [ -f "$8" ] && [ -d "$4" ] && [ -d "$CLUSTER/ns" ] || exit 1
    N=$(cat "$CLUSTER/revision" 2>/dev/null || echo 0) && N=$((N + 1)) && echo $N > "$CLUSTER/revision"
    cp "$8" "$CLUSTER/values" && echo "{\"version\": $N, \"info\": {\"status\": \"deployed\"}}" > "$CLUSTER/release" ;;
  "uninstall porchlight --namespace porchlight")
    [ -f "$CLUSTER/release" ] || { echo "Error: uninstall: Release not loaded: porchlight: release: not found" >&2; exit 1; }
    rm "$CLUSTER/release" "$CLUSTER/revision" ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac
"#;

pub(crate) struct World {
    moto: Option<Moto>,
    pub(crate) keeper: Keeper,
    pub(crate) duckdns: Duckdns,
    /// Where the setup is started.
    pub(crate) place: TempDir,
    /// Whether the router is a test's own, and may be asked.
    has_router: bool,
}

impl World {
    /// `None`, and a skip, where moto is missing.
    pub(crate) async fn begin(test: &str) -> Option<Self> {
        Some(Self::around(Some(Moto::resident(test).await?)).await)
    }

    /// The home alone, for what never gets to AWS.
    pub(crate) async fn at_home() -> Self {
        Self::around(None).await
    }

    /// At home in that network, with all that is outside on its loopback. `None`, and a skip, where moto is missing.
    pub(crate) async fn behind(lan: &Lan, test: &str) -> Option<Self> {
        lan.home.enter();
        Some(Self { has_router: true, ..Self::begin(test).await? })
    }

    /// The same where the router is the test's own, and may be asked.
    pub(crate) fn with_router(self) -> Self {
        Self { has_router: true, ..self }
    }

    /// AWS.
    pub(crate) fn moto(&self) -> &Moto {
        self.moto.as_ref().expect("this world has it")
    }

    async fn around(moto: Option<Moto>) -> Self {
        let duckdns = Duckdns::open("81.2.69.142".parse().ok()).await;
        let place = tempfile::tempdir().expect("a folder");
        for name in ["bin", "cluster"] {
            fs::create_dir(place.path().join(name)).expect("a folder");
        }
        for (name, text) in [("aws", SHIM), ("kubectl", KUBECTL), ("helm", HELM)] {
            let path = place.path().join("bin").join(name);
            let executable = fs::Permissions::from_mode(0o755);
            fs::write(&path, text).and_then(|()| fs::set_permissions(&path, executable)).expect("ours");
        }
        // A released function: what is in it is never run here.
        let bootstrap = file(place.path(), "bootstrap", "the function of a release");
        if moto.is_some() {
            let mut zip = command(python().expect("moto needs it"));
            zip.current_dir(place.path()).args(["-m", "zipfile", "-c", "lambda-prober-arm64.zip", &bootstrap]);
            assert_eq!(run(zip, PATIENCE).await.code, Some(0));
        }
        Self { moto, keeper: Keeper::start().await, duckdns, place, has_router: false }
    }

    /// The function as a release has it.
    pub(crate) fn zip(&self) -> String {
        self.place.path().join("lambda-prober-arm64.zip").display().to_string()
    }

    pub(crate) fn folder(&self) -> PathBuf {
        self.place.path().join("porchlight-setup")
    }

    /// A command of the tool in that place, with both secrets, that is asked nothing.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = ours("porchlight");
        let path = std::env::var("PATH").expect("a PATH");
        command.args(words).current_dir(self.place.path());
        if let Some(moto) = &self.moto {
            command.envs(pointed_at(&moto.endpoint)).env("REAL_AWS", moto.command_line());
        }
        command.env("PATH", format!("{}:{path}", self.place.path().join("bin").display()));
        command.env("CALLS", self.place.path().join("calls"));
        command.env("STATUSPAGE_URL", self.keeper.api()).env("DUCKDNS_URL", self.duckdns.url());
        command.env("STATUSPAGE_TOKEN", TOKEN).env("DUCKDNS_TOKEN", duckdns::TOKEN).env("PAGE_TOKEN", TOKEN);
        command.env("CLUSTER", self.place.path().join("cluster"));
        command.env("HELM_KUBECONTEXT", "elsewhere").env("HELM_NAMESPACE", "elsewhere");
        // No test asks this machine's router.
        if words.first() == Some(&"setup") && !self.has_router && !words.contains(&"--router") {
            command.arg("--no-router");
        }
        // Nothing answers there, until a beacon does.
        command.env("BEACON", NO_SERVER).env("NOBODY", NO_SERVER).env("PROBER", binary("lambda-prober"));
        command.env("PAGE_WITNESSES", witnesses(&self.keeper.api())).env("PAGE_API", self.keeper.api());
        command
    }

    /// The commands of the guide with that mark, as they are pasted, for the name that the emulator has.
    pub(crate) async fn pastes(&self, mark: &str) -> Ended {
        let guide = fs::read_to_string(root().join("infra/SETUP.md")).expect("a guide");
        let blocks: Vec<_> = blocks(&guide).into_iter().filter(|block| block.mark == mark).collect();
        assert_eq!(blocks.len(), 1, "{mark}");
        let like = self.command(&[]);
        let mut shell = command("sh");
        for (name, value) in like.as_std().get_envs() {
            if let Some(value) = value.filter(|_| name != "STATUSPAGE_TOKEN" && name != "DUCKDNS_TOKEN") {
                shell.env(name, value);
            }
        }
        file(self.place.path(), "statuspage.token", TOKEN);
        file(self.place.path(), "duckdns.token", duckdns::TOKEN);
        let tool = binary("porchlight").parent().expect("a folder").display().to_string();
        let script = blocks[0].script.replace("myhome", "home").replace("setup --yes", "setup --no-router --yes");
        shell.current_dir(self.place.path()).args(["-c", &format!("PATH={tool}:$PATH\n{script}")]);
        run(shell, PATIENCE).await
    }

    pub(crate) async fn run(&self, words: &[&str]) -> Ended {
        run(self.command(words), PATIENCE).await
    }

    /// The same by the AWS command line as it is, which takes its time at each call.
    pub(crate) async fn run_by_real_aws(&self, words: &[&str]) -> Ended {
        let mut command = self.command(words);
        command.env("REAL_AWS", program("aws").expect("moto needs it"));
        run(command, PATIENCE).await
    }

    /// The same while that beacon answers for the home.
    pub(crate) async fn run_at(&self, words: &[&str], beacon: &Beacon) -> Ended {
        let mut command = self.command(words);
        command.env("BEACON", beacon.url());
        run(command, PATIENCE).await
    }

    /// The stacks, functions and parameters that there are, by name.
    pub(crate) async fn things(&self) -> Vec<String> {
        let mut things = Vec::new();
        for (words, list, name) in [
            (&["cloudformation", "describe-stacks"][..], "Stacks", "StackName"),
            (&["lambda", "list-functions"], "Functions", "FunctionName"),
            (&["ssm", "describe-parameters"], "Parameters", "Name"),
        ] {
            let answer = self.moto().ok(words).await;
            things.extend(
                answer[list].as_array().into_iter().flatten().filter_map(|it| it[name].as_str().map(str::to_owned)),
            );
        }
        things.sort();
        things
    }

    /// What `aws` was called with so far, a word each line.
    pub(crate) fn calls(&self) -> String {
        fs::read_to_string(self.place.path().join("calls")).unwrap_or_default()
    }
}

/// The steps that have that word before them.
pub(crate) fn steps<'a>(printed: &'a str, word: &str) -> Vec<&'a str> {
    let of = |line: &'a str| line.strip_prefix(word)?.trim_start().split(": ").next();
    printed.lines().filter_map(of).collect()
}

/// All files of a folder, with their texts.
pub(crate) fn texts(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| {
            let mode = entry.metadata().expect("a file").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{entry:?} is its owner's alone");
            let text = if mode & 0o170_000 == 0o040_000 {
                String::new()
            } else {
                fs::read_to_string(entry.path()).expect("a text")
            };
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect()
}

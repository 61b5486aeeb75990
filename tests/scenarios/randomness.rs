//! What a first random number costs the programs that are shipped: AWS-LC must not gather entropy from the processor's timing
//! for it (see `.cargo/config.toml`), which takes several times as long as all the rest of a short run. Their symbols are
//! stripped, so they are measured: a probe of a home over TLS beside one of the same home without.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tempfile::TempDir;
use tests::{
    beacon::Beacon,
    binaries::root,
    front::Front,
    image::Image,
    keeper::{COMPONENT, Keeper, PAGE, TOKEN},
    prober::witnesses,
    process::command,
    skip::{program, skip},
};
use tokio::{process::Command, task::spawn_blocking};
use wait4::Wait4;

/// How often each is measured; the least counts, because a busy machine only adds.
const RUNS: usize = 5;

/// How much more processor time a run over TLS may take. Key exchange, certificate and all came to 1.6 times, also under
/// qemu; with entropy from timing it was 8 times and more.
const MAX_RATIO: f64 = 4.0;

/// A home with and without TLS, and a page.
struct World {
    beacon: Beacon,
    front: Front,
    keeper: Keeper,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let (beacon, folder) = (Beacon::start().await, tempfile::tempdir().expect("a folder"));
        let front = Front::open(beacon.public, folder.path()).await;
        Self { beacon, front, keeper: Keeper::start().await, _folder: folder }
    }

    /// The ratio of what the program takes with TLS to what it takes without.
    async fn ratio(&self, program: &[&Path], words: &[&str]) -> f64 {
        let (mut with, mut without) = (f64::INFINITY, f64::INFINITY);
        for _ in 0..RUNS {
            with = with.min(self.seconds(program, words, &self.front.url()).await);
            without = without.min(self.seconds(program, words, &self.beacon.url()).await);
        }
        eprintln!(
            "{}: {:.1} ms with TLS, {:.1} ms without",
            program[program.len() - 1].display(),
            with * 1e3,
            without * 1e3
        );
        with / without
    }

    /// Processor time of one run.
    async fn seconds(&self, program: &[&Path], words: &[&str], home: &str) -> f64 {
        let mut run: Command = command(program[0]);
        run.args(&program[1..]).args(words);
        run.env("CANARY_URL", home).env("STATUSPAGE_URL", self.keeper.api()).env("TOKEN", TOKEN);
        run.env("PAGE_ID", PAGE).env("COMPONENT_ID", COMPONENT).env("WITNESSES", witnesses(&self.keeper.api()));
        run.env("SSL_CERT_FILE", &self.front.authority);
        let run = spawn_blocking(move || {
            let mut run = run.into_std();
            run.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts").wait4().expect("it ends")
        });
        let ended = run.await.expect("it does not panic");
        assert!(ended.status.success(), "the home is up: {words:?}, {home}");
        (ended.rusage.utime + ended.rusage.stime).as_secs_f64()
    }
}

async fn is_cheap(program: &[&Path], words: &[&str]) {
    let ratio = World::new().await.ratio(program, words).await;
    assert!(ratio < MAX_RATIO, "the first random number is dear: a probe over TLS takes {ratio:.1} times one without");
}

fn qemu(test: &str) -> Option<PathBuf> {
    let qemu = program("qemu-aarch64-static");
    if qemu.is_none() {
        skip(test, "qemu-user-static is missing; tests/run installs it");
    }
    qemu
}

#[tokio::test]
async fn the_function_begins_without_gathering_entropy() {
    let function = root().join("target/lambda/lambda-prober/bootstrap");
    if !function.is_file() {
        return skip("randomness_function", "the arm64 function has not been built; tests/run builds it");
    }
    let Some(qemu) = qemu("randomness_function") else { return };
    is_cheap(&[&qemu, Path::new("-L"), Path::new("/usr/aarch64-linux-gnu"), &function], &["--once"]).await;
}

/// One executable is all programs of the image.
#[tokio::test]
async fn the_programs_of_the_image_begin_without_gathering_entropy() {
    let folder = tempfile::tempdir().expect("a folder");
    if let Some(image) = Image::native("randomness_image") {
        is_cheap(&[&image.executable(folder.path()).await], &["probe"]).await;
    }
    if let Some(image) = Image::arm64("randomness_image_arm64")
        && let Some(qemu) = qemu("randomness_image_arm64")
    {
        is_cheap(&[&qemu, &image.executable(folder.path()).await], &["probe"]).await;
    }
}

/// cargo reads its configuration only in the checkout; builds from elsewhere set it too.
#[test]
fn whatever_builds_what_is_shipped_says_so() {
    let read = |path: &str| std::fs::read_to_string(root().join(path)).expect("it is there");
    for (path, word) in [
        (".cargo/config.toml", "AWS_LC_SYS_NO_JITTER_ENTROPY = \"1\""),
        ("Dockerfile", "export AWS_LC_SYS_NO_JITTER_ENTROPY=1;"),
        (".github/workflows/release.yml", "AWS_LC_SYS_NO_JITTER_ENTROPY: \"1\""),
    ] {
        assert!(read(path).contains(word), "{path}");
    }
    let guide = read("infra/README.md");
    for line in guide.lines().filter(|line| line.contains("cargo lambda build")) {
        assert!(line.starts_with("AWS_LC_SYS_NO_JITTER_ENTROPY=1 "), "{line}");
    }
}

//! `bandwidth` beside curl over an unshaped loopback, HTTP and HTTPS, with about as much data: how fast they are, what
//! processor time a GB costs them, and the peak of memory. Both talk to the emulated fast.com, taking turns.

use std::path::Path;

use serde_json::Value;
use tests::{
    cost::cost,
    fast::{Fast, OBJECT},
    keeper::{Keeper, TOKEN},
    process::{command, file},
    skip::program,
};

use super::{median, released};

const ROUNDS: usize = 7;
/// How often curl gets the whole object: 2 GB.
const OBJECTS: u64 = 76;

/// What a program did.
struct Cost {
    gbit_s: f64,
    /// Seconds of processor time for a GB of payload.
    cpu: f64,
    /// At most, in MiB.
    memory: f64,
}

pub(super) async fn measure(release: &Path) {
    let binary = released(release, "bandwidth");
    let Some(curl) = program("curl") else {
        println!("bandwidth beside curl: not measured, curl is missing");
        return;
    };
    for tls in [false, true] {
        let fast = if tls { Fast::with_tls(&[]).await } else { Fast::open(&[]).await };
        let folder = tempfile::tempdir().expect("a folder");
        let trusted = file(folder.path(), "ca.pem", fast.web.certificate.as_deref().unwrap_or_default());
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let keeper = Keeper::start().await;
            ours.push(bandwidth(&binary, &fast, &keeper, &trusted).await);
            theirs.push(other(&curl, &fast, folder.path(), &trusted).await);
        }
        let of = |costs: &[Cost], what: fn(&Cost) -> f64| median(&mut costs.iter().map(what).collect::<Vec<_>>());
        let (speed, their_speed) = (of(&ours, |cost| cost.gbit_s), of(&theirs, |cost| cost.gbit_s));
        let (cpu, their_cpu) = (of(&ours, |cost| cost.cpu), of(&theirs, |cost| cost.cpu));
        println!(
            "bandwidth over {}: {speed:.1} Gbit/s, curl {their_speed:.1}; {cpu:.2} s of processor time for a GB, curl \
             {their_cpu:.2}, ratio {:.2} (goal: at most 1.5); {:.1} MiB at most, curl {:.1} (goal: below 16)",
            if tls { "HTTPS" } else { "HTTP" },
            cpu / their_cpu,
            of(&ours, |cost| cost.memory),
            of(&theirs, |cost| cost.memory),
        );
    }
}

async fn bandwidth(binary: &Path, fast: &Fast, keeper: &Keeper, trusted: &str) -> Cost {
    let mut command = command(binary);
    command
        .args(["--json", "--source", "fast", "--max-bytes", "2GB", "--data-budget", "100TB", "--runs-per-day", "1"])
        .args(["--fast-url", &fast.url()])
        .env("KEEPER_URL", &keeper.url)
        .env("KEEPER_TOKEN", TOKEN)
        .env("SSL_CERT_FILE", trusted);
    let cost = cost(command).await;
    let said = &cost.stdout;
    let output: Value = serde_json::from_str(said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let down = &output["details"]["down"];
    let number = |name: &str| down[name].as_f64().unwrap_or_else(|| panic!("{name} is a number: {said}"));
    let bytes = number("bytes");
    Cost {
        gbit_s: bytes * 8.0 / 1e9 / number("seconds"),
        cpu: cost.cpu.as_secs_f64() / (bytes / 1e9),
        memory: cost.memory.whole,
    }
}

/// curl gets whole objects.
async fn other(curl: &Path, fast: &Fast, folder: &Path, trusted: &str) -> Cost {
    let object = fast.object();
    let list = format!("url = \"{object}\"\noutput = \"/dev/null\"\n").repeat(usize::try_from(OBJECTS).unwrap_or(1));
    let mut command = command(curl);
    command.args(["-s", "--cacert", trusted]);
    command.args(["-K", &file(folder, "list", &list)]);
    let before = fast.web.traffic.sent();
    let cost = cost(command).await;
    assert!(fast.web.traffic.sent() - before >= OBJECTS * OBJECT, "curl has got all");
    #[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let gb = (OBJECTS * OBJECT) as f64 / 1e9;
    Cost { gbit_s: gb * 8.0 / cost.took.as_secs_f64(), cpu: cost.cpu.as_secs_f64() / gb, memory: cost.memory.whole }
}

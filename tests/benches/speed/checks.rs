//! Ten thousand `http` checks a minute from one process, beside Debian's blackbox exporter; a plugin beside its bare program; and
//! how long ten thousand definitions take to read.

use std::{
    env,
    fmt::Write as _,
    fs,
    fs::Permissions,
    net::SocketAddr,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use checks::{
    check::{Kind, ScriptCheck},
    outcome::State,
    probe::{Prober, script::protect_this_process},
};
use tests::{
    process::{Process, command, file},
    skip::program,
};
use tokio::{
    process::{Child, Command},
    task::JoinSet,
    time::sleep,
};

use super::{
    beacon::{free_address, listening, start_nginx, terminate},
    cpu, median, milliseconds, proc_mib, released,
};

const CHECKS: usize = 10_000;

/// Two intervals: in the first each check finds its place.
const SETTLING: Duration = Duration::from_secs(75);
const MEASURED: Duration = Duration::from_secs(60);

const SCRIPTS: usize = 200;
const ROUNDS: usize = 5;

pub(super) async fn measure(release: &Path) {
    println!("\nchecks");
    let folder = tempfile::tempdir().expect("a folder");
    definitions(folder.path());
    scripts().await;
    scripts_of_a_user(folder.path());
    let target = free_address();
    let Some(nginx) = start_nginx(folder.path(), target).await else {
        println!("  under load: not measured, nginx is missing (Debian: nginx-light)");
        return;
    };
    let ours = many(release, folder.path(), target).await;
    match start_blackbox(folder.path()).await {
        Some((blackbox, address)) => {
            let theirs = probes(&blackbox, address, target).await;
            println!(
                "  processor time of a check: {:.0} µs, of a probe of blackbox_exporter {:.0} µs, ratio {:.2} (goal: at most 0.5)",
                ours * 1e6,
                theirs * 1e6,
                ours / theirs
            );
            terminate(blackbox).await;
        }
        None => println!("  beside blackbox_exporter: not measured (Debian: prometheus-blackbox-exporter)"),
    }
    terminate(nginx).await;
}

fn checks_yml(target: SocketAddr) -> String {
    let mut text = String::from("defaults: { every: 60s, timeout: 10s }\nchecks:\n");
    for index in 0..CHECKS {
        let _ = writeln!(
            text,
            "  - {{ name: c{index}, http: {{ url: \"http://{target}/{index}\" }}, component: nowhere }}"
        );
    }
    text
}

/// How long definitions take to read.
fn definitions(folder: &Path) {
    let path = file(folder, "checks.yml", &checks_yml(([127, 0, 0, 1], 80).into()));
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            let loaded = checks::file::checks_yml::load(Path::new(&path)).expect("they are in order");
            assert_eq!(loaded.checks.len(), CHECKS);
            milliseconds(begun.elapsed())
        })
        .collect();
    println!("  {CHECKS} definitions are read in {:.0} ms (goal: below 200)", median(&mut times));
}

/// A plugin by a check, beside the bare program: as an ordinary user, as `checks` is run by the units, the chart and compose.
fn scripts_of_a_user(folder: &Path) {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let program = folder.join("speed");
    fs::copy(env::current_exe().expect("a path"), &program).expect("there is room");
    for path in [folder, &program] {
        fs::set_permissions(path, Permissions::from_mode(0o755)).expect("it is ours");
    }
    let mut command = std::process::Command::new(program);
    command.arg("scripts").env_clear().current_dir("/").uid(65534).gid(65534);
    assert!(command.status().expect("it runs").success());
}

/// The same in this process.
pub(super) async fn scripts() {
    // With what keeps a program from our secrets, as `checks` has it.
    protect_this_process([PathBuf::from("/run/secrets/of/nobody")]).expect("the kernel has it");
    let prober = Prober::new(None).expect("a prober");
    let check = ScriptCheck {
        command: vec!["/bin/echo".into(), "OK | a=1s;2;3".into()],
        environment: Vec::new(),
        folder: None,
        uid: None,
    };
    let (kind, mut ours, mut bare) = (Kind::Script(check), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for _ in 0..SCRIPTS {
            let outcome = prober.run(&kind, tokio::time::Instant::now() + Duration::from_secs(10)).await;
            assert_eq!(outcome.state, State::Ok, "{outcome:?}");
        }
        ours.push(milliseconds(begun.elapsed()));
        let begun = Instant::now();
        for _ in 0..SCRIPTS {
            let output = Command::new("/bin/echo").arg("OK | a=1s;2;3").stdin(Stdio::null()).output().await;
            assert!(output.expect("it runs").status.success());
        }
        bare.push(milliseconds(begun.elapsed()));
    }
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let each = |times: &mut Vec<f64>| median(times) / SCRIPTS as f64;
    let (ours, bare) = (each(&mut ours), each(&mut bare));
    let user = rustix::process::geteuid();
    let whose = if user.is_root() { "root, who becomes another user for it" } else { "a user" };
    println!(
        "  a script of {whose}: {ours:.2} ms, the bare program {bare:.2} ms, ratio {:.2} (goal: at most 1.3)",
        ours / bare
    );
}

/// The processor time of a check, in seconds.
async fn many(release: &Path, folder: &Path, target: SocketAddr) -> f64 {
    let (keeper, metrics) = (free_address(), free_address());
    let token = "keeper-token-of-the-tests";
    let mut keeping = command(released(release, "keeper"));
    keeping.env("KEEPER_ADDR", keeper.to_string()).env("KEEPER_TOKEN", token).env("LOG_LEVEL", "error");
    keeping.env("DATABASE_URL", format!("sqlite:{}", folder.join("checks.db").display()));
    let _keeping = Process::start(keeping);
    listening(keeper).await;
    let mut checks = command(released(release, "checks"));
    checks.env("CHECKS_FILE", file(folder, "checks.yml", &checks_yml(target))).env("CHECKS_ADDR", metrics.to_string());
    checks.env("KEEPER_URL", format!("http://{keeper}")).env("KEEPER_TOKEN", token).env("LOG_LEVEL", "error");
    let checks = Process::start(checks);
    let pid = checks.pid();
    sleep(SETTLING).await;
    let (runs, spent, begun) = (runs(metrics).await, cpu(pid), Instant::now());
    let (mut files, mut late) = (0, Vec::new());
    while begun.elapsed() < MEASURED {
        sleep(Duration::from_millis(500)).await;
        files = files.max(fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count));
        late.push(metric(metrics, "porchlight_checks_schedule_lag_seconds").await);
    }
    let spent = cpu(pid).saturating_sub(spent).as_secs_f64();
    let runs = self::runs(metrics).await - runs;
    late.sort_by(f64::total_cmp);
    println!(
        "  {runs:.0} runs in {MEASURED:?}: {:.1} % of a core, {:.1} MiB resident at most (goal: below 64), {files} files open at \
         most, begun {:.0} ms late at most (goal: p99 below 1000)",
        spent / MEASURED.as_secs_f64() * 100.0,
        proc_mib(pid, "status", "VmHWM:"),
        late.last().copied().unwrap_or_default() * 1e3,
    );
    spent / runs
}

async fn runs(metrics: SocketAddr) -> f64 {
    let mut sum = 0.0;
    for state in ["ok", "warning", "critical", "unknown"] {
        sum += metric(metrics, &format!("porchlight_checks_runs_total{{outcome=\"{state}\"}}")).await;
    }
    sum
}

async fn metric(address: SocketAddr, name: &str) -> f64 {
    let text = reqwest::get(format!("http://{address}/metrics")).await.expect("metrics").text().await.expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    line.unwrap_or_else(|| panic!("{name} is not in {text}"))
}

async fn start_blackbox(folder: &Path) -> Option<(Child, SocketAddr)> {
    let config = "modules:\n  http:\n    prober: http\n    timeout: 10s\n    http: { preferred_ip_protocol: ip4 }\n";
    let address = free_address();
    let mut blackbox = command(program("prometheus-blackbox-exporter")?);
    blackbox.arg(format!("--config.file={}", file(folder, "blackbox.yml", config)));
    blackbox.arg(format!("--web.listen-address={address}")).stdout(Stdio::null()).stderr(Stdio::null());
    let child = blackbox.spawn().ok()?;
    listening(address).await;
    Some((child, address))
}

/// The processor time of a probe, in seconds.
async fn probes(blackbox: &Child, address: SocketAddr, target: SocketAddr) -> f64 {
    let (pid, left) = (blackbox.id().expect("it runs"), Arc::new(AtomicUsize::new(CHECKS)));
    let before = cpu(pid);
    let mut clients = JoinSet::new();
    for _ in 0..8 {
        let (left, client) = (Arc::clone(&left), reqwest::Client::new());
        clients.spawn(async move {
            while let Ok(index) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
                let url = format!("http://{address}/probe?module=http&target=http://{target}/{index}");
                let text = client.get(url).send().await.expect("an answer").text().await.expect("a body");
                assert!(text.contains("probe_success 1"), "{text}");
            }
        });
    }
    clients.join_all().await;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let each = cpu(pid).saturating_sub(before).as_secs_f64() / CHECKS as f64;
    each
}

//! A home whose clock is wrong joins all the same, and says so.

use tests::{
    process::{Process, file, ours, own_address},
    skip::{libfaketime, skip},
};
use tokio::task::LocalSet;

use super::outside::Outside;

#[tokio::test]
async fn a_home_whose_clock_is_off_by_a_day_joins_and_is_told_so() {
    let Some(libfaketime) = libfaketime() else {
        return skip("a home whose clock is off by a day", "libfaketime is missing; tests/run installs it");
    };
    LocalSet::new()
        .run_until(async {
            let folder = tempfile::tempdir().expect("a temporary folder");
            for (offset, said) in [("+1d", "24h ahead of"), ("-1d", "24h behind"), ("+0", "")] {
                let outside = Outside::start().await;
                let code = file(folder.path(), "code", &outside.code().to_text());
                let address = format!("{}:0", own_address());
                let mut join = ours("porchlight");
                join.args(["up", "--join", "--no-bandwidth", "--page-addr", &address, "--beacon-addr", &address]);
                join.arg("--data").arg(folder.path().join(format!("home{offset}")));
                join.env("JOIN_CODE_FILE", code).env("TARGET_HOST", "127.0.0.1");
                join.env("LD_PRELOAD", &libfaketime).env("FAKETIME", offset).env("DONT_FAKE_MONOTONIC", "1");
                let mut home = Process::start(join);
                let lines = home
                    .wait_for("its page", |lines| {
                        lines.iter().any(|line| line.trim().starts_with("page ")).then(|| lines.join("\n"))
                    })
                    .await;
                assert!(lines.contains("Joined the machine at"), "{offset}: {lines}");
                assert_eq!(lines.contains("This machine's clock is"), !said.is_empty(), "{offset}: {lines}");
                assert!(lines.contains(said), "{offset}: {lines}");
                assert_eq!(home.terminate().await.code(), Some(0));
            }
        })
        .await;
}

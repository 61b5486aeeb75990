//! Wrong settings are refused in one sentence, before any connection is made.

use std::time::Duration;

use tests::process::{ours, run};

#[tokio::test]
async fn wrong_settings_are_reported_in_a_sentence() {
    let metric = "gytm4qzbx9t6";
    for (arguments, sentence) in [
        (&[][..], "there is nowhere to hand over to: set KEEPER_URL, or PAGE_ID and METRIC_ID"),
        (&["--dry-run", "--source", "slow"], "a source is fast, cloudflare, auto, or the address of a file"),
        (&["--dry-run", "--source", "ftp://a/b"], "an address begins with http:// or https://"),
        (&["--dry-run", "--source", "http://u:p@a/b"], "an address must not hold a user name or password"),
        (&["--dry-run", "--streams", "0"], "0 is not in 1..=8"),
        (&["--dry-run", "--streams", "9"], "9 is not in 1..=8"),
        (&["--dry-run", "--max-seconds", "0"], "a duration is written like 5s, 2m or 1h30m, is more than nothing"),
        (&["--dry-run", "--max-seconds", "40"], "MAX_SECONDS: a download of 40s"),
        (&["--dry-run", "--upload", "--max-seconds", "20"], "MAX_SECONDS: a download and an upload of 20s"),
        (&["--dry-run", "--max-bytes", "many"], "an amount of data is written like 500MB or 60GB"),
        (&["--dry-run", "--max-bytes", "10kB"], "less than 1MB says nothing of a line"),
        (&["--dry-run", "--data-budget", "10GB"], "DATA_BUDGET is set, but nothing remembers what past runs used"),
        (&["--dry-run", "--runs-per-day", "0"], "0 is not in 1..=1440"),
        (&["--dry-run", "--upload", "--source", "http://a/b"], "nothing can be uploaded to the address of a file"),
        (&["--dry-run", "--fast-url", "fast.com"], "an address is written like https://example.com/path"),
        (&["--keeper-url", "http://x", "--metric-id", metric], "METRIC_ID and KEEPER_URL are both set"),
        (
            &["--keeper-url", "http://x", "--upload", "--metric-id-upload", metric],
            "METRIC_ID_UPLOAD and KEEPER_URL are both set",
        ),
        (
            &["--page-id", metric, "--metric-id", metric, "--metric-id-upload", metric],
            "METRIC_ID_UPLOAD is set, but no upload is measured: set UPLOAD=true too",
        ),
        (&["--dry-run", "--state-dir", "/nowhere"], "STATE_DIR: /nowhere is no folder: make it, or name one"),
        (&["--page-id", metric], "PAGE_ID is set without a metric: set METRIC_ID too"),
    ] {
        let mut command = ours("bandwidth");
        command.args(arguments).env("KEEPER_TOKEN", "secret-token").env("TOKEN", "secret-token");
        let ended = run(command, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(sentence), "{arguments:?}: {ended:?}");
        assert_eq!(ended.stderr.trim().lines().count(), 1, "{ended:?}");
        assert!(!ended.stderr.contains("secret-token"), "{ended:?}");
    }
    let mut command = ours("bandwidth");
    command.arg("--dry-run").env("UPLOAD", "perhaps");
    let ended = run(command, Duration::from_secs(10)).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

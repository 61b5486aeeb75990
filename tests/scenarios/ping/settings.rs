//! Wrong settings are refused in one sentence; half a page stops no dry run.

use std::time::Duration;

use tests::{
    keeper::PAGE,
    process::{ours, run},
};

use crate::world::{dry, reading};

#[tokio::test]
async fn a_dry_run_needs_nowhere_to_hand_over_to_and_no_half_of_a_page_stops_it() {
    for (name, id) in [("PAGE_ID", PAGE), ("METRIC_ID", "aaaaaaaaaaaa")] {
        let mut ours = dry("127.0.0.1");
        ours.env(name, id);
        assert!(reading(ours).await["value"].is_number(), "{name}");
    }
}

#[tokio::test]
async fn wrong_settings_are_reported_in_a_sentence() {
    let wrong = async |arguments: &[&str], said: &str| {
        let mut command = ours("ping");
        command.args(arguments).env("KEEPER_TOKEN", "secret-token");
        let ended = run(command, Duration::from_secs(10)).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.stderr.contains(said) && ended.stderr.trim().lines().count() == 1, "{arguments:?}: {ended:?}");
        assert!(!ended.stderr.contains("secret-token"));
    };
    wrong(&[], "there is nowhere to hand over to: set KEEPER_URL, or PAGE_ID and METRIC_ID").await;
    wrong(&["--target-host", "http://x"], "a target is a name or an address").await;
    wrong(&["--dry-run", "--target-host", "a,b,a"], "TARGET_HOST: a is there twice").await;
    wrong(&["--dry-run", "--count", "0"], "0 is not in 1..=1000").await;
    wrong(&["--dry-run", "--interval", "1ms"], "an interval is 10ms or longer").await;
    wrong(&["--dry-run", "--count", "60"], "COUNT and INTERVAL: 60 echoes").await;
    wrong(&["--keeper-url", "http://x", "--metric-id", "aaaaaaaaaaaa"], "METRIC_ID and KEEPER_URL are both set").await;
    wrong(&["--page-id", "aaaaaaaaaaaa"], "PAGE_ID is set without a metric: set METRIC_ID too").await;
    wrong(&["--metric-id", "aaaaaaaaaaaa"], "a metric is set without a page: set PAGE_ID too").await;
    wrong(&["--page-id", "aaaaaaaaaaaa", "--metric-id", "aaaaaaaaaaaa"], "TOKEN is not set").await;
    wrong(&["--method", "udp"], "invalid value 'udp'").await;
}

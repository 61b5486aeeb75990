//! Files that change while checks run.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{checks::known, keeper::Keeper};
use tokio::time::sleep;

use super::world::{Checks, Target, checks_yml, counts, until};

#[tokio::test]
async fn an_edit_a_removal_and_a_rename_are_taken_up_and_history_goes_on() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", ""), target.check("gone", "")]).await;
    let before = until(&keeper, "web", "is well", counts("ok")).await;
    until(&keeper, "gone", "is well", counts("ok")).await;
    checks.write(&checks_yml(&[target.check("site", ", was: web"), target.check("new", "")]));
    let renamed = until(&keeper, "site", "is there", counts("ok")).await;
    assert_eq!((&renamed["component_id"], &renamed["since"]), (&before["component_id"], &before["since"]));
    until(&keeper, "new", "is well", counts("ok")).await;
    for gone in ["web", "gone"] {
        assert_eq!(known(&keeper, gone).await, Value::Null);
    }
    assert_eq!(checks.metric("porchlight_checks_defined").await, 2);
}

#[tokio::test]
async fn a_wrong_file_leaves_what_runs_alone_and_is_reported() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let mut checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    checks.write(&checks_yml(&[target.check("web", ", http: 7, colour: red")]));
    let said = |lines: &[String]| lines.iter().find(|line| line.contains("checks.yml:3")).cloned();
    let line = checks.process.wait_for("the log line", said).await;
    assert!(line.contains("what runs goes on as it is"), "{line}");
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 0);
    let runs = target.asked();
    while target.asked() < runs + 2 {
        sleep(Duration::from_millis(100)).await;
    }
    let wrong = until(&keeper, "checks-file", "is wrong", counts("critical")).await;
    assert!(wrong["last_run"]["text"].as_str().is_some_and(|text| text.contains("checks.yml:3")), "{wrong}");
    checks.write(&checks_yml(&[target.check("web", "")]));
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 1);
    assert_eq!(known(&keeper, "web").await["counts"], json!("ok"));
}

#[tokio::test]
async fn a_file_that_was_cut_off_leaves_what_runs_alone_and_an_empty_list_ends_it() {
    let (keeper, target) = (Keeper::start().await, Target::start().await);
    let checks = Checks::start(&keeper, &[target.check("web", "")]).await;
    until(&keeper, "web", "is well", counts("ok")).await;
    // A list somewhere else in what is left of it is none of checks.
    checks.write("defaults: {retries: 2} # not []\n");
    let wrong = until(&keeper, "checks-file", "is wrong", counts("critical")).await;
    let text = wrong["last_run"]["text"].as_str().unwrap_or_default();
    assert!(text.contains("it defines no checks any more"), "{wrong}");
    assert_eq!(known(&keeper, "web").await["counts"], json!("ok"));
    assert_eq!(checks.metric("porchlight_checks_files_valid").await, 0);
    checks.write("checks: []\n");
    until(&keeper, "checks-file", "is in order", counts("ok")).await;
    until(&keeper, "web", "is gone", Value::is_null).await;
    assert_eq!(checks.metric("porchlight_checks_defined").await, 0);
}

/// While one file after the other is taken up, wrong ones among them, each check runs at its interval.
#[tokio::test]
async fn edit_after_edit_no_check_is_lost_or_doubled() {
    let edits = if std::env::var_os("LONG").is_some_and(|long| long == "1") { 100 } else { 6 };
    let keeper = Keeper::start().await;
    let (mut targets, extra) = (Vec::new(), Target::start().await);
    for _ in 0..8 {
        targets.push(Target::start().await);
    }
    let mut random = fastrand::Rng::with_seed(19);
    let mut lines: Vec<String> =
        targets.iter().enumerate().map(|(number, target)| target.check(&format!("c{number}"), "")).collect();
    let checks = Checks::start(&keeper, &lines).await;
    let (mut taken_up, mut shown) = (0, checks.metric("porchlight_checks_files_loaded_timestamp_seconds").await);
    while taken_up < edits {
        let number = random.usize(..targets.len());
        let edited = lines.iter_mut().find(|line| line.contains(&format!("name: c{number},"))).expect("its line");
        *edited = targets[number].check(&format!("c{number}"), &format!(", title: \"Title {}\"", random.u16(..)));
        random.shuffle(&mut lines);
        let comes = random.bool().then(|| extra.check("extra", ""));
        let text = checks_yml(&[lines.clone(), comes.into_iter().collect()].concat());
        if random.u8(..4) == 0 {
            checks.write(&text.replace("every: 5s", "evry: 5s"));
            sleep(Duration::from_secs(3)).await;
        }
        checks.write(&text);
        // It counts in whole seconds.
        sleep(Duration::from_millis(1100)).await;
        loop {
            let now = checks.metric("porchlight_checks_files_loaded_timestamp_seconds").await;
            if now > shown && checks.metric("porchlight_checks_files_valid").await == 1 {
                shown = now;
                break;
            }
            sleep(Duration::from_millis(100)).await;
        }
        taken_up += 1;
    }
    for (number, target) in targets.iter().enumerate() {
        let times = target.times();
        assert!(times.len() > 2, "c{number} ran {} times", times.len());
        // After its first run each check goes to a place of its own.
        for gap in times.windows(2).skip(1).map(|pair| pair[1] - pair[0]) {
            let late = gap.abs_diff(Duration::from_secs(5));
            assert!(late < Duration::from_millis(1500), "c{number} ran {gap:?} after the time before, and not 5 s");
        }
    }
    assert_eq!(checks.metric("porchlight_checks_runs_left_out_total").await, 0);
}

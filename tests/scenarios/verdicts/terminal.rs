//! What a person at a terminal sees while the prober still runs: each attempt as it ends. A machine sees the report alone.

use std::path::Path;

use tests::{
    binaries::binary,
    keeper::Keeper,
    prober::prober_command,
    process::{Process, command},
    skip::{program, skip},
};
use tokio::process::Command;

/// The same command as if it were typed.
fn typed(script: &Path, prober: &Command) -> Command {
    let mut typed = command(script);
    typed.args(["-qec", &format!("{} --once", binary("lambda-prober").display()), "/dev/null"]);
    for (name, value) in prober.as_std().get_envs() {
        if let Some(value) = value {
            typed.env(name, value);
        }
    }
    typed
}

#[tokio::test]
async fn a_person_sees_each_attempt_as_it_ends_and_a_machine_only_the_report() {
    let Some(script) = program("script") else { return skip("attempts_on_a_terminal", "script (bsdutils) is missing") };
    let (keeper, home) = (Keeper::start().await, "http://127.0.0.1:9/");
    let mut prober = prober_command(home, &keeper.api());
    prober.env("ATTEMPTS", "2");
    let mut person = Process::start(typed(&script, &prober));
    let first = |lines: &[String]| lines.iter().any(|line| line.contains("attempt 1: ")).then_some(lines.len());
    person.wait_for("attempt 1", first).await;
    let so_far = person.lines();
    assert!(
        !so_far.iter().any(|line| line.contains("attempt 2: ")),
        "the first is shown before the second: {so_far:?}"
    );
    person.wait_for("attempt 2", |lines| lines.iter().find(|line| line.contains("attempt 2: ")).cloned()).await;
    assert!(person.ended().await.success(), "it was published: {:?}", person.lines());

    let ended = tests::prober::probe_with(prober).await;
    assert!(!ended.stderr.contains("attempt 1: "), "{}", ended.stderr);
}

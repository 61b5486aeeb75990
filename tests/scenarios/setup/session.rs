//! A person at a terminal.

use std::{fs, time::Duration};

use tests::{
    binaries::{binary, python, root},
    duckdns,
    keeper::TOKEN,
    process::{Ended, run},
    skip::skip,
};
use tokio::process::Command;

use super::world::World;

/// Types what `answers` says at a terminal of its own: at each question that holds the first text, the second.
async fn types(world: &World, answers: &[(&str, &str)]) -> Option<Ended> {
    let zip = world.zip();
    let program = binary("porchlight").display().to_string();
    typed(world, answers, &[&program, "setup", "--no-router", "--function", &zip], |_| ()).await
}

/// The same of any program, in that world but for `change`.
pub(crate) async fn typed(
    world: &World,
    answers: &[(&str, &str)],
    program: &[&str],
    change: impl FnOnce(&mut Command),
) -> Option<Ended> {
    let Some(python) = python() else {
        skip("a terminal", "TESTS_PYTHON is missing; tests/run installs it");
        return None;
    };
    let command = world.command(&[]);
    let set: Vec<_> =
        command.as_std().get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
    let mut typing = tests::process::command(python);
    typing.current_dir(world.place.path());
    for (name, value) in set {
        if let Some(value) = value.filter(|_| name != "STATUSPAGE_TOKEN" && name != "DUCKDNS_TOKEN") {
            typing.env(name, value);
        }
    }
    typing.arg(root().join("tests/scenarios/setup/typing.py")).arg(serde_json::json!(answers).to_string());
    typing.args(program);
    change(&mut typing);
    Some(run(typing, Duration::from_mins(2)).await)
}

/// Holds a screen to the one that is kept, for people to read; `UPDATE_SCREENS=1` writes it.
fn is_kept(name: &str, screen: &str) {
    let path = root().join("tests/scenarios/setup/screens").join(name);
    let shown = screen.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n";
    if std::env::var_os("UPDATE_SCREENS").is_some() {
        return fs::write(path, shown).expect("it is written");
    }
    assert_eq!(shown, fs::read_to_string(path).unwrap_or_default(), "UPDATE_SCREENS=1 renews {name}");
}

const ALL: [(&str, &str); 10] = [
    ("API key of statuspage.io", TOKEN),
    ("The component for the home", ""),
    ("The home's name at DuckDNS", "my_home"),
    ("The home's name at DuckDNS", "home"),
    ("Token of DuckDNS", duckdns::TOKEN),
    ("make its metrics Latency and Bandwidth", "no"),
    ("The port that your router forwards", "8080"),
    ("What runs the home side", ""),
    ("The address that AWS mails", "you@example.com"),
    ("Bring the home side into the cluster pi", "no"),
];

/// What is asked once the home was not seen.
const AGAIN: (&str, &str) = ("Look again, once the home side runs", "no");

/// What is asked of who has answered before: nothing of it is noted.
const REST: [(&str, &str); 4] = [ALL[0], ALL[4], ALL[9], AGAIN];

#[tokio::test]
async fn a_person_is_asked_for_what_is_not_known_and_secrets_are_not_shown() {
    let Some(world) = World::begin("setup at a terminal").await else { return };
    let Some(ended) = types(&world, &[&ALL[..], &[AGAIN]].concat()).await else { return };
    let screen = &ended.stdout;
    assert!(screen.contains("failed  the first look"), "{screen}{}", ended.stderr);
    for shown in ["a name at DuckDNS has letters, digits and hyphens", "[Home internet]", "[30008]", "[kubernetes]"] {
        assert!(screen.contains(shown), "{shown}: {screen}");
    }
    for secret in [TOKEN, duckdns::TOKEN] {
        assert!(!screen.contains(secret), "{screen}");
    }
    is_kept("first.txt", screen);
    let record = fs::read_to_string(world.folder().join("setup.toml")).expect("a record");
    assert!(record.contains("port = 8080") && record.contains("alarm_email = \"you@example.com\""), "{record}");
    // What is known is not asked again.
    let Some(again) = types(&world, &REST).await else { return };
    assert!(again.stdout.contains("failed  the first look"), "{}{}", again.stdout, again.stderr);
}

#[tokio::test]
async fn ctrl_c_at_any_question_leaves_nothing_that_the_next_run_does_not_mend() {
    let Some(world) = World::begin("setup, interrupted").await else { return };
    for index in 0..ALL.len() {
        let mut answers = ALL[..=index].to_vec();
        answers[index].1 = "\u{3}";
        // What was chosen before is not asked again.
        let known = fs::read_to_string(world.folder().join("setup.toml")).unwrap_or_default();
        let is_known = |question: &str| {
            let of = [
                ("The component", "component ="),
                ("make its metrics", "metrics ="),
                ("name at DuckDNS", "home ="),
                ("The port", "port ="),
            ];
            of.iter().any(|(asked, noted)| question.contains(asked) && known.contains(noted))
        };
        answers.retain(|(question, answer)| *answer == "\u{3}" || !is_known(question));
        let Some(ended) = types(&world, &answers).await else { return };
        assert!(ended.stdout.contains("it was ended here: run it again"), "{index}: {}{}", ended.stdout, ended.stderr);
        assert!(ended.stdout.contains("the terminal shows what is typed"), "{index}: {}", ended.stdout);
    }
    assert!(world.things().await.is_empty());
    let waits = [&REST[..3], &[(AGAIN.0, "\u{3}")]].concat();
    let Some(ended) = types(&world, &waits).await else { return };
    assert!(ended.stdout.contains("failed  the first look: it was ended here"), "{}{}", ended.stdout, ended.stderr);
    let Some(ended) = types(&world, &REST).await else { return };
    assert!(ended.stdout.contains("failed  the first look"), "{}{}", ended.stdout, ended.stderr);
}

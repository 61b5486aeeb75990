//! Each question of a setup: what is no answer is refused and asked again, and Ctrl-C ends it there.

use std::fs;

use futures_util::future::join_all;
use tests::{
    binaries::binary,
    duckdns,
    keeper::TOKEN,
    process::own_address,
    router::{Manner, Router},
    web::{Reply, Web},
};

use super::{session::typed, world::World};

/// A question, a good answer, and what is none, with what is said of it.
type Question = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const QUESTIONS: [Question; 10] = [
    ("API key of statuspage.io", TOKEN, Some(("two words", "STATUSPAGE_TOKEN holds a blank"))),
    ("The component for the home", "The line", None),
    ("make The line: yes or no", "yes", Some(("perhaps", "write yes or no"))),
    ("The home's name at DuckDNS", "home", Some(("my_home", "a name at DuckDNS has letters, digits and hyphens"))),
    ("Token of DuckDNS", duckdns::TOKEN, Some(("", "DUCKDNS_TOKEN is empty"))),
    ("make its metrics Latency and Bandwidth", "no", Some(("perhaps", "write yes or no"))),
    ("Have the router open the port by itself", "yes", Some(("perhaps", "write yes or no"))),
    ("The port that your router forwards", "30008", Some(("0", "a port is a number from 1 to 65535"))),
    ("What runs the home side", "compose", Some(("a cat", "write kubernetes, systemd or compose"))),
    ("Write the tokens into", "yes", Some(("perhaps", "write yes or no"))),
];

/// The one that makes the component: once it is there, it is not asked any more.
const MAKES: usize = 2;

/// How often one is asked that is not answered.
const TRIES: usize = 5;

/// What is typed up to a question, and then there. Before the last of them the component is one that is there.
fn answers(last: usize, there: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let before = QUESTIONS[..last].iter().enumerate().filter(|(number, _)| last <= MAKES || *number != MAKES);
    let before =
        before.map(|(number, (question, good, _))| (*question, if last > MAKES && number == 1 { "" } else { *good }));
    before.chain(there.iter().map(|answer| (QUESTIONS[last].0, *answer))).collect()
}

#[tokio::test]
async fn at_each_question_what_is_no_answer_is_refused_and_ctrl_c_leaves_what_the_next_run_mends() {
    let world = World::at_home().await;
    let router = Router::at(own_address(), Manner::UPNP).await;
    let (program, address) = (binary("porchlight").display().to_string(), router.address.to_string());
    let mut runs = Vec::new();
    for (number, (question, _, wrong)) in QUESTIONS.iter().enumerate() {
        runs.push((
            format!("ended-{number}"),
            *question,
            answers(number, &["\u{3}"]),
            "it was ended here: run it again",
        ));
        if let Some((answer, said)) = wrong {
            let typed = answers(number, &[*answer; TRIES]);
            runs.push((format!("refused-{number}"), *question, typed, *said));
        }
    }
    for together in runs.chunks(4) {
        let each = together.iter().map(|(folder, question, answers, said)| {
            let words = [&*program, "setup", "--without-aws", "--router", &address, "--folder", folder];
            let world = &world;
            async move {
                let Some(ended) = typed(world, answers, &words, |_| ()).await else { return };
                let screen = &ended.stdout;
                assert!(
                    !screen.contains("never asked") && screen.contains(said),
                    "{folder}, {question}: {screen}{}",
                    ended.stderr
                );
                assert!(screen.contains("the terminal shows what is typed"), "{folder}: {screen}");
                if folder.starts_with("refused") {
                    let last = "it was not answered: run it again, it goes on from here";
                    assert!(
                        screen.contains(last) && screen.matches(said).count() == TRIES,
                        "{folder}, {question}: {screen}"
                    );
                }
                for secret in [TOKEN, duckdns::TOKEN] {
                    assert!(!screen.contains(secret), "{folder}: {screen}");
                }
            }
        });
        join_all(each).await;
    }
    assert!(router.table().is_empty(), "nobody has had it open anything");
    assert!(!world.keeper.page().await.contains("The line"), "nothing was made before it was wanted");
    for (folder, ..) in &runs {
        // One that had chosen nothing has left nothing.
        if !fs::exists(world.place.path().join(folder)).expect("it can be looked for") {
            continue;
        }
        let ended = world
            .run(&["setup", "--yes", "--without-aws", "--home", "home", "--router", &address, "--folder", folder])
            .await;
        assert_eq!(ended.code, Some(0), "{folder}: {}{}", ended.stdout, ended.stderr);
    }
}

#[tokio::test]
async fn which_of_several_pages_is_asked_until_it_is_one() {
    let world = World::at_home().await;
    let pages = r#"[{"id": "gytm4qzbx9t6", "name": "Home"}, {"id": "gytm4qzbx9t7", "name": "Cabin"}]"#;
    let upstream = Web::open(false, move |_, _| Reply::text(200, "application/json", pages)).await;
    let (program, api) = (binary("porchlight").display().to_string(), format!("{}/v1", upstream.url()));
    let words = [&*program, "setup", "--without-aws", "--no-router"];
    for (answers, said) in [
        (&["\u{3}"][..], "it was ended here: run it again"),
        (&["Home"; TRIES], "an id is 12 lower-case letters and digits"),
        (&["zzzzzzzzzzzz"; TRIES], "the API key opens no page zzzzzzzzzzzz; it opens gytm4qzbx9t6, gytm4qzbx9t7"),
    ] {
        let asked: Vec<_> = [QUESTIONS[0].0]
            .into_iter()
            .chain(answers.iter().map(|_| "The id of the page"))
            .zip([TOKEN].iter().chain(answers).copied())
            .collect();
        let Some(ended) = typed(&world, &asked, &words, |it| _ = it.env("STATUSPAGE_URL", &api)).await else { return };
        let screen = &ended.stdout;
        assert!(!screen.contains("never asked") && screen.contains(said), "{screen}{}", ended.stderr);
        assert!(screen.contains("gytm4qzbx9t7  Cabin") && !world.folder().exists(), "{screen}");
    }
}

#[tokio::test]
async fn a_teardown_that_is_ended_where_it_asks_for_the_key_removes_the_rest_the_next_time() {
    let world = World::at_home().await;
    let made = world.run(&["setup", "--yes", "--without-aws", "--home", "home", "--component-name", "The line"]).await;
    assert_eq!(made.code, Some(0), "{}{}", made.stdout, made.stderr);
    let program = binary("porchlight").display().to_string();
    let words = [&*program, "teardown"];
    let (question, _, wrong) = QUESTIONS[0];
    let (wrong, said) = wrong.expect("a wrong one");
    for (answers, said) in [(&["\u{3}"][..], "it was ended here: run it again"), (&[wrong; TRIES], said)] {
        let asked: Vec<_> = answers.iter().map(|answer| (question, *answer)).collect();
        let Some(ended) = typed(&world, &asked, &words, |_| ()).await else { return };
        assert!(
            !ended.stdout.contains("never asked") && ended.stdout.contains(said),
            "{}{}",
            ended.stdout,
            ended.stderr
        );
        assert!(world.keeper.page().await.contains("The line") && world.folder().join("setup.toml").exists());
    }
    let ended = world.run(&["teardown"]).await;
    assert!(ended.code == Some(0) && !world.folder().exists(), "{}{}", ended.stdout, ended.stderr);
    assert!(!world.keeper.page().await.contains("The line"));
}

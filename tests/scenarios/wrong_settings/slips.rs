//! Misspelt names: of variables, flags, commands, readings, and the keys of files.

use shared::settings::OURS;
use tests::{
    beacon::Beacon,
    keeper::{Keeper, TOKEN},
    messages::without_link,
    process::{file, ours},
    readme::variables,
};

use super::{CHECKS, DNS, KEEPER, PAGE, TARGET, VALUE, ends};

#[test]
fn the_names_of_all_programs_are_known() {
    for name in variables() {
        assert!(OURS.contains(&name.as_str()), "{name} is missing in shared::settings::OURS");
    }
}

#[tokio::test]
async fn a_check_names_a_variable_that_is_nearly_a_setting() {
    let token = [("KEEPER_TOKEN", "hunter2-hunter2-hunter2")];
    for (program, good, slip, meant) in [
        ("lambda-prober", &TARGET[..], "CANNARY_URL", "CANARY_URL"),
        ("lambda-prober", &TARGET, "STATUS_PAGE_URL", "STATUSPAGE_URL"),
        ("lambda-prober", &TARGET, "BEACON_KEY_PARAMETR", "BEACON_KEY_PARAMETER"),
        ("lambda-prober", &TARGET, "pageid", "PAGE_ID"),
        ("beacon", &[], "BECON_KEY", "BEACON_KEY"),
        ("beacon", &[], "BEACON_KEYFILE", "BEACON_KEY_FILE"),
        ("keeper", &token, "UPSTREAM_TOKN", "UPSTREAM_TOKEN"),
        ("keeper", &token, "KEEPER_ADDRESS", "KEEPER_ADDR"),
        ("ping", &KEEPER, "TARGET_HOSTS", "TARGET_HOST"),
        ("ping", &PAGE, "KEEPER_TOKN", "KEEPER_TOKEN"),
        ("bandwidth", &KEEPER, "DATA_BUGDET", "DATA_BUDGET"),
        ("dns", &DNS, "DOMAINS", "DOMAIN"),
        ("checks", &CHECKS, "CHECKS_FIEL", "CHECKS_FILE"),
    ] {
        let ended = ends(program, &[good, &[(slip, VALUE)]].concat(), &["--check"]).await;
        assert_eq!(ended.code, Some(2), "{program} {slip}: {ended:?}");
        assert_eq!(
            without_link(&ended.stderr),
            format!("{slip} is set, but is no setting: was {meant} meant?"),
            "{program}"
        );
        assert!(!format!("{ended:?}").contains(VALUE), "{ended:?}");
    }
}

#[tokio::test]
async fn what_is_missing_is_reported_with_the_slip_behind_it() {
    for (program, variables, missing, slip) in [
        ("lambda-prober", &[("TOKEN", "x"), ("CANNARY_URL", VALUE)][..], "there is nothing to probe", "CANARY_URL"),
        ("keeper", &[("KEEPER_TOKN", VALUE)], "KEEPER_TOKEN is not set", "KEEPER_TOKEN"),
        ("dns", &[("DOMAIN_", VALUE)], "DOMAIN is not set", "DOMAIN"),
        ("ping", &[("KEEPER_ULR", VALUE)], "there is nowhere to hand over to", "KEEPER_URL"),
        ("porchlight", &[("KEEPER_TOKN", VALUE)], "KEEPER_TOKEN is not set", "KEEPER_TOKEN"),
    ] {
        let arguments: &[&str] = if program == "porchlight" { &["readings"] } else { &[] };
        let ended = ends(program, variables, arguments).await;
        assert_eq!(ended.code, Some(2), "{program}: {ended:?}");
        let last = ended.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(missing) && without_link(last).ends_with(&format!("was {slip} meant?")), "{ended:?}");
        assert!(!format!("{ended:?}").contains(VALUE), "{ended:?}");
    }
}

#[tokio::test]
async fn a_start_goes_on_and_says_so() {
    let said = "PUBLIC_ADRR is set, but is no setting: was PUBLIC_ADDR meant?";
    let mut command = ours("beacon");
    command.env("PUBLIC_ADRR", VALUE);
    let beacon = Beacon::run(command, "127.0.0.1:0").await;
    assert!(beacon.process.lines().iter().any(|line| line.contains(said)), "{:#?}", beacon.process.lines());
    let said = "KEEPER_SEDD is set, but is no setting: was KEEPER_SEED meant?";
    let keeper = Keeper::start_with(|command| _ = command.env("KEEPER_SEDD", VALUE)).await;
    let lines = keeper.process.lines();
    assert!(lines.iter().any(|line| line.contains(said)) && !lines.concat().contains(VALUE), "{lines:#?}");
}

#[tokio::test]
async fn what_kubernetes_systemd_and_lambda_set_is_left_alone() {
    let others = [
        ("KEEPER_PORT", "tcp://10.0.0.1:8030"),
        ("KEEPER_SERVICE_HOST", "10.0.0.1"),
        ("KEEPER_SERVICE_PORT", "8030"),
        ("PORCHLIGHT_KEEPER_PORT_8030_TCP", "tcp://10.0.0.1:8030"),
        ("PORCHLIGHT_KEEPER_PORT_8030_TCP_ADDR", "10.0.0.1"),
        ("STATE_DIRECTORY", "/var/lib/porchlight"),
        ("NOTIFY_SOCKET", "/run/systemd/notify"),
        ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
        ("PAGER", "less"),
        ("LOG", "x"),
    ];
    let token = [("KEEPER_TOKEN", "hunter2-hunter2-hunter2")];
    for (program, good) in [
        ("lambda-prober", &TARGET[..]),
        ("beacon", &[]),
        ("keeper", &token),
        ("ping", &KEEPER),
        ("bandwidth", &KEEPER),
        ("dns", &DNS),
        ("checks", &CHECKS),
    ] {
        let ended = ends(program, &[good, &others].concat(), &["--check"]).await;
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{program}: {ended:?}");
    }
}

#[tokio::test]
async fn a_mistyped_flag_command_or_reading_is_answered_with_the_nearest() {
    let keeper = Keeper::start().await;
    let to = [("KEEPER_URL", keeper.url.as_str()), ("KEEPER_TOKEN", TOKEN)];
    for (program, arguments, code, said) in [
        (
            "lambda-prober",
            &["--canary-ulr", "x"][..],
            2,
            "unexpected argument '--canary-ulr' found: was --canary-url meant?",
        ),
        ("ping", &["--evry", "60s"], 2, "unexpected argument '--evry' found: was --every meant?"),
        ("keeper", &["rely"], 2, "unrecognized subcommand 'rely': was relay meant?"),
        ("porchlight", &["readngs"], 2, "unrecognized subcommand 'readngs': was readings meant?"),
        ("porchlight", &["readings", "latncy"], 1, "was latency_idle or latency_loaded meant?"),
        ("porchlight", &["readings", "pingg"], 1, "the keeper has no reading of pingg of the last 1h: was ping meant?"),
        ("porchlight", &["readings", "PING"], 2, "was ping meant?"),
    ] {
        let ended = ends(program, &to, arguments).await;
        assert_eq!(ended.code, Some(code), "{program} {arguments:?}: {ended:?}");
        let output = if code == 2 { &ended.stderr } else { &ended.stdout };
        assert!(output.contains(said) && output.lines().count() == 1, "{program} {arguments:?}: {ended:?}");
    }
}

#[tokio::test]
async fn an_unknown_key_is_answered_with_the_nearest() {
    let list = r#"[{"uri":"http://h","page_id":"gytm4qzbx9t6","component_id":"8kbf7d35c070"}]"#;
    let ended = ends("lambda-prober", &[("TOKEN", "x"), ("TARGETS", list)], &["--check"]).await;
    assert!(ended.code == Some(2) && without_link(&ended.stderr).ends_with(": was url meant?"), "{ended:?}");

    let folder = tempfile::tempdir().expect("a temporary folder");
    let page = "[page]\nid = \"gytm4qzbx9t6\"\nname = \"Home\"\n";
    for (seed, said) in [
        (format!("{page}timezone = \"Europe/Berlin\"\n"), ": was time_zone meant?"),
        (format!("{page}[[component]]\nid = \"8kbf7d35c070\"\nname = \"x\"\n"), ": was components meant?"),
        (
            format!("{page}[[metrics]]\nid = \"9kbf7d35c070\"\nname = \"x\"\nreading = \"pingg\"\n"),
            "KEEPER_SEED: metric 9kbf7d35c070: no program of ours has readings of pingg: was ping meant?",
        ),
        (
            format!("{page}[[metrics]]\nid = \"9kbf7d35c070\"\nname = \"x\"\nreading = \"ping\"\nfield = \"lost\"\n"),
            ": was loss meant?",
        ),
    ] {
        let path = file(folder.path(), "seed.toml", &seed);
        let token = "hunter2-hunter2-hunter2";
        let ended = ends("keeper", &[("KEEPER_TOKEN", token), ("KEEPER_SEED", &path)], &["--check"]).await;
        assert_eq!((ended.code, ended.stderr.lines().count()), (Some(2), 1), "{ended:?}");
        assert!(without_link(&ended.stderr).ends_with(said), "{ended:?}");
    }
}

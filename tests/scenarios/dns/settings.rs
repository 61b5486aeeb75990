//! Wrong settings: one sentence, exit 2, and no call.

use std::time::Duration;

use tests::{
    duckdns::TOKEN,
    process::{ours, run},
};

/// Runs it with good settings but for these, and sees it refuse them with that sentence.
async fn refuses(variables: &[(&str, &str)], arguments: &[&str], sentence: &str) {
    let mut command = ours("dns");
    // Port 9 is closed.
    command.env("DOMAIN", "home").env("TOKEN", TOKEN).env("DUCKDNS_URL", "http://127.0.0.1:9");
    for (name, value) in variables {
        if value.is_empty() {
            command.env_remove(name)
        } else {
            command.env(name, value)
        };
    }
    let ended = run(command_with(command, arguments), Duration::from_secs(10)).await;
    assert_eq!(ended.code, Some(2), "{variables:?}: {}{}", ended.stdout, ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "one sentence: {}", ended.stderr);
    assert!(ended.stderr.contains(sentence), "{}", ended.stderr);
    assert!(!ended.stderr.contains("hunter"), "{}", ended.stderr);
}

fn command_with(mut command: tokio::process::Command, arguments: &[&str]) -> tokio::process::Command {
    command.args(arguments);
    command
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    for (variables, sentence) in [
        (&[("DOMAIN", "")][..], "DOMAIN is not set: set it to the home's name at DuckDNS, like home"),
        (
            &[("DOMAIN", "my.home.example.com")],
            "invalid value 'my.home.example.com' for '--domain <DOMAIN>': a name at DuckDNS has letters, digits and hyphens",
        ),
        (&[("DOMAIN", "home,HOME.duckdns.org")], "DOMAIN: home.duckdns.org is there twice"),
        (&[("DOMAIN", "home,")], "invalid value '' for '--domain <DOMAIN>'"),
        (
            &[("TOKEN", "")],
            "DUCKDNS_TOKEN is not set: set DUCKDNS_TOKEN, or DUCKDNS_TOKEN_FILE to a file that holds it",
        ),
        (
            &[("TOKEN", "hunter2")],
            "TOKEN: this is no token of DuckDNS, which looks like 01234567-89ab-cdef-0123-456789abcdef: sign in at",
        ),
        (
            &[("DUCKDNS_TOKEN", TOKEN)],
            "DUCKDNS_TOKEN and TOKEN are both set, and TOKEN is only what DUCKDNS_TOKEN was called",
        ),
        (&[("TOKEN_FILE", "/nowhere")], "TOKEN and TOKEN_FILE are both set: keep one of them"),
        (&[("TOKEN", ""), ("TOKEN_FILE", "/nowhere")], "TOKEN_FILE: /nowhere cannot be read"),
        (
            &[("TOKEN", ""), ("TOKEN_FILE", "/proc/self/comm")],
            "TOKEN_FILE (/proc/self/comm): this is no token of DuckDNS",
        ),
        (&[("ADDRESS", "upnp")], "invalid value 'upnp' for '--address <ADDRESS>'"),
        (&[("IP_VERSION", "5")], "invalid value '5' for '--ip-version <IP_VERSION>'"),
        (&[("DUCKDNS_URL", "http://www.duckdns.org")], "DUCKDNS_URL: the token would travel unencrypted"),
        (&[("DUCKDNS_URL", "https://www.duckdns.org/update")], "DUCKDNS_URL: leave /update out"),
        (&[("DUCKDNS_URL", "https://x/?a=b")], "this address must not have a query"),
        (&[("ADDRESS_SOURCES", "api.ipify.org")], "an address is written like https://example.com/path"),
        (
            &[("ADDRESS_SOURCES", "https://api.ipify.org"), ("ADDRESS", "detect")],
            "ADDRESS_SOURCES: two sources must agree on an address, so name two or more",
        ),
        (
            &[("ADDRESS_SOURCES_V6", "https://api6.ipify.org"), ("IP_VERSION", "both")],
            "ADDRESS_SOURCES_V6: two sources must agree",
        ),
        (
            &[("ADDRESS_SOURCES", "https://api.ipify.org,https://api.ipify.org/?format=text")],
            "ADDRESS_SOURCES: two of the sources are one host",
        ),
        (&[("PUBLIC_DNS", "dns.google")], "a name server is an address, with or without a port"),
        (&[("PUBLIC_DNS", "1.1.1.1,1.1.1.1:53")], "PUBLIC_DNS: 1.1.1.1:53 is there twice"),
        (&[("JITTER", "soon")], "invalid value 'soon' for '--jitter <JITTER>': a duration is written like 5s"),
        (&[("DEADLINE", "20s")], "DEADLINE is 20s, and with JITTER 15s and 10s to hand over a run takes 29s or more"),
        (&[("STATE_DIR", "/nowhere")], "STATE_DIR: /nowhere is no folder: make it, or name one that is there"),
        (&[("KEEPER_URL", "http://127.0.0.1:9")], "KEEPER_TOKEN is not set"),
        (&[("LOG_LEVEL", "loud")], "a level is error, warn, info, debug or trace"),
    ] {
        refuses(variables, &[], sentence).await;
        refuses(variables, &["--check"], sentence).await;
    }
    refuses(&[], &["--token", "hunter2"], "unexpected argument '--token'").await;
}

#[tokio::test]
async fn good_settings_are_good_and_no_server_is_called_for_that() {
    let mut command = ours("dns");
    command.env("DOMAIN", "home,away.duckdns.org").env("TOKEN", TOKEN).arg("--check");
    let ended = run(command, Duration::from_secs(10)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(
        ended.stdout,
        "The settings are in order: the address of home.duckdns.org, away.duckdns.org is kept at DuckDNS, and nothing is \
         handed over.\n"
    );
}

#[tokio::test]
async fn help_lists_every_setting_and_no_secret() {
    let mut command = ours("dns");
    command.env("TOKEN", TOKEN).arg("--help");
    let ended = run(command, Duration::from_secs(10)).await;
    assert_eq!(ended.code, Some(0));
    for expected in
        ["DOMAIN", "TOKEN_FILE", "KEEPER_TOKEN_FILE", "https://www.duckdns.org", "https://api.ipify.org", "9.9.9.9"]
    {
        assert!(ended.stdout.contains(expected), "{expected}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains(TOKEN));
}

//! Homes that misbehave, probed by the real prober: what it concludes, and what a keeper's page says afterwards.

use tests::{
    front::Front,
    home::{Home, Manner},
    keeper::Keeper,
    prober::{probe, probe_with, prober_command},
};

use super::world::KEY;

/// Probes a home of that manner twice, with the page first saying operational and then a major outage.
async fn comes_to(manner: Manner, verdict: &str, cause: Option<&str>, status: &str) {
    let keeper = Keeper::start().await;
    let other = if status == "operational" { "major_outage" } else { "operational" };
    keeper.set_status(other).await;
    let home = Home::open(manner).await;
    let run = probe(&home.url(), &keeper.api()).await;
    assert_eq!(run.target["verdict"], verdict, "{:#}", run.report);
    assert_eq!(run.target["cause"].as_str(), cause, "{:#}", run.report);
    assert_eq!(run.target["outcome"], "changed", "{:#}", run.report);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(keeper.status().await, status);
    let expected = if verdict == "up" { 1 } else { 3 };
    assert_eq!(run.target["attempts"].as_array().map(Vec::len), Some(expected), "{:#}", run.report);
}

#[tokio::test]
async fn a_refused_connection_is_down_and_says_so() {
    comes_to(Manner::Refuses, "down", Some("refused"), "major_outage").await;
}

#[tokio::test]
async fn a_black_hole_is_unreachable() {
    comes_to(Manner::BlackHole, "down", Some("unreachable"), "major_outage").await;
}

#[tokio::test]
async fn a_home_that_accepts_and_never_answers_is_a_reset() {
    comes_to(Manner::Silent, "down", Some("reset"), "major_outage").await;
}

#[tokio::test]
async fn a_home_that_trickles_its_first_line_is_a_reset() {
    comes_to(Manner::Trickles, "down", Some("reset"), "major_outage").await;
}

#[tokio::test]
async fn a_status_before_silence_is_an_answer_but_no_proof() {
    let stalling = Manner::Stalls("HTTP/1.1 503 Busy\r\nServer: old");
    comes_to(stalling, "up", None, "operational").await;
    let (keeper, home) = (Keeper::start().await, Home::open(stalling).await);
    let mut command = prober_command(&home.url(), &keeper.api());
    command.env("BEACON_KEY", KEY).env("ATTEMPTS", "2");
    let run = probe_with(command).await;
    assert_eq!((run.target["verdict"].as_str(), run.target["cause"].as_str()), (Some("down"), Some("reset")));
    assert_eq!(run.target["attempts"][0]["exchanges"][0]["failure"], "timeout", "{:#}", run.report);
}

#[tokio::test]
async fn plain_http_asked_of_a_port_that_speaks_tls_gets_the_hint_to_write_https() {
    let (keeper, folder) = (Keeper::start().await, tempfile::tempdir().expect("a temporary folder"));
    let home = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let front = Front::open(home.address, folder.path()).await;
    let run = probe(&front.url().replace("https:", "http:"), &keeper.api()).await;
    assert_eq!((run.target["verdict"].as_str(), run.target["cause"].as_str()), (Some("down"), Some("reset")));
    let exchanges = run.target["attempts"][0]["exchanges"].as_array().expect("exchanges");
    let reported = exchanges.iter().any(|it| it["failure"] == "not_http" && it["detail"] == "it speaks TLS");
    assert!(reported, "{:#}", run.report);
    assert_eq!(run.target["advice"], "The port speaks TLS: write https:// instead of http://.", "{:#}", run.report);
}

#[tokio::test]
async fn a_reset_in_the_middle_of_the_head_is_a_reset() {
    comes_to(Manner::ResetsMidAnswer, "down", Some("reset"), "major_outage").await;
}

#[tokio::test]
async fn a_home_that_hangs_up_is_a_reset() {
    comes_to(Manner::HangsUp, "down", Some("reset"), "major_outage").await;
}

#[tokio::test]
async fn something_that_is_not_http_is_not_up() {
    comes_to(Manner::SpeaksSsh, "down", Some("reset"), "major_outage").await;
}

#[tokio::test]
async fn not_found_is_up() {
    comes_to(Manner::Answers("HTTP/1.1 404 Not Found"), "up", None, "operational").await;
}

#[tokio::test]
async fn a_server_error_is_up() {
    comes_to(Manner::Answers("HTTP/1.1 500 Internal Server Error"), "up", None, "operational").await;
}

#[tokio::test]
async fn a_redirect_is_up_and_is_not_followed() {
    let elsewhere = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/";
    comes_to(Manner::Answers(elsewhere), "up", None, "operational").await;
}

#[tokio::test]
async fn an_answer_is_an_answer_however_odd_its_head() {
    let odd = "HTTP/1.1 401 Unauthorized\r\nServer : camera\r\nWWW Authenticate: Basic\r\nX-Folded: a\r\n b";
    comes_to(Manner::Answers(odd), "up", None, "operational").await;
}

#[tokio::test]
async fn an_answer_is_an_answer_however_its_body_is_framed() {
    for odd in [
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nContent-Length:",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6",
        "http/1.1 200 OK",
        "HTTP/1.1 200\nServer: old\n",
        "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK",
        "ICY 200 OK",
    ] {
        comes_to(Manner::Answers(odd), "up", None, "operational").await;
    }
}

#[tokio::test]
async fn tls_asked_of_a_port_that_speaks_plain_http_is_a_tls_failure() {
    let keeper = Keeper::start().await;
    let home = Home::open(Manner::Answers("HTTP/1.1 200 OK")).await;
    let run = probe(&home.url().replace("http:", "https:"), &keeper.api()).await;
    assert_eq!((run.target["verdict"].as_str(), run.target["cause"].as_str()), (Some("down"), Some("tls")));
    assert_eq!(keeper.status().await, "major_outage");
    let exchange = &run.target["attempts"][0]["exchanges"][0];
    assert!(exchange["connect_ms"].is_number() && exchange["tls_ms"].is_number(), "{exchange:#}");
    assert!(exchange["answer_ms"].is_null(), "{exchange:#}");
    let advice = "What answers does not speak TLS: check the port, or ask by http://.";
    assert_eq!(run.target["advice"], advice, "{:#}", run.report);
}

#[tokio::test]
async fn a_machine_without_certificates_still_probes_over_plain_http() {
    let (keeper, home) = (Keeper::start().await, Home::open(Manner::Answers("HTTP/1.1 200 OK")).await);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut command = prober_command(&home.url(), &keeper.api());
    command
        .env("SSL_CERT_FILE", tests::process::file(folder.path(), "none.pem", ""))
        .env("SSL_CERT_DIR", folder.path());
    let run = probe_with(command).await;
    assert_eq!((run.target["verdict"].as_str(), run.code), (Some("up"), Some(0)), "{}", run.stderr);
}

#[tokio::test]
async fn maintenance_is_a_humans_word_whether_the_home_is_up_or_down() {
    let keeper = Keeper::start().await;
    keeper.set_status("under_maintenance").await;
    let (up, down) = (Home::open(Manner::Answers("HTTP/1.1 200 OK")).await, Home::open(Manner::Refuses).await);
    for home in [&up, &down] {
        let run = probe(&home.url(), &keeper.api()).await;
        assert_eq!((run.target["outcome"].as_str(), run.code), (Some("maintenance"), Some(0)));
        assert_eq!(keeper.status().await, "under_maintenance");
    }
}

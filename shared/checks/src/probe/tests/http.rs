use std::{io::Write, net::SocketAddr, time::Duration};

use flate2::{Compression, write::GzEncoder};
use hyper::{
    Method,
    header::{AUTHORIZATION, HeaderName},
};
use regex::Regex;
use shared::{
    names::Names,
    secret::{Secret, SecretSource},
};

use super::{
    LONG, SHORT, fine, prober, run,
    servers::{Does, Server, closed, full},
    wrong,
};
use crate::{
    cause::Cause,
    check::{BodyExpectation, CertificateAges, Expect, HeaderExpectation, HttpCheck, Kind, Text},
    probe::Prober,
};

pub(super) fn check(url: &str) -> HttpCheck {
    HttpCheck {
        url: url.parse().unwrap(),
        method: Method::GET,
        headers: Vec::new(),
        body: None,
        redirects: 0,
        verify: true,
        expect: Expect::default(),
        slow_above: None,
    }
}

pub(super) fn kind(check: HttpCheck) -> Kind {
    Kind::Http(Box::new(check))
}

pub(super) fn secret(value: &str) -> Text {
    Text::Secret(SecretSource::Value(Secret::new(value)))
}

fn at(address: SocketAddr) -> HttpCheck {
    check(&format!("http://{address}/"))
}

pub(super) fn expecting(address: SocketAddr, change: impl FnOnce(&mut HttpCheck)) -> Kind {
    let mut check = at(address);
    change(&mut check);
    kind(check)
}

pub(super) fn answer(body: &str) -> Does {
    Does::answers(format!("HTTP/1.1 200 OK\r\nX-Kind: Test\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn each_fault_has_its_cause_and_ends_in_its_phase() {
    let head = |text: &str| [b"HTTP/1.1 200 OK\r\n", text.as_bytes()].concat();
    let bomb = gzip(&vec![0; 256 << 20]);
    let bomb = [head(&format!("Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len())), bomb].concat();
    for (does, within, wanted) in [
        (Does::Nothing, SHORT, wrong(Cause::TimedOut, "connect answer")),
        (Does::Closes, LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Resets, LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Says(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), LONG, wrong(Cause::Protocol, "connect answer")),
        (Does::answers(b"\x15\x03\x01\x00\x02\x02\x46"), LONG, wrong(Cause::Protocol, "connect answer")),
        (Does::answers("HTTP/1.1 banana\r\n\r\n"), LONG, wrong(Cause::Protocol, "connect answer")),
        (Does::Answers(head("X: y\r\n")), LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Repeats(head(""), b"X: y\r\n".repeat(100)), LONG, wrong(Cause::TooLarge, "connect answer")),
        (Does::Repeats(head("X: "), b"y".repeat(4096)), LONG, wrong(Cause::TooLarge, "connect answer")),
        (Does::Drips(head(""), b"X: y\r\n".to_vec()), SHORT, wrong(Cause::TimedOut, "connect answer")),
        (Does::Answers(head("Content-Length: 9\r\n\r\nshort")), LONG, wrong(Cause::Reset, "connect answer transfer")),
        (
            Does::Answers(head("Transfer-Encoding: chunked\r\n\r\nbanana\r\n")),
            LONG,
            wrong(Cause::Protocol, "connect answer transfer"),
        ),
        (
            Does::Drips(head("Content-Length: 99999\r\n\r\n"), b"x".to_vec()),
            SHORT,
            // Nothing is asked of it.
            fine("connect answer transfer"),
        ),
        // What has no end is read as far as anything is said about it.
        (Does::Repeats(head("\r\n"), vec![b'x'; 4096]), LONG, fine("connect answer transfer")),
        (
            Does::Repeats(head("Content-Length: 1073741824\r\n\r\n"), vec![b'x'; 4096]),
            LONG,
            fine("connect answer transfer"),
        ),
        (Does::Answers(bomb), LONG, fine("connect answer transfer")),
        (
            // A part of what is stored: nothing is asked of it.
            Does::Answers(head("Content-Encoding: gzip\r\n\r\nno gzip")),
            LONG,
            fine("connect answer transfer"),
        ),
        (Does::answers("HTTP/1.1 503 No\r\n\r\n"), LONG, wrong(Cause::Status, "connect answer")),
        (Does::answers("HTTP/1.0 200 OK\r\n\r\nold"), LONG, fine("connect answer transfer")),
        (Does::answers("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"), LONG, fine("connect answer transfer")),
    ] {
        let server = Server::start(does.clone()).await;
        let name = format!("{does:?}").chars().take(90).collect::<String>();
        let outcome = run(&prober(), kind(at(server.address)), within, wanted, &name).await;
        assert!(outcome.certificate_ends.is_none());
    }
}

#[tokio::test]
async fn a_port_that_is_closed_and_one_that_takes_nothing_differ() {
    let refused = run(&prober(), kind(at(closed().await)), LONG, wrong(Cause::Refused, "connect"), "closed").await;
    assert!(refused.text.ends_with(": the port is closed"), "{}", refused.text);
    let (address, _listener, _kept) = full().await;
    run(&prober(), kind(at(address)), SHORT, wrong(Cause::TimedOut, "connect"), "full").await;
    let named = format!("http://localhost:{}/", closed().await.port());
    run(&prober(), kind(check(&named)), LONG, wrong(Cause::Refused, "resolve connect"), "by name").await;
}

#[tokio::test]
async fn each_expectation_is_met_or_not() {
    let body = r#"{"status":"ok","count":3,"list":[{"up":true},{"up":false}]}"#;
    let server = Server::start(answer(body)).await;
    let regex = |text: &str| Regex::new(text).unwrap();
    let json = |path: &str, equals: Option<&str>, matches: Option<&str>| BodyExpectation::Json {
        path: serde_json_path::JsonPath::parse(path).unwrap(),
        equals: equals.map(|text| serde_json::from_str(text).unwrap()),
        matches: matches.map(regex),
    };
    let (met, body_wrong) = (fine("connect answer transfer"), wrong(Cause::Body, "connect answer transfer"));
    for (expected, wanted, said) in [
        (BodyExpectation::Matches(regex("\"status\":\"ok\"")), met, ""),
        (BodyExpectation::Matches(regex("down")), body_wrong, "/down/ is not found in its body, which begins with"),
        (BodyExpectation::MatchesNot(regex("down")), met, ""),
        (BodyExpectation::MatchesNot(regex("ok")), body_wrong, "/ok/ is found in its body, where it must not be"),
        (json("$.status", Some("\"ok\""), None), met, ""),
        (json("$.status", Some("\"up\""), None), body_wrong, "$.status is \"ok\" instead of \"up\""),
        (json("$.count", Some("3.0"), None), met, ""),
        (json("$.count", None, Some("^[0-9]$")), met, ""),
        (json("$.status", None, Some("^u")), body_wrong, "$.status is \"ok\", in which /^u/ is not found"),
        (json("$.list[*].up", Some("false"), None), met, "any value at the path will do"),
        (json("$.missing", None, None), body_wrong, "there is nothing at $.missing of its body"),
        (json("$.list", None, None), met, ""),
    ] {
        let name = format!("{expected:?}");
        let checked = expecting(server.address, |check| check.expect.body = vec![expected]);
        let outcome = run(&prober(), checked, LONG, wanted, &name).await;
        assert!(wanted.cause.is_none() || outcome.text.contains(said), "{}", outcome.text);
    }
    let header = |name: &'static str, matches: Option<&str>| HeaderExpectation {
        name: HeaderName::from_static(name),
        matches: matches.map(regex),
    };
    for (expected, wanted) in [
        (header("x-kind", None), met),
        (header("x-kind", Some("^Test$")), met),
        (header("x-kind", Some("^Best$")), wrong(Cause::Header, "connect answer")),
        (header("x-other", None), wrong(Cause::Header, "connect answer")),
    ] {
        let name = format!("{expected:?}");
        let checked = expecting(server.address, |check| check.expect.headers = vec![expected]);
        run(&prober(), checked, LONG, wanted, &name).await;
    }
    for (ranges, wanted) in
        [(vec![200..=204], met), (vec![404..=404, 500..=599], wrong(Cause::Status, "connect answer"))]
    {
        let checked = expecting(server.address, |check| check.expect.status.clone_from(&ranges));
        let outcome = run(&prober(), checked, LONG, wanted, "status").await;
        assert!(wanted.cause.is_none() || outcome.text == "HTTP 200 instead of 404, 500-599", "{}", outcome.text);
    }
    let length = u64::try_from(body.len()).unwrap();
    for (largest, wanted) in [(length, met), (length - 1, wrong(Cause::TooLarge, "connect answer"))] {
        let checked = expecting(server.address, |check| check.expect.largest = Some(largest));
        run(&prober(), checked, LONG, wanted, "largest").await;
    }
    let head = expecting(server.address, |check| (check.method, check.expect.largest) = (Method::HEAD, Some(0)));
    run(&prober(), head, LONG, met, "without a body").await;
    let slow = expecting(server.address, |check| check.slow_above = Some(Duration::from_nanos(1)));
    run(&prober(), slow, LONG, wrong(Cause::Slow, "connect answer transfer"), "slow").await;
    let ends = CertificateAges { warning: Some(Duration::from_hours(24)), critical: None };
    let checked = expecting(server.address, |check| check.expect.certificate = ends);
    let outcome = run(&prober(), checked, LONG, wrong(Cause::Certificate, "connect answer transfer"), "none").await;
    assert!(outcome.text.starts_with("no certificate was shown"), "{}", outcome.text);
    let no_json = Server::start(answer("<html>\u{1b}[31m")).await;
    let checked = expecting(no_json.address, |check| check.expect.body = vec![json("$.a", None, None)]);
    let outcome = run(&prober(), checked, LONG, body_wrong, "no JSON").await;
    assert_eq!(outcome.text, "its body is no JSON; it begins with \"<html> [31m\"");
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let wanted = wrong(Cause::TooLarge, "connect answer transfer");
    for does in [
        Does::Repeats(b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b'x'; 100]),
        Does::Answers([&b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"[..], &gzip(&[0; 9999])].concat()),
    ] {
        let server = Server::start(does).await;
        let checked = expecting(server.address, |check| check.expect.largest = Some(2000));
        run(&prober(), checked, LONG, wanted, "endless").await;
    }
    let zipped = gzip(b"hello");
    let server = [&b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"[..], &zipped].concat();
    let server = Server::start(Does::Answers(server)).await;
    let hello = vec![BodyExpectation::Matches(Regex::new("^hello$").unwrap())];
    let checked = expecting(server.address, |check| check.expect.body = hello);
    run(&prober(), checked, LONG, fine("connect answer transfer"), "decoded").await;
}

#[tokio::test]
async fn a_request_is_sent_as_the_check_has_it_and_no_secret_is_shown() {
    let mut server = Server::start(Does::answers("HTTP/1.1 200 OK\r\nX-Echo: it-was-s3cretvalue\r\n\r\n")).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), Secret::new("hello\n").as_file()).unwrap();
    let body = SecretSource::Named { name: "BODY".into(), path: file.path().into() };
    let checked = expecting(server.address, |check| {
        check.url = check.url.join("/path?a=b#part").unwrap();
        check.method = Method::POST;
        check.headers = vec![
            (AUTHORIZATION, secret("s3cretvalue")),
            (HeaderName::from_static("user-agent"), Text::Plain("mine".into())),
        ];
        check.body = Some(Text::Secret(body));
        let matches = Some(Regex::new("^nothing$").unwrap());
        check.expect.headers = vec![HeaderExpectation { name: HeaderName::from_static("x-echo"), matches }];
    });
    assert!(!format!("{checked:?}").contains("s3cret"));
    let outcome = run(&prober(), checked, LONG, wrong(Cause::Header, "connect answer"), "secret").await;
    assert_eq!(outcome.text, "the header x-echo is \"it-was-***\", in which /^nothing$/ is not found");
    let [request] = &server.requests()[..] else { panic!("one request") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    lines.sort_unstable();
    let host = format!("host: {}", server.address);
    let wanted = [
        "POST /path?a=b HTTP/1.1",
        "accept-encoding: identity",
        "accept: */*",
        "authorization: s3cretvalue",
        "connection: close",
        "content-length: 6",
        &host,
        "user-agent: mine",
    ];
    assert_eq!((lines, body), (wanted.to_vec(), "hello\n"));
}

/// What is quoted is cut behind what is hidden, wherever that stands.
#[tokio::test]
async fn a_secret_behind_many_blanks_is_hidden_too() {
    let token = "s3cretvalue-of-forty-characters-or-more-x";
    let server = Server::start(answer(&format!("{}token: {token}", " ".repeat(375)))).await;
    let checked = expecting(server.address, |check| {
        check.headers = vec![(AUTHORIZATION, secret(token))];
        check.expect.body = vec![BodyExpectation::Matches(Regex::new("^up$").unwrap())];
    });
    let outcome = run(&prober(), checked, LONG, wrong(Cause::Body, "connect answer transfer"), "blanks").await;
    assert!(outcome.text.ends_with("which begins with \"token: ***\""), "{}", outcome.text);
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_unknown_and_nothing_is_sent() {
    let mut server = Server::start(answer("")).await;
    let source = SecretSource::File { setting: "NAS_TOKEN", path: "/nowhere/token".into() };
    let checked = expecting(server.address, |check| check.headers = vec![(AUTHORIZATION, Text::Secret(source))]);
    let outcome = run(&prober(), checked, LONG, wrong(Cause::Secret, ""), "secret").await;
    assert!(outcome.text.starts_with("NAS_TOKEN_FILE: /nowhere/token cannot be read"), "{}", outcome.text);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_critical_and_a_name_service_that_fails_unknown() {
    use hickory_proto::op::ResponseCode;
    for (code, wanted) in [
        (Some(ResponseCode::NXDomain), wrong(Cause::Name, "resolve")),
        (Some(ResponseCode::ServFail), wrong(Cause::NameService, "resolve")),
        // The name is there, and leads nowhere.
        (Some(ResponseCode::NoError), wrong(Cause::Name, "resolve")),
        (None, wrong(Cause::NameService, "resolve")),
    ] {
        let server = super::dns::NameServer::start(code, Vec::new()).await;
        let prober = Prober { names: Some(Names::of_servers(vec![server.address])), ..prober() };
        run(&prober, kind(check("http://home.example/")), SHORT, wanted, &format!("{code:?}")).await;
    }
}

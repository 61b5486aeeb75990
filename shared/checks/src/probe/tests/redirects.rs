use hyper::{
    Method,
    header::{AUTHORIZATION, HeaderName},
};

use super::{
    LONG,
    certificates::{self, Shown},
    fine,
    http::{check, kind, secret},
    prober, run,
    servers::{Does, Server},
    wrong,
};
use crate::{cause::Cause, check::Text};

const WELL: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn to(location: &str) -> Does {
    Does::answers(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n"))
}

#[tokio::test]
async fn a_loop_ends_and_redirects_that_are_not_followed_are_the_answer() {
    let mut server = Server::start(to("/again")).await;
    let url = format!("http://{}/", server.address);
    for (redirects, wanted, requests) in [
        (0, fine("connect answer transfer"), 1),
        (1, wrong(Cause::Redirect, "connect answer"), 2),
        (5, wrong(Cause::Redirect, "connect answer"), 6),
    ] {
        let mut check = check(&url);
        check.redirects = redirects;
        run(&prober(), kind(check), LONG, wanted, "loop").await;
        assert_eq!(server.requests().len(), requests);
    }
    for location in ["ftp://home.example/", "http://"] {
        let server = Server::start(to(location)).await;
        let mut check = check(&format!("http://{}/", server.address));
        check.redirects = 5;
        run(&prober(), kind(check), LONG, wrong(Cause::Redirect, "connect answer"), location).await;
    }
}

#[tokio::test]
async fn another_host_gets_no_secret_headers_and_keeps_them_off_after_the_way_back() {
    let mut elsewhere = Server::start(Does::answers(WELL)).await;
    let mut server = Server::start(to(&format!("http://{}/there", elsewhere.address))).await;
    let mut check = check(&format!("http://{}/", server.address));
    check.redirects = 3;
    check.headers = vec![
        (AUTHORIZATION, Text::Plain("in-the-open".into())),
        (HeaderName::from_static("x-token"), secret("s3cretvalue")),
        (HeaderName::from_static("x-plain"), Text::Plain("plain".into())),
    ];
    run(&prober(), kind(check), LONG, fine("connect answer transfer"), "elsewhere").await;
    let (first, then) = (server.requests().concat(), elsewhere.requests().concat());
    assert!(
        first.contains("in-the-open") && first.contains("s3cretvalue") && first.contains("x-plain: plain"),
        "{first}"
    );
    assert!(then.starts_with("GET /there ") && then.contains("x-plain: plain"), "{then}");
    assert!(!then.contains("in-the-open") && !then.contains("s3cretvalue"), "{then}");
}

#[tokio::test]
async fn from_https_to_http_no_secret_is_sent() {
    let mut open = Server::start(Does::answers(WELL)).await;
    let server =
        Server::start_tls(to(&format!("http://{}/", open.address)), certificates::server(Shown::default())).await;
    let mut check = check(&format!("https://{}/", server.address));
    check.redirects = 1;
    check.headers = vec![(AUTHORIZATION, secret("s3cretvalue"))];
    let outcome = run(&prober(), kind(check), LONG, fine("connect tls answer transfer"), "downgrade").await;
    assert!(outcome.certificate_ends.is_some(), "that of the first one");
    let sent = open.requests().concat();
    assert!(sent.starts_with("GET / ") && !sent.contains("s3cretvalue"), "{sent}");
}

#[tokio::test]
async fn a_secret_body_stays_and_another_one_goes_along() {
    let mut elsewhere = Server::start(Does::answers(WELL)).await;
    let location = format!("HTTP/1.1 307 Moved\r\nLocation: http://{}/\r\n\r\n", elsewhere.address);
    let server = Server::start(Does::answers(location)).await;
    for (body, wanted, arrives) in [
        (secret("s3cretvalue"), wrong(Cause::Redirect, "connect answer"), 0),
        (Text::Plain("body".into()), fine("connect answer transfer"), 1),
    ] {
        let mut check = check(&format!("http://{}/", server.address));
        (check.redirects, check.method, check.body) = (1, Method::POST, Some(body));
        run(&prober(), kind(check), LONG, wanted, "body").await;
        let requests = elsewhere.requests();
        assert!(requests.len() == arrives && requests.iter().all(|it| it.ends_with("\r\n\r\nbody")), "{requests:?}");
    }
}

use std::net::SocketAddr;

use regex::Regex;

use super::{
    LONG, SHORT,
    certificates::{self, Shown},
    fine,
    http::secret,
    prober, run,
    servers::{Does, Server, closed},
    wrong,
};
use crate::{
    cause::Cause,
    check::{Kind, TcpCheck},
};

fn check(address: SocketAddr, banner: Option<&str>) -> TcpCheck {
    TcpCheck {
        host: address.ip().to_string(),
        port: address.port(),
        send: None,
        banner: banner.map(|pattern| Regex::new(pattern).unwrap()),
        tls: false,
        verify: true,
    }
}

#[tokio::test]
async fn a_banner_comes_or_does_not() {
    let says = |words: &[u8]| Does::Says(words.to_vec());
    let flood = Does::Repeats(Vec::new(), vec![b'x'; 1000]);
    for (does, banner, within, wanted) in [
        (Does::Nothing, None, LONG, fine("connect")),
        (Does::Closes, None, LONG, fine("connect")),
        (says(b"SSH-2.0-OpenSSH_9.2\r\n"), Some("^SSH-2"), LONG, fine("connect answer")),
        (says(b"220 mail\r\n"), Some("^SSH-2"), SHORT, wrong(Cause::Body, "connect answer")),
        (says(b"\xff\x1b[31m\x00\n"), Some("^SSH-2"), SHORT, wrong(Cause::Body, "connect answer")),
        (says(&[b'x'; 9000]), Some("y"), LONG, wrong(Cause::Body, "connect answer")),
        (Does::Nothing, Some("x"), SHORT, wrong(Cause::TimedOut, "connect answer")),
        (Does::Closes, Some("x"), LONG, wrong(Cause::Reset, "connect answer")),
        (Does::Drips(Vec::new(), b"ab".to_vec()), Some("(ab){3}"), LONG, fine("connect answer")),
        (flood, Some("y"), LONG, wrong(Cause::Body, "connect answer")),
    ] {
        let server = Server::start(does.clone()).await;
        let mut check = check(server.address, banner);
        if matches!(does, Does::Drips(..) | Does::Repeats(..)) {
            check.send = Some(secret("hello\r\n\r\n"));
        }
        let name: String = format!("{does:?} {banner:?}").chars().take(90).collect();
        run(&prober(), Kind::Tcp(check), within, wanted, &name).await;
    }
    let refused = Kind::Tcp(check(closed().await, None));
    run(&prober(), refused, LONG, wrong(Cause::Refused, "connect"), "closed").await;
}

#[tokio::test]
async fn what_is_to_be_sent_is_sent_and_a_secret_in_it_does_not_come_back() {
    let mut server = Server::start(Does::answers("you said s3cretvalue\u{7}")).await;
    let mut check = check(server.address, Some("^no$"));
    check.send = Some(secret("s3cretvalue\r\n\r\n"));
    let outcome = run(&prober(), Kind::Tcp(check), LONG, wrong(Cause::Body, "connect answer"), "echo").await;
    assert_eq!(server.requests(), ["s3cretvalue\r\n\r\n"]);
    assert!(outcome.text.starts_with("it said \"you said ***\", in which /^no$/"), "{}", outcome.text);
}

#[tokio::test]
async fn tls_is_spoken_first_where_that_is_wished_for() {
    let valid = Shown::default();
    for (shown, verify, wanted) in [
        (valid, true, fine("connect tls answer")),
        (Shown { by_authority: false, ..valid }, true, wrong(Cause::Certificate, "connect tls")),
        (Shown { by_authority: false, ..valid }, false, fine("connect tls answer")),
    ] {
        let server = Server::start_tls(Does::Says(b"* OK IMAP4\r\n".to_vec()), certificates::server(shown)).await;
        let check = TcpCheck { tls: true, verify, ..check(server.address, Some("OK IMAP")) };
        let outcome = run(&prober(), Kind::Tcp(check), LONG, wanted, &format!("{shown:?}")).await;
        assert!(outcome.certificate_ends.is_some());
    }
    let plain = Server::start(Does::Says(b"* OK IMAP4\r\n".to_vec())).await;
    let check = TcpCheck { tls: true, ..check(plain.address, None) };
    run(&prober(), Kind::Tcp(check), LONG, wrong(Cause::Tls, "connect tls"), "plain").await;
}

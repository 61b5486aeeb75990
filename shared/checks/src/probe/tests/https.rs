use std::time::Duration;

use hyper::header::AUTHORIZATION;

use super::{
    LONG, SHORT, Wanted,
    certificates::{self, Shown},
    fine,
    http::{answer, expecting, secret},
    prober, run,
    servers::{Does, Server},
    wrong,
};
use crate::{cause::Cause, check::CertificateAges, outcome::State, probe::Prober};

#[tokio::test]
async fn a_certificate_that_is_not_valid_is_a_failure_unless_it_need_not_be() {
    let (fails, works) = (wrong(Cause::Certificate, "connect tls"), fine("connect tls answer transfer"));
    let critical = Wanted { state: State::Critical, ..wrong(Cause::CertificateEnds, "connect tls answer transfer") };
    let valid = Shown::default();
    let centuries = Some(Duration::from_secs(2000 * 365 * 86_400));
    let wants = CertificateAges { warning: centuries, critical: None };
    let needs = CertificateAges { warning: None, critical: centuries };
    let ends_soon = wrong(Cause::CertificateEnds, "connect tls answer transfer");
    for (shown, verify, certificate, wanted) in [
        (valid, true, CertificateAges::default(), works),
        (valid, true, wants, ends_soon),
        (valid, true, needs, critical),
        (Shown { ends: 2021, ..valid }, true, CertificateAges::default(), fails),
        (Shown { ends: 2021, ..valid }, false, CertificateAges::default(), works),
        (Shown { ends: 2021, ..valid }, false, needs, critical),
        (Shown { name: "other.example", ..valid }, true, CertificateAges::default(), fails),
        (Shown { name: "other.example", ..valid }, false, CertificateAges::default(), works),
        (Shown { by_authority: false, ..valid }, true, CertificateAges::default(), fails),
        (Shown { by_authority: false, ..valid }, false, CertificateAges::default(), works),
    ] {
        let mut server = Server::start_tls(answer("hello"), certificates::server(shown)).await;
        let checked = expecting(server.address, |check| {
            check.url.set_scheme("https").unwrap();
            check.headers = vec![(AUTHORIZATION, secret("s3cretvalue"))];
            (check.verify, check.expect.certificate) = (verify, certificate);
        });
        let outcome = run(&prober(), checked, LONG, wanted, &format!("{shown:?}")).await;
        let ends = format!("{}-05-01T00:00:00Z", shown.ends);
        assert_eq!(outcome.certificate_ends.map(|ends| ends.to_string()), Some(ends), "{}", outcome.text);
        assert_eq!(server.requests().is_empty(), wanted.cause == Some(Cause::Certificate), "{shown:?}");
    }
}

#[tokio::test]
async fn where_nothing_is_trusted_it_is_unknown_and_what_speaks_no_tls_is_critical() {
    let server = Server::start_tls(answer("hello"), certificates::server(Shown::default())).await;
    let https = |address| expecting(address, |check| check.url.set_scheme("https").unwrap());
    let blind = Prober::new(None).unwrap();
    run(&blind, https(server.address), LONG, wrong(Cause::Local, "connect"), "blind").await;
    for (does, within, wanted) in [
        (Does::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), LONG, wrong(Cause::Tls, "connect tls")),
        (Does::Nothing, SHORT, wrong(Cause::TimedOut, "connect tls")),
        (Does::Closes, LONG, wrong(Cause::Reset, "connect tls")),
    ] {
        let server = Server::start(does.clone()).await;
        run(&prober(), https(server.address), within, wanted, &format!("{does:?}")).await;
    }
}

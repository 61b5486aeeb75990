use std::{net::SocketAddr, time::Duration};

use super::{
    LONG, SHORT, Wanted,
    certificates::{self, Shown},
    fine, prober, run,
    servers::{Does, Server, closed},
    wrong,
};
use crate::{
    cause::Cause,
    check::{CertificateAges, Kind, TlsCheck, TlsVersion},
    outcome::State,
};

fn check(address: SocketAddr) -> TlsCheck {
    TlsCheck {
        host: address.ip().to_string(),
        port: address.port(),
        name: None,
        verify: true,
        least_version: None,
        certificate: CertificateAges::default(),
    }
}

#[tokio::test]
async fn chain_name_and_dates_are_each_held_against_the_certificate() {
    let valid = Shown::default();
    let (works, fails) = (fine("connect tls"), wrong(Cause::Certificate, "connect tls"));
    for (shown, name, verify, wanted, said) in [
        (valid, None, true, works, "TLS 1.3: the certificate ends in "),
        (valid, Some("other.example"), true, fails, "the certificate is for another name"),
        (valid, Some("other.example"), false, fails, "the certificate is for another name"),
        (Shown { name: "other.example", ..valid }, Some("other.example"), true, works, "it is for \"other.example\""),
        (Shown { ends: 2021, ..valid }, None, true, fails, "the certificate has expired"),
        (Shown { ends: 2021, ..valid }, None, false, fails, "the certificate ended "),
        (Shown { by_authority: false, ..valid }, None, true, fails, "of an issuer that is not trusted"),
        (Shown { by_authority: false, ..valid }, None, false, works, "it is for \"127.0.0.1\", by \"127.0.0.1\""),
    ] {
        let server = Server::start_tls(Does::Nothing, certificates::server(shown)).await;
        let check = TlsCheck { name: name.map(str::to_owned), verify, ..check(server.address) };
        let outcome = run(&prober(), Kind::Tls(check), LONG, wanted, &format!("{shown:?} {name:?} {verify}")).await;
        assert!(outcome.text.contains(said), "{}", outcome.text);
        let ends = format!("{}-05-01T00:00:00Z", shown.ends);
        assert_eq!(outcome.certificate_ends.map(|ends| ends.to_string()), Some(ends));
    }
}

#[tokio::test]
async fn the_days_that_are_left_are_a_warning_or_critical() {
    let server = Server::start_tls(Does::Nothing, certificates::server(Shown::default())).await;
    let years = |years: u64| Some(Duration::from_secs(years * 365 * 86_400));
    let soon = wrong(Cause::CertificateEnds, "connect tls");
    for (warning, critical, wanted) in [
        (years(100), years(1), fine("connect tls")),
        (years(2000), years(1), soon),
        (years(2000), years(2000), Wanted { state: State::Critical, ..soon }),
    ] {
        let check = TlsCheck { certificate: CertificateAges { warning, critical }, ..check(server.address) };
        run(&prober(), Kind::Tls(check), LONG, wanted, &format!("{warning:?} {critical:?}")).await;
    }
}

#[tokio::test]
async fn an_old_version_is_taken_unless_a_newer_one_is_wished_for() {
    let server = Server::start_tls(Does::Nothing, certificates::old_server(Shown::default())).await;
    for (least_version, wanted) in [
        (None, fine("connect tls")),
        (Some(TlsVersion::V1_2), fine("connect tls")),
        (Some(TlsVersion::V1_3), wrong(Cause::Tls, "connect tls")),
    ] {
        let check = TlsCheck { least_version, ..check(server.address) };
        let outcome = run(&prober(), Kind::Tls(check), LONG, wanted, &format!("{least_version:?}")).await;
        assert!(outcome.text.starts_with("TLS 1.2"), "{}", outcome.text);
    }
}

#[tokio::test]
async fn each_fault_has_its_cause_and_ends_in_its_phase() {
    for (does, within, wanted) in [
        (Does::Nothing, SHORT, wrong(Cause::TimedOut, "connect tls")),
        (Does::Closes, LONG, wrong(Cause::Reset, "connect tls")),
        (Does::Resets, LONG, wrong(Cause::Reset, "connect tls")),
        (Does::Says(b"220 mail\r\n".to_vec()), LONG, wrong(Cause::Tls, "connect tls")),
    ] {
        let server = Server::start(does.clone()).await;
        run(&prober(), Kind::Tls(check(server.address)), within, wanted, &format!("{does:?}")).await;
    }
    run(&prober(), Kind::Tls(check(closed().await)), LONG, wrong(Cause::Refused, "connect"), "closed").await;
}

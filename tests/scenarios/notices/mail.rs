//! E-mail, by a real server.

use std::path::PathBuf;

use notify::{
    channel::Channel,
    event::{Event, Stage, Subject},
};
use serde_json::Value;
use tests::process::{Ended, Process, file, run};

use super::{LIMIT, notify, python, server};

const LOGIN: &str = "porchlight:correct%20horse";

/// A server whose certificate the sender trusts.
struct Server {
    process: Process,
    port: u16,
    certificate: String,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start(python: &PathBuf, how: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let certificate = file(folder.path(), "certificate", &made.cert.pem());
        let key = file(folder.path(), "key", &made.signing_key.serialize_pem());
        let (process, port) = server(python, "smtp.py", &[how, &certificate, &key]).await;
        Self { process, port, certificate, _folder: folder }
    }

    async fn tried(&self, url: &str) -> Ended {
        let mut notify = notify(url);
        notify.env("SSL_CERT_FILE", &self.certificate);
        run(notify, LIMIT).await
    }

    async fn mails(&mut self, count: usize) -> Vec<Value> {
        let mails = |lines: &[String]| {
            let mails: Vec<_> =
                lines.iter().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect();
            (mails.len() >= count).then_some(mails)
        };
        self.process.wait_for("the mails", mails).await
    }
}

#[tokio::test]
async fn each_address_gets_an_encrypted_mail_and_one_that_is_refused_keeps_none_from_it() {
    let Some(python) = python("e-mail by a real server", "aiosmtpd").await else { return };
    for (scheme, how) in [("smtps", "tls"), ("smtp", "starttls")] {
        let mut server = Server::start(&python, how).await;
        let to = "one@example.com,refused@example.com,late@example.com";
        let ended =
            server.tried(&format!("{scheme}://{LOGIN}@localhost:{}/?from=home@example.com&to={to}", server.port)).await;
        assert_eq!(ended.code, Some(1), "{how}: {ended:?}");
        for expected in [
            "(one@example.com): taken",
            "(refused@example.com): not taken: the server refuses the mail",
            "(late@example.com): taken",
        ] {
            assert!(ended.stdout.contains(expected), "{how}: {ended:?}");
        }
        let mails = server.mails(2).await;
        assert_eq!(mails.len(), 2, "{how}: {mails:#?}");
        for mail in &mails {
            assert_eq!((&mail["encrypted"], &mail["from"]), (&true.into(), &"home@example.com".into()), "{how}");
            assert_eq!(mail["headers"]["subject"], "Porchlight can reach you here");
            let parts = &mail["parts"];
            assert!(parts["text/plain"].as_str().is_some_and(|text| text.contains("nothing is wrong")), "{parts}");
            assert!(
                parts["text/html"].as_str().is_some_and(|text| text.contains("<h1>Porchlight can reach you here</h1>")),
                "{parts}"
            );
        }
    }
}

#[tokio::test]
async fn no_mail_and_no_password_goes_unencrypted_or_to_a_stranger_and_a_wrong_login_is_said() {
    let Some(python) = python("what a mail server refuses", "aiosmtpd").await else { return };
    let to = "?from=a@b.example&to=one@example.com";
    let (plain, tls) = (Server::start(&python, "plain").await, Server::start(&python, "tls").await);
    let by_starttls = format!("smtp://{LOGIN}@localhost:{}/{to}", plain.port);
    let by_tls = format!("smtps://{LOGIN}@localhost:{}/{to}", tls.port);
    for (ended, expected) in [
        (plain.tried(&by_starttls).await, "not taken: the server has no STARTTLS, and without it nothing is sent"),
        // On this machine, where it is asked for.
        (plain.tried(&format!("{by_starttls}&encryption=none")).await, "(one@example.com): taken"),
        (
            tls.tried(&by_tls.replace("correct", "wrong")).await,
            "not taken: the server does not accept the login: 5.7.8 no such login: AUTH PLAIN ***",
        ),
        // Without the certificate.
        (run(notify(&by_tls), LIMIT).await, "not taken: no secure connection"),
    ] {
        assert!(ended.stdout.contains(expected), "{expected}: {ended:?}");
        assert_eq!(ended.code, Some(i32::from(expected.starts_with("not"))), "{ended:?}");
        for secret in ["horse", "d3JvbmcgaG9yc2U", "AHBvcmNobGlnaHQA"] {
            assert!(!format!("{ended:?}").contains(secret), "{secret}: {ended:?}");
        }
    }
}

#[tokio::test]
async fn an_outage_is_one_thread() {
    let channel =
        Channel::read("smtp://localhost/?from=home@example.com&to=one@example.com").expect("a channel").remove(0);
    let since = "2026-11-29T07:42:00Z".parse().expect("a time");
    let of = |stage| Event {
        key: "home/8kbf7d35c070".into(),
        subject: Subject::Home,
        stage,
        since,
        at: since,
        title: "Home internet is down".into(),
        text: "Nothing answers.".into(),
        is_serious: true,
        ends: None,
        link: None,
    };
    let header = |stage, name: &str| {
        let event = of(stage);
        let notify::channel::Outgoing::Mail(mail) = channel.outgoing(&event, since, None) else {
            panic!("it is a mail")
        };
        mail.message(&event).expect("a mail").headers().get_raw(name).map(ToOwned::to_owned)
    };
    let id = header(Stage::Began, "Message-ID");
    assert!(id.is_some() && header(Stage::Ended, "In-Reply-To") == id && header(Stage::Reminder, "References") == id);
}

//! What would be sent, for a person to read: without secrets.

use std::fmt::Write;

use jiff::Timestamp;
use notify::{
    channel::{
        Channel, Outgoing,
        mail::{Encryption, Mail},
    },
    event::Event,
};

/// What stands in the place of a header that is one's business alone.
const HIDDEN: &str = "***";

/// The request or the mail of that channel.
pub(super) fn printed(channel: &Channel, event: &Event, now: Timestamp) -> String {
    let body = match channel.outgoing(event, now, None) {
        Outgoing::Call(request) => {
            let mut text = format!("{} {}\n", request.method, request.url);
            // Writing to a string does not fail.
            for (name, _) in &request.headers {
                let _ = writeln!(text, "{name}: {HIDDEN}");
            }
            if let Some((kind, body)) = &request.body {
                let _ = writeln!(text, "content-type: {kind}\n\n{}", String::from_utf8_lossy(body));
            }
            text
        }
        Outgoing::Mail(mail) => by_mail(mail, event),
    };
    format!("# {channel}\n{}\n", channel.hide(&body))
}

fn by_mail(mail: &Mail, event: &Event) -> String {
    let how = match mail.encryption {
        Encryption::Tls => "TLS",
        Encryption::StartTls => "STARTTLS",
        Encryption::None => "no encryption",
    };
    let login = if mail.login.is_some() { ", with a login" } else { "" };
    let message = mail
        .message(event)
        .map_or_else(|error| error, |message| String::from_utf8_lossy(&message.formatted()).into_owned());
    format!("{}:{}, {how}{login}\n\n{}\n", mail.host, mail.port, message.replace('\r', ""))
}

//! E-mail: `smtps://USER:PASSWORD@HOST/?from=…&to=…` with TLS from the start, `smtp://` with STARTTLS, which is required unless
//! `encryption=none` says otherwise. Each address is a channel of its own: one that is refused must not keep the others from it
//! (lettre sends to all or to none).

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::tz::TimeZone;
use lettre::{
    Message,
    address::Address,
    message::{Mailbox, MultiPart},
};

use super::parts::Parts;
use crate::event::{Event, Stage};

/// The ports of submission, with STARTTLS and with TLS from the start (RFC 8314).
const STARTTLS_PORT: u16 = 587;
const TLS_PORT: u16 = 465;

/// What of a mail's subject stays.
const MAX_SUBJECT: usize = 200;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything else is said; without it no mail is sent.
    StartTls,
    /// Nothing: for a server on this machine.
    None,
}

/// One address at one server.
#[derive(Clone)]
pub struct Mail {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub encryption: Encryption,
    /// User and password.
    pub login: Option<(String, String)>,
    from: Mailbox,
    to: Mailbox,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

pub(super) const PARAMETERS: [&str; 3] = ["from", "to", "encryption"];

impl Mail {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        let host = parts.host()?.trim_matches(['[', ']']).to_owned();
        let is_tls = parts.scheme == "smtps";
        let usual = if is_tls { Encryption::Tls } else { Encryption::StartTls };
        let encryption = match parts.take("encryption").map(|text| text.to_ascii_lowercase()).as_deref() {
            None | Some("auto") => usual,
            Some("tls" | "implicittls") => Encryption::Tls,
            Some("starttls" | "explicittls") => Encryption::StartTls,
            Some("none") => Encryption::None,
            Some(_) => return Err("encryption is tls, starttls or none".into()),
        };
        if is_tls && encryption != Encryption::Tls {
            return Err("smtps:// is TLS from the start: for another encryption it is smtp://".into());
        }
        let port = parts.port.unwrap_or(if encryption == Encryption::Tls { TLS_PORT } else { STARTTLS_PORT });
        match (encryption, port) {
            (Encryption::StartTls, TLS_PORT) => {
                return Err("port 465 speaks TLS from the start, so it is smtps://; STARTTLS has port 587".into());
            }
            (Encryption::Tls, STARTTLS_PORT | 25) => {
                return Err(format!(
                    "port {port} begins without TLS, so it is smtp://; TLS from the start has port 465"
                ));
            }
            _ => (),
        }
        if parts.path.iter().any(|part| !part.is_empty()) {
            return Err("it has a path: whom to write to stands in ?to=".into());
        }
        let login = match (parts.user.clone(), parts.password.clone()) {
            (None, None) => None,
            (Some(user), Some(password)) => Some((user, password)),
            _ => return Err("a login is USER:PASSWORD@, with an @ in the user written as %40".into()),
        };
        if login.is_some() && encryption == Encryption::None && !is_loopback(&host) {
            return Err("it would send a password that everybody on the way can read: leave encryption=none out".into());
        }
        let mailbox = |text: &str| -> Result<Mailbox, String> {
            let address: Address = text.parse().map_err(|_| {
                "from and to are addresses: name@example.com, with a + in them written as %2B".to_owned()
            })?;
            Ok(Mailbox::new(None, address))
        };
        let from = match (parts.take("from").or_else(|| parts.take("fromaddress")), &login) {
            (Some(from), _) => from,
            (None, Some((user, _))) if user.contains('@') => user.clone(),
            (None, _) => return Err("it names no sender: add ?from=name@example.com".into()),
        };
        let from = Mailbox::new(Some("Porchlight".into()), mailbox(&from)?.email);
        let to = [parts.list("to"), parts.list("toaddresses")].concat();
        if to.is_empty() {
            return Err("it names no address to write to: add &to=name@example.com".into());
        }
        to.iter()
            .map(|to| {
                let (host, login, from) = (host.clone(), login.clone(), from.clone());
                Ok(Self { host, port, encryption, login, from, to: mailbox(to)? })
            })
            .collect()
    }

    /// The mail. All those of one event are one thread, and one that comes twice has one id.
    ///
    /// # Errors
    /// When it cannot be put together; says why.
    pub fn message(&self, event: &Event) -> Result<Message, String> {
        let domain = self.from.email.domain();
        let first = format!("<{}@{domain}>", Event { stage: Stage::Began, ..event.clone() }.id());
        let mut mail = Message::builder()
            .from(self.from.clone())
            .to(self.to.clone())
            .subject(super::answer::cut(&event.title, MAX_SUBJECT))
            .date(event.at.into())
            .message_id(Some(format!("<{}@{domain}>", event.id())));
        if event.stage != Stage::Began {
            mail = mail.in_reply_to(first.clone()).references(first);
        }
        let parts = MultiPart::alternative_plain_html(format!("{}\n{}\n", event.plain(), times(event)), html(event));
        mail.multipart(parts).map_err(|error| error.to_string())
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        // Servers repeat the line of a login, which is in base64.
        let sent = |(user, password): &(String, String)| {
            [password.clone(), STANDARD.encode(password), STANDARD.encode(format!("\0{user}\0{password}"))]
        };
        self.login.iter().flat_map(sent).collect()
    }

    /// The host as an address has it: IPv6 between brackets.
    pub fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }

    /// The domain of the sender, as which we greet a server.
    pub fn sender_domain(&self) -> &str {
        self.from.email.domain()
    }

    /// To whom.
    pub fn to(&self) -> String {
        self.to.email.to_string()
    }
}

fn times(event: &Event) -> String {
    let time = |at: jiff::Timestamp| at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y %H:%M UTC").to_string();
    match event.stage {
        Stage::Began | Stage::Reminder => format!("Since {}.", time(event.since)),
        Stage::Ended => format!("From {} to {}.", time(event.since), time(event.at)),
    }
}

fn html(event: &Event) -> String {
    let link = event.link.as_ref().map(|link| {
        let link = escaped(link.as_str());
        format!("<p><a href=\"{link}\">{link}</a></p>")
    });
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{0}</title><body><h1>{0}</h1><p>{1}</p><p>{2}</p>{3}\
         </body></html>",
        escaped(&event.title),
        escaped(&event.text),
        times(event),
        link.unwrap_or_default(),
    )
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    fn read(line: &str) -> Result<Vec<Mail>, String> {
        Mail::read(&mut Parts::read(line).unwrap())
    }

    #[test]
    fn each_address_gets_a_mail_by_itself_and_an_outage_is_one_thread() {
        let all = read("smtps://me%40example.com:pass@mail.example.com/?to=one@example.com,two@example.com").unwrap();
        assert_eq!(all.iter().map(Mail::to).collect::<Vec<_>>(), ["one@example.com", "two@example.com"]);
        assert_eq!((all[0].port, all[0].encryption), (465, Encryption::Tls));
        let [began, ended] = [Stage::Began, Stage::Ended].map(|stage| all[0].message(&event(stage)).unwrap());
        let header = |mail: &Message, name| mail.headers().get_raw(name).map(ToOwned::to_owned);
        let id = header(&began, "Message-ID").unwrap();
        assert_eq!((header(&ended, "In-Reply-To"), header(&ended, "References")), (Some(id.clone()), Some(id)));
        assert!(
            header(&began, "In-Reply-To").is_none() && header(&began, "Message-ID") != header(&ended, "Message-ID")
        );
        let text = String::from_utf8(ended.formatted()).unwrap();
        assert!(text.contains("text/plain") && text.contains("text/html"), "{text}");
        assert!(text.contains("From 29 Nov 2026 07:42 UTC to 29 Nov 2026 08:53 UTC."), "{text}");
    }

    #[test]
    fn starttls_is_required_unless_it_is_said_otherwise() {
        assert_eq!(
            read("smtp://mail.example.com?from=a@b.example&to=c@d.example").unwrap()[0].encryption,
            Encryption::StartTls
        );
        let plain = read("smtp://localhost:2525?from=a@b.example&to=c@d.example&encryption=none").unwrap();
        assert_eq!((plain[0].encryption, plain[0].port), (Encryption::None, 2525));
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for (line, expected) in [
            ("smtp://mail.example.com?to=c@d.example", "names no sender"),
            ("smtp://mail.example.com?from=a@b.example", "names no address to write to"),
            ("smtp://mail.example.com:465?from=a@b.example&to=c@d.example", "so it is smtps://"),
            ("smtps://mail.example.com:587?from=a@b.example&to=c@d.example", "so it is smtp://"),
            ("smtps://mail.example.com?from=a@b.example&to=c@d.example&encryption=none", "it is smtp://"),
            ("smtp://mail.example.com?from=me&to=c@d.example", "name@example.com"),
            ("smtp://user@mail.example.com?from=a@b.example&to=c@d.example", "USER:PASSWORD@"),
            ("smtp://u:p@mail.example.com?from=a@b.example&to=c@d.example&encryption=none", "can read"),
            ("smtp://mail.example.com?from=a@b.example&to=c@d.example&encryption=ssl", "tls, starttls or none"),
            ("smtp://mail.example.com/inbox?from=a@b.example", "?to="),
        ] {
            let error = read(line).err().unwrap_or_else(|| panic!("{line} is taken"));
            assert!(error.contains(expected), "{line}: {error}");
        }
    }
}

//! Channels: each is one address of `NOTIFY_URLS`, in the form that shoutrrr and Apprise made common. Pure: a channel makes a request
//! of an event, and reads what was answered.
//!
//! Why our own and no crate: those for one service each bring a client of their own, past our deadlines and our resolver; the one
//! for all of them that is known (`shoutrrr`) is Go; and what a service's answer means is what this is for. E-mail is lettre's.
//!
//! - `parts`: an address in its parts; `wanted`: what it is for; `request`, [`answer`]: what is sent, and what came back
//! - `kind`: which service it is; the others: a service, or several that are alike

mod alertmanager;
pub mod answer;
mod chat;
mod kind;
pub mod mail;
mod ntfy;
mod parts;
mod push;
mod request;
mod telegram;
mod wanted;
mod webhook;

use std::fmt;

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use self::{
    answer::{Answer, Failure},
    kind::{Kind, SCHEMES, unknown},
    mail::Mail,
    parts::{HIDDEN, Parts, Server, masked},
    wanted::Wanted,
};
pub use self::{parts::WrongChannel, request::Request};
use crate::event::{self, Event, Stage, Subject};

/// How many channels there may be: each notice goes to all of them within the budget of a run.
pub const MAX_CHANNELS: usize = 20;

/// One place where a person, or a program, is given notices. `Debug` and `Display` show nothing secret of it.
#[derive(Clone)]
pub struct Channel {
    kind: Kind,
    wanted: Wanted,
    masked: String,
    id: String,
    place: String,
}

/// What a channel makes of an event.
#[derive(Clone, Debug)]
pub enum Outgoing<'a> {
    /// A call.
    Call(Request),
    /// A mail.
    Mail(&'a Mail),
}

impl Channel {
    /// The channels of that text: an address a line; empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// When a line is none, with its number, in a sentence that shows nothing secret; and when there are more than
    /// [`MAX_CHANNELS`].
    pub fn read_all(text: &str) -> Result<Vec<Self>, WrongChannel> {
        let mut channels = Vec::new();
        for (index, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let read = Self::read(line);
            channels.extend(
                read.map_err(|wrong| WrongChannel {
                    masked: format!("line {}: {}", index + 1, wrong.masked),
                    ..wrong
                })?,
            );
        }
        for (index, channel) in channels.iter().enumerate() {
            if channels[..index].iter().any(|before| before.id == channel.id) {
                let what = "it is there twice, and would be given each notice twice: leave one out".into();
                return Err(WrongChannel { masked: channel.masked.clone(), what });
            }
        }
        if channels.len() > MAX_CHANNELS {
            let what = format!("there are {} channels, and there may be {MAX_CHANNELS}", channels.len());
            return Err(WrongChannel { masked: "the list".into(), what });
        }
        Ok(channels)
    }

    /// The channels of one address: one for each chat or each address of mail in it.
    ///
    /// # Errors
    /// When it is none, in a sentence that shows nothing secret.
    pub fn read(line: &str) -> Result<Vec<Self>, WrongChannel> {
        let written = line.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        let known = written.as_deref().and_then(|scheme| SCHEMES.iter().find(|(known, ..)| *known == scheme));
        let masked = masked(line, known.map_or(Server::Absent, |(_, server, _)| *server));
        let wrong = |what: String| WrongChannel { masked: masked.clone(), what };
        let Some(written) = written else {
            return Err(wrong(
                "it is no address: each line begins with the name of a service and ://, as in ntfy://ntfy.sh/TOPIC"
                    .into(),
            ));
        };
        let Some((_, _, parameters)) = known else { return Err(wrong(unknown(&written))) };
        let mut parts = Parts::read(line).map_err(&wrong)?;
        let wanted = Wanted::read(&mut parts).map_err(&wrong)?;
        let kinds = Kind::read(&mut parts).map_err(&wrong)?;
        parts.finish(parameters).map_err(&wrong)?;
        Ok(kinds
            .into_iter()
            .map(|kind| {
                let target = kind.target();
                let shown = target.as_ref().map(|target| format!("{masked} ({target})"));
                // Not by what may change while an outage lasts, as a priority may.
                let address = line.split('?').next().unwrap_or_default();
                let place = format!("{address}\n{}", target.unwrap_or_default());
                let id = event::id(&format!("{place}\n{:?}", wanted.subjects));
                let masked = shown.unwrap_or_else(|| masked.clone());
                Self { kind, wanted: wanted.clone(), masked, id, place: event::id(&place) }
            })
            .collect())
    }

    /// Whether it is to be given any events about that.
    pub fn wants(&self, subject: Subject) -> bool {
        self.wanted.wants(subject)
    }

    /// Whether it is to be given those of that key, like `check/disk`.
    pub fn wants_key(&self, subject: Subject, key: &str) -> bool {
        self.wanted.wants_key(subject, key)
    }

    /// The same for channels that write to the same place, whatever each of them is for: a digest, as [`Channel::id`] is.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Whether people read it: a program that keeps a state by what it is sent must not miss any of it.
    pub const fn is_for_people(&self) -> bool {
        !matches!(self.kind, Kind::Alertmanager(_) | Kind::Healthchecks(_) | Kind::Webhook(_))
    }

    /// Whether it shows a picture that comes with a notice.
    pub const fn takes_pictures(&self) -> bool {
        matches!(self.kind, Kind::Telegram(_))
    }

    /// The stage as which a test is sent: a check that is well is pinged as such.
    pub const fn test_stage(&self) -> Stage {
        match self.kind {
            Kind::Healthchecks(_) => Stage::Ended,
            _ => Stage::Began,
        }
    }

    /// A short name for it in records: 16 letters, digits, `-` and `_`. It is a digest, which shows an address to nobody who does not
    /// guess it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What it sends of an event, now. `moved_to` is the chat's other id, where it has been given one.
    pub fn outgoing(&self, event: &Event, now: Timestamp, moved_to: Option<&str>) -> Outgoing<'_> {
        match (self.kind.request(event, now, moved_to), &self.kind) {
            (None, Kind::Mail(mail)) => Outgoing::Mail(mail),
            (Some(request), _) => Outgoing::Call(request),
            (None, _) => unreachable!("only mail is no call"),
        }
    }

    /// What it sends of an event with a JPEG; `None` where that cannot be, and it is sent without.
    pub fn with_picture(&self, event: &Event, jpeg: &[u8], moved_to: Option<&str>) -> Option<Request> {
        self.kind.with_picture(event, jpeg, moved_to)
    }

    /// Whether the answer says that the notice was taken.
    ///
    /// # Errors
    /// When it was not, and whether it may be later.
    pub fn taken(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        // Before anything is read of it, or cut: half a secret would not be found any more.
        let body = self.hide(&String::from_utf8_lossy(answer.body));
        self.kind.taken(&Answer { body: body.as_bytes(), ..*answer })
    }

    /// A text without what is secret of this channel: services repeat it in their answers.
    pub fn hide(&self, text: &str) -> String {
        let mut secrets = self.kind.secrets();
        let decoded = |secret: &String| percent_decode_str(secret).decode_utf8_lossy().into_owned();
        let encoded = |secret: &String| utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let others: Vec<_> = secrets.iter().flat_map(|secret| [decoded(secret), encoded(secret)]).collect();
        secrets.extend(others);
        // A secret that is part of another one must not leave the rest of it behind.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let long = secrets.iter().filter(|secret| secret.len() > 2);
        long.fold(text.to_owned(), |text, secret| text.replace(secret, HIDDEN))
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked)
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Channel").field(&self.masked).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::tests::event;

    const ALL: &str = "
        # people
        telegram://123456:ABC-def_ghi@telegram?chats=42,@mine
        ntfy://:tk_secret@ntfy.sh/secret-topic?events=home,line
        smtps://me%40example.com:passSecret@mail.example.com/?to=one@example.com
        discord://secretToken@4711
        slack://hook:T00-B00-secretHook@webhook
        gotify://push.example.com/secretApp
        pushover://shoutrrr:azGDORePK8gMaC0QOYAMyEEuzJnyUi@uQiRzpo4DXghDmr9QzzfQu27cmVRsG
        # programs
        alertmanager+http://user:secretPass@am:9093
        json+https://user:secretPass@hooks.example.com/secretPath?secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw
        apprises://host/secretKey
        healthchecks+https://hc-ping.com/secret-uuid
    ";

    const SECRETS: [&str; 6] = ["ABC-def", "secret", "passSecret", "azGDORe", "uQiRzpo", "MfKQ9r8G"];

    #[test]
    fn every_service_has_its_address_and_shows_no_secret() {
        let channels = Channel::read_all(ALL).unwrap();
        assert_eq!(channels.len(), 12);
        let now = "2026-11-29T07:44:05Z".parse().unwrap();
        for channel in &channels {
            let outgoing = channel.outgoing(&event(Stage::Began), now, None);
            let shown = format!("{channel} {channel:?} {outgoing:?} {}", channel.id());
            assert!(!SECRETS.iter().any(|secret| shown.contains(secret)), "{shown}");
        }
        assert!(
            channels[2].wants(Subject::Line) && !channels[2].wants(Subject::Job) && channels[0].wants(Subject::Job)
        );
        assert_eq!(channels[1].to_string(), "telegram://*** (@mine)");
    }

    #[test]
    fn what_a_service_repeats_of_a_secret_is_hidden() {
        let channels = Channel::read_all(ALL).unwrap();
        let answer = Answer { status: 400, wait: None, body: b"{\"error\":\"bad topic secret-topic\",\"http\":400}" };
        let Err(Failure::Refused(what)) = channels[2].taken(&answer) else { panic!("it is refused") };
        assert_eq!(what, "it refuses the notice (status 400): bad topic ***");
    }

    #[test]
    fn a_line_that_is_no_channel_is_named_by_its_number_alone() {
        for (text, expected) in [
            ("ntfy://ntfy.sh/home\n123456:ABC-def_ghi", "line 2: ***: it is no address"),
            (
                "telegramm://123456:ABC-def_ghi@telegram",
                "telegramm://***: there is no such service: was telegram:// meant?",
            ),
            ("https://hooks.example.com/x", "https://***: for a web hook of your own write json+https://"),
            ("mattermost://x", "there is no such service: there are telegram, ntfy"),
            ("ntfy://ntfy.sh/home?events=house", "events is a list of home, job"),
            ("ntfy://ntfy.sh/home?checks=disk,NAS", "checks is a list of names of checks"),
            ("ntfy://ntfy.sh/home?checks=,", "checks is a list of names of checks"),
            ("ntfy://ntfy.sh/home?events=job&checks=disk", "events leaves checks out"),
            ("ntfy://ntfy.sh/home?prioritty=5", "was priority meant?"),
            ("ntfy://ntfy.sh/home\nntfy://ntfy.sh/home", "there twice"),
        ] {
            let wrong = Channel::read_all(text).unwrap_err().to_string();
            assert!(wrong.contains(expected) && !wrong.contains("ABC"), "{wrong}");
        }
        let many: Vec<_> = (0..=MAX_CHANNELS).map(|number| format!("ntfy://ntfy.sh/home{number}")).collect();
        assert!(Channel::read_all(&many.join("\n")).unwrap_err().to_string().contains("there may be 20"));
    }
}

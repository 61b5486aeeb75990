//! Which service a channel is of.

use jiff::Timestamp;

use super::{
    alertmanager::Alertmanager,
    answer::{Answer, Failure},
    chat::{self, Discord, Slack},
    mail::{self, Mail},
    ntfy::{self, Ntfy},
    parts::{Parts, Server},
    push::{self, Gotify, Pushover},
    request::Request,
    telegram::{self, Telegram},
    webhook::{self, Apprise, Healthchecks, Webhook},
};
use crate::event::Event;

#[derive(Clone)]
pub(super) enum Kind {
    Telegram(Telegram),
    Ntfy(Ntfy),
    Mail(Box<Mail>),
    Discord(Discord),
    Slack(Slack),
    Gotify(Gotify),
    Pushover(Pushover),
    Alertmanager(Alertmanager),
    Webhook(Webhook),
    Apprise(Apprise),
    Healthchecks(Healthchecks),
}

/// The schemes, which part of an address is a server's, and the parameters.
pub(super) const SCHEMES: [(&str, Server, &[&str]); 18] = [
    ("telegram", Server::Absent, &telegram::PARAMETERS),
    ("ntfy", Server::HostBeforePath, &ntfy::PARAMETERS),
    ("ntfy+http", Server::HostBeforePath, &ntfy::PARAMETERS),
    ("smtp", Server::Host, &mail::PARAMETERS),
    ("smtps", Server::Host, &mail::PARAMETERS),
    ("discord", Server::Absent, &chat::DISCORD_PARAMETERS),
    ("slack", Server::Absent, &chat::SLACK_PARAMETERS),
    ("gotify", Server::HostBeforePath, &push::GOTIFY_PARAMETERS),
    ("gotify+http", Server::HostBeforePath, &push::GOTIFY_PARAMETERS),
    ("pushover", Server::Absent, &push::PUSHOVER_PARAMETERS),
    ("alertmanager+http", Server::Host, &["label.NAME"]),
    ("alertmanager+https", Server::Host, &["label.NAME"]),
    ("json+http", Server::Host, &webhook::WEBHOOK_PARAMETERS),
    ("json+https", Server::Host, &webhook::WEBHOOK_PARAMETERS),
    ("apprise", Server::HostBeforePath, &webhook::APPRISE_PARAMETERS),
    ("apprises", Server::HostBeforePath, &webhook::APPRISE_PARAMETERS),
    ("healthchecks+http", Server::HostBeforePath, &[]),
    ("healthchecks+https", Server::HostBeforePath, &[]),
];

impl Kind {
    pub(super) fn read(parts: &mut Parts) -> Result<Vec<Self>, String> {
        fn all<T>(read: Result<Vec<T>, String>, kind: impl Fn(T) -> Kind) -> Result<Vec<Kind>, String> {
            Ok(read?.into_iter().map(kind).collect())
        }
        match parts.scheme.split_once('+').map_or(parts.scheme.as_str(), |(service, _)| service) {
            "telegram" => all(Telegram::read(parts), Self::Telegram),
            "ntfy" => all(Ntfy::read(parts), Self::Ntfy),
            "smtp" | "smtps" => all(Mail::read(parts), |mail| Self::Mail(Box::new(mail))),
            "discord" => all(Discord::read(parts), Self::Discord),
            "slack" => all(Slack::read(parts), Self::Slack),
            "gotify" => all(Gotify::read(parts), Self::Gotify),
            "pushover" => all(Pushover::read(parts), Self::Pushover),
            "alertmanager" => all(Alertmanager::read(parts), Self::Alertmanager),
            "apprise" | "apprises" => all(Apprise::read(parts), Self::Apprise),
            "healthchecks" => all(Healthchecks::read(parts), Self::Healthchecks),
            _ => all(Webhook::read(parts), Self::Webhook),
        }
    }

    /// What it sends of an event; `None` of mail, which is no call.
    pub(super) fn request(&self, event: &Event, now: Timestamp, moved_to: Option<&str>) -> Option<Request> {
        Some(match self {
            Self::Mail(_) => return None,
            Self::Telegram(telegram) => telegram.request(event, moved_to),
            Self::Ntfy(ntfy) => ntfy.request(event),
            Self::Discord(discord) => discord.request(event),
            Self::Slack(slack) => slack.request(event),
            Self::Gotify(gotify) => gotify.request(event),
            Self::Pushover(pushover) => pushover.request(event),
            Self::Alertmanager(alertmanager) => alertmanager.request(event),
            Self::Webhook(webhook) => webhook.request(event, now),
            Self::Apprise(apprise) => apprise.request(event),
            Self::Healthchecks(check) => check.request(event),
        })
    }

    /// What it sends of an event with a picture; `None` of one that takes none.
    pub(super) fn with_picture(&self, event: &Event, jpeg: &[u8], moved_to: Option<&str>) -> Option<Request> {
        match self {
            Self::Telegram(telegram) => telegram.with_picture(event, jpeg, moved_to),
            _ => None,
        }
    }

    /// Whether the answer says that the notice was taken.
    pub(super) fn taken(&self, answer: &Answer<'_>) -> Result<(), Failure> {
        match self {
            Self::Telegram(_) => Telegram::taken(answer),
            Self::Ntfy(_) => Ntfy::taken(answer),
            Self::Discord(_) => Discord::taken(answer),
            Self::Slack(_) => Slack::taken(answer),
            Self::Gotify(_) => Gotify::taken(answer),
            Self::Pushover(_) => Pushover::taken(answer),
            Self::Alertmanager(_) => Alertmanager::taken(answer),
            Self::Webhook(_) => Webhook::taken(answer),
            Self::Apprise(_) => Apprise::taken(answer),
            Self::Healthchecks(_) => Healthchecks::taken(answer),
            // It is not called.
            Self::Mail(_) => Ok(()),
        }
    }

    /// What of it must not be shown, decoded or as it is sent.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Telegram(telegram) => telegram.secrets(),
            Self::Ntfy(ntfy) => ntfy.secrets(),
            Self::Mail(mail) => mail.secrets(),
            Self::Discord(discord) => discord.secrets(),
            Self::Slack(slack) => slack.secrets(),
            Self::Gotify(gotify) => gotify.secrets(),
            Self::Pushover(pushover) => pushover.secrets(),
            Self::Webhook(webhook) => webhook.secrets(),
            Self::Apprise(apprise) => apprise.secrets(),
            Self::Healthchecks(check) => check.secrets(),
            Self::Alertmanager(alertmanager) => alertmanager.secrets(),
        }
    }

    /// Which of several of one address it is.
    pub(super) fn target(&self) -> Option<String> {
        match self {
            Self::Telegram(telegram) => Some(telegram.target()),
            Self::Mail(mail) => Some(mail.to()),
            _ => None,
        }
    }
}

/// What is said of a scheme that is none of ours.
pub(super) fn unknown(written: &str) -> String {
    let schemes: Vec<_> = SCHEMES.iter().map(|(scheme, ..)| *scheme).collect();
    let near = shared::settings::nearness::nearest(written, schemes.iter().copied());
    match (written, near.first()) {
        ("http" | "https", _) => format!(
            "for a web hook of your own write json+{written}://; a service is named as in ntfy:// or telegram://"
        ),
        (_, Some(near)) => format!("there is no such service: was {near}:// meant?"),
        (_, None) => format!("there is no such service: there are {}", schemes.join(", ")),
    }
}

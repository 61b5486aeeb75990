//! Events: what happened, to what, and in which words. Pure.

use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use url::Url;

/// How much of a digest is an id: 96 bits.
const ID_BYTES: usize = 12;

/// What an event is about, by which a channel can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A home, as seen from outside.
    Home,
    /// A job at home that fails or is silent.
    Job,
    /// A check of something else.
    Check,
    /// How good the line is.
    Line,
    /// The keeper: its disk, its relay, its backups.
    Keeper,
}

/// How far what an event is about has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has begun.
    Began,
    /// It goes on.
    Reminder,
    /// It is over.
    Ended,
}

/// Something worth telling a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What it is about, the same in all its stages: `home/8kbf7d35c070`.
    pub key: String,
    /// The kind of thing that this is.
    pub subject: Subject,
    /// How far it has come.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// The time of this stage.
    pub at: Timestamp,
    /// A few words: `Home internet is down`.
    pub title: String,
    /// A sentence.
    pub text: String,
    /// Whether it is worth getting up for; the same in all its stages.
    pub is_serious: bool,
    /// When it is over by itself, where that is known.
    pub ends: Option<Timestamp>,
    /// Where more is to be seen.
    pub link: Option<Url>,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Home, Self::Job, Self::Check, Self::Line, Self::Keeper];

    /// As it is written in a channel's address.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Job => "job",
            Self::Check => "check",
            Self::Line => "line",
            Self::Keeper => "keeper",
        }
    }
}

impl FromStr for Subject {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|subject| subject.as_str() == text).ok_or(())
    }
}

impl Stage {
    /// As machines are given it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Reminder => "reminder",
            Self::Ended => "ended",
        }
    }
}

impl FromStr for Stage {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Began, Self::Reminder, Self::Ended].into_iter().find(|stage| stage.as_str() == text).ok_or(())
    }
}

impl Event {
    /// The same for all stages of one event.
    pub fn thread(&self) -> String {
        id(&format!("{}\n{}", self.key, self.since.as_second()))
    }

    /// The same each time that this stage is sent, so that who gets it twice can drop the second.
    pub fn id(&self) -> String {
        let thread = self.thread();
        match self.stage {
            // There may be many.
            Stage::Reminder => id(&format!("{thread}\nreminder\n{}", self.at.as_second())),
            stage => id(&format!("{thread}\n{}", stage.as_str())),
        }
    }

    /// Title, text and link, each on a line of its own.
    pub fn plain(&self) -> String {
        let link = self.link.as_ref().map(|link| format!("\n{link}")).unwrap_or_default();
        format!("{}\n{}{link}", self.title, self.text)
    }
}

/// 16 letters, digits, `-` and `_`.
pub(crate) fn id(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..ID_BYTES])
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn event(stage: Stage) -> Event {
        let minutes = match stage {
            Stage::Began => 2,
            Stage::Reminder => 62,
            Stage::Ended => 71,
        };
        let since: Timestamp = "2026-11-29T07:42:00Z".parse().unwrap();
        Event {
            key: "home/8kbf7d35c070".into(),
            subject: Subject::Home,
            stage,
            since,
            at: since + jiff::SignedDuration::from_mins(minutes),
            title: if stage == Stage::Ended { "Home internet is up again" } else { "Home internet is down" }.into(),
            text: "Nothing answers at the address <home.duckdns.org> & the port is closed.".into(),
            is_serious: true,
            ends: None,
            link: Some("https://status.example.com/".parse().unwrap()),
        }
    }

    #[test]
    fn a_stage_has_one_id_however_often_it_is_sent_and_all_stages_one_thread() {
        let [began, reminder, ended] = [Stage::Began, Stage::Reminder, Stage::Ended].map(event);
        assert_eq!(began.id(), Event { at: began.at + jiff::SignedDuration::from_mins(9), ..began.clone() }.id());
        assert_ne!(began.id(), ended.id());
        assert_ne!(reminder.id(), Event { at: ended.at, ..reminder.clone() }.id());
        assert_ne!(began.id(), Event { since: began.at, ..began.clone() }.id());
        assert!(began.thread() == reminder.thread() && reminder.thread() == ended.thread());
        assert_eq!(began.id().len(), 16);
    }
}

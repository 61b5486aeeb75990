//! What a service answered, and what follows from it. Pure.

use std::time::Duration;

use serde_json::Value;

/// How much of a service's own words is repeated, in characters.
const QUOTED: usize = 160;

/// What a service answered.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its HTTP status.
    pub status: u16,
    /// How long it asks to wait.
    pub wait: Option<Duration>,
    /// Its body, cut where it is long.
    pub body: &'a [u8],
}

/// Why a channel did not take a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It may take the same later.
    Passing {
        /// What was wrong.
        what: String,
        /// The wait that it asks for.
        after: Option<Duration>,
    },
    /// It never will, until somebody changes something.
    Refused(String),
    /// It may have been taken: there was no answer, or none in time. To send it again at once would often write to a person twice.
    Unsure(String),
    /// The chat has another id now, and takes it there.
    Moved(String),
}

impl Failure {
    /// One that may pass, with no wait asked for.
    pub fn passing(what: impl Into<String>) -> Self {
        Self::Passing { what: what.into(), after: None }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Passing { what, after: None } | Self::Refused(what) | Self::Unsure(what) => what.clone(),
            Self::Passing { what, after: Some(after) } => format!("{what} (it asks to wait {} s)", after.as_secs()),
            Self::Moved(chat) => {
                format!("the group has become a supergroup: write its new chat id, {chat}, into the address")
            }
        }
    }
}

impl Answer<'_> {
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(self.body).ok()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(self.body).trim().to_owned()
    }

    pub(super) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// What an answer that is no success means where a service says nothing particular by it. `words` are its own.
    pub(super) fn failure(&self, words: Option<&str>) -> Failure {
        let quoted = words.map(str::trim).filter(|words| !words.is_empty()).map(quoted);
        let said = quoted.map(|words| format!(": {words}")).unwrap_or_default();
        match self.status {
            420 | 429 => Failure::Passing { what: format!("it takes no more for now{said}"), after: self.wait },
            408 | 425 | 500..=599 => {
                Failure::Passing { what: format!("it is in trouble (status {}){said}", self.status), after: self.wait }
            }
            300..=399 => Failure::Refused(format!(
                "it sends us elsewhere (status {}): write the address that it sends to",
                self.status
            )),
            401 | 403 => {
                Failure::Refused(format!("it does not accept the token or the login (status {}){said}", self.status))
            }
            404 | 410 => Failure::Refused(format!("it knows nothing at this address (status {}){said}", self.status)),
            status => Failure::Refused(format!("it refuses the notice (status {status}){said}")),
        }
    }

    /// A success whose body is not what the service answers.
    pub(super) fn strange(&self, service: &str) -> Failure {
        let html = self.text().get(..1).is_some_and(|first| first == "<");
        let what = if html { "a web page" } else { "something else" };
        Failure::Refused(format!(
            "{what} answers there with status {}, and not {service}: check the host, and that no login page stands before it",
            self.status
        ))
    }
}

/// Words of others on one line, cut.
pub(crate) fn quoted(words: &str) -> String {
    let words: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED).collect();
    if words.starts_with('<') { "a web page".to_owned() } else { words.trim_end_matches('.').to_owned() }
}

/// The text cut to so many bytes of UTF-8, and marked where it was.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = (0..=bytes.saturating_sub('…'.len_utf8())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_differs_from_what_must_be_changed() {
        let failure = |status| Answer { status, wait: None, body: b"" }.failure(Some("<html>\nnot here"));
        for status in [420, 429, 408, 500, 502, 503] {
            assert!(matches!(failure(status), Failure::Passing { .. }), "{status}");
        }
        for status in [301, 400, 401, 403, 404, 410, 413, 422] {
            assert!(matches!(failure(status), Failure::Refused(_)), "{status}");
        }
        assert_eq!(failure(404).words(), "it knows nothing at this address (status 404): a web page");
    }

    #[test]
    fn a_text_is_cut_at_a_letter() {
        assert_eq!(cut("grün", 5), "grün");
        assert_eq!(cut("grüne", 5), "gr…");
        assert_eq!(cut("grüne Wiese", 8), "grün…");
        assert_eq!(cut("ab", 1), "…");
    }
}

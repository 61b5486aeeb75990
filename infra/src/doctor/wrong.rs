//! What is wrong with what is set (pure): a sentence, and which setting that is about.

/// Something that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// What, where, and what is right. No secret is in it.
    pub sentence: String,
    /// Of what.
    pub about: About,
    /// The one thing to do next.
    pub next: &'static str,
}

/// What is wrong is corrected there.
const CORRECT: &str = "correct that setting where it stands";

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// This setting.
    Setting(String),
    /// Something that could not be read: any setting may have stood there.
    Unread,
}

impl Wrong {
    /// Of a setting, or of the file that holds a secret.
    pub fn setting(name: &str, sentence: impl Into<String>) -> Self {
        let name = name.strip_suffix("_FILE").unwrap_or(name);
        Self { sentence: sentence.into(), about: About::Setting(name.into()), next: CORRECT }
    }

    /// Of something that could not be read.
    pub fn unread(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), about: About::Unread, next: CORRECT }
    }

    /// Of a file that is not there, or not one that this user may read.
    pub fn no_file(sentence: impl Into<String>) -> Self {
        let next = "name the file that you deployed with, as this user may read it: porchlight doctor --env prober.env";
        Self::unread(sentence).then(next)
    }

    /// The same, with another thing to do next.
    #[must_use]
    pub fn then(self, next: &'static str) -> Self {
        Self { next, ..self }
    }

    /// Whether it says something of that setting, which `is_set` somewhere or not: what is set was read.
    pub fn is_about(&self, name: &str, is_set: bool) -> bool {
        match &self.about {
            About::Setting(wrong) => wrong == name,
            About::Unread => !is_set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_setting_is_about_itself_and_what_is_unread_about_all_that_is_not_set() {
        let key = Wrong::setting("BEACON_KEY_FILE", "it is gone");
        assert!(key.is_about("BEACON_KEY", true) && !key.is_about("PAGE_ID", false));
        let line = Wrong::unread("line 3");
        assert!(line.is_about("PAGE_ID", false) && !line.is_about("PAGE_ID", true));
    }
}

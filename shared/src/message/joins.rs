//! Why a home has not joined the outside machine whose code it was given, or not well.

use super::Entry;

/// What went wrong with a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinFault {
    /// There is no connection.
    Unreachable,
    /// The certificate is not the code's.
    AnotherServer,
    /// What answers is none of our programs.
    NotOurs,
    /// It is not known what became of it.
    Broken,
    /// The code was used.
    Used,
    /// The code is too old.
    TooOld,
    /// The code is not known there.
    Unknown,
    /// There is another home already.
    OtherHome,
    /// The two versions do not fit.
    Version,
    /// There were too many wrong codes.
    TooManyTries,
    /// It takes none now.
    Busy,
    /// The code is not what was printed.
    Mistyped,
    /// One of the two clocks is wrong; the home has joined all the same.
    Clock,
}

impl JoinFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[
        Self::Unreachable,
        Self::AnotherServer,
        Self::NotOurs,
        Self::Broken,
        Self::Used,
        Self::TooOld,
        Self::Unknown,
        Self::OtherHome,
        Self::Version,
        Self::TooManyTries,
        Self::Busy,
        Self::Mistyped,
        Self::Clock,
    ];

    /// The sentence, or what ends it where it begins with an address.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "a firewall may drop it, so open that TCP port there, in the machine's own firewall and in its provider's; \
                 where it is refused at once, `porchlight up --outside` does not run there"
            }
            Self::AnotherServer => {
                "not the one that printed the code: refused, and nothing was sent; print a new code there, and find \
                 out who has its address if this goes on"
            }
            Self::NotOurs => "check the address that it was started with",
            Self::Broken => "print a new code there, with `porchlight code`, and join again",
            Self::Used => "the code has been used: print a new one there, with `porchlight code`",
            Self::TooOld => "the code is older than 15 minutes: print a new one there, with `porchlight code`",
            Self::Unknown => {
                "the outside machine does not know this code, perhaps because it was restarted: print a new one \
                 there, with `porchlight code`"
            }
            Self::OtherHome => {
                "the outside machine has another home already: take another machine, or end that one there, with \
                 `porchlight down --purge`"
            }
            Self::Version => {
                "the outside machine is of another version of Porchlight, which this one cannot join: update both"
            }
            Self::TooManyTries => {
                "the outside machine was tried with wrong codes too often: wait a minute, and try again"
            }
            Self::Busy => "the outside machine takes no home at this moment: try again in a minute",
            Self::Mistyped => "copy the whole line that begins with porchlight-join-",
            Self::Clock => {
                "it joined all the same, but the outside machine refuses what is dated over 10 minutes ahead: set the \
                 clock that is wrong (`timedatectl set-ntp true`)"
            }
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let words = self.words();
        let (id, meaning, steps): (_, _, &'static [&'static str]) = match self {
            Self::Unreachable => (
                "join-unreachable",
                format!("The outside machine cannot be reached: {words}"),
                &["From home, `curl -kv https://ADDRESS:8443/` shows how far it comes: no answer at all is a \
                     firewall."],
            ),
            Self::AnotherServer => (
                "join-another-server",
                format!("Another server answers, {words}"),
                &["A machine that was set up anew has a new certificate, and is another one: print a code there."],
            ),
            Self::NotOurs => (
                "join-not-ours",
                format!("What answers is no outside machine of Porchlight's: {words}"),
                &["See on the outside machine whether it runs, and at which port: `porchlight status`."],
            ),
            Self::Broken => (
                "join-broken",
                format!("The connection broke before an answer came: {words}"),
                &["What was begun there without you is listed, and revoked, by `porchlight tokens` on the outside \
                     machine."],
            ),
            Self::Used => (
                "join-code-used",
                words.to_owned(),
                &["If it was not you who used it, revoke what it brought, with `porchlight tokens` on the outside \
                     machine."],
            ),
            Self::TooOld => (
                "join-code-too-old",
                words.to_owned(),
                &["The time is counted on the outside machine alone; a wrong clock at home does not matter."],
            ),
            Self::Unknown => {
                ("join-code-unknown", words.to_owned(), &["Codes are kept in memory, and end with the program."])
            }
            Self::OtherHome => (
                "join-other-home",
                words.to_owned(),
                &["One outside machine is for one home: its page would otherwise show two."],
            ),
            Self::Version => {
                ("join-version", words.to_owned(), &["`porchlight --version` says it on each of the two."])
            }
            Self::TooManyTries => (
                "join-too-many-tries",
                words.to_owned(),
                &["If it goes on without you, somebody guesses: a code has too many digits for that, and ends by \
                     itself."],
            ),
            Self::Busy => {
                ("join-busy", words.to_owned(), &["See on the outside machine whether it runs: `porchlight status`."])
            }
            Self::Mistyped => (
                "join-code-mistyped",
                format!("The code is not one that an outside machine printed: {words}."),
                &["Codes are long: paste it, or bring it in a file that `JOIN_CODE_FILE` names."],
            ),
            Self::Clock => (
                "join-clocks",
                format!("The clocks of the home and of the outside machine differ: {words}"),
                &["`date -u` on each of the two, beside any other clock, shows which one is wrong."],
            ),
        };
        Entry { id, meaning, steps }
    }
}

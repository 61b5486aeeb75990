//! What can be wrong where a check is not well: a closed set, each with one sentence for people and one label for machines.

use crate::outcome::State;

/// Why a check is not well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The name does not exist, by every server that answers.
    Name,
    /// The name service failed.
    NameService,
    /// The port is closed.
    Refused,
    /// A connection was accepted, and ended without an answer.
    Reset,
    /// No answer before the deadline.
    TimedOut,
    /// The network says that there is no way.
    Unreachable,
    /// This machine could not even try.
    Local,
    /// The TLS handshake failed.
    Tls,
    /// The certificate is not valid: expired, of another name, of an unknown issuer.
    Certificate,
    /// The certificate ends soon.
    CertificateEnds,
    /// What answered does not speak the protocol.
    Protocol,
    /// The status, or the answer's code, is another one than expected.
    Status,
    /// The body is not as expected.
    Body,
    /// A header is missing, or not as expected.
    Header,
    /// The answer is larger than it may be.
    TooLarge,
    /// It redirects more often than is followed, or to where it must not.
    Redirect,
    /// It works, and took longer than it should.
    Slow,
    /// The records are not those that were expected.
    Records,
    /// Echoes were lost.
    Loss,
    /// The service says that it does not serve.
    NotServing,
    /// A program says so by its exit code.
    Reported,
    /// A program could not be started.
    NotStarted,
    /// A program broke its contract: another exit code, a signal.
    Plugin,
    /// A secret that it needs cannot be read.
    Secret,
    /// What it depends on is down.
    Dependency,
    /// A passive check is late.
    Late,
    /// A passive check has reported a failure.
    Failed,
    /// The files that define checks cannot be used.
    Files,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 28] = [
        Self::Name,
        Self::NameService,
        Self::Refused,
        Self::Reset,
        Self::TimedOut,
        Self::Unreachable,
        Self::Local,
        Self::Tls,
        Self::Certificate,
        Self::CertificateEnds,
        Self::Protocol,
        Self::Status,
        Self::Body,
        Self::Header,
        Self::TooLarge,
        Self::Redirect,
        Self::Slow,
        Self::Records,
        Self::Loss,
        Self::NotServing,
        Self::Reported,
        Self::NotStarted,
        Self::Plugin,
        Self::Secret,
        Self::Dependency,
        Self::Late,
        Self::Failed,
        Self::Files,
    ];

    /// The state that follows, unless the check itself says another one.
    pub const fn state(self) -> State {
        match self {
            Self::CertificateEnds | Self::Slow | Self::Late => State::Warning,
            // What says something of us alone says nothing of what is checked.
            Self::NameService | Self::Local | Self::NotStarted | Self::Plugin | Self::Secret | Self::Dependency => {
                State::Unknown
            }
            _ => State::Critical,
        }
    }

    /// The cause as JSON and metrics name it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::NameService => "name_service",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::TimedOut => "timeout",
            Self::Unreachable => "unreachable",
            Self::Local => "local",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::CertificateEnds => "certificate_ends",
            Self::Protocol => "protocol",
            Self::Status => "status",
            Self::Body => "body",
            Self::Header => "header",
            Self::TooLarge => "too_large",
            Self::Redirect => "redirect",
            Self::Slow => "slow",
            Self::Records => "records",
            Self::Loss => "loss",
            Self::NotServing => "not_serving",
            Self::Reported => "reported",
            Self::NotStarted => "not_started",
            Self::Plugin => "plugin",
            Self::Secret => "secret",
            Self::Dependency => "dependency",
            Self::Late => "late",
            Self::Failed => "failed",
            Self::Files => "files",
        }
    }

    /// The cause of that label.
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.label() == label)
    }

    /// What it is, in one sentence.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Name => "the name does not exist",
            Self::NameService => "the name service failed",
            Self::Refused => "the port is closed",
            Self::Reset => "the connection was closed without an answer",
            Self::TimedOut => "there was no answer in time",
            Self::Unreachable => "the network says that there is no way to it",
            Self::Local => "this machine could not even try",
            Self::Tls => "the TLS handshake failed",
            Self::Certificate => "its certificate is not valid",
            Self::CertificateEnds => "its certificate ends soon",
            Self::Protocol => "what answered does not speak this protocol",
            Self::Status => "it answered with another status than expected",
            Self::Body => "the body of its answer is not as expected",
            Self::Header => "a header of its answer is not as expected",
            Self::TooLarge => "its answer is larger than it may be",
            Self::Redirect => "it redirects too often, or to where it must not",
            Self::Slow => "it answered, but took longer than it should",
            Self::Records => "the records are not those that were expected",
            Self::Loss => "echoes were lost",
            Self::NotServing => "the service says that it does not serve",
            Self::Reported => "the program says so",
            Self::NotStarted => "the program could not be started",
            Self::Plugin => "the program did not end as a plugin does",
            Self::Secret => "a secret that it needs cannot be read",
            Self::Dependency => "what it depends on is down",
            Self::Late => "it has not called when it should have",
            Self::Failed => "it called, and said that it failed",
            Self::Files => "the files that define checks cannot be used",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_cause_has_a_label_and_a_sentence_of_its_own() {
        let labels: HashSet<_> = Cause::ALL.iter().map(|cause| cause.label()).collect();
        let sentences: HashSet<_> = Cause::ALL.iter().map(|cause| cause.sentence()).collect();
        assert_eq!((labels.len(), sentences.len()), (Cause::ALL.len(), Cause::ALL.len()));
        for cause in Cause::ALL {
            assert_eq!(Cause::from_label(cause.label()), Some(cause));
        }
    }
}

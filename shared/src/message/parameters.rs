//! Why Parameter Store does not give or take a secret or a record.

use super::Entry;

/// What went wrong with a call to Parameter Store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterFault {
    /// AWS does not let the caller.
    Denied,
    /// AWS does not know the caller.
    Credentials,
    /// There were too many calls.
    Throttled,
    /// There was no answer.
    Unreachable,
    /// This program is built without AWS.
    Unsupported,
    /// Anything else, in AWS's own words.
    Other,
}

impl ParameterFault {
    /// Every one.
    pub const ALL: &'static [Self] =
        &[Self::Denied, Self::Credentials, Self::Throttled, Self::Unreachable, Self::Unsupported, Self::Other];

    /// What to do at once: the end of the sentence.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Denied => "the role must allow it, as infra/base.yaml does",
            Self::Credentials => "check the role, or this machine's AWS credentials and region",
            Self::Throttled => "the account makes too many calls; the next run tries again",
            Self::Unreachable => "the next run tries again",
            Self::Unsupported => "use the program lambda-prober, which can",
            Self::Other => "check the parameter and its type",
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, what, steps): (_, _, &'static [&'static str]) = match self {
            Self::Denied => (
                "parameter-denied",
                "AWS does not let the function read or write the parameter",
                &["Deploy infra/base.yaml again. A parameter of another path than its `Prefix` is not in its role."],
            ),
            Self::Credentials => (
                "parameter-credentials",
                "AWS does not know who calls",
                &[
                    "`aws sts get-caller-identity` on the same machine shows who it is. In Lambda it is the function's role.",
                ],
            ),
            Self::Throttled => (
                "parameter-throttled",
                "AWS wants fewer calls",
                &[
                    "The value from before is used meanwhile. Something else in the account calls often: CloudTrail shows it.",
                ],
            ),
            Self::Unreachable => (
                "parameter-unreachable",
                "There was no answer in time",
                &[
                    "The value from before is used meanwhile. Where it goes on, see health.aws.amazon.com, and whether the \
                     function is in a VPC without a way out.",
                ],
            ),
            Self::Unsupported => (
                "parameter-unsupported",
                "This program is built without AWS",
                &[
                    "On a machine of yours secrets are files: `STATUSPAGE_TOKEN_FILE`, `BEACON_KEY_FILE`, and `STATE_FILE`.",
                ],
            ),
            Self::Other => (
                "parameter-other",
                "AWS refuses for another reason",
                &["A secret is a SecureString, a record of state a String; the name begins with a slash."],
            ),
        };
        Entry { id, meaning: format!("{what}: {}.", self.words()), steps }
    }
}

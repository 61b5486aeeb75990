//! Why a job's run did not end as it should.

use super::Entry;

/// What went wrong with a run of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobFault {
    /// A measurement failed and is recorded nowhere.
    NotRecorded,
    /// The run was cut off.
    CutOff,
    /// DuckDNS refuses the token or the name.
    DuckDns,
}

impl JobFault {
    /// Every one.
    pub const ALL: &'static [Self] = &[Self::NotRecorded, Self::CutOff, Self::DuckDns];

    /// The job's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotRecorded => "a measurement failed, no metric shows that, and there is no keeper to record it",
            Self::CutOff => "it did not end in time and was cut off",
            Self::DuckDns => {
                "DuckDNS says KO: DUCKDNS_TOKEN or DOMAIN is wrong. Sign in at www.duckdns.org: the token stands at \
                 the top, and the name must be in the list below it"
            }
        }
    }

    /// Its entry.
    pub fn entry(self) -> Entry {
        let (id, steps): (_, &'static [&'static str]) = match self {
            Self::NotRecorded => (
                "job-not-recorded",
                &[
                    "The run ends with exit code 3. The line above says why it could not be measured.",
                    "statuspage.io's metrics take numbers only. Set `KEEPER_URL` to keep failures too.",
                ],
            ),
            Self::CutOff => (
                "job-cut-off",
                &["Nothing is lost of earlier runs. Where it happens often, raise `DEADLINE`, or let it run less \
                     often."],
            ),
            Self::DuckDns => (
                "job-duckdns-refuses",
                &["Write `DOMAIN` without `.duckdns.org` or with it, but only names of the one account that the \
                     token is of."],
            ),
        };
        Entry { id, meaning: format!("{}.", self.words()), steps }
    }
}

//! What the programs tell an operator, and what to do about it: one table. `infra/MESSAGES.md` is written from it, and
//! what a program prints takes its advice from it and ends with a link to it, so that no advice exists twice. A page is
//! for visitors, and has no such link.
//!
//! A new kind of message is an enum like those below, with `ALL` and `entry`, and a line in [`sections`].

mod answers;
mod calls;
mod causes;
mod heartbeats;
mod jobs;
mod joins;
mod parameters;
mod ports;
mod relay;
mod start;
mod storage;
mod up;

pub use self::{
    answers::StrangeAnswer, calls::CallFault, causes::cause, heartbeats::HeartbeatFault, jobs::JobFault,
    joins::JoinFault, parameters::ParameterFault, ports::PortFault, relay::RelayFault, start::StartFault,
    storage::StorageFault, up::UpFault,
};
use crate::verdict::Verdict;

/// The document, from the root of the repository.
const DOCUMENT: &str = "infra/MESSAGES.md";

/// One message: what it means, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name in the document, and so in links: it stays.
    pub id: &'static str,
    /// What has happened: a sentence, or a part of one.
    pub meaning: String,
    /// What to do, the likeliest first.
    pub steps: &'static [&'static str],
}

/// A part of the document.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// Where these are met.
    pub intro: &'static str,
    /// Its messages.
    pub entries: Vec<Entry>,
}

impl Entry {
    /// Where the document has more of it.
    pub fn link(&self) -> String {
        link(env!("CARGO_PKG_REPOSITORY"), env!("CARGO_PKG_VERSION"), self.id)
    }

    /// A sentence that a program prints, with the link at its end; one that has a link already is left as it is.
    pub fn ending(&self, sentence: &str) -> String {
        if sentence.contains(DOCUMENT) {
            return sentence.to_owned();
        }
        let (words, stop) = sentence.strip_suffix('.').map_or((sentence, ""), |words| (words, "."));
        format!("{words} (more: {}){stop}", self.link())
    }
}

/// A build that knows where it is published points there, at the document of its own version.
fn link(repository: &str, version: &str, id: &str) -> String {
    match repository.trim_end_matches('/') {
        "" => format!("{DOCUMENT}#{id}"),
        repository => format!("{repository}/blob/v{version}/{DOCUMENT}#{id}"),
    }
}

/// Everything that has an entry, as the document has it.
pub fn sections() -> Vec<Section> {
    let causes = Verdict::all().filter_map(cause).collect();
    let section = |title, intro, entries| Section { title, intro, entries };
    vec![
        section(
            "What the prober concludes",
            "`lambda-prober`, `porchlight prober` and `porchlight probe` print it as `down (refused)`; reports, \
             metrics and looks have the same two words.",
            causes,
        ),
        section(
            "Answers that are not the beacon's",
            "The line below the verdict, where something else than the beacon answers.",
            StrangeAnswer::ALL.iter().map(|answer| answer.entry()).collect(),
        ),
        section(
            "A program does not start",
            "It ends at once: with exit code 2 for its settings, with 1 for what the machine refuses.",
            StartFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "The keeper's database and clock",
            "In the keeper's log, at `/healthz`, or as the sentence with which it does not start.",
            StorageFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "The relay",
            "In the keeper's log; `keeper relay` and the private page show the state as it is now.",
            RelayFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "Calls to a keeper or to statuspage.io",
            "Printed by the prober, the jobs, `porchlight readings`, `keeper relay` and `--check --online`, with \
             the call and the names of the settings to check.",
            CallFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "Parameter Store",
            "In the function's log; the run goes on with the values from before, where there are any.",
            ParameterFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "The jobs",
            "Printed by `ping`, `bandwidth` and `dns`; in the JSON of a run they are in `said`.",
            JobFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "Heartbeats",
            "Printed by `porchlight heartbeat`, and logged by a keeper with `HEARTBEAT_URL`: once, until it is something else.",
            HeartbeatFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "The folder and the unit of `porchlight up`",
            "Printed by `porchlight up`, `down` and `status`.",
            UpFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "The router's port",
            "Printed by `porchlight port`, and logged where it stays (`--every`).",
            PortFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
        section(
            "Joining a home to an outside machine",
            "Printed at home, where the code is given. But for the last one, nothing has changed at home then.",
            JoinFault::ALL.iter().map(|fault| fault.entry()).collect(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_message_has_a_name_of_its_own_says_what_it_means_and_what_to_do() {
        let entries: Vec<Entry> = sections().into_iter().flat_map(|section| section.entries).collect();
        let names: HashSet<_> = entries.iter().map(|entry| entry.id).collect();
        assert_eq!(names.len(), entries.len());
        for Entry { id, meaning, steps } in &entries {
            assert!(
                id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{id} is the anchor of a heading"
            );
            assert!(!meaning.is_empty() && !steps.is_empty(), "{id}");
            assert!(steps.iter().all(|step| step.ends_with('.') && !step.contains('\n')), "{id}: steps are sentences");
        }
    }

    #[test]
    fn every_verdict_but_up_has_a_message_that_is_named_by_its_labels() {
        assert_eq!(cause(Verdict::Up), None);
        for verdict in Verdict::all().filter(|verdict| *verdict != Verdict::Up) {
            let label = format!("{}-{}", verdict.label(), verdict.cause().unwrap_or_default().replace('_', "-"));
            assert_eq!(cause(verdict).map(|entry| entry.id), Some(label.as_str()));
        }
    }

    #[test]
    fn a_sentence_has_one_link_before_its_full_stop() {
        let entry = StartFault::Settings.entry();
        let once = entry.ending("COUNT is wrong");
        assert_eq!(once, format!("COUNT is wrong (more: {})", entry.link()));
        assert_eq!(StorageFault::Clock.entry().ending(&once), once);
        assert_eq!(entry.ending("It is."), format!("It is (more: {}).", entry.link()));
    }

    #[test]
    fn a_link_leads_to_the_version_that_was_built_where_that_is_published() {
        assert_eq!(link("", "0.1.0", "down-refused"), "infra/MESSAGES.md#down-refused");
        let published = link("https://example.org/porchlight/", "0.1.0", "down-refused");
        assert_eq!(published, "https://example.org/porchlight/blob/v0.1.0/infra/MESSAGES.md#down-refused");
    }
}

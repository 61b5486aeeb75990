//! A run on its way: what it has reported so far, and what has failed.

use std::net::IpAddr;

use serde_json::json;
use shared::{message::JobFault, names::Family};

use super::{decide::Decision, find::Finding, update::Update};
use crate::job::run::{RunReport, RunStatus};

/// A run on its way.
pub(super) struct RunState {
    pub(super) report: RunReport,
    /// What failed, in words.
    pub(super) failures: Vec<String>,
}

impl RunState {
    pub(super) fn new(report: RunReport) -> Self {
        Self { report, failures: Vec::new() }
    }

    /// Reports what was found; returns the calls of DuckDNS that it takes.
    pub(super) fn weigh(&mut self, findings: &[Finding]) -> Vec<Update> {
        let (mut ipv4, mut ipv6) = (None, None);
        for Finding { family, decision, unclear, unconfirmed, .. } in findings {
            match decision {
                Decision::Stay(address) if !unclear.is_empty() => {
                    self.report.say(format!("{family}: DuckDNS took {address} lately, and is left alone; {unclear}"));
                }
                Decision::Stay(address) if unconfirmed.is_empty() => {
                    self.report.say(format!("{family}: still {address}, nothing to do"));
                }
                Decision::Stay(address) => {
                    self.report.say(format!("{family}: still {address}; of public DNS, {unconfirmed}"));
                }
                Decision::Unknown => {
                    self.fail(RunStatus::NotDone, unclear.clone());
                    self.report.say(JobFault::AddressUnknown.more());
                }
                Decision::Call(why, address) => {
                    let but = if unclear.is_empty() { String::new() } else { format!("; {unclear}") };
                    self.report.say(format!("{family}: {why}{but}"));
                    match (family, address) {
                        (_, Some(IpAddr::V6(address))) => ipv6 = Some(*address),
                        (_, Some(IpAddr::V4(address))) => ipv4 = Some(Some(*address)),
                        (Family::V4, None) => ipv4 = Some(None),
                        (Family::V6, None) => (),
                    }
                }
            }
        }
        let updates = Update::all(ipv4, ipv6);
        self.report.details = json!({
            "calls": updates.len(),
            "families": findings.iter().map(Finding::details).collect::<Vec<_>>(),
        });
        updates
    }

    pub(super) fn fail(&mut self, ending: RunStatus, why: String) {
        self.report.say(why.as_str());
        self.failures.push(why);
        self.end(ending);
    }

    /// A wrong setting stays the ending that counts.
    pub(super) fn end(&mut self, ending: RunStatus) {
        if self.report.ending != RunStatus::WrongSetting {
            self.report.ending = ending;
        }
    }
}

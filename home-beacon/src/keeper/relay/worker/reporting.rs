//! The state of the relay, as the page and the metrics show it.

use super::{
    super::report::{Condition, Skipped},
    RelayWorker,
};

impl RelayWorker {
    /// Leaves its state where it is shown.
    pub(super) fn report(&self) {
        let now = self.uptime();
        let planner = &self.planner;
        self.reports.change(|report| {
            (report.condition, report.reason) = match (planner.refused(), planner.failure()) {
                (Some(pause), _) => (Condition::Paused, Some(pause.reason.clone())),
                (None, Some(reason)) => (Condition::Trouble, Some(reason.to_owned())),
                (None, None) if report.calls == 0 => (Condition::Starting, None),
                (None, None) => (Condition::Well, None),
            };
            let metrics = planner.paused(now).map(|(metric, pause)| (metric.as_str(), pause));
            let components = self.skipped.iter().map(|(component, pause)| (component.as_str(), pause));
            let skipped = metrics.chain(components);
            let skipped = skipped.map(|(id, pause)| Skipped { id: id.to_owned(), reason: pause.reason.clone() });
            let stuck = planner.stuck().map(|((metric, slot), pause)| {
                let reason = format!("its point of {slot} s since 1970 is tried again later: {}", pause.reason);
                Skipped { id: metric.to_string(), reason }
            });
            report.skipped = skipped.chain(stuck).collect();
        });
    }
}

//! Sends the statuses of components that the keeper owns.

use shared::{id::ComponentId, message::RelayFault, statuspage::ComponentStatus};

use super::{
    super::{
        answer,
        planner::{Answer, Pause, REFUSED},
    },
    MIRROR_INTERVAL, RelayWorker, STATUS_RETRY,
};
use crate::keeper::{KeeperError, outbox::statuses::PendingStatus};

impl RelayWorker {
    /// The one to be sent next: after the one that was tried last, so that one that always fails delays no other.
    pub(super) fn next_of(&mut self, mut statuses: Vec<PendingStatus>) -> Option<PendingStatus> {
        statuses.retain(|status| !self.skipped.contains_key(&status.component));
        statuses.sort_by(|one, other| one.component.as_str().cmp(other.component.as_str()));
        let is_later = |status: &&PendingStatus| {
            self.tried.as_ref().is_none_or(|tried| status.component.as_str() > tried.as_str())
        };
        let next = statuses.iter().find(is_later).or(statuses.first()).cloned()?;
        self.tried = Some(next.component.clone());
        Some(next)
    }

    /// Sends a status, unless upstream has it already, or a person has set maintenance there.
    pub(super) async fn send_status(&mut self, pending: &PendingStatus) -> Result<(), KeeperError> {
        let PendingStatus { component, status, delivered } = pending;
        self.calls();
        let there = match self.client.component(&self.page, component).await {
            Ok(there) => there.status,
            Err(error) => {
                self.leave(component, answer::<()>(&Err(error)));
                return Ok(());
            }
        };
        if there != Some(*status) {
            let maintenance = Some(ComponentStatus::UnderMaintenance);
            if there == maintenance && *delivered != maintenance {
                self.record_answer(Answer::Accepted);
                let until = self.uptime() + MIRROR_INTERVAL;
                let pause = Pause { reason: "it is under maintenance upstream".into(), until };
                self.skipped.insert(component.clone(), pause);
                return Ok(());
            }
            self.calls();
            if let Err(error) = self.client.set_status(&self.page, component, *status).await {
                self.leave(component, answer::<()>(&Err(error)));
                return Ok(());
            }
        }
        self.record_answer(Answer::Accepted);
        self.outbox.mark_status_delivered(component, *status).await?;
        tracing::info!(%component, %status, "a status was sent upstream");
        Ok(())
    }

    /// Pauses a component that upstream does not take.
    fn leave(&mut self, component: &ComponentId, answer: Answer) {
        let now = self.uptime();
        if let Answer::Missing(reason) | Answer::Wrong(reason) = &answer {
            let (words, more) = (RelayFault::Status.words(), RelayFault::Status.entry().link());
            tracing::warn!(%component, reason, more, "{words}");
            self.skipped.insert(component.clone(), Pause { reason: reason.clone(), until: now + REFUSED });
        }
        if let Answer::Failed { .. } = answer {
            // The points are not to wait for it.
            self.statuses_due = now + STATUS_RETRY;
        }
        self.record_answer(answer);
    }
}

//! Tells the statuses of components that the keeper owns.

use std::time::Duration;

use shared::{id::ComponentId, statuspage::ComponentStatus};

use super::{
    super::{
        answer,
        planner::{Answer, Pause, REFUSED},
    },
    Courier, LOOK,
};
use crate::keeper::store::{StatusToTell, StoreError};

impl Courier {
    /// Tells a status, unless upstream has it already, or a human's word stands there.
    pub(super) async fn tell_status(&mut self, told: &StatusToTell, now: Duration) -> Result<(), StoreError> {
        let StatusToTell { component, status, delivered } = told;
        self.calls(now);
        let there = match self.client.component(&self.page, component).await {
            Ok(there) => there.status,
            Err(error) => {
                self.leave(component, answer::<()>(&Err(error)), now);
                return Ok(());
            }
        };
        if there != Some(*status) {
            let maintenance = Some(ComponentStatus::UnderMaintenance);
            if there == maintenance && *delivered != maintenance {
                self.heard(Answer::Taken, now);
                let pause = Pause { reason: "it is under maintenance upstream".into(), until: now + LOOK };
                self.left.insert(component.clone(), pause);
                return Ok(());
            }
            self.calls(now);
            if let Err(error) = self.client.set_status(&self.page, component, *status).await {
                self.leave(component, answer::<()>(&Err(error)), now);
                return Ok(());
            }
        }
        self.heard(Answer::Taken, now);
        self.store.status_told(component, *status).await?;
        tracing::info!(%component, %status, "upstream was told of a status");
        Ok(())
    }

    /// Leaves a component alone that upstream does not want to hear of.
    fn leave(&mut self, component: &ComponentId, answer: Answer, now: Duration) {
        if let Answer::Missing(reason) | Answer::Wrong(reason) = &answer {
            tracing::warn!(%component, reason, "upstream does not take a status");
            self.left.insert(component.clone(), Pause { reason: reason.clone(), until: now + REFUSED });
        }
        self.heard(answer, now);
    }
}

//! Tells upstream why it was down, where it has not been told. What upstream says right before decides, so that a keeper that died
//! after it wrote does not write again.

use super::{
    super::{answer, cause, copies, planner::Answer, upstream_incident::UpstreamIncident},
    RelayWorker,
};
use crate::keeper::{KeeperError, outbox::Cause};

impl RelayWorker {
    pub(super) async fn send_cause(&mut self, Cause { incident, text }: &Cause) -> Result<(), KeeperError> {
        self.calls();
        let document = match self.client.incident_document(&self.page, incident).await {
            Ok(document) => document,
            Err(error) => {
                self.record_answer(answer::<()>(&Err(error)));
                return Ok(());
            }
        };
        let Some(change) = cause::change(&document, text) else {
            self.record_answer(Answer::Accepted);
            self.outbox.cause_is_done(incident);
            return Ok(());
        };
        self.calls();
        let changed = match self.client.update_incident(&self.page, incident, &change).await {
            Ok(changed) => changed,
            Err(error) => {
                // It may have been written all the same: the next try sees it.
                let answer = answer::<()>(&Err(error));
                if let Answer::Missing(reason) | Answer::Wrong(reason) = &answer {
                    tracing::warn!(%incident, reason, "upstream does not take why it was down");
                    self.outbox.cause_is_done(incident);
                }
                self.record_answer(answer);
                return Ok(());
            }
        };
        self.record_answer(Answer::Accepted);
        self.outbox.cause_is_done(incident);
        tracing::info!(%incident, "upstream was told why it was down");
        // It is shown here at once; what cannot be read of it comes with a later copy.
        if let Ok(copy) = UpstreamIncident::read(&changed, self.clock.wall()) {
            copies::copy_incident(&self.db, &self.page, &copy).await?;
        }
        Ok(())
    }
}

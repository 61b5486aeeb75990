//! The statuses of components that the keeper owns, and what upstream took of them last.

use shared::{
    id::{ComponentId, PageId},
    statuspage::ComponentStatus,
};

use super::Outbox;
use crate::keeper::{KeeperError, db::query};

/// A component's status that upstream does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingStatus {
    /// The component, by its id upstream.
    pub component: ComponentId,
    /// What it is to be set to.
    pub status: ComponentStatus,
    /// What upstream took last from here.
    pub delivered: Option<ComponentStatus>,
}

impl Outbox {
    /// The statuses that upstream does not have yet.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn pending_statuses(&self, page: &PageId) -> Result<Vec<PendingStatus>, KeeperError> {
        let pending = query(
            "SELECT id, status, delivered FROM components
             WHERE page_id = ? AND relayed AND status IS NOT delivered ORDER BY position, id",
        );
        let rows: Vec<(ComponentId, Option<ComponentStatus>, Option<ComponentStatus>)> =
            pending.bind(page.as_str()).all(&mut self.db.read().await?).await?;
        // Upstream takes no empty status.
        let known = |(component, status, delivered)| Some(PendingStatus { component, status: status?, delivered });
        Ok(rows.into_iter().filter_map(known).collect())
    }

    /// Upstream has taken that status.
    ///
    /// # Errors
    /// When the storage fails; the status stays pending then.
    pub async fn mark_status_delivered(
        &self,
        component: &ComponentId,
        status: ComponentStatus,
    ) -> Result<(), KeeperError> {
        let mark = query("UPDATE components SET delivered = ? WHERE id = ?");
        mark.bind(status.as_str()).bind(component.as_str()).execute(&mut self.db.write().await?).await?;
        Ok(())
    }
}

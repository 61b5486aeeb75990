//! Takes records in. What is there stays as it is; what is not comes in its place on the page that is shown. A record that was taken
//! in before adds nothing, so that whoever was cut off begins again. What a check was goes to the component that this keeper has for
//! that check; where it has none, it is left out, until one imports once more.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use shared::id::{ComponentId, PageId};

use super::{
    Columns, Component, Head, Incident, Of, Record, VERSION, past,
    tables::{COMPONENTS, GROUPS, INCIDENTS, METRICS, Table, UPDATES},
};
use crate::keeper::{
    KeeperError,
    db::{Db, Moment, Tx, query},
    looks,
    measured::{metrics, metrics_providers},
    status::{self, components, groups, incident_rows},
};

/// The last place on a page.
const MAX_POSITION: i64 = 1_000_000;

/// What was added of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::keeper) struct Added {
    pub(in crate::keeper) groups: u64,
    pub(in crate::keeper) components: u64,
    pub(in crate::keeper) statuses: u64,
    pub(in crate::keeper) looks: u64,
    pub(in crate::keeper) metrics: u64,
    pub(in crate::keeper) incidents: u64,
    pub(in crate::keeper) readings: u64,
    pub(in crate::keeper) hours: u64,
    /// Records of what is not here: of checks that are not registered, or have no component of their own, and of components that have
    /// gone.
    pub(in crate::keeper) left_out: u64,
}

/// Takes records in, all or none.
#[derive(Clone, Copy, Debug)]
pub(in crate::keeper) struct Importer<'a> {
    pub(in crate::keeper) db: &'a Db,
    pub(in crate::keeper) looks: &'a looks::Looks,
    pub(in crate::keeper) page: &'a PageId,
    /// The time by a clock that can be trusted.
    pub(in crate::keeper) now: Timestamp,
}

impl Importer<'_> {
    /// What was added. Each record has the number of the line that it stands in.
    ///
    /// # Errors
    /// When one of them is wrong, with its line, or the storage fails: nothing is added then.
    pub(in crate::keeper) async fn take(&self, records: &[(u64, Record)]) -> Result<Added, KeeperError> {
        let mut tx = self.db.begin().await?;
        let mut added = Added::default();
        let mut looked_at = Vec::new();
        for (line, record) in records {
            let taken = self.take_one(&mut tx, record, &mut added, &mut looked_at).await;
            taken.map_err(|error| match error {
                KeeperError::Storage(error) if error.is_of_the_values() => {
                    KeeperError::Invalid(format!("line {line}: it contradicts what is here: {error}"))
                }
                KeeperError::Storage(error) => KeeperError::Storage(error),
                error => KeeperError::Invalid(format!("line {line}: {error}")),
            })?;
        }
        tx.commit().await?;
        // What is on the disk now is older than what is in memory.
        for component in looked_at {
            self.looks.has_older(self.db, &component, self.now).await?;
        }
        Ok(added)
    }

    async fn take_one(
        &self,
        tx: &mut Tx,
        record: &Record,
        added: &mut Added,
        looked_at: &mut Vec<ComponentId>,
    ) -> Result<(), KeeperError> {
        match record {
            Record::Porchlight(head) => check_version(head),
            Record::End(_) => Ok(()),
            Record::Group(group) => self.group(tx, group, added).await,
            Record::Component(component) => self.component(tx, component, added).await,
            Record::Metric(metric) => self.metric(tx, metric, added).await,
            Record::Incident(incident) => self.incident(tx, incident, added).await,
            Record::Statuses(statuses) => {
                let Some(component) = self.meant(tx, &statuses.of).await? else {
                    added.left_out += 1;
                    return Ok(());
                };
                added.statuses += past::statuses(tx, &component, statuses).await?;
                Ok(())
            }
            Record::Looks(looks) => {
                let Some(component) = self.meant(tx, &looks.of).await? else {
                    added.left_out += 1;
                    return Ok(());
                };
                added.looks += past::looks(tx, &component, looks).await?;
                looked_at.push(component.id);
                Ok(())
            }
            Record::Readings(measured) => {
                added.readings += past::readings(tx, measured, self.now).await?;
                Ok(())
            }
            Record::Hours(measured) => {
                added.hours += past::hours(tx, measured).await?;
                Ok(())
            }
        }
    }

    async fn group(&self, tx: &mut Tx, group: &Columns, added: &mut Added) -> Result<(), KeeperError> {
        // A registration of checks has made it under another id.
        let name = group.get("name").and_then(Value::as_str).unwrap_or_default();
        if self.group_named(tx, name).await?.is_none() && self.add(tx, &GROUPS, group, &[]).await? {
            let id = id(group, "group")?;
            groups::find(tx, self.page, &id.parse().map_err(invalid)?).await?;
            added.groups += 1;
        }
        Ok(())
    }

    async fn component(&self, tx: &mut Tx, component: &Component, added: &mut Added) -> Result<(), KeeperError> {
        let Component { check, group, columns } = component;
        let id: ComponentId = id(columns, "component")?.parse().map_err(invalid)?;
        if check.is_some() {
            // A registration makes it.
            let of = Of { component: Some(id), check: check.clone(), made: None };
            added.left_out += u64::from(self.meant(tx, &of).await?.is_none());
            return Ok(());
        }
        let group = match group {
            Some(group) => self.group_named(tx, group).await?,
            None => None,
        };
        if self.add(tx, &COMPONENTS, columns, &[("group_id", json!(group))]).await? {
            let made = components::find(tx, self.page, &id).await?;
            if !(0..=MAX_POSITION).contains(&made.position) {
                return Err(KeeperError::Invalid(format!("position: {} is none", made.position)));
            }
            added.components += 1;
        }
        Ok(())
    }

    async fn metric(&self, tx: &mut Tx, metric: &Columns, added: &mut Added) -> Result<(), KeeperError> {
        let provider = query("SELECT id FROM metrics_providers WHERE page_id = ? ORDER BY created_at, id LIMIT 1");
        let provider: Option<String> = provider.bind(self.page.as_str()).optional(tx).await?;
        let provider = match provider {
            Some(provider) => provider,
            None => metrics_providers::insert(tx, self.page, Moment::new(self.now)).await?.id.to_string(),
        };
        if self.add(tx, &METRICS, metric, &[("metrics_provider_id", json!(provider))]).await? {
            metrics::find(tx, self.page, &id(metric, "metric")?.parse().map_err(invalid)?).await?;
            added.metrics += 1;
        }
        Ok(())
    }

    async fn incident(&self, tx: &mut Tx, incident: &Incident, added: &mut Added) -> Result<(), KeeperError> {
        let id = id(&incident.columns, "incident")?;
        let is_new = self.add(tx, &INCIDENTS, &incident.columns, &[]).await?;
        // Also of one that is here: what did not run here then may run by now.
        for of in &incident.components {
            let name = query(
                "INSERT INTO incident_components (incident_id, component_id) SELECT ?, id FROM components WHERE id = ?
                 ON CONFLICT DO NOTHING",
            );
            if let Some(component) = self.meant(tx, of).await? {
                name.bind(id).bind(component.id.as_str()).execute(tx).await?;
            }
        }
        for update in &incident.updates {
            UPDATES.add(tx, update, &[("incident_id", json!(id))]).await?;
        }
        incident_rows::find(tx, self.page, &id.parse().map_err(invalid)?).await?;
        added.incidents += u64::from(is_new);
        Ok(())
    }

    async fn add(
        &self,
        tx: &mut Tx,
        table: &Table,
        row: &Columns,
        here: &[(&'static str, Value)],
    ) -> Result<bool, KeeperError> {
        let here: Vec<_> = [("page_id", json!(self.page.as_str()))].into_iter().chain(here.iter().cloned()).collect();
        table.add(tx, row, &here).await
    }

    async fn group_named(&self, tx: &mut Tx, name: &str) -> Result<Option<String>, KeeperError> {
        let named =
            query("SELECT id FROM component_groups WHERE page_id = ? AND name = ? ORDER BY position, id LIMIT 1");
        Ok(named.bind(self.page.as_str()).bind(name).optional(tx).await?)
    }

    /// The component that is meant; `None` where it is not here.
    ///
    /// # Errors
    /// When nothing is meant.
    async fn meant(&self, tx: &mut Tx, of: &Of) -> Result<Option<status::Component>, KeeperError> {
        let id = match (&of.check, &of.component) {
            (Some(check), _) => {
                let own = query(
                    "SELECT component_id FROM checks WHERE name = ? AND place = 'own' AND component_id IS NOT NULL",
                );
                own.bind(check.as_str()).optional(tx).await?
            }
            (None, Some(component)) => Some(component.clone()),
            (None, None) => return Err(KeeperError::Invalid("of names neither component nor check".into())),
        };
        let Some(id) = id else { return Ok(None) };
        match components::find(tx, self.page, &id).await {
            Ok(component) => Ok(Some(component)),
            Err(KeeperError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn check_version(head: &Head) -> Result<(), KeeperError> {
    if head.version == VERSION {
        return Ok(());
    }
    let version = head.version;
    Err(KeeperError::Invalid(format!("it is of version {version}, and this keeper reads {VERSION}: use a newer one")))
}

fn id<'a>(columns: &'a Columns, what: &str) -> Result<&'a str, KeeperError> {
    let id = columns.get("id").and_then(Value::as_str);
    id.ok_or_else(|| KeeperError::Invalid(format!("a {what} without an id")))
}

fn invalid(error: impl std::fmt::Display) -> KeeperError {
    KeeperError::Invalid(format!("id: {error}"))
}

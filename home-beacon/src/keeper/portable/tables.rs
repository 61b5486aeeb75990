//! Which columns of which tables a record has. What is this keeper's own affair stays here: who a row belongs to, what a seed has
//! marked, how far the relay is.

use serde_json::Value;

use super::Columns;
use crate::keeper::{
    KeeperError,
    db::{Conn, StorageError, Tx, built, query},
};

/// A table of which whole rows travel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// Columns that do not.
    stay: &'static [&'static str],
}

pub(super) const GROUPS: Table = Table { name: "component_groups", stay: &["page_id"] };
pub(super) const COMPONENTS: Table =
    Table { name: "components", stay: &["page_id", "group_id", "relayed", "delivered", "seeded", "checked"] };
pub(super) const METRICS: Table =
    Table { name: "metrics", stay: &["page_id", "metrics_provider_id", "relayed", "held", "seeded"] };
pub(super) const INCIDENTS: Table = Table { name: "incidents", stay: &["page_id"] };
pub(super) const UPDATES: Table = Table { name: "incident_updates", stay: &["incident_id"] };
pub(super) const READINGS: Table = Table { name: "readings", stay: &["series_id"] };
pub(super) const HOURS: Table = Table { name: "hours", stay: &["series_id"] };

impl Table {
    /// What travels of a row: what it says nothing of is left out.
    pub(super) fn of_row(&self, mut row: Columns) -> Columns {
        row.retain(|name, value| !value.is_null() && !self.stay.contains(&name.as_str()));
        row
    }

    /// The columns that travel.
    pub(super) async fn columns(&self, conn: &mut Conn) -> Result<Vec<String>, StorageError> {
        let names: Vec<String> = query("SELECT name FROM pragma_table_info(?)").bind(self.name).all(conn).await?;
        Ok(names.into_iter().filter(|name| !self.stay.contains(&name.as_str())).collect())
    }

    /// Adds a row where none has its key; whether it did. `here` are columns with this keeper's own values.
    ///
    /// # Errors
    /// When it has a column that there is not, or a value that cannot be.
    pub(super) async fn add(
        &self,
        tx: &mut Tx,
        row: &Columns,
        here: &[(&'static str, Value)],
    ) -> Result<bool, KeeperError> {
        let known = self.columns(tx).await?;
        if let Some(unknown) = row.keys().find(|name| !known.contains(name)) {
            let short: String = unknown.chars().take(40).collect();
            return Err(KeeperError::Invalid(format!(
                "{} have nothing that is called {short:?}: it may be of a later version",
                self.name
            )));
        }
        let travelled = row.iter().map(|(name, value)| (name.as_str(), value));
        let all: Vec<_> = travelled.chain(here.iter().map(|(name, value)| (*name, value))).collect();
        let names = all.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
        let places = vec!["?"; all.len()].join(", ");
        let insert = format!("INSERT INTO {} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", self.name);
        let mut insert = built(insert);
        for (name, value) in all {
            insert = insert.bind_json(value).ok_or_else(|| {
                KeeperError::Invalid(format!("{name} of {}: is neither text, number nor null", self.name))
            })?;
        }
        Ok(insert.execute(tx).await? > 0)
    }
}

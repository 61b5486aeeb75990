//! Which components the seed names, and which ones it did once.

use shared::id::PageId;
use sqlx::SqliteConnection;

use super::StoreError;
use crate::keeper::seed::SeedComponent;

/// Marks those that the seed names, and those that it names no more; writes only what has changed.
pub(super) async fn mark(
    connection: &mut SqliteConnection,
    page: &PageId,
    named: &[SeedComponent],
) -> Result<(), StoreError> {
    for component in named {
        let query = "UPDATE components SET seeded = 1 WHERE id = ? AND seeded IS NOT 1";
        sqlx::query(query).bind(component.id.as_str()).execute(&mut *connection).await?;
    }
    let ids = vec!["?"; named.len()].join(", ");
    let query = format!("UPDATE components SET seeded = 0 WHERE page_id = ? AND seeded = 1 AND id NOT IN ({ids})");
    let unmark = sqlx::query(sqlx::AssertSqlSafe(query)).bind(page.as_str());
    named.iter().fold(unmark, |query, component| query.bind(component.id.as_str())).execute(connection).await?;
    Ok(())
}

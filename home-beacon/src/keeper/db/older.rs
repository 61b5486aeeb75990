//! Databases of earlier versions: served as they are where the disk cannot be written, and brought up to date where it can.

use std::borrow::Cow;

use sqlx::{ConnectOptions, Connection, migrate::Migrator, sqlite::SqliteConnectOptions};

use super::{Db, MIGRATIONS};
use crate::keeper::status::{
    Plan, components, groups,
    incidents::{self, IncidentFilter},
};

/// The last migration before groups, plans and postmortems.
const BEFORE_GROUPS: i64 = 14;

const ROWS: &str = "
    INSERT INTO pages (id, name, time_zone, created_at, updated_at) VALUES ('gytm4qzbx9t6', 'Home', 'UTC', 1, 1);
    INSERT INTO components (id, page_id, name, position, status, showcase, only_show_if_degraded, created_at, updated_at)
        VALUES ('8kbf7d35c070', 'gytm4qzbx9t6', 'Line', 1, 'operational', 1, 0, 1, 1);
    INSERT INTO incidents (id, page_id, name, status, impact, metadata, backfilled, scheduled_for, started_at, created_at,
        updated_at, upstream_status)
        VALUES ('aaaaaaaaaaaa', 'gytm4qzbx9t6', 'Router', 'completed', 'maintenance', '{}', 0, 1, 1, 1, 1, 'postmortem');";

#[tokio::test]
async fn a_database_from_before_groups_and_plans_is_served_as_it_is_and_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("k.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut old = options.connect().await.unwrap();
    let migrations = MIGRATIONS.iter().filter(|migration| migration.version <= BEFORE_GROUPS).cloned().collect();
    let migrator = Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT };
    migrator.run(&mut old).await.unwrap();
    sqlx::raw_sql(ROWS).execute(&mut old).await.unwrap();
    old.close().await.unwrap();

    let url = format!("sqlite:{}", file.display());
    let page = "gytm4qzbx9t6".parse().unwrap();
    for is_old in [true, false] {
        let db = if is_old { Db::open_read_only(&url, "a full disk".into()).await } else { Db::open(&url).await };
        let db = db.unwrap();
        let components = components::list(&db, &page, 0, 10).await.unwrap();
        assert_eq!((components.len(), &components[0].group_id), (1, &None), "{is_old}");
        assert!(groups::of(&db, &page, components.iter()).await.unwrap().is_empty(), "{is_old}");
        let listed = incidents::list(&db, &page, &IncidentFilter::All(None), 0, 10).await.unwrap();
        assert_eq!((listed.len(), listed[0].plan, listed[0].postmortem.is_none()), (1, Plan::default(), true));
        assert_eq!(listed[0].state.as_str(), "postmortem", "{is_old}");
        db.close().await;
    }
}

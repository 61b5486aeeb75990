//! The steps by which a database gets its tables, as text in the program. The macro that sqlx has for this would compile sqlx,
//! SQLite and tokio a second time, for the machine that builds.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr,
    migrate::{Migration, MigrationType, Migrator},
};

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("../../../migrations/", $name, ".sql")))),+]
    };
}

/// Each by its number and what it is about. One that was ever released is not changed any more: keepers compare its checksum.
const FILES: [(&str, &str); 18] = files![
    "0001_pages",
    "0002_metrics",
    "0003_relay",
    "0004_links_and_seeds",
    "0005_upstream",
    "0010_clocks",
    "0011_shown",
    "0012_deleted",
    "0013_looks",
    "0014_carried_looks",
    "0015_groups_plans_postmortems",
    "0016_tokens",
    "0017_notices",
    "0018_checks",
    "0019_look_pauses",
    "0020_mutes_and_pictures",
    "0021_upstream_reads",
    "0024_unknown_checks",
];

/// All of them, in their order.
pub(super) static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let one = |(name, text): (&str, &'static str)| {
        let (number, about) = name.split_once('_')?;
        let about = about.replace('_', " ").into();
        Some(Migration::new(number.parse().ok()?, about, MigrationType::Simple, text.into_sql_str(), false))
    };
    Migrator::with_migrations(FILES.into_iter().filter_map(one).collect())
});

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn they_are_all_that_is_in_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap().trim_end_matches(".sql").to_owned())
            .collect();
        files.sort();
        assert_eq!(files, FILES.map(|(name, _)| name));
        let numbers: Vec<_> = MIGRATIONS.iter().map(|migration| format!("{:04}", migration.version)).collect();
        assert_eq!(numbers, files.iter().map(|name| name[..4].to_owned()).collect::<Vec<_>>());
    }
}

//! The schema's versions, each a file of `migrations`, which the binary holds.
//!
//! Not `sqlx::migrate!`: its macros would have every build compile both databases' drivers a second time.

use sqlx::SqlStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The files named, in a folder of `migrations`, as pairs of their name without `.sql` and their SQL.
macro_rules! files {
    ($folder:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/", $folder, "/", $name, ".sql")))),*]
    };
}
pub(super) use files;

/// What brings a database up to date, by files whose names begin with their version: `0001_crawl`.
pub fn migrator(files: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = files.iter().filter_map(|(name, sql)| {
        let (version, description) = name.split_once('_')?;
        let sql = SqlStr::from_static(sql);
        Some(Migration::new(
            version.parse().ok()?,
            description.replace('_', " ").into(),
            MigrationType::Simple,
            sql,
            false,
        ))
    });
    Migrator::with_migrations(migrations.collect())
}

/// Holds a list of files to what is in their folder of `migrations`.
#[cfg(test)]
pub fn every_file_is_among(migrator: &Migrator, folder: &str) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort_unstable();
    let listed = migrator.iter().map(|one| format!("{:04}_{}.sql", one.version, one.description.replace(' ', "_")));
    assert_eq!(listed.collect::<Vec<_>>(), files);
}

//! The schema: how a database is brought up to date, and whether it is.

use std::path::Path;
use std::sync::LazyLock;

use sqlx::SqliteConnection;
use sqlx::migrate::Migrator;

use crate::store::StoreError;
use crate::store::migrations::{files, migrator};

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    migrator(files!("sqlite":
        "0001_crawl"
        "0002_edge"
        "0003_pace"
        "0004_followed"
        "0005_search"
        "0006_described"
        "0007_changes"
        "0008_versions"
        "0010_sitemaps"
        "0011_due"
        "0012_leases"
        "0016_heirs"
        "0017_seeds"
        "0018_told"
        "0019_traps"
        "0020_unspaced"
        "0021_nodes"
        "0022_unproven"
        "0023_alike"
        "0024_extract"
        "0025_audit"
        "0026_checks"
        "0027_audit_more"
        "0028_compressed"
        "0029_orphans"
        "0030_webs"
    ))
});

/// Brings the schema up to date.
pub async fn migrate(db: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    use sqlx::migrate::MigrateError as E;
    // Not `run`: the compiler does not see of its future that it can be sent to another thread.
    MIGRATIONS.run_direct(None, db, false).await.map_err(|error| match error {
        E::VersionMissing(_) | E::VersionTooNew(..) => StoreError::Newer { path: path.to_owned() },
        E::Execute(e) | E::ExecuteMigration(e, _) => open_error(path, &e),
        other => StoreError::Open { path: path.to_owned(), problem: other.to_string() },
    })
}

/// What makes an empty database one of this version, in order.
pub fn migrations() -> impl Iterator<Item = &'static str> {
    MIGRATIONS.iter().map(|migration| migration.sql.as_str())
}

/// Whether the database lacks what a later version added; a crawl or a search brings it up to date.
pub fn is_of_an_earlier_version(db: &rusqlite::Connection) -> bool {
    version(db).is_ok_and(|present| present < newest())
}

/// Whether a later version than this one wrote the database.
pub fn is_of_a_newer_version(db: &rusqlite::Connection) -> bool {
    version(db).is_ok_and(|present| present > newest())
}

fn version(db: &rusqlite::Connection) -> rusqlite::Result<Option<i64>> {
    db.query_row("select max(version) from _sqlx_migrations", [], |row| row.get(0))
}

fn newest() -> Option<i64> {
    MIGRATIONS.iter().map(|migration| migration.version).max()
}

/// What SQLite says on opening, for a person.
pub fn open_error(path: &Path, error: &sqlx::Error) -> StoreError {
    let problem = match error {
        sqlx::Error::Database(e) => match e.code().as_deref() {
            Some("26") => "it is not a SQLite database".to_owned(),
            Some(code) if code.parse::<i32>().is_ok_and(|code| code & 0xff == 8) => "it is read-only".to_owned(),
            _ => e.message().to_owned(),
        },
        other => other.to_string(),
    };
    StoreError::Open { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        crate::store::migrations::every_file_is_among(&super::MIGRATIONS, "sqlite");
    }
}

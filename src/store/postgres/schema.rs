//! The schema: whether a database holds a crawl or may hold one, and how it is brought up to date. It is the first of the
//! connection's search path.

use std::collections::HashSet;
use std::path::Path;
use std::sync::LazyLock;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Connection as _, PgConnection, Row as _};

use crate::store::StoreError;
use crate::store::failed::Failed;
use crate::store::migrations::{files, migrator};

use super::rows::{scalar, sql};
use super::{domains, passing};

const ANOTHERS: &str = "its schema holds no crawl but something else";

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = migrator(files!("postgres":
        "0001_crawl"
        "0002_reading"
        "0003_search"
        "0004_nodes"
        "0005_rates"
        "0006_alike"
        "0007_host_queue"
        "0008_unproven"
        "0009_queue_at_once"
        "0010_extract"
        "0011_audit"
        "0012_checks"
        "0013_audit_more"
        "0014_audited"
        "0015_functions"
        "0016_orphans"
        "0017_webs"
    ));
    // Its lock belongs to the session; ours ends with the transaction.
    migrations.set_locking(false);
    migrations
});

/// Brings the schema up to date, unless it is another's. `name` is the database, for messages.
pub(super) async fn migrate(db: &mut PgConnection, name: &str) -> Result<(), Failed> {
    let refuse = |problem: &str| StoreError::Open { path: name.into(), problem: problem.to_owned() };
    let mut tx = db.begin().await?;
    // Those who come at once wait for the first.
    sqlx::raw_sql(
        "set local idle_in_transaction_session_timeout = 10000; select pg_advisory_xact_lock(5928374650192837465)",
    )
    .execute(&mut *tx)
    .await?;
    let schema: Option<String> = scalar("select current_schema()::text").fetch_one(&mut *tx).await?;
    if schema.is_none() {
        return Err(refuse("no schema of its search path exists").into());
    }
    let present: Option<bool> = scalar(
        "select bool_or(relname = '_sqlx_migrations') from pg_class
         where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')",
    )
    .fetch_one(&mut *tx)
    .await?;
    if present == Some(false) {
        return Err(refuse(ANOTHERS).into());
    }
    let applied: i64 = match present {
        Some(true) => scalar("select count(*) from _sqlx_migrations").fetch_one(&mut *tx).await?,
        _ => 0,
    };
    // Before anything is changed: those who are at work would wait for the tables.
    if applied > 0 && is_of_an_earlier_version(&mut tx, name).await? {
        refuse_beside(&mut tx, name).await?;
    }
    // Not `run`: the compiler does not see of its future that it can be sent to another thread.
    MIGRATIONS.run_direct(None, &mut *tx, false).await.map_err(|error| told(name, error))?;
    // What the migrator has prepared would stay in the session.
    sqlx::raw_sql("deallocate all").execute(&mut *tx).await?;
    domains::complete(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// Nodes that are alive, and of an earlier version, would not know what to make of the schema.
async fn refuse_beside(db: &mut PgConnection, name: &str) -> Result<(), Failed> {
    let alive = scalar(
        "select name || ', since ' || iso8601((extract(epoch from started_at) * 1000)::bigint) from node
         where ended_at is null and leased_until > clock_timestamp() order by id limit 1",
    );
    match alive.fetch_optional(db).await? {
        Some(holder) => Err(StoreError::InUse { path: name.into(), holder }.into()),
        None => Ok(()),
    }
}

/// Whether the schema lacks what this version adds; an error if it holds no crawl. Nothing is changed.
pub(super) async fn is_of_an_earlier_version(db: &mut PgConnection, name: &str) -> Result<bool, StoreError> {
    let refuse = |problem: &str| StoreError::Open { path: name.into(), problem: problem.to_owned() };
    let holds = "select exists (select 1 from pg_class where relname = '_sqlx_migrations'
        and relnamespace = to_regnamespace(quote_ident(current_schema()::text)))";
    let holds: bool = scalar(holds).fetch_one(&mut *db).await.map_err(|e| open_error(name, &e))?;
    if !holds {
        return Err(refuse("it holds no crawl"));
    }
    let present = sql("select version, checksum from _sqlx_migrations where success").fetch_all(&mut *db).await;
    let present = present.map_err(|e| match e.as_database_error().and_then(|e| e.code()).as_deref() {
        // Somebody else's table has no such columns.
        Some("42703") => refuse(ANOTHERS),
        _ => open_error(name, &e),
    })?;
    let mut versions = HashSet::new();
    for row in &present {
        let (version, checksum): (i64, Vec<u8>) =
            (row.try_get(0).map_err(|_| refuse(ANOTHERS))?, row.try_get(1).map_err(|_| refuse(ANOTHERS))?);
        match MIGRATIONS.iter().find(|migration| migration.version == version) {
            Some(migration) if *migration.checksum != checksum[..] => return Err(refuse(ANOTHERS)),
            None if !is_newer(version) => return Err(refuse(ANOTHERS)),
            _ => versions.insert(version),
        };
    }
    Ok(MIGRATIONS.iter().any(|migration| !versions.contains(&migration.version)))
}

fn told(name: &str, error: MigrateError) -> StoreError {
    use MigrateError as E;
    let path = Path::new(name).to_owned();
    match error {
        E::VersionTooNew(..) => StoreError::Newer { path },
        E::VersionMissing(version) if is_newer(version) => StoreError::Newer { path },
        E::VersionMissing(_) | E::VersionMismatch(_) => StoreError::Open { path, problem: ANOTHERS.to_owned() },
        E::Execute(e) | E::ExecuteMigration(e, _) if passing::passes(&e) => StoreError::database(e),
        E::Execute(e) | E::ExecuteMigration(e, _) => open_error(name, &e),
        other => StoreError::Open { path, problem: other.to_string() },
    }
}

/// Whether a migration of this number is of a later version.
pub fn is_newer(version: i64) -> bool {
    MIGRATIONS.iter().all(|migration| migration.version < version)
}

/// Why a database cannot be opened, for a person.
pub(super) fn open_error(name: &str, error: &sqlx::Error) -> StoreError {
    let problem = match error {
        sqlx::Error::Database(e) => e.message().to_owned(),
        sqlx::Error::Io(e) => e.to_string(),
        other => other.to_string(),
    };
    StoreError::Open { path: name.into(), problem }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_file_of_the_folder_is_a_migration() {
        crate::store::migrations::every_file_is_among(&super::MIGRATIONS, "postgres");
    }
}

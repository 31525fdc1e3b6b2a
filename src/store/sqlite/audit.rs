//! An audit's findings, written into a file that a crawl may be writing to.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::store::StoreError;
use crate::store::audit::Audit;

use super::peek;

/// How long the lock of another writer is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// Stores an audit in one transaction.
pub fn keep(path: &Path, audit: &Audit<'_>) -> Result<(), StoreError> {
    write(path, audit).map_err(|e| StoreError::Open { path: path.to_owned(), problem: peek::problem(&e) })
}

fn write(path: &Path, audit: &Audit<'_>) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    db.busy_timeout(PATIENCE)?;
    let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("delete from finding where run_id = ?1", [audit.run])?;
    tx.execute(
        "insert into audit (run_id, at) values (?1, ?2) on conflict do update set at = excluded.at",
        [audit.run, audit.at],
    )?;
    let mut kind = tx.prepare(
        "insert into finding_kind (finding, severity, advice) values (?1, ?2, ?3)
         on conflict do update set severity = excluded.severity, advice = excluded.advice",
    )?;
    for known in &audit.kinds {
        kind.execute(known)?;
    }
    drop(kind);
    let mut insert = tx.prepare(
        "insert into finding (run_id, number, finding, url, other_url, detail, state) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (number, row) in (1_i64..).zip(audit.findings) {
        insert.execute((audit.run, number, row.finding, &row.url, &row.other_url, &row.detail, row.state))?;
    }
    drop(insert);
    tx.commit()
}

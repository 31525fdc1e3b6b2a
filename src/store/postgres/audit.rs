//! An audit's findings, written beside whatever crawl there is.

use sqlx::Connection as _;

use crate::store::StoreError;
use crate::store::audit::{Audit, AuditRow};

use super::database;
use super::rows::{clean, sql};

/// Stores an audit in one transaction.
pub async fn keep(url: &str, audit: &Audit<'_>) -> Result<(), StoreError> {
    let (mut db, ..) = database::connect(url).await?;
    write(&mut db, audit).await.map_err(StoreError::database)?;
    db.close().await.map_err(StoreError::database)
}

async fn write(db: &mut sqlx::PgConnection, audit: &Audit<'_>) -> Result<(), sqlx::Error> {
    let mut tx = db.begin().await?;
    // Of two audits of one run the second waits here, and takes the place of the first.
    sql("insert into audit (run_id, at) values ($1, $2) on conflict (run_id) do update set at = excluded.at")
        .bind(audit.run)
        .bind(audit.at)
        .execute(&mut *tx)
        .await?;
    sql("delete from finding where run_id = $1").bind(audit.run).execute(&mut *tx).await?;
    let column = |at: usize| audit.kinds.iter().map(|kind| kind[at]).collect::<Vec<_>>();
    sql("insert into finding_kind (finding, severity, advice)
         select * from unnest($1::text[], $2::text[], $3::text[]) k (finding, severity, advice) order by finding
         on conflict (finding) do update set severity = excluded.severity, advice = excluded.advice")
    .bind(column(0))
    .bind(column(1))
    .bind(column(2))
    .execute(&mut *tx)
    .await?;
    let mut before = 0_i64;
    for rows in audit.findings.chunks(Audit::ROWS) {
        let texts = |of: fn(&AuditRow) -> Option<&str>| {
            rows.iter().map(|row| of(row).map(|text| clean(text).into_owned())).collect::<Vec<_>>()
        };
        sql("insert into finding (run_id, number, finding, url, other_url, detail, state)
             select $1, $2 + v.place, v.finding, v.url, v.other_url, v.detail, v.state
             from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                 with ordinality v (finding, url, other_url, detail, state, place)")
        .bind(audit.run)
        .bind(before)
        .bind(texts(|row| Some(row.finding)))
        .bind(texts(|row| Some(&row.url)))
        .bind(texts(|row| row.other_url.as_deref()))
        .bind(texts(|row| row.detail.as_deref()))
        .bind(texts(|row| Some(row.state)))
        .execute(&mut *tx)
        .await?;
        before += rows.len() as i64;
    }
    tx.commit().await
}

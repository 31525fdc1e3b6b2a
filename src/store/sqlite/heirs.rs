//! The pages that redirects of seeds lead to, kept for good: what they let in stays in scope on resume and in new runs.

use std::sync::Arc;

use sqlx::{Row as _, SqliteConnection};

use crate::canonical::CanonicalUrl;
use crate::policy::sweep::{Changed, OPENED_BY_BEING_HEIR, OPENED_BY_HEIR, Verdict};
use crate::scope::Scope;
use crate::visit::{SkipReason, State, UrlId};

use super::batch::Batch;
use super::failed::Failed;
use super::judge::{verdict, verdict_columns};
use super::rows::{self, json};
use super::run::SqliteRun;

/// Tells the scope what the redirects of the present seeds led to so far.
pub(super) async fn recall(db: &mut SqliteConnection, scope: &Arc<Scope>) -> Result<(), Failed> {
    let rows = sqlx::query(
        "select s.url as seed, u.url as heir from heir h join seed on seed.url_id = h.seed_id
         join url s on s.id = h.seed_id join url u on u.id = h.url_id",
    );
    for row in rows.fetch_all(db).await? {
        inherit(&row, scope)?;
    }
    Ok(())
}

fn inherit(row: &sqlx::sqlite::SqliteRow, scope: &Scope) -> Result<CanonicalUrl, Failed> {
    let parse = |column| CanonicalUrl::parse(row.get(column)).map_err(|e| sqlx::Error::Decode(e.into()));
    let heir = parse("heir")?;
    scope.inherit(&parse("seed")?, &heir);
    Ok(heir)
}

impl SqliteRun {
    /// Notes where redirects of seeds, and of pages that count for one, lead. What was left out of scope on the hosts
    /// that this lets in becomes pending.
    pub(super) async fn note_heirs(&mut self, batch: &mut Batch) -> Result<(), Failed> {
        for (from, to) in std::mem::take(&mut batch.heirs) {
            // What lies behind may be stored already, from when it counted for no seed.
            let rows = sqlx::query(
                "with recursive chain (id, seed_id) as (
                     select ?2, url_id from seed where url_id = ?1
                     union select ?2, h.seed_id from heir h join seed s on s.url_id = h.seed_id where h.url_id = ?1
                     union select p.redirect_to, c.seed_id from chain c join page p on p.url_id = c.id
                     where p.redirect_to is not null)
                 insert or ignore into heir (url_id, seed_id) select id, seed_id from chain where id <> seed_id
                 returning (select url from url where id = heir.seed_id) as seed,
                     (select url from url where id = heir.url_id) as heir",
            );
            let rows = rows.bind(from).bind(to).fetch_all(self.db()).await?;
            for row in rows {
                let heir = inherit(&row, &self.scope)?;
                self.bring_in(&heir.host(), batch).await?;
                self.let_in(&heir, batch).await?;
            }
        }
        Ok(())
    }

    /// Judges once more what was left out on the host of a page that counts for a seed.
    async fn let_in(&mut self, heir: &CanonicalUrl, batch: &mut Batch) -> Result<(), Failed> {
        let skipped = sqlx::query(concat!(
            "select id, ",
            verdict_columns!(),
            " from url where host_id = (select id from host where host = ?1) and state = 3
                 and (reason in (select value from json_each(?3))
                     or url = ?2 and reason in (select value from json_each(?4)))"
        ));
        let (by_it, being_it) = (OPENED_BY_HEIR.each_ref(), OPENED_BY_BEING_HEIR.each_ref());
        let skipped = skipped.bind(heir.host_str()).bind(heir.as_str());
        let skipped =
            skipped.bind(json(&by_it.map(SkipReason::as_str))?).bind(json(&being_it.map(SkipReason::as_str))?);
        let skipped = skipped.fetch_all(self.db()).await?;
        let changed = Changed { scope: true, robots: false };
        let mut verdicts = Vec::new();
        for row in &skipped {
            if let Some(Verdict { state, reason }) = verdict(row, &self.scope, self.config.sitemaps, changed)? {
                let reason = reason.map(|reason| reason.to_string());
                verdicts.push((row.get::<UrlId, _>("id"), state.number(), reason));
            }
        }
        if verdicts.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set state = v.state, reason = v.reason
             from (select value ->> 0 as i, value ->> 1 as state, value ->> 2 as reason from json_each(?1)) v
             where url.id = v.i
             returning url.state, (select holder from host where id = url.host_id) as holder, ",
            rows::target_columns!(),
        ));
        for row in rows.bind(json(&verdicts)?).fetch_all(self.db()).await? {
            if rows::state(&row)? == State::Pending {
                batch.delta.change(State::Skipped, State::Pending);
                if self.may_fetch_at(row.get("host_id"), row.get("holder"), batch) {
                    batch.committed.targets.push(rows::target(&row, None)?);
                }
            }
        }
        Ok(())
    }
}

//! What a batch changes, and the statements that write it: each kind of row goes over as one JSON array.

use std::collections::HashSet;

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::store::StoreError;
use crate::visit::{HostId, Millis, UrlId};

use super::SqliteStore;

/// A row of `page`.
#[derive(Serialize)]
pub(super) struct PageRow {
    pub(super) id: UrlId,
    pub(super) status: u16,
    pub(super) content_type: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) language: Option<String>,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) canonical_url: Option<String>,
    pub(super) size: usize,
    pub(super) content_hash: Option<String>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) redirect_to: Option<UrlId>,
    pub(super) fetched_at: Millis,
    pub(super) changed_at: Millis,
    pub(super) elapsed: u64,
    pub(super) headers: String,
    pub(super) fingerprint: Option<String>,
    pub(super) gone: bool,
    pub(super) new_run: Option<i64>,
    pub(super) new_at: Option<Millis>,
    pub(super) interval: Option<Millis>,
    pub(super) fresh_until: Option<Millis>,
    pub(super) kept: u8,
}

// `jsonb_each` hands nested values on in their binary form, `json_each` as text to be parsed again.
pub(super) const WRITE_PAGES: &str =
    "insert or replace into page (url_id, status, content_type, charset, language, title, description,
         canonical_url, size, content_hash, etag, last_modified, redirect_to, fetched_at, changed_at, elapsed_ms, headers,
         fingerprint, gone, new_run, new_at, interval_ms, fresh_until, kept)
     select value ->> 'id', value ->> 'status', value ->> 'content_type', value ->> 'charset', value ->> 'language',
         value ->> 'title', value ->> 'description', value ->> 'canonical_url', value ->> 'size',
         value ->> 'content_hash', value ->> 'etag', value ->> 'last_modified', value ->> 'redirect_to',
         value ->> 'fetched_at', value ->> 'changed_at', value ->> 'elapsed', value ->> 'headers',
         value ->> 'fingerprint', value ->> 'gone', value ->> 'new_run', value ->> 'new_at', value ->> 'interval',
         value ->> 'fresh_until', value ->> 'kept'
     from jsonb_each(?1)";

/// What a batch changes, gathered before the statements that do it: each tuple becomes a JSON array.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) states: Vec<StateRow>,
    pub(super) fetches: Vec<FetchRow>,
    /// From, position, to, text, rel, element, follow.
    pub(super) links: Vec<(UrlId, usize, UrlId, String, String, &'static str, bool)>,
    /// From, position, to, text of an `<a>` without `rel` that is followed: almost every link.
    pub(super) plain_links: Vec<(UrlId, usize, UrlId, String)>,
    /// From, to, step: what a depth is passed on along when links are not stored.
    pub(super) edges: Vec<(UrlId, UrlId, bool)>,
    /// Id, time: when a sitemap says that a page changed last.
    pub(super) lastmods: Vec<(UrlId, Millis)>,
    /// Id, kind, message, attempts.
    pub(super) failures: Vec<(UrlId, &'static str, String, u32)>,
    pub(super) pages: Vec<PageRow>,
    /// Run, id, what became of it, when.
    pub(super) changes: Vec<(i64, UrlId, &'static str, Millis)>,
    pub(super) kept_alive: Vec<KeptAlive>,
    /// Pages whose stored links are replaced.
    pub(super) relinked: Vec<UrlId>,
    /// Pages whose words the index does not have.
    pub(super) unindexed: Vec<UrlId>,
    pub(super) hosts: HashSet<HostId>,
    pub(super) bytes: i64,
    pub(super) requests: i64,
    pub(super) unchanged: i64,
}

impl Changes {
    /// The request at hand brought nothing new.
    pub(super) fn note_unchanged(&mut self) {
        self.unchanged += 1;
        if let Some(fetch) = self.fetches.last_mut() {
            fetch.unchanged = true;
        }
    }
}

/// Of a page that was not modified: id, time of the answer, how long it took, ETag, Last-Modified, freshness, interval.
type KeptAlive = (UrlId, Millis, u64, Option<String>, Option<String>, Option<Millis>, Millis);

/// Id, state, reason, attempts, due.
type StateRow = (UrlId, u8, Option<String>, u32, Option<Millis>);

/// A row of `fetch`.
#[derive(Serialize)]
pub(super) struct FetchRow {
    pub(super) run: i64,
    pub(super) id: Option<UrlId>,
    /// Of a robots.txt, which has no row of its own.
    pub(super) url: Option<String>,
    pub(super) at: Millis,
    pub(super) status: Option<u16>,
    pub(super) failure: Option<&'static str>,
    pub(super) elapsed: u64,
    pub(super) bytes: u64,
    pub(super) unchanged: bool,
}

impl SqliteStore {
    pub(super) async fn write_content(
        &mut self,
        id: UrlId,
        text: Option<String>,
        body: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        sqlx::query("insert or replace into content (url_id, text, body) values (?1, ?2, ?3)")
            .bind(id)
            .bind(text)
            .bind(body)
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    pub(super) async fn write(
        &mut self,
        changes: &Changes,
        clock: &(impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync),
    ) -> Result<(), StoreError> {
        let db = &mut self.db;
        let clocks = changes.hosts.iter().filter_map(|id| clock(*id).map(|(asked, until)| (*id, asked, until)));
        let clocks: Vec<_> = clocks.collect();
        run_json(db, WRITE_PAGES, &changes.pages).await?;
        run_json(db, "insert or ignore into unindexed select value from json_each(?1)", &changes.unindexed).await?;
        run_json(db, "delete from link where from_id in (select value from json_each(?1))", &changes.relinked).await?;
        run_json(
            db,
            "insert or replace into link (from_id, position, to_id, text, rel, element, follow)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6
             from jsonb_each(?1)",
            &changes.links,
        )
        .await?;
        run_json(
            db,
            "insert or replace into link (from_id, position, to_id, text, rel, element, follow)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, '', 'a', true from jsonb_each(?1)",
            &changes.plain_links,
        )
        .await?;
        run_json(
            db,
            "insert or ignore into edge (from_id, to_id, step) select value ->> 0, value ->> 1, value ->> 2
             from jsonb_each(?1)",
            &changes.edges,
        )
        .await?;
        run_json(
            db,
            "insert into change (run_id, url_id, kind, at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from jsonb_each(?1)",
            &changes.changes,
        )
        .await?;
        run_json(
            db,
            // A 304 that tells of another version than the stored one: the next request is made without condition. One
            // that says nothing of freshness leaves it as long as it was.
            "update page set fetched_at = v.at, elapsed_ms = v.elapsed, interval_ms = v.interval,
                 kept = iif(coalesce(replace(v.etag, 'W/', '') <> replace(page.etag, 'W/', ''), false)
                     or coalesce(v.modified <> page.last_modified, false), 0, page.kept),
                 fresh_until = coalesce(v.fresh, v.at + page.fresh_until - page.fetched_at)
             from (select value ->> 0 as id, value ->> 1 as at, value ->> 2 as elapsed, value ->> 3 as etag,
                   value ->> 4 as modified, value ->> 5 as fresh, value ->> 6 as interval from jsonb_each(?1)) v
             where page.url_id = v.id",
            &changes.kept_alive,
        )
        .await?;
        run_json(
            db,
            "update url set lastmod = v.at from (select value ->> 0 as id, value ->> 1 as at from jsonb_each(?1)) v
             where url.id = v.id",
            &changes.lastmods,
        )
        .await?;
        run_json(
            db,
            "insert or replace into failure (url_id, kind, message, attempts, last_attempt_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                 cast(unixepoch('subsec') * 1000 as integer)
             from jsonb_each(?1)",
            &changes.failures,
        )
        .await?;
        run_json(
            db,
            "update url set state = v.state, reason = v.reason, attempts = v.attempts, due_at = v.due
             from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason, value ->> 3 as attempts,
                   value ->> 4 as due from jsonb_each(?1)) v where url.id = v.id",
            &changes.states,
        )
        .await?;
        run_json(
            db,
            "insert into fetch (run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged)
             select value ->> 'run', value ->> 'id', value ->> 'url', value ->> 'at', value ->> 'status', value ->> 'failure',
                 value ->> 'elapsed', value ->> 'bytes', value ->> 'unchanged'
             from jsonb_each(?1)",
            &changes.fetches,
        )
        .await?;
        run_json(
            db,
            "update host set asked_at = v.asked, blocked_until = v.until
             from (select value ->> 0 as id, value ->> 1 as asked, value ->> 2 as until from jsonb_each(?1)) v
             where host.id = v.id",
            &clocks,
        )
        .await
    }

    pub(super) async fn save_run(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.tally.bytes += changes.bytes;
        self.tally.requests += changes.requests;
        self.tally.unchanged += changes.unchanged;
        let now = self.accounting;
        sqlx::query(
            "update run set discovered = ?2, fetched = ?3, failed = ?4, skipped = ?5, pending = ?6,
                 unchanged = unchanged + ?7, bytes = bytes + ?8, requests = requests + ?9 where id = ?1",
        )
        .bind(self.run)
        .bind(now.discovered)
        .bind(now.fetched)
        .bind(now.failed)
        .bind(now.skipped)
        .bind(now.pending)
        .bind(changes.unchanged)
        .bind(changes.bytes)
        .bind(changes.requests)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }
}

/// Runs a statement on rows handed over as one JSON array; no rows, no statement.
pub(super) async fn run_json(
    db: &mut SqliteConnection,
    sql: &'static str,
    rows: &[impl Serialize],
) -> Result<(), StoreError> {
    if !rows.is_empty() {
        let json = serde_json::to_string(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query(sql).bind(json).execute(db).await?;
    }
    Ok(())
}

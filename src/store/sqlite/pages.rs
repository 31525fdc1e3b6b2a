//! Pages, and most of what a batch of records writes: each kind of row goes over as one JSON array.
//!
//! Statements that change many rows say `or fail`: SQLite then keeps no copy of what a statement changes, with which it would
//! undo that statement alone. Here a failure undoes the whole transaction.

use std::collections::HashMap;

use serde::{Serialize, Serializer};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::kept::Kept;
use crate::policy::life::{self, Life};
use crate::store::failed::Failed;
use crate::store::tables::{Gathered, PageRow, Pages, Past, PlainLink, Seeded};
use crate::visit::{Millis, Page, UrlId};

use super::database::SqliteDatabase;
use super::packing;
use super::rows::{self, json, run_json};

// `jsonb_each` hands nested values on in their binary form, `json_each` as text to be parsed again.
const WRITE_PAGES: &str =
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

impl Pages for SqliteDatabase {
    async fn past(&mut self, ids: &[UrlId]) -> Result<HashMap<UrlId, Past, Seeded>, Failed> {
        let rows = sqlx::query(
            "select u.id, u.state, u.depth, u.sitemap is not null as is_sitemap, u.lastmod, u.trap_id, p.status, p.content_hash,
                 p.etag, p.last_modified, p.fetched_at, p.changed_at, p.fresh_until, p.interval_ms, p.fingerprint, p.gone,
                 p.new_run, p.new_at, p.kept
             from json_each(?1) j join url u on u.id = j.value left join page p on p.url_id = u.id",
        );
        let rows = rows.bind(json(ids)?).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| Ok((row.get("id"), past(row)?))).collect()
    }

    async fn last_failure(&mut self, id: UrlId) -> Result<Option<(i64, Millis, String)>, Failed> {
        let row = sqlx::query_as(
            "select coalesce((select max(id) from run where started_at <= f.last_attempt_at), 0), f.last_attempt_at, f.message
             from failure f where f.url_id = ?1",
        );
        Ok(row.bind(id).fetch_optional(&mut self.db).await?)
    }

    async fn keep_version(&mut self, id: UrlId, keep: u32) -> Result<(), Failed> {
        sqlx::query(
            "insert into old_content (hash, text, body, dictionary_id)
             select p.content_hash, c.text, c.body, c.dictionary_id
             from page p join content c on c.url_id = p.url_id where p.url_id = ?1
             on conflict (hash) do update set body = excluded.body, dictionary_id = excluded.dictionary_id
                 where body is null and excluded.body is not null",
        )
        .bind(id)
        .execute(&mut self.db)
        .await?;
        sqlx::query(
            "insert or replace into version (id, url_id, content_id, fetched_at, status, content_type, charset, size)
             select (select v.id from (select id, content_id from version where url_id = ?1 order by id desc limit 1) v
                     where v.content_id = c.id),
                 p.url_id, c.id, p.fetched_at, p.status, p.content_type, p.charset, p.size
             from page p join old_content c on c.hash = p.content_hash where p.url_id = ?1",
        )
        .bind(id)
        .execute(&mut self.db)
        .await?;
        sqlx::query(
            "delete from version where url_id = ?1
                 and id not in (select id from version where url_id = ?1 order by id desc limit ?2)",
        )
        .bind(id)
        .bind(keep)
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn put_aside(&mut self, id: UrlId, page: &Page) -> Result<bool, Failed> {
        let put_aside: Option<UrlId> = sqlx::query_scalar(
            "insert or ignore into outdated (url_id, title, description, text)
             select s.url_id, s.title, s.description, s.text
             from page p left join content c on c.url_id = p.url_id join searchable s on s.url_id = p.url_id
             where p.url_id = ?1 and (p.title is not ?2 or p.description is not ?3 or c.text is not ?4)
                 -- It waits already: the index has nothing of it, or what was put aside then.
                 and not exists (select 1 from unindexed where url_id = ?1)
             returning url_id",
        )
        .bind(id)
        .bind(page.title.as_deref())
        .bind(page.description.as_deref())
        .bind(page.text.as_deref())
        .fetch_optional(&mut self.db)
        .await?;
        Ok(put_aside.is_some())
    }

    async fn write_content(
        &mut self,
        id: UrlId,
        text: Option<String>,
        body: Option<Vec<u8>>,
        compress: bool,
    ) -> Result<(), Failed> {
        let (body, dictionary) = match body {
            Some(body) if compress => {
                let (body, dictionary) = packing::pack(&mut self.packer, &mut self.db, body).await?;
                (Some(body), dictionary)
            }
            body => (body, None),
        };
        let sql = "insert or replace into content (url_id, text, body, dictionary_id) values (?1, ?2, ?3, ?4)";
        sqlx::query(sql).bind(id).bind(text).bind(body).bind(dictionary).execute(&mut self.db).await?;
        Ok(())
    }

    async fn write_pages(&mut self, pages: &[PageRow]) -> Result<(), Failed> {
        run_json(&mut self.db, WRITE_PAGES, pages).await
    }

    async fn write(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        self.write_contents(gathered).await?;
        self.write_links(gathered).await?;
        self.write_fates(gathered).await
    }
}

impl SqliteDatabase {
    async fn write_contents(&mut self, rows: &Gathered) -> Result<(), Failed> {
        run_json(&mut self.db, WRITE_PAGES, &rows.pages).await?;
        run_json(&mut self.db, "insert or ignore into unindexed select value from json_each(?1)", &rows.unindexed)
            .await?;
        run_json(
            &mut self.db,
            "insert or fail into change (run_id, url_id, kind, at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from jsonb_each(?1)",
            &rows.changes,
        )
        .await?;
        run_json(
            &mut self.db,
            "update or fail page set fetched_at = v.at, elapsed_ms = v.elapsed, interval_ms = v.interval,
                 fresh_until = v.fresh, kept = v.kept
             from (select value ->> 0 as id, value ->> 1 as at, value ->> 2 as elapsed, value ->> 3 as interval,
                   value ->> 4 as fresh, value ->> 5 as kept from jsonb_each(?1)) v
             where page.url_id = v.id",
            &rows.kept_alive,
        )
        .await
    }

    async fn write_links(&mut self, rows: &Gathered) -> Result<(), Failed> {
        run_json(&mut self.db, "delete from link where from_id in (select value from json_each(?1))", &rows.replaced)
            .await?;
        run_json(
            &mut self.db,
            "insert or fail into link (from_id, position, to_id, text, rel, element, follow, part)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
             from jsonb_each(?1) where true on conflict do nothing",
            &rows.links,
        )
        .await?;
        run_json(
            &mut self.db,
            "delete from fragment where from_id in (select value from json_each(?1))",
            &rows.replaced,
        )
        .await?;
        run_json(
            &mut self.db,
            "insert or ignore into fragment (from_id, position, fragment, raw, to_id)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 from jsonb_each(?1)",
            &rows.fragments,
        )
        .await?;
        for links in rows.plain_links.chunks(rows::ROWS) {
            sqlx::query(
                "insert or fail into link (from_id, position, to_id, text, rel, element, follow, part)
                 select page.key, link.key, link.value ->> 0, link.value ->> 1, '', 'a', true, nullif(part.key, '')
                 from jsonb_each(?1) page, jsonb_each(page.value) part, jsonb_each(part.value) link
                 where true on conflict do nothing",
            )
            .bind(json(&ByPage(links))?)
            .execute(&mut self.db)
            .await?;
        }
        run_json(
            &mut self.db,
            "insert or ignore into edge (from_id, to_id, step) select value ->> 0, value ->> 1, value ->> 2
             from jsonb_each(?1)",
            &rows.edges,
        )
        .await
    }

    async fn write_fates(&mut self, rows: &Gathered) -> Result<(), Failed> {
        run_json(
            &mut self.db,
            "insert or replace into failure (url_id, kind, message, attempts, last_attempt_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3,
                 cast(unixepoch('subsec') * 1000 as integer)
             from jsonb_each(?1)",
            &rows.failures,
        )
        .await?;
        run_json(
            &mut self.db,
            "update or fail url set state = v.state, reason = v.reason, attempts = v.attempts, due_at = v.due,
                 recrawl_ms = coalesce(v.recrawl, recrawl_ms)
             from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason, value ->> 3 as attempts,
                   value ->> 4 as due, value ->> 5 as recrawl from jsonb_each(?1)) v where url.id = v.id",
            &rows.states,
        )
        .await?;
        run_json(
            &mut self.db,
            "update or fail host set certificate_expires_at = v.value ->> 1 from jsonb_each(?1) v where host.id = v.value ->> 0",
            &rows.certificates,
        )
        .await?;
        run_json(
            &mut self.db,
            "insert or fail into fetch (run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged)
             select value ->> 'run', value ->> 'id', value ->> 'url', value ->> 'at', value ->> 'status', value ->> 'failure',
                 value ->> 'elapsed', value ->> 'bytes', value ->> 'unchanged'
             from jsonb_each(?1)",
            &rows.fetches,
        )
        .await
    }
}

/// Links of pages, which follow each other page by page: what is the same of many is written, and read by SQLite, once.
struct ByPage<'a>(&'a [PlainLink]);

impl Serialize for ByPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pages = self.0.chunk_by(|one, next| one.0 == next.0);
        serializer.collect_map(pages.map(|links| (links[0].0, ByPart(links))))
    }
}

/// The links of one page, which follow each other part by part; a part may come several times.
struct ByPart<'a>(&'a [PlainLink]);

impl Serialize for ByPart<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = self.0.chunk_by(|one, next| one.4 == next.4);
        serializer.collect_map(parts.map(|links| (links[0].4.unwrap_or_default(), ByPosition(links))))
    }
}

/// The links of one part of a page.
struct ByPosition<'a>(&'a [PlainLink]);

impl Serialize for ByPosition<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(_, position, to, text, _)| (position, (to, text))))
    }
}

fn past(row: &SqliteRow) -> Result<Past, Failed> {
    Ok(Past {
        state: rows::state(row)?,
        depth: row.get("depth"),
        is_sitemap: row.get("is_sitemap"),
        lastmod: row.get("lastmod"),
        trap: row.get("trap_id"),
        page: page(row),
    })
}

fn page(row: &SqliteRow) -> Option<life::Past> {
    let status = row.get::<Option<u16>, _>("status")?;
    let new_run: Option<i64> = row.get("new_run");
    Some(life::Past {
        status,
        content_hash: row.get("content_hash"),
        etag: row.get("etag"),
        last_modified: row.get("last_modified"),
        fetched_at: row.get("fetched_at"),
        changed_at: row.get("changed_at"),
        fresh_until: row.get("fresh_until"),
        interval: row.get("interval_ms"),
        life: Life { fingerprint: row.get("fingerprint"), gone: row.get("gone") },
        new: new_run.zip(row.get("new_at")),
        kept: Kept(row.get("kept")),
    })
}

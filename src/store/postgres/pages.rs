//! Pages, and most of what a batch of records writes.

use std::borrow::Cow;
use std::collections::HashMap;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

use crate::policy::kept::Kept;
use crate::policy::life::{self, Life};
use crate::store::failed::Failed;
use crate::store::tables::{Gathered, PageRow, Pages, Past, Seeded};
use crate::visit::{Millis, Page, UrlId};

use super::database::PgDatabase;
use super::rows::{self, bigint, clean, int, scalar, sql};

impl Pages for PgDatabase {
    async fn past(&mut self, ids: &[UrlId]) -> Result<HashMap<UrlId, Past, Seeded>, Failed> {
        let rows = sql(
            "select u.id, u.state, u.depth, u.sitemap is not null as is_sitemap, u.lastmod, u.trap_id, p.status, p.content_hash,
                 p.etag, p.last_modified, p.fetched_at, p.changed_at, p.fresh_until, p.interval_ms, p.fingerprint, p.gone,
                 p.new_run, p.new_at, p.kept
             from url u left join page p on p.url_id = u.id where u.id = any($1)",
        );
        let rows = rows.bind(ids).fetch_all(&mut self.db).await?;
        rows.iter().map(|row| Ok((row.get("id"), past(row)?))).collect()
    }

    async fn last_failure(&mut self, id: UrlId) -> Result<Option<(i64, Millis, String)>, Failed> {
        let row = sql("select coalesce((select max(id) from run where started_at <= f.last_attempt_at), 0) as run,
                           f.last_attempt_at, f.message
                       from failure f where f.url_id = $1");
        let row = row.bind(id).fetch_optional(&mut self.db).await?;
        Ok(row.map(|row| (row.get("run"), row.get("last_attempt_at"), row.get("message"))))
    }

    async fn keep_version(&mut self, id: UrlId, keep: u32) -> Result<(), Failed> {
        // What this transaction has of the page may not be written yet.
        self.contents.write(&mut self.db).await?;
        sql("insert into old_content (hash, text, body)
             select p.content_hash, c.text, c.body from page p join content c on c.url_id = p.url_id where p.url_id = $1
             on conflict (hash) do update set body = excluded.body
                 where old_content.body is null and excluded.body is not null")
        .bind(id)
        .execute(&mut self.db)
        .await?;
        let renewed =
            sql("update version v set fetched_at = p.fetched_at, status = p.status, content_type = p.content_type,
                               charset = p.charset, size = p.size
                           from page p join old_content c on c.hash = p.content_hash
                           where p.url_id = $1 and v.content_id = c.id
                               and v.id = (select max(id) from version where url_id = $1)");
        if renewed.bind(id).execute(&mut self.db).await?.rows_affected() == 0 {
            let kept = sql("insert into version (url_id, content_id, fetched_at, status, content_type, charset, size)
                            select p.url_id, c.id, p.fetched_at, p.status, p.content_type, p.charset, p.size
                            from page p join old_content c on c.hash = p.content_hash where p.url_id = $1");
            kept.bind(id).execute(&mut self.db).await?;
        }
        let deleted: Vec<i64> = scalar(
            "delete from version where url_id = $1
                 and id not in (select id from version where url_id = $1 order by id desc limit $2)
             returning content_id",
        )
        .bind(id)
        .bind(i64::from(keep))
        .fetch_all(&mut self.db)
        .await?;
        if !deleted.is_empty() {
            let unused = sql("delete from old_content where id = any($1)
                                  and not exists (select 1 from version where content_id = old_content.id)");
            unused.bind(deleted).execute(&mut self.db).await?;
        }
        Ok(())
    }

    /// An index of PostgreSQL follows its table by itself.
    async fn put_aside(&mut self, _id: UrlId, _page: &Page) -> Result<bool, Failed> {
        Ok(false)
    }

    async fn write_content(
        &mut self,
        id: UrlId,
        text: Option<String>,
        body: Option<Vec<u8>>,
        _compress: bool,
    ) -> Result<(), Failed> {
        self.contents.add(id, text, body);
        if self.contents.is_much() { self.contents.write(&mut self.db).await } else { Ok(()) }
    }

    async fn write_pages(&mut self, pages: &[PageRow]) -> Result<(), Failed> {
        if pages.is_empty() {
            return Ok(());
        }
        let text = |value: fn(&PageRow) -> &Option<String>| {
            pages.iter().map(|page| value(page).as_deref().map(clean)).collect::<Vec<_>>()
        };
        let optional = |value: fn(&PageRow) -> Option<i64>| pages.iter().map(value).collect::<Vec<_>>();
        let number = |value: fn(&PageRow) -> i64| pages.iter().map(value).collect::<Vec<_>>();
        sql(WRITE_PAGES)
            .bind(number(|page| page.id))
            .bind(pages.iter().map(|page| i32::from(page.status)).collect::<Vec<_>>())
            .bind(text(|page| &page.content_type))
            .bind(text(|page| &page.charset))
            .bind(text(|page| &page.language))
            .bind(text(|page| &page.title))
            .bind(text(|page| &page.description))
            .bind(text(|page| &page.canonical_url))
            .bind(number(|page| bigint(page.size)))
            .bind(text(|page| &page.content_hash))
            .bind(text(|page| &page.etag))
            .bind(text(|page| &page.last_modified))
            .bind(optional(|page| page.redirect_to))
            .bind(number(|page| page.fetched_at))
            .bind(number(|page| page.changed_at))
            .bind(number(|page| bigint(page.elapsed)))
            .bind(pages.iter().map(|page| headers(&page.headers)).collect::<Vec<_>>())
            .bind(text(|page| &page.fingerprint))
            .bind(pages.iter().map(|page| page.gone).collect::<Vec<_>>())
            .bind(optional(|page| page.new_run))
            .bind(optional(|page| page.new_at))
            .bind(optional(|page| page.interval))
            .bind(optional(|page| page.fresh_until))
            .bind(pages.iter().map(|page| i16::from(page.kept)).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    async fn write(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        self.contents.write(&mut self.db).await?;
        self.write_pages(&gathered.pages).await?;
        self.write_renewals(gathered).await?;
        self.write_links(gathered).await?;
        self.write_fates(gathered).await?;
        self.write_fetches(gathered).await
    }
}

const WRITE_PAGES: &str =
    "insert into page (url_id, status, content_type, charset, language, title, description, canonical_url, size,
         content_hash, etag, last_modified, redirect_to, fetched_at, changed_at, elapsed_ms, headers, fingerprint, gone,
         new_run, new_at, interval_ms, fresh_until, kept)
     select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
         $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[], $15::bigint[],
         $16::bigint[], $17::text[], $18::text[], $19::boolean[], $20::bigint[], $21::bigint[], $22::bigint[],
         $23::bigint[], $24::smallint[])
     on conflict (url_id) do update set (status, content_type, charset, language, title, description, canonical_url,
         size, content_hash, etag, last_modified, redirect_to, fetched_at, changed_at, elapsed_ms, headers,
         fingerprint, gone, new_run, new_at, interval_ms, fresh_until, kept) = (excluded.status,
         excluded.content_type, excluded.charset, excluded.language, excluded.title, excluded.description,
         excluded.canonical_url, excluded.size, excluded.content_hash, excluded.etag, excluded.last_modified,
         excluded.redirect_to, excluded.fetched_at, excluded.changed_at, excluded.elapsed_ms, excluded.headers,
         excluded.fingerprint, excluded.gone, excluded.new_run, excluded.new_at, excluded.interval_ms,
         excluded.fresh_until, excluded.kept)";

impl PgDatabase {
    /// Changes of pages, and pages that were not modified.
    async fn write_renewals(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        let changes = &gathered.changes;
        if !changes.is_empty() {
            sql("insert into change (run_id, url_id, kind, at)
                 select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[])")
            .bind(changes.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(changes.iter().map(|row| row.1).collect::<Vec<_>>())
            .bind(changes.iter().map(|row| row.2).collect::<Vec<_>>())
            .bind(changes.iter().map(|row| row.3).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        let renewed = &gathered.kept_alive;
        if !renewed.is_empty() {
            sql("update page set fetched_at = v.at, elapsed_ms = v.elapsed, interval_ms = v.interval,
                     fresh_until = v.fresh, kept = v.kept
                 from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[])
                     v (i, at, elapsed, interval, fresh, kept)
                 where page.url_id = v.i")
            .bind(renewed.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(renewed.iter().map(|row| row.1).collect::<Vec<_>>())
            .bind(renewed.iter().map(|row| bigint(row.2)).collect::<Vec<_>>())
            .bind(renewed.iter().map(|row| row.3).collect::<Vec<_>>())
            .bind(renewed.iter().map(|row| row.4).collect::<Vec<_>>())
            .bind(renewed.iter().map(|row| i16::from(row.5)).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        Ok(())
    }

    async fn write_links(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        if !gathered.replaced.is_empty() {
            let replaced = sql("delete from link where from_id = any($1)");
            replaced.bind(&gathered.replaced).execute(&mut self.db).await?;
            let replaced = sql("delete from fragment where from_id = any($1)");
            replaced.bind(&gathered.replaced).execute(&mut self.db).await?;
        }
        self.write_fragments(gathered).await?;
        let plain = gathered.plain_links.iter();
        let plain = plain.map(|(from, at, to, text, part)| (*from, *at, *to, text.as_str(), "", "a", true, *part));
        let whole = gathered.links.iter().map(|(from, at, to, text, rel, element, follow, part)| {
            (*from, *at, *to, text.as_str(), rel.as_str(), *element, *follow, *part)
        });
        let links: Vec<_> = plain.chain(whole).collect();
        if !links.is_empty() {
            sql("insert into link (from_id, position, to_id, text, rel, element, follow, part)
                 select * from unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                     $7::boolean[], $8::text[])
                 on conflict (from_id, position) do update set (to_id, text, rel, element, follow, part) =
                     (excluded.to_id, excluded.text, excluded.rel, excluded.element, excluded.follow, excluded.part)")
            .bind(links.iter().map(|link| link.0).collect::<Vec<_>>())
            .bind(links.iter().map(|link| int(link.1.try_into().unwrap_or(u32::MAX))).collect::<Vec<_>>())
            .bind(links.iter().map(|link| link.2).collect::<Vec<_>>())
            .bind(links.iter().map(|link| clean(link.3)).collect::<Vec<_>>())
            .bind(links.iter().map(|link| clean(link.4)).collect::<Vec<_>>())
            .bind(links.iter().map(|link| link.5).collect::<Vec<_>>())
            .bind(links.iter().map(|link| link.6).collect::<Vec<_>>())
            .bind(links.iter().map(|link| link.7).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        if !gathered.edges.is_empty() {
            sql("insert into edge (from_id, to_id, step) select * from unnest($1::bigint[], $2::bigint[], $3::boolean[])
                 on conflict do nothing")
            .bind(gathered.edges.iter().map(|edge| edge.0).collect::<Vec<_>>())
            .bind(gathered.edges.iter().map(|edge| edge.1).collect::<Vec<_>>())
            .bind(gathered.edges.iter().map(|edge| edge.2).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        Ok(())
    }

    async fn write_fragments(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        let fragments = &gathered.fragments;
        if !fragments.is_empty() {
            sql("insert into fragment (from_id, position, fragment, raw, to_id)
                 select * from unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::bigint[]) on conflict do nothing")
            .bind(fragments.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(fragments.iter().map(|row| int(row.1.try_into().unwrap_or(u32::MAX))).collect::<Vec<_>>())
            .bind(fragments.iter().map(|row| row.2.as_str()).collect::<Vec<_>>())
            .bind(fragments.iter().map(|row| row.3.as_deref()).collect::<Vec<_>>())
            .bind(fragments.iter().map(|row| row.4).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        Ok(())
    }

    async fn write_fates(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        let failures = &gathered.failures;
        if !failures.is_empty() {
            sql("insert into failure (url_id, kind, message, attempts, last_attempt_at)
                 select v.*, $5 from unnest($1::bigint[], $2::text[], $3::text[], $4::int[]) v
                 on conflict (url_id) do update set (kind, message, attempts, last_attempt_at) =
                     (excluded.kind, excluded.message, excluded.attempts, excluded.last_attempt_at)")
            .bind(failures.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(failures.iter().map(|row| row.1).collect::<Vec<_>>())
            .bind(failures.iter().map(|row| clean(&row.2)).collect::<Vec<_>>())
            .bind(failures.iter().map(|row| int(row.3)).collect::<Vec<_>>())
            .bind(self.clock.now())
            .execute(&mut self.db)
            .await?;
        }
        let states = &gathered.states;
        if !states.is_empty() {
            sql("update url set state = v.state, reason = v.reason, attempts = v.attempts, due_at = v.due,
                     recrawl_ms = coalesce(v.recrawl, url.recrawl_ms)
                 from unnest($1::bigint[], $2::smallint[], $3::text[], $4::int[], $5::bigint[], $6::bigint[])
                     v (i, state, reason, attempts, due, recrawl)
                 where url.id = v.i")
            .bind(states.iter().map(|row| row.0).collect::<Vec<_>>())
            .bind(states.iter().map(|row| i16::from(row.1)).collect::<Vec<_>>())
            .bind(states.iter().map(|row| row.2.as_deref().map(clean)).collect::<Vec<_>>())
            .bind(states.iter().map(|row| int(row.3)).collect::<Vec<_>>())
            .bind(states.iter().map(|row| row.4).collect::<Vec<_>>())
            .bind(states.iter().map(|row| row.5).collect::<Vec<_>>())
            .execute(&mut self.db)
            .await?;
        }
        if !gathered.certificates.is_empty() {
            let (hosts, times): (Vec<_>, Vec<_>) = gathered.certificates.iter().copied().unzip();
            let update =
                sql("update host set certificate_expires_at = v.at from unnest($1::bigint[], $2::bigint[]) v (i, at)
                 where host.id = v.i");
            update.bind(hosts).bind(times).execute(&mut self.db).await?;
        }
        Ok(())
    }

    async fn write_fetches(&mut self, gathered: &Gathered) -> Result<(), Failed> {
        let fetches = &gathered.fetches;
        if fetches.is_empty() {
            return Ok(());
        }
        sql("insert into request (run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged)
             select * from unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::int[], $6::text[],
                 $7::bigint[], $8::bigint[], $9::boolean[])")
        .bind(fetches.iter().map(|row| row.run).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.url.as_deref()).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.at).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.status.map(i32::from)).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.failure).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| bigint(row.elapsed)).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| bigint(row.bytes)).collect::<Vec<_>>())
        .bind(fetches.iter().map(|row| row.unchanged).collect::<Vec<_>>())
        .execute(&mut self.db)
        .await?;
        Ok(())
    }
}

/// Header lines as JSON without U+0000, which PostgreSQL can take out of no JSON either.
fn headers(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u0000") {
        return json.into();
    }
    let lines: Vec<(String, String)> = serde_json::from_str(json).unwrap_or_default();
    let lines: Vec<_> = lines.iter().map(|(name, value)| (clean(name), clean(value))).collect();
    serde_json::json!(lines).to_string().into()
}

fn past(row: &PgRow) -> Result<Past, Failed> {
    Ok(Past {
        state: rows::state(row)?,
        depth: rows::uint(row, "depth"),
        is_sitemap: row.get("is_sitemap"),
        lastmod: row.get("lastmod"),
        trap: row.get("trap_id"),
        page: page(row),
    })
}

fn page(row: &PgRow) -> Option<life::Past> {
    let status = rows::optional(row, "status")?;
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
        kept: Kept(rows::kept(row)),
    })
}

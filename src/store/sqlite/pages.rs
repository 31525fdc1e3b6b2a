//! Answers to requests for pages: what was stored before, and the rows that take its place.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::due::{Facts, due_at};
use crate::policy::kept::Kept;
use crate::policy::life::{self, Answer, Change, Life, Memory};
use crate::visit::{Element, Millis, Page, Record, State, Target, TrapId, UrlId};

use super::batch::{Batch, PageRow, write_pages};
use super::failed::Failed;
use super::known::Seeded;
use super::links::Found;
use super::rows::json;
use super::run::SqliteRun;

/// What was stored of the URLs of a batch.
#[derive(Default)]
pub(super) struct Past {
    rows: HashMap<UrlId, Row, Seeded>,
    /// Those to which a shorter path was found while they were in flight: their links were judged by the longer one.
    pub(super) lowered: Vec<UrlId>,
    /// Those that are not pending any more: what became of them is stored already.
    pub(super) ended: HashSet<UrlId>,
}

/// A URL that was asked for, as it stood before.
struct Row {
    is_sitemap: bool,
    lastmod: Option<Millis>,
    trap: Option<TrapId>,
    page: Option<life::Past>,
}

impl Past {
    /// What pays for a URL now: other links may name it than when it was handed out.
    pub(super) fn trap(&self, id: UrlId) -> Option<TrapId> {
        self.rows.get(&id)?.trap
    }
}

/// What is known of an answer besides the response itself.
struct Answered {
    elapsed: u64,
    hash: Option<String>,
    redirect: Option<UrlId>,
    memory: Memory,
}

impl SqliteRun {
    pub(super) async fn past(&mut self, records: &[Record]) -> Result<Past, Failed> {
        let targets = records.iter().filter_map(|record| Some((record.target()?, record.page().is_some())));
        let asked: Vec<_> = targets.map(|(target, is_fetched)| (target.id, target.depth, is_fetched)).collect();
        if asked.is_empty() {
            return Ok(Past::default());
        }
        let rows = sqlx::query(
            "select u.id, u.state <> 0 as ended, (j.value ->> 2) and u.depth < (j.value ->> 1) as lowered, u.sitemap is not null as is_sitemap, u.lastmod, u.trap_id,
                 p.status, p.content_hash, p.etag, p.last_modified, p.fetched_at, p.changed_at, p.fresh_until,
                 p.interval_ms, p.fingerprint, p.gone, p.new_run, p.new_at, p.kept
             from json_each(?1) j join url u on u.id = j.value ->> 0 left join page p on p.url_id = u.id",
        )
        .bind(json(&asked)?)
        .fetch_all(self.db())
        .await?;
        let lowered = rows.iter().filter(|row| row.get("lowered")).map(|row| row.get("id")).collect();
        let ended = rows.iter().filter(|row| row.get("ended")).map(|row| row.get("id")).collect();
        Ok(Past { rows: rows.iter().map(|row| (row.get("id"), Row::read(row))).collect(), lowered, ended })
    }

    pub(super) async fn fetched(
        &mut self,
        target: &Target,
        mut page: Page,
        elapsed: u64,
        found: Found,
        past: &Past,
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        let id = target.id;
        // Only a seed, and what its redirects lead to, has depth 0.
        batch.heirs.extend(found.redirect.filter(|_| target.depth == 0).map(|to| (id, to)));
        let row = past.rows.get(&id);
        let old = row.and_then(|row| row.page.as_ref());
        if page.status == 304
            && let (Some(row), Some(old)) = (row, old.filter(|old| old.status != 304))
        {
            self.not_modified(target, &page, elapsed, row, old, batch);
            return Ok(());
        }
        let hash = page.content_hash.map(hex);
        page.text = page.text.filter(|_| self.config.store_text);
        if let Some(old) = old {
            batch.links.replaced.push(id);
            if self.config.keep_versions > 0 && old.is_worth_keeping(hash.as_deref()) {
                self.keep_version(id).await?;
            }
        }
        if old.is_none() || self.put_aside(id, &page).await? {
            batch.unindexed.push(id);
        }
        let answer = Answer {
            status: page.status,
            fetched_at: page.fetched_at,
            content_hash: hash.as_deref(),
            etag: page.etag.as_deref(),
            last_modified: page.last_modified.as_deref(),
            redirect_to: found.redirect,
        };
        let memory = Memory::after(&answer, old, self.id, &self.rules);
        if memory.unchanged {
            batch.note_unchanged();
        }
        if let Some(change) = memory.change.filter(|change| *change != Change::New) {
            batch.changes.push((self.id, id, change.as_str(), page.fetched_at));
        }
        let recrawl = self.recrawl(row, page.fetched_at, memory.interval, page.fresh_until);
        batch.settle(target, State::Fetched, None, target.attempts + 1, Some(recrawl));
        self.link(id, &mut page, found.links, batch);
        let answered = Answered { elapsed, hash, redirect: found.redirect, memory };
        self.write_page(id, page, answered, batch).await
    }

    async fn write_page(&mut self, id: UrlId, page: Page, answered: Answered, batch: &mut Batch) -> Result<(), Failed> {
        let Answered { elapsed, hash, redirect, memory } = answered;
        let row = PageRow {
            id,
            status: page.status,
            content_type: page.content_type,
            charset: page.charset,
            language: page.language,
            title: page.title,
            description: page.description,
            canonical_url: page.canonical_url,
            size: page.body.as_ref().map_or(0, Vec::len),
            content_hash: hash,
            etag: page.etag,
            last_modified: page.last_modified,
            redirect_to: redirect,
            fetched_at: page.fetched_at,
            changed_at: memory.changed_at,
            elapsed,
            fingerprint: memory.life.fingerprint,
            gone: memory.life.gone,
            new_run: memory.new.map(|(run, _)| run),
            new_at: memory.new.map(|(_, at)| at),
            interval: memory.interval,
            fresh_until: page.fresh_until,
            kept: Kept::of(&self.config).0,
            headers: json!(page.headers).to_string(),
        };
        if redirect.is_some() {
            // The next record of this batch may close a loop with it.
            write_pages(self.db(), &[row]).await?;
        } else {
            batch.pages.push(row);
        }
        let body = page.body.filter(|_| self.config.store_bodies);
        sqlx::query("insert or replace into content (url_id, text, body) values (?1, ?2, ?3)")
            .bind(id)
            .bind(page.text)
            .bind(body)
            .execute(self.db())
            .await?;
        Ok(())
    }

    /// The page as it is stays the latest.
    fn not_modified(&self, target: &Target, page: &Page, elapsed: u64, row: &Row, old: &life::Past, batch: &mut Batch) {
        batch.note_unchanged();
        let interval = self.rules.next_interval(old.interval, false);
        let fresh_until = old.fresh_after(page.fetched_at, page.fresh_until);
        let Kept(kept) = old.kept_after(page.etag.as_deref(), page.last_modified.as_deref());
        batch.kept_alive.push((target.id, page.fetched_at, elapsed, interval, fresh_until, kept));
        let recrawl = self.recrawl(Some(row), page.fetched_at, Some(interval), fresh_until);
        batch.settle(target, State::Fetched, None, target.attempts + 1, Some(recrawl));
    }

    /// How long after it was fetched a page is due again.
    fn recrawl(
        &self,
        row: Option<&Row>,
        fetched_at: Millis,
        interval: Option<Millis>,
        fresh_until: Option<Millis>,
    ) -> Millis {
        let (lastmod, is_sitemap) = row.map_or((None, false), |row| (row.lastmod, row.is_sitemap));
        let facts = Facts { fetched_at, interval, fresh_until, lastmod, failed: false, is_sitemap };
        due_at(&facts, &self.rules).saturating_sub(fetched_at)
    }

    /// Notes the links of a page, as far as the settings keep them.
    fn link(&self, id: UrlId, page: &mut Page, rows: Vec<Option<UrlId>>, batch: &mut Batch) {
        let found = rows.into_iter().zip(std::mem::take(&mut page.links)).enumerate();
        let found: Vec<_> = found.filter_map(|(position, (to, link))| Some((position, to?, link))).collect();
        batch.lastmods.extend(found.iter().filter_map(|(_, to, link)| Some((*to, link.lastmod?))));
        if self.config.store_links {
            for (position, to, link) in found {
                if link.element == Element::A && link.rel.is_empty() && link.follow {
                    batch.links.plain.push((id, position, to, link.text));
                } else {
                    let element = link.element.as_str();
                    batch.links.whole.push((id, position, to, link.text, link.rel, element, link.follow));
                }
            }
        } else if self.config.max_depth.is_some() {
            let followed = found.into_iter().filter(|(_, _, link)| link.follow);
            batch.links.edges.extend(followed.map(|(_, to, link)| (id, to, link.element != Element::Sitemap)));
        }
    }

    /// Before a known page is replaced: keeps the words with which it is in the index, if it gets others. Whether the
    /// page is to be indexed again.
    async fn put_aside(&mut self, id: UrlId, page: &Page) -> Result<bool, Failed> {
        let put_aside: Option<UrlId> = sqlx::query_scalar(
            "insert or ignore into outdated (url_id, title, description, text)
             select url_id, title, description, text from searchable
             where url_id = ?1 and (title is not ?2 or description is not ?3 or text is not ?4)
                 -- It waits already: the index has nothing of it, or what was put aside then.
                 and not exists (select 1 from unindexed where url_id = ?1)
             returning url_id",
        )
        .bind(id)
        .bind(page.title.as_deref())
        .bind(page.description.as_deref())
        .bind(page.text.as_deref())
        .fetch_optional(self.db())
        .await?;
        Ok(put_aside.is_some())
    }
}

impl Row {
    fn read(row: &SqliteRow) -> Self {
        Self {
            is_sitemap: row.get("is_sitemap"),
            lastmod: row.get("lastmod"),
            trap: row.get("trap_id"),
            page: past(row),
        }
    }
}

fn past(row: &SqliteRow) -> Option<life::Past> {
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

fn hex(hash: [u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

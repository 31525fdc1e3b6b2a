//! Answers to requests for pages: what was stored before, and the rows that take its place.

use std::collections::{HashMap, HashSet};

use serde_json::json;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::policy::begin::may_hand_on;
use crate::policy::due::{self, Facts};
use crate::policy::fate;
use crate::policy::kept::{Kept, Links};
use crate::policy::life::{self, Answer, Change, Life, Memory, Renewal};
use crate::visit::{Element, Millis, Page, Record, State, Target, TrapId, UrlId, Way};

use super::batch::{Batch, PageRow, write_pages};
use super::failed::Failed;
use super::known::Seeded;
use super::links::Found;
use super::rows::{self, json};
use super::run::SqliteRun;

/// Redirects of which is remembered what their pages were before. What leads back to one comes soon.
const MAX_DETOURS: usize = 10_000;

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
    state: State,
    depth: u32,
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
        let asked: Vec<_> = records.iter().filter_map(|record| Some(record.target()?.id)).collect();
        if asked.is_empty() {
            return Ok(Past::default());
        }
        let rows = sqlx::query(
            "select u.id, u.state, u.depth, u.sitemap is not null as is_sitemap, u.lastmod, u.trap_id, p.status, p.content_hash,
                 p.etag, p.last_modified, p.fetched_at, p.changed_at, p.fresh_until, p.interval_ms, p.fingerprint, p.gone,
                 p.new_run, p.new_at, p.kept
             from json_each(?1) j join url u on u.id = j.value left join page p on p.url_id = u.id",
        )
        .bind(json(&asked)?)
        .fetch_all(self.db())
        .await?;
        let rows = rows.iter().map(|row| Ok((row.get("id"), Row::read(row)?))).collect::<Result<_, Failed>>()?;
        let mut past = Past { rows, ..Past::default() };
        for record in records {
            let Some((target, row)) = record.target().and_then(|target| Some((target, past.rows.get(&target.id)?)))
            else {
                continue;
            };
            if !fate::is_awaited(row.state) {
                past.ended.insert(target.id);
            } else if record.page().is_some() && fate::was_lowered(target, row.depth) {
                past.lowered.push(target.id);
            }
        }
        Ok(past)
    }

    /// Answers with how long after it was fetched the page is due again.
    pub(super) async fn fetched(
        &mut self,
        target: &Target,
        mut page: Page,
        elapsed: u64,
        found: Found,
        past: &Past,
        batch: &mut Batch,
    ) -> Result<Millis, Failed> {
        let id = target.id;
        batch.heirs.extend(found.redirect.filter(|_| may_hand_on(target.depth)).map(|to| (id, to)));
        let row = past.rows.get(&id);
        let old = row.and_then(|row| row.page.as_ref());
        let hash = page.content_hash.map(hex);
        let answer = Answer {
            status: page.status,
            fetched_at: page.fetched_at,
            content_hash: hash.as_deref(),
            etag: page.etag.as_deref(),
            last_modified: page.last_modified.as_deref(),
            redirect_to: found.redirect,
            fresh_until: page.fresh_until,
        };
        if let Some(Renewal { interval, fresh_until, kept: Kept(kept) }) =
            old.and_then(|old| old.renewed_by(&answer, &self.rules))
        {
            batch.note_unchanged();
            batch.kept_alive.push((id, page.fetched_at, elapsed, interval, fresh_until, kept));
            return Ok(self.recrawl(row, page.fetched_at, Some(interval), fresh_until));
        }
        let memory = Memory::after(&answer, old, self.id, &self.rules);
        if found.redirect.is_some() {
            if self.detours.len() >= MAX_DETOURS {
                self.detours.clear();
            }
            self.detours.insert(id, old.and_then(|old| old.life.fingerprint.clone()));
        }
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
        if memory.unchanged {
            batch.note_unchanged();
        }
        if let Some(change) = memory.change.filter(|change| *change != Change::New) {
            batch.changes.push((self.id, id, change.as_str(), page.fetched_at));
        }
        let recrawl = self.recrawl(row, page.fetched_at, memory.interval, page.fresh_until);
        self.link(id, &mut page, found.links, batch);
        let answered = Answered { elapsed, hash, redirect: found.redirect, memory };
        self.write_page(id, page, answered, batch).await?;
        Ok(recrawl)
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
        due::wait(&facts, &self.rules)
    }

    /// Notes the links of a page, as far as the settings keep them.
    fn link(&self, id: UrlId, page: &mut Page, rows: Vec<Option<UrlId>>, batch: &mut Batch) {
        let found = rows.into_iter().zip(std::mem::take(&mut page.links)).enumerate();
        let found: Vec<_> = found.filter_map(|(position, (to, link))| Some((position, to?, link))).collect();
        batch.lastmods.extend(found.iter().filter_map(|(_, to, link)| Some((*to, link.lastmod?))));
        match Links::of(&self.config) {
            Links::Whole => {
                for (position, to, link) in found {
                    if link.element == Element::A && link.rel.is_empty() && link.follow {
                        batch.links.plain.push((id, position, to, link.text));
                    } else {
                        let element = link.element.as_str();
                        batch.links.whole.push((id, position, to, link.text, link.rel, element, link.follow));
                    }
                }
            }
            Links::Edges => {
                let followed = found.into_iter().filter(|(_, _, link)| link.follow);
                batch.links.edges.extend(followed.map(|(_, to, link)| (id, to, Way::of(link.element) == Way::Link)));
            }
            Links::Nothing => {}
        }
    }

    /// Before a known page is replaced: keeps the words with which it is in the index, if it gets others. Whether the
    /// page is to be indexed again.
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
        .fetch_optional(self.db())
        .await?;
        Ok(put_aside.is_some())
    }
}

impl Row {
    fn read(row: &SqliteRow) -> Result<Self, Failed> {
        let (depth, is_sitemap, lastmod) = (row.get("depth"), row.get("is_sitemap"), row.get("lastmod"));
        let (state, trap, page) = (rows::state(row)?, row.get("trap_id"), past(row));
        Ok(Self { state, depth, is_sitemap, lastmod, trap, page })
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

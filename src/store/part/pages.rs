//! Answers to requests for pages: what was stored before, and the rows that take its place.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::policy::begin::may_hand_on;
use crate::policy::due::{self, Facts};
use crate::policy::fate;
use crate::policy::kept::{Kept, Links};
use crate::policy::life::{Answer, Change, Memory, Renewal};
use crate::policy::redirect::led_round;
use crate::store::failed::Failed;
use crate::store::tables::{self, NamedBy, PageRow, Seeded, Tables};
use crate::visit::{Candidate, Element, Fragment, Landmark, Millis, Page, Record, Target, TrapId, UrlId, Way};

use super::batch::Batch;
use super::links::Found;
use super::run::Part;

/// Redirects of which is remembered what their pages were before. What leads back to one comes soon.
const MAX_DETOURS: usize = 10_000;

/// What was stored of the URLs of a batch.
#[derive(Default)]
pub(super) struct Past {
    rows: HashMap<UrlId, tables::Past, Seeded>,
    /// Those to which a shorter path was found while they were in flight: their links were judged by the longer one.
    pub(super) lowered: Vec<UrlId>,
    /// Those that are not pending any more: what became of them is stored already.
    pub(super) ended: HashSet<UrlId>,
}

/// What is known of an answer besides the response itself.
struct Answered {
    elapsed: u64,
    hash: Option<String>,
    redirect: Option<UrlId>,
    memory: Memory,
}

impl Past {
    /// What pays for a URL now: other links may name it than when it was handed out.
    pub(super) fn trap(&self, id: UrlId) -> Option<TrapId> {
        self.rows.get(&id)?.trap
    }
}

impl<D: Tables> Part<D> {
    pub(super) async fn past(&mut self, records: &[Record]) -> Result<Past, Failed> {
        let asked: Vec<_> = records.iter().filter_map(|record| Some(record.target()?.id)).collect();
        if asked.is_empty() {
            return Ok(Past::default());
        }
        let rows = self.database.past(&asked).await?;
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
            batch.rows.kept_alive.push((id, page.fetched_at, elapsed, interval, fresh_until, kept));
            return Ok(self.recrawl(row, page.fetched_at, Some(interval), fresh_until));
        }
        let mut memory = Memory::after(&answer, old, self.id, &self.rules);
        if let (Some(Change::New), Some(next)) = (memory.change, &page.redirect)
            && self.id > 1
            && let Some((run, at, message)) = self.database.last_failure(id).await?
            && led_round(&message) == Some(next.url.as_str())
        {
            // Of URLs that redirect in a circle, another one may close it in each run.
            memory.new = Some((run, at));
        }
        if found.redirect.is_some() {
            if self.detours.len() >= MAX_DETOURS {
                self.detours.clear();
            }
            self.detours.insert(id, old.and_then(|old| old.life.fingerprint.clone()));
        }
        page.text = page.text.filter(|_| self.config.store_text);
        if let Some(old) = old {
            batch.rows.replaced.push(id);
            if self.config.keep_versions > 0 && old.is_worth_keeping(hash.as_deref()) {
                self.database.keep_version(id, self.config.keep_versions).await?;
            }
        }
        if old.is_none() || self.database.put_aside(id, &page).await? {
            batch.rows.unindexed.push(id);
        }
        if memory.unchanged {
            batch.note_unchanged();
        }
        if let Some(change) = memory.change.filter(|change| *change != Change::New) {
            batch.rows.changes.push((self.id, id, change.as_str(), page.fetched_at));
        }
        let recrawl = self.recrawl(row, page.fetched_at, memory.interval, page.fresh_until);
        self.link(id, &mut page, found.links, batch);
        self.note_resources(NamedBy::Page(id), std::mem::take(&mut page.resources), Some(0), batch).await?;
        let answered = Answered { elapsed, hash, redirect: found.redirect, memory };
        self.write_page(id, page, answered, batch).await?;
        Ok(recrawl)
    }

    async fn write_page(
        &mut self,
        id: UrlId,
        mut page: Page,
        answered: Answered,
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        let body = page.body.take();
        let size = body.as_ref().map_or(0, Vec::len);
        let kept = body.filter(|_| self.config.store_bodies);
        self.database.write_content(id, page.text.take(), kept, self.config.compress).await?;
        let is_redirect = answered.redirect.is_some();
        let row = page_row(id, page, size, Kept::of(&self.config), answered);
        if is_redirect {
            // The next record of this batch may close a loop with it.
            self.database.write_pages(&[row]).await
        } else {
            batch.rows.pages.push(row);
            Ok(())
        }
    }

    /// How long after it was fetched a page is due again.
    fn recrawl(
        &self,
        row: Option<&tables::Past>,
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
                    let part = link.part.map(Landmark::as_str);
                    let fragments = link.fragments.iter().cloned();
                    batch.rows.fragments.extend(fragments.map(|Fragment { text, raw }| (id, position, text, raw, to)));
                    if link.element == Element::A && link.rel.is_empty() && link.follow {
                        batch.rows.plain_links.push((id, position, to, link.text, part));
                    } else {
                        let element = link.element.as_str();
                        let Candidate { text, rel, follow, .. } = link;
                        batch.rows.links.push((id, position, to, text, rel, element, follow, part));
                    }
                }
            }
            Links::Edges => {
                let followed = found.into_iter().filter(|(_, _, link)| link.follow);
                batch.rows.edges.extend(followed.map(|(_, to, link)| (id, to, Way::of(link.element) == Way::Link)));
            }
            Links::Nothing => {}
        }
    }
}

/// `size` is that of the body, which has a table of its own, as the text has.
fn page_row(id: UrlId, page: Page, size: usize, kept: Kept, answered: Answered) -> PageRow {
    let Answered { elapsed, hash, redirect, memory } = answered;
    PageRow {
        id,
        status: page.status,
        content_type: page.content_type,
        charset: page.charset,
        language: page.language,
        title: page.title,
        description: page.description,
        canonical_url: page.canonical_url,
        size,
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
        kept: kept.0,
        headers: json!(page.headers).to_string(),
    }
}

fn hex(hash: [u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

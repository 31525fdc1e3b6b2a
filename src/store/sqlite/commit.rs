//! One batch of records, one transaction: resolve the links, store the pages, move the states, count.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use crate::store::{Committed, StoreError};
use crate::visit::{
    self, Element, Errand, FailureKind, HostId, Millis, Outcome, Page, Record, Refusal, Request, RobotsAnswer,
    Settlement, SkipReason, Target, UrlId,
};

use super::SqliteStore;
use super::revisit::Before;
use super::state::{FAILED, FETCHED, PENDING, SKIPPED};
use super::write::{Changes, FetchRow, PageRow, WRITE_PAGES, run_json};

/// The rows of the links' targets, in the order of the links.
type Ids = std::vec::IntoIter<Option<UrlId>>;

impl SqliteStore {
    pub(super) async fn commit_batch(
        &mut self,
        batch: Vec<Record>,
        clock: impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        let mut committed = Committed::default();
        let mut changes = Changes::default();
        // The transaction is written out by hand, so that the methods below can borrow all of `self`.
        sqlx::query("begin immediate").execute(&mut self.db).await?;
        let done = self.apply(batch, &clock, &mut changes, &mut committed).await;
        match done {
            Ok(()) => sqlx::query("commit").execute(&mut self.db).await?,
            Err(error) => {
                let _ = sqlx::query("rollback").execute(&mut self.db).await;
                return Err(error);
            }
        };
        Ok(committed)
    }

    async fn apply(
        &mut self,
        batch: Vec<Record>,
        clock: &(impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync),
        changes: &mut Changes,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let mut ids = self.resolve(&batch, committed).await?.into_iter();
        let (before, lowered) = self.before(&batch).await?;
        for record in batch {
            self.record(record, &mut ids, &before, changes, committed).await?;
        }
        self.write(changes, clock).await?;
        self.wake_modified(&changes.lastmods, committed).await?;
        self.pass_depth_on(lowered, committed).await?;
        if self.accounting.discovered > 0 {
            self.save_run(changes).await?;
        }
        Ok(())
    }

    async fn record(
        &mut self,
        record: Record,
        ids: &mut Ids,
        before: &HashMap<UrlId, Before>,
        changes: &mut Changes,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let Record { errand, request, outcome, .. } = record;
        let elapsed = request.as_ref().map_or(0, elapsed_ms);
        if let Errand::Page(Target { host, .. }) | Errand::Robots { host, .. } = &errand {
            changes.hosts.insert(*host);
        }
        if let Some(request) = &request {
            log(&errand, request, self.run, changes);
        }
        let settlement = match (errand, outcome) {
            (Errand::Page(target), Outcome::Fetched(page)) => {
                self.fetched(target, *page, elapsed, ids, before, changes).await?
            }
            (Errand::Page(target), Outcome::Failed { kind, message, attempts }) => {
                self.failed(&target, kind, &message, attempts, changes);
                Settlement::Ended { host: target.host, id: target.id }
            }
            (Errand::Page(target), Outcome::Skipped(reason)) => {
                self.skipped(&target, reason, changes);
                Settlement::Ended { host: target.host, id: target.id }
            }
            (Errand::Page(target), Outcome::Retry { due_at, .. }) => {
                changes.states.push((target.id, PENDING, None, target.attempts + 1, Some(due_at)));
                Settlement::Again { target: Target { attempts: target.attempts + 1, due_at: Some(due_at), ..target } }
            }
            (Errand::Refuse { target, verdict }, _) => {
                match verdict {
                    Refusal::Skip(reason) => self.skipped(&target, reason, changes),
                    Refusal::Fail { kind, message, attempts } => {
                        self.failed(&target, kind, &message, attempts, changes);
                    }
                }
                Settlement::Refused { host: target.host, id: target.id }
            }
            (Errand::Robots { for_host, attempt, .. }, Outcome::Robots(answer)) => {
                self.robots(for_host, &answer).await?;
                Settlement::Robots { host: for_host, answer, attempts: attempt + 1 }
            }
            (Errand::Robots { for_host, host, .. }, Outcome::RobotsAgain { url, hop, attempt, due_at }) => {
                self.resolve_hosts(std::iter::once(&url.host()), committed).await?;
                let on_host = self.hosts.get(&url.host()).copied().unwrap_or(host);
                if !committed.hosts.iter().any(|record| record.id == on_host) {
                    committed.hosts.push(self.host_record(on_host).await?);
                }
                Settlement::RobotsAgain { host: for_host, on_host, url, hop, attempt, due_at }
            }
            (Errand::Sitemaps { id, .. }, Outcome::Sitemaps(named)) => {
                ids.by_ref().take(named.len()).for_each(drop);
                Settlement::Sitemaps { host: id }
            }
            _ => Settlement::Abandoned,
        };
        committed.settlements.push(settlement);
        Ok(())
    }

    async fn fetched(
        &mut self,
        target: Target,
        mut page: Page,
        elapsed: u64,
        ids: &mut Ids,
        before: &HashMap<UrlId, Before>,
        changes: &mut Changes,
    ) -> Result<Settlement, StoreError> {
        let id = target.id;
        let links: Vec<_> = ids.by_ref().take(page.links.len()).collect();
        let redirect = page.redirect.as_ref().and_then(|_| ids.next().flatten());
        if let Some(to) = redirect
            && let Some(problem) = self.redirect_problem(&target, to).await?
        {
            self.failed(&target, FailureKind::Redirect, &problem, target.attempts + 1, changes);
            return Ok(Settlement::Ended { host: target.host, id });
        }
        let old = before.get(&id);
        if page.status == 304
            && let Some(old) = old.filter(|old| old.status != 304)
        {
            return Ok(self.not_modified(&target, page, elapsed, old, changes));
        }
        let hash = page.content_hash.map(hex);
        if old.is_some_and(|old| old.status == page.status && old.content_hash == hash && hash.is_some()) {
            changes.note_unchanged();
        }
        page.text = page.text.filter(|_| self.store_text);
        if let Some(old) = old {
            changes.relinked.push(id);
            if self.keep_versions > 0 && old.is_worth_keeping(hash.as_deref()) {
                self.keep_version(id).await?;
            }
        }
        if old.is_none() || self.put_aside(id, &page).await? {
            changes.unindexed.push(id);
        }
        let memory = self.remember(id, &page, hash.as_deref(), redirect, old, changes);
        let found = links.into_iter().zip(page.links).enumerate();
        let found: Vec<_> = found.filter_map(|(position, (to, link))| Some((position, to?, link))).collect();
        changes.lastmods.extend(found.iter().filter_map(|(_, to, link)| Some((*to, link.lastmod?))));
        if self.store_links {
            for (position, to, link) in found {
                if link.element == Element::A && link.rel.is_empty() && link.follow {
                    changes.plain_links.push((id, position, to, link.text));
                } else {
                    let element = link.element.as_str();
                    changes.links.push((id, position, to, link.text, link.rel, element, link.follow));
                }
            }
        } else if self.max_depth.is_some() {
            let followed = found.into_iter().filter(|(_, _, link)| link.follow);
            changes.edges.extend(followed.map(|(_, to, link)| (id, to, link.element != Element::Sitemap)));
        }
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
            kept: self.kept(),
            headers: json!(page.headers).to_string(),
        };
        if redirect.is_some() {
            // The next record of this batch may close a loop with it.
            run_json(&mut self.db, WRITE_PAGES, &[row]).await?;
        } else {
            changes.pages.push(row);
        }
        self.write_content(id, page.text, page.body.filter(|_| self.store_bodies)).await?;
        Ok(self.stored(&target, changes))
    }

    pub(super) fn stored(&mut self, target: &Target, changes: &mut Changes) -> Settlement {
        changes.states.push((target.id, FETCHED, None, target.attempts + 1, None));
        self.accounting.pending -= 1;
        self.accounting.fetched += 1;
        Settlement::Stored { host: target.host, id: target.id }
    }

    /// Before a known page is replaced: keeps the words with which it is in the index, if it gets others. Whether the
    /// page is to be indexed again.
    async fn put_aside(&mut self, id: UrlId, page: &Page) -> Result<bool, StoreError> {
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
        .fetch_optional(&mut self.db)
        .await?;
        Ok(put_aside.is_some())
    }

    /// Whether a redirect closes a loop.
    async fn redirect_problem(&mut self, target: &Target, to: UrlId) -> Result<Option<Arc<str>>, StoreError> {
        let loops: bool = to == target.id
            || sqlx::query_scalar(
                "with recursive chain (id, hops) as (
                     select ?1, 0 union all
                     select p.redirect_to, hops + 1 from chain c join page p on p.url_id = c.id
                     where p.redirect_to is not null and hops < 100
                         -- What an earlier run saw need not hold any more.
                         and p.fetched_at >= (select started_at from run where id = ?3))
                 select exists (select 1 from chain where id = ?2)",
            )
            .bind(to)
            .bind(target.id)
            .bind(self.run)
            .fetch_one(&mut self.db)
            .await?;
        Ok(loops.then(|| "the redirects lead back to this URL".into()))
    }

    fn failed(&mut self, target: &Target, kind: FailureKind, message: &str, attempts: u32, changes: &mut Changes) {
        changes.states.push((target.id, FAILED, None, attempts, None));
        changes.failures.push((target.id, kind.as_str(), message.to_owned(), attempts));
        self.accounting.pending -= 1;
        self.accounting.failed += 1;
    }

    fn skipped(&mut self, target: &Target, reason: SkipReason, changes: &mut Changes) {
        changes.states.push((target.id, SKIPPED, Some(reason.as_str()), target.attempts, None));
        self.accounting.pending -= 1;
        self.accounting.skipped += 1;
    }

    async fn robots(&mut self, host: HostId, answer: &RobotsAnswer) -> Result<(), StoreError> {
        let (status, failure, body) = match answer {
            RobotsAnswer::Rules { status, body } => (Some(*status), None, Some(body.as_slice())),
            RobotsAnswer::Unavailable { status } => (Some(*status), None, None),
            RobotsAnswer::Unreachable { status, failure } => (*status, failure.map(FailureKind::as_str), None),
            RobotsAnswer::Dead { kind, .. } => (None, Some(kind.as_str()), None),
            RobotsAnswer::Private => (None, Some(SkipReason::PrivateAddress.as_str()), None),
        };
        let delay = body.and_then(|body| crate::policy::robots::Rules::parse(body, &self.product_token).crawl_delay());
        sqlx::query(
            "update host set robots_at = ?2, robots_status = ?3, robots_failure = ?4, robots_body = ?5, crawl_delay_ms = ?6
             where id = ?1",
        )
        .bind(host)
        .bind(visit::now())
        .bind(status)
        .bind(failure)
        .bind(body)
        .bind(delay.map(crate::policy::politeness::millis))
        .execute(&mut self.db)
        .await?;
        Ok(())
    }
}

fn log(errand: &Errand, request: &Request, run: i64, changes: &mut Changes) {
    let (id, url) = match errand {
        Errand::Page(target) => (Some(target.id), None),
        Errand::Robots { url, .. } => (None, Some(url.as_str().to_owned())),
        Errand::Sitemaps { .. } | Errand::Refuse { .. } => return,
    };
    changes.requests += 1;
    changes.bytes += i64::try_from(request.bytes).unwrap_or(i64::MAX);
    changes.fetches.push(FetchRow {
        run,
        id,
        url,
        at: request.at,
        status: request.status,
        failure: request.failure.map(FailureKind::as_str),
        elapsed: elapsed_ms(request),
        bytes: request.bytes,
        unchanged: false,
    });
}

fn elapsed_ms(request: &Request) -> u64 {
    u64::try_from(request.elapsed.as_millis()).unwrap_or(u64::MAX)
}

fn hex(hash: [u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

//! One batch of records, one transaction: resolve the links, store the pages, move the states, count.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;

use crate::canonical::Host;
use crate::store::{Committed, StoreError};
use crate::visit::{
    self, Element, Failure, FailureKind, HostId, Millis, Page, PageOutcome, Record, Refusal, Request, Retry,
    RobotsAnswer, RobotsOutcome, SkipReason, Target, UrlId,
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
        if let Some((host, _)) = record.asked() {
            changes.hosts.insert(host);
        }
        let found = Found::of(&record, ids);
        let record = self.end_loop(record, &found).await?;
        log(&record, self.run, changes);
        if let Record::Robots { outcome: RobotsOutcome::Again { url, .. }, .. } = &record {
            self.bring_in(&url.host(), committed).await?;
        }
        committed.settlements.push(record.settlement(|host| self.hosts.get(host).copied()));
        match record {
            Record::Page { target, request, outcome, .. } => match outcome {
                PageOutcome::Fetched(page) => {
                    let page = Arc::unwrap_or_clone(page);
                    self.fetched(target, page, elapsed_ms(&request), found, before, changes).await?;
                }
                PageOutcome::Failed(Failure { kind, message }) => {
                    self.failed(&target, kind, &message, target.attempts + 1, changes);
                }
                PageOutcome::Retry(Retry { due_at, .. }) => {
                    changes.states.push((target.id, PENDING, None, target.attempts + 1, Some(due_at)));
                }
                PageOutcome::Abandoned => {}
            },
            Record::Robots { call, outcome: RobotsOutcome::Answered(answer), .. } => {
                self.robots(call.for_host, &answer).await?;
            }
            Record::Robots { outcome: RobotsOutcome::Again { .. } | RobotsOutcome::Abandoned, .. } => {}
            Record::GuardedPage(target) => self.skipped(&target, &SkipReason::PrivateAddress, changes),
            Record::GuardedRobots(call) => self.robots(call.for_host, &call.guarded_answer()).await?,
            Record::Sitemaps { .. } => {}
            Record::Refused { target, verdict: Refusal::Skip(reason) } => self.skipped(&target, &reason, changes),
            Record::Refused { target, verdict: Refusal::Fail { kind, message, attempts } } => {
                self.failed(&target, kind, &message, attempts, changes);
            }
        }
        Ok(())
    }

    /// Makes a host known to the schedule: a robots.txt is asked for there on behalf of another.
    async fn bring_in(&mut self, host: &Host, committed: &mut Committed) -> Result<(), StoreError> {
        self.resolve_hosts(std::iter::once(host), committed).await?;
        if let Some(&id) = self.hosts.get(host)
            && !committed.hosts.iter().any(|record| record.id == id)
        {
            committed.hosts.push(self.host_record(id).await?);
        }
        Ok(())
    }

    /// A redirect that closes a loop makes its page a failure.
    async fn end_loop(&mut self, record: Record, found: &Found) -> Result<Record, StoreError> {
        match (record, found.redirect) {
            (Record::Page { target, request, rest, outcome: PageOutcome::Fetched(page) }, Some(to)) => {
                let outcome = match self.redirect_problem(&target, to).await? {
                    Some(problem) => PageOutcome::Failed(Failure::new(FailureKind::Redirect, problem)),
                    None => PageOutcome::Fetched(page),
                };
                Ok(Record::Page { target, request, rest, outcome })
            }
            (record, _) => Ok(record),
        }
    }

    async fn fetched(
        &mut self,
        target: Target,
        mut page: Page,
        elapsed: u64,
        found: Found,
        before: &HashMap<UrlId, Before>,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        let id = target.id;
        let Found { links, redirect } = found;
        let old = before.get(&id);
        if page.status == 304
            && let Some(old) = old.filter(|old| old.status != 304)
        {
            self.not_modified(&target, page, elapsed, old, changes);
            return Ok(());
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
        self.stored(&target, changes);
        Ok(())
    }

    pub(super) fn stored(&mut self, target: &Target, changes: &mut Changes) {
        changes.states.push((target.id, FETCHED, None, target.attempts + 1, None));
        self.accounting.pending -= 1;
        self.accounting.fetched += 1;
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

    fn skipped(&mut self, target: &Target, reason: &SkipReason, changes: &mut Changes) {
        changes.states.push((target.id, SKIPPED, Some(reason.to_string()), target.attempts, None));
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

/// The rows of the URLs that a record leads to.
struct Found {
    /// In the order of the page's links.
    links: Vec<Option<UrlId>>,
    redirect: Option<UrlId>,
}

impl Found {
    /// Takes the record's own from the rows of the batch's [`candidates`].
    fn of(record: &Record, ids: &mut Ids) -> Self {
        let (links, redirect) = match record {
            Record::Page { outcome: PageOutcome::Fetched(page), .. } => (page.links.len(), page.redirect.is_some()),
            Record::Sitemaps { named, .. } => (named.len(), false),
            _ => (0, false),
        };
        let links = ids.by_ref().take(links).collect();
        Self { links, redirect: if redirect { ids.next().flatten() } else { None } }
    }
}

fn log(record: &Record, run: i64, changes: &mut Changes) {
    let (id, url, request) = match record {
        Record::Page { target, request, .. } => (Some(target.id), None, request),
        Record::Robots { call, request, .. } => (None, Some(call.url.as_str().to_owned()), request),
        Record::GuardedPage(_) | Record::GuardedRobots(_) | Record::Sitemaps { .. } | Record::Refused { .. } => return,
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

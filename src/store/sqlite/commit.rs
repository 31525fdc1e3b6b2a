//! One batch of records, one transaction: resolve the links, store the pages, move the states, count.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{Row, SqliteConnection};

use crate::canonical::{CanonicalUrl, Host};
use crate::store::{Committed, StoreError};
use crate::visit::{
    self, Candidate, Errand, FailureKind, HostId, Millis, Outcome, Page, Record, Request, RobotsAnswer, Settlement,
    SkipReason, Target, UrlId,
};

use super::{Known, SqliteStore};

/// Rounds of passing a shorter depth on before the rest is left as it is.
const MAX_DEPTH_ROUNDS: u32 = 10_000;

/// A target of links in the batch: the best that is said of it.
struct Offered<'a> {
    url: &'a CanonicalUrl,
    host: Host,
    depth: u32,
    hops: u32,
    skip: Option<SkipReason>,
    follow: bool,
    referrer: UrlId,
}

/// URLs that have a row: its id, state, depth, hops and reason.
type Present = HashMap<String, (UrlId, i64, u32, u32, Option<String>)>;

/// What a batch changes, gathered before the statements that do it.
#[derive(Default)]
struct Changes {
    states: Vec<Value>,
    fetches: Vec<Value>,
    links: Vec<Value>,
    failures: Vec<Value>,
    /// Pages whose stored links are replaced.
    relinked: Vec<UrlId>,
    hosts: HashSet<HostId>,
    bytes: i64,
    requests: i64,
    unchanged: i64,
}

impl SqliteStore {
    pub(super) async fn commit_batch(
        &mut self,
        mut batch: Vec<Record>,
        clock: impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync,
    ) -> Result<Committed, StoreError> {
        let mut committed = Committed::default();
        let mut changes = Changes::default();
        // The transaction is written out by hand, so that the methods below can borrow all of `self`.
        sqlx::query("begin immediate").execute(&mut self.db).await?;
        let done = self.apply(&mut batch, &clock, &mut changes, &mut committed).await;
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
        batch: &mut [Record],
        clock: &(impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync),
        changes: &mut Changes,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let ids = self.resolve(batch, committed).await?;
        for record in batch.iter_mut() {
            self.record(record, &ids, changes, committed).await?;
        }
        self.write(changes, clock).await?;
        if self.accounting.discovered > 0 {
            self.save_run(changes).await?;
        }
        Ok(())
    }

    /// Gives every link target of the batch its row, and reports those that became pending.
    async fn resolve(
        &mut self,
        batch: &[Record],
        committed: &mut Committed,
    ) -> Result<HashMap<CanonicalUrl, UrlId>, StoreError> {
        let mut ids = HashMap::new();
        let mut offered: HashMap<&CanonicalUrl, Offered<'_>> = HashMap::new();
        for (target, candidate) in candidates(batch) {
            let hops = if candidate.element == visit::Element::Redirect { target.hops + 1 } else { 0 };
            let depth = target.depth + 1;
            if ids.contains_key(&candidate.url) {
                continue;
            }
            if let Some(known) = self.known.get(candidate.url.as_str())
                && known.settled
                && known.depth <= depth
                && known.hops <= hops
            {
                ids.insert(candidate.url.clone(), known.id);
                continue;
            }
            let new = Offered {
                url: &candidate.url,
                host: candidate.url.host(),
                depth,
                hops,
                skip: candidate.skip,
                follow: candidate.follow,
                referrer: target.id,
            };
            offered.entry(&candidate.url).and_modify(|old| old.merge(&new)).or_insert(new);
        }
        if offered.is_empty() {
            return Ok(ids);
        }
        self.resolve_hosts(offered.values().map(|o| &o.host), committed).await?;
        let mut present = self.look_up(&offered).await?;
        self.improve(&offered, &present, committed).await?;
        let inserted = self.insert(&offered, &present, committed).await?;
        present.extend(inserted);
        for url in offered.into_keys() {
            if let Some((id, ..)) = present.get(url.as_str()) {
                ids.insert(url.clone(), *id);
            }
        }
        Ok(ids)
    }

    async fn resolve_hosts(
        &mut self,
        hosts: impl Iterator<Item = &Host>,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        if self.hosts.len() > 100_000 {
            self.hosts.clear();
        }
        let missing: HashSet<_> = hosts.filter(|host| !self.hosts.contains_key(host)).map(Host::as_str).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let json = json!(missing).to_string();
        sqlx::query("insert into host (host) select value from json_each(?1) where true on conflict do nothing")
            .bind(&json)
            .execute(&mut self.db)
            .await?;
        let rows = sqlx::query("select id, host from host where host in (select value from json_each(?1))")
            .bind(&json)
            .fetch_all(&mut self.db)
            .await?;
        for row in rows {
            let id = row.get(0);
            let record = self.host_record(id).await?;
            self.hosts.insert(record.host.clone(), id);
            committed.hosts.push(record);
        }
        Ok(())
    }

    /// Rows that exist already: id, state, depth, hops and reason.
    async fn look_up(&mut self, offered: &HashMap<&CanonicalUrl, Offered<'_>>) -> Result<Present, StoreError> {
        let urls: Vec<_> = offered.keys().map(|url| url.as_str()).collect();
        let rows = sqlx::query(
            "select url, id, state, depth, hops, reason from url where url in (select value from json_each(?1))",
        )
        .bind(json!(urls).to_string())
        .fetch_all(&mut self.db)
        .await?;
        Ok(rows.into_iter().map(|r| (r.get(0), (r.get(1), r.get(2), r.get(3), r.get(4), r.get(5)))).collect())
    }

    /// Lowers depths and opens what a better link opens.
    async fn improve(
        &mut self,
        offered: &HashMap<&CanonicalUrl, Offered<'_>>,
        present: &Present,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let mut better = Vec::new();
        let mut opened = HashSet::new();
        let mut lowered = Vec::new();
        for offer in offered.values() {
            let Some((id, state, depth, hops, reason)) = present.get(offer.url.as_str()) else { continue };
            let new_depth = if offer.follow { offer.depth.min(*depth) } else { *depth };
            let new_hops = offer.hops.min(*hops);
            let link_decided = matches!(reason.as_deref(), Some("depth" | "nofollow"));
            let reopen = *state == 3
                && link_decided
                && offer.skip != reason.as_deref().and_then(SkipReason::from_word)
                && offer.skip != Some(SkipReason::Nofollow);
            if new_depth < *depth || new_hops < *hops || reopen {
                let state = if reopen && offer.skip.is_none() { 0 } else { *state };
                let reason =
                    if reopen { offer.skip.map(SkipReason::as_str).map(str::to_owned) } else { reason.clone() };
                better.push(json!([id, new_depth, new_hops, state, reason, offer.referrer, new_depth < *depth]));
                if new_depth < *depth {
                    lowered.push(*id);
                }
                if reopen && offer.skip.is_none() {
                    opened.insert(*id);
                    self.accounting.skipped -= 1;
                    self.accounting.pending += 1;
                }
            }
            let settled = !(*state == 3 && link_decided) || opened.contains(id);
            let known = Known { id: *id, depth: new_depth, hops: new_hops, settled };
            self.known.insert(offer.url.as_str().into(), known);
            if opened.contains(id) {
                committed.targets.push(offer.target(
                    *id,
                    self.hosts.get(&offer.host).copied().unwrap_or_default(),
                    new_depth,
                ));
            }
        }
        if !better.is_empty() {
            sqlx::query(
                "update url set depth = v.depth, hops = v.hops, state = v.state, reason = v.reason,
                     referrer_id = iif(v.nearer, v.referrer, referrer_id)
                 from (select value ->> 0 as id, value ->> 1 as depth, value ->> 2 as hops, value ->> 3 as state,
                     value ->> 4 as reason, value ->> 5 as referrer, value ->> 6 as nearer from json_each(?1)) v
                 where url.id = v.id",
            )
            .bind(Value::from(better).to_string())
            .execute(&mut self.db)
            .await?;
        }
        self.pass_depth_on(lowered, committed).await
    }

    /// Hands a shorter path on along links already stored, so that depth does not depend on the order of answers.
    async fn pass_depth_on(&mut self, mut lowered: Vec<UrlId>, committed: &mut Committed) -> Result<(), StoreError> {
        for _ in 0..MAX_DEPTH_ROUNDS {
            if lowered.is_empty() {
                return Ok(());
            }
            let rows = sqlx::query(
                "with edge (from_id, to_id) as (
                     select from_id, to_id from link where follow and from_id in (select value from json_each(?1))
                     union select url_id, redirect_to from page
                     where redirect_to is not null and url_id in (select value from json_each(?1)))
                 update url set depth = v.depth, referrer_id = v.from_id,
                     state = iif(state = 3 and reason = 'depth' and v.depth <= ?2, 0, state),
                     reason = iif(state = 3 and reason = 'depth' and v.depth <= ?2, null, reason)
                 from (select e.to_id, e.from_id, min(f.depth) + 1 as depth from edge e join url f on f.id = e.from_id
                       group by e.to_id) v
                 where url.id = v.to_id and url.depth > v.depth
                 returning id, url, host_id, depth, hops, state, attempts",
            )
            .bind(json!(lowered).to_string())
            .bind(self.max_depth.map_or(i64::MAX, i64::from))
            .fetch_all(&mut self.db)
            .await?;
            lowered.clear();
            for row in rows {
                lowered.push(row.get(0));
                if row.get::<i64, _>(5) == 0
                    && let Ok(url) = CanonicalUrl::parse(row.get(1))
                {
                    // Harmless if it is queued already: what is held is not queued twice.
                    committed.targets.push(Target {
                        id: row.get(0),
                        host: row.get(2),
                        url,
                        depth: row.get(3),
                        hops: row.get(4),
                        attempts: row.get(6),
                        due_at: None,
                    });
                }
            }
            if self.max_depth.is_some() {
                // Only then can a lower depth have opened what was skipped.
                self.accounting = super::begin::count(&mut self.db).await?;
            }
        }
        Ok(())
    }

    async fn insert(
        &mut self,
        offered: &HashMap<&CanonicalUrl, Offered<'_>>,
        present: &Present,
        committed: &mut Committed,
    ) -> Result<Present, StoreError> {
        let new: Vec<_> = offered.values().filter(|offer| !present.contains_key(offer.url.as_str())).collect();
        if new.is_empty() {
            return Ok(Present::new());
        }
        let host_of = |offer: &Offered<'_>| self.hosts.get(&offer.host).copied().unwrap_or_default();
        let rows: Vec<_> = new
            .iter()
            .map(|o| {
                let state = if o.skip.is_some() { 3 } else { 0 };
                json!([o.url.as_str(), host_of(o), state, o.skip.map(SkipReason::as_str), o.depth, o.hops, o.referrer])
            })
            .collect();
        let inserted = sqlx::query(
            "insert into url (url, host_id, state, reason, depth, hops, referrer_id, first_seen_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, ?2
             from json_each(?1) returning id",
        )
        .bind(Value::from(rows).to_string())
        .bind(visit::now())
        .fetch_all(&mut self.db)
        .await?;
        let mut inserted_rows = Present::new();
        for (offer, row) in new.iter().zip(inserted) {
            let id = row.get(0);
            self.accounting.discovered += 1;
            if offer.skip.is_some() {
                self.accounting.skipped += 1;
            } else {
                self.accounting.pending += 1;
                committed.targets.push(offer.target(id, host_of(offer), offer.depth));
            }
            let settled = !matches!(offer.skip, Some(SkipReason::Depth | SkipReason::Nofollow));
            let known = Known { id, depth: offer.depth, hops: offer.hops, settled };
            self.known.insert(offer.url.as_str().into(), known);
            inserted_rows.insert(offer.url.as_str().to_owned(), (id, 0, offer.depth, offer.hops, None));
        }
        Ok(inserted_rows)
    }

    async fn record(
        &mut self,
        record: &mut Record,
        ids: &HashMap<CanonicalUrl, UrlId>,
        changes: &mut Changes,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let mut unchanged = false;
        let request = record.request.take();
        let outcome = std::mem::replace(&mut record.outcome, Outcome::Abandoned);
        let settlement = match (&record.errand, outcome) {
            (Errand::Page(target), Outcome::Fetched(page)) => {
                let (settlement, same) = self.fetched(target, page, request.as_ref(), ids, changes).await?;
                unchanged = same;
                settlement
            }
            (Errand::Page(target), Outcome::Failed { kind, message, attempts }) => {
                self.failed(target, kind, &message, attempts, changes);
                Settlement::Ended { host: target.host, id: target.id }
            }
            (Errand::Page(target), Outcome::Skipped(reason)) => {
                self.skipped(target, reason, changes);
                Settlement::Ended { host: target.host, id: target.id }
            }
            (Errand::Page(target), Outcome::Retry { due_at, .. }) => {
                changes.states.push(json!([target.id, 0, null, target.attempts + 1, due_at]));
                let again = Target { attempts: target.attempts + 1, due_at: Some(due_at), ..target.clone() };
                Settlement::Again { target: again }
            }
            (Errand::Refuse { target, verdict }, _) => {
                match verdict {
                    visit::Refusal::Skip(reason) => self.skipped(target, *reason, changes),
                    visit::Refusal::Fail { kind, message, attempts } => {
                        self.failed(target, *kind, message, *attempts, changes);
                    }
                }
                Settlement::Refused { host: target.host, id: target.id }
            }
            (Errand::Robots { for_host, attempt, .. }, Outcome::Robots(answer)) => {
                self.robots(*for_host, &answer).await?;
                Settlement::Robots { host: *for_host, answer, attempts: attempt + 1 }
            }
            (Errand::Robots { for_host, host, .. }, Outcome::RobotsAgain { url, hop, attempt, due_at }) => {
                self.resolve_hosts(std::iter::once(&url.host()), committed).await?;
                let on_host = self.hosts.get(&url.host()).copied().unwrap_or(*host);
                if !committed.hosts.iter().any(|record| record.id == on_host) {
                    committed.hosts.push(self.host_record(on_host).await?);
                }
                Settlement::RobotsAgain { host: *for_host, on_host, url, hop, attempt, due_at }
            }
            _ => Settlement::Abandoned,
        };
        if let Some(request) = request {
            self.log(&record.errand, &request, unchanged, changes);
        }
        committed.settlements.push(settlement);
        Ok(())
    }

    async fn fetched(
        &mut self,
        target: &Target,
        page: Box<Page>,
        request: Option<&Request>,
        ids: &HashMap<CanonicalUrl, UrlId>,
        changes: &mut Changes,
    ) -> Result<(Settlement, bool), StoreError> {
        let redirect = page.redirect.as_ref().and_then(|candidate| ids.get(&candidate.url).copied());
        if let Some(to) = redirect
            && let Some(problem) = self.redirect_problem(target, to).await?
        {
            self.failed(target, FailureKind::Redirect, &problem, target.attempts + 1, changes);
            return Ok((Settlement::Ended { host: target.host, id: target.id }, false));
        }
        let hash = page.content_hash.map(hex);
        let before: Option<(u16, Option<String>, Millis)> =
            sqlx::query_as("select status, content_hash, changed_at from page where url_id = ?1")
                .bind(target.id)
                .fetch_optional(&mut self.db)
                .await?;
        let same =
            before.as_ref().is_some_and(|(status, old, _)| *status == page.status && *old == hash && hash.is_some());
        let changed_at = before.filter(|_| same).map_or(page.fetched_at, |(_, _, at)| at);
        self.write_page(target.id, &page, hash, redirect, changed_at, request).await?;
        self.write_content(target.id, &page).await?;
        changes.relinked.push(target.id);
        if self.store_links {
            for (position, link) in page.links.iter().enumerate() {
                if let Some(to) = ids.get(&link.url) {
                    changes.links.push(json!([
                        target.id,
                        position,
                        to,
                        link.text,
                        link.rel,
                        link.element.as_str(),
                        link.follow
                    ]));
                }
            }
        }
        changes.states.push(json!([target.id, 1, null, target.attempts + 1, null]));
        self.accounting.pending -= 1;
        self.accounting.fetched += 1;
        changes.unchanged += i64::from(same);
        Ok((Settlement::Stored { host: target.host, id: target.id }, same))
    }

    /// Whether a redirect is one too many or closes a loop.
    async fn redirect_problem(&mut self, target: &Target, to: UrlId) -> Result<Option<Arc<str>>, StoreError> {
        if target.hops >= self.max_redirects {
            return Ok(Some(format!("more than {} redirects in a row", self.max_redirects).into()));
        }
        let loops: bool = to == target.id
            || sqlx::query_scalar(
                "with recursive chain (id, hops) as (
                     select ?1, 0 union all
                     select p.redirect_to, hops + 1 from chain c join page p on p.url_id = c.id
                     where p.redirect_to is not null and hops < 100)
                 select exists (select 1 from chain where id = ?2)",
            )
            .bind(to)
            .bind(target.id)
            .fetch_one(&mut self.db)
            .await?;
        Ok(loops.then(|| "the redirects lead back to this URL".into()))
    }

    async fn write_page(
        &mut self,
        id: UrlId,
        page: &Page,
        hash: Option<String>,
        redirect: Option<UrlId>,
        changed_at: Millis,
        request: Option<&Request>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert or replace into page (url_id, status, content_type, charset, language, title, description,
                 canonical_url, size, content_hash, etag, last_modified, redirect_to, fetched_at, changed_at, elapsed_ms,
                 headers)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
        )
        .bind(id)
        .bind(page.status)
        .bind(page.content_type.as_deref())
        .bind(page.charset.as_deref())
        .bind(page.language.as_deref())
        .bind(page.title.as_deref())
        .bind(page.description.as_deref())
        .bind(page.canonical_url.as_deref())
        .bind(page.body.as_ref().map_or(0, |body| i64::try_from(body.len()).unwrap_or(i64::MAX)))
        .bind(hash)
        .bind(page.etag.as_deref())
        .bind(page.last_modified.as_deref())
        .bind(redirect)
        .bind(page.fetched_at)
        .bind(changed_at)
        .bind(request.map_or(0, |request| i64::try_from(request.elapsed.as_millis()).unwrap_or(i64::MAX)))
        .bind(json!(page.headers).to_string())
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    async fn write_content(&mut self, id: UrlId, page: &Page) -> Result<(), StoreError> {
        let body = page.body.as_deref().filter(|_| self.store_bodies);
        sqlx::query("insert or replace into content (url_id, text, body) values (?1, ?2, ?3)")
            .bind(id)
            .bind(page.text.as_deref())
            .bind(body)
            .execute(&mut self.db)
            .await?;
        Ok(())
    }

    fn failed(&mut self, target: &Target, kind: FailureKind, message: &str, attempts: u32, changes: &mut Changes) {
        changes.states.push(json!([target.id, 2, null, attempts, null]));
        changes.failures.push(json!([target.id, kind.as_str(), message, attempts]));
        self.accounting.pending -= 1;
        self.accounting.failed += 1;
    }

    fn skipped(&mut self, target: &Target, reason: SkipReason, changes: &mut Changes) {
        changes.states.push(json!([target.id, 3, reason.as_str(), target.attempts, null]));
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
        let delay = body.and_then(|body| crate::robots::Rules::parse(body, &self.product_token).crawl_delay());
        sqlx::query(
            "update host set robots_at = ?2, robots_status = ?3, robots_failure = ?4, robots_body = ?5, crawl_delay_ms = ?6
             where id = ?1",
        )
        .bind(host)
        .bind(visit::now())
        .bind(status)
        .bind(failure)
        .bind(body)
        .bind(delay.map(crate::politeness::millis))
        .execute(&mut self.db)
        .await?;
        Ok(())
    }

    fn log(&mut self, errand: &Errand, request: &Request, unchanged: bool, changes: &mut Changes) {
        let (host, id, url) = match errand {
            Errand::Page(target) => (target.host, Some(target.id), None),
            Errand::Robots { host, url, .. } => (*host, None, Some(url.as_str())),
            Errand::Refuse { .. } => return,
        };
        changes.hosts.insert(host);
        changes.requests += 1;
        changes.bytes += i64::try_from(request.bytes).unwrap_or(i64::MAX);
        let failure = request.failure.map(FailureKind::as_str);
        let elapsed = i64::try_from(request.elapsed.as_millis()).unwrap_or(i64::MAX);
        changes.fetches.push(json!([id, url, request.at, request.status, failure, elapsed, request.bytes, unchanged]));
    }

    async fn write(
        &mut self,
        changes: &Changes,
        clock: &(impl Fn(HostId) -> Option<(Millis, Millis)> + Send + Sync),
    ) -> Result<(), StoreError> {
        let run = self.run;
        let clocks: Vec<_> =
            changes.hosts.iter().filter_map(|id| clock(*id).map(|(next, until)| json!([id, next, until]))).collect();
        let statements: [(&'static str, &[Value]); 6] = [
            ("delete from link where from_id in (select value from json_each(?1))", &changes.relinked.iter().map(|id| json!(id)).collect::<Vec<_>>()),
            ("insert or replace into link (from_id, position, to_id, text, rel, element, follow)
              select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 from json_each(?1)", &changes.links),
            ("insert or replace into failure (url_id, kind, message, attempts, last_attempt_at)
              select value ->> 0, value ->> 1, value ->> 2, value ->> 3, unixepoch() * 1000 from json_each(?1)", &changes.failures),
            ("update url set state = v.state, reason = v.reason, attempts = v.attempts, due_at = v.due
              from (select value ->> 0 as id, value ->> 1 as state, value ->> 2 as reason, value ->> 3 as attempts,
                    value ->> 4 as due from json_each(?1)) v where url.id = v.id", &changes.states),
            ("insert into fetch (run_id, url_id, url, at, status, failure, elapsed_ms, bytes, unchanged)
              select ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
              from json_each(?1)", &changes.fetches),
            ("update host set next_at = v.next, blocked_until = v.until
              from (select value ->> 0 as id, value ->> 1 as next, value ->> 2 as until from json_each(?1)) v
              where host.id = v.id", &clocks),
        ];
        for (sql, rows) in statements {
            if !rows.is_empty() {
                run_json(&mut self.db, sql, rows, run).await?;
            }
        }
        Ok(())
    }

    async fn save_run(&mut self, changes: &Changes) -> Result<(), StoreError> {
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

async fn run_json(db: &mut SqliteConnection, sql: &'static str, rows: &[Value], run: i64) -> Result<(), StoreError> {
    let json = serde_json::to_string(rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let query = sqlx::query(sql).bind(json);
    let query = if sql.contains("?2") { query.bind(run) } else { query };
    query.execute(db).await?;
    Ok(())
}

/// Every candidate of the batch beside the page it was found on.
fn candidates(batch: &[Record]) -> impl Iterator<Item = (&Target, &Candidate)> {
    batch.iter().flat_map(|record| {
        let page = match (&record.errand, &record.outcome) {
            (Errand::Page(target), Outcome::Fetched(page)) => Some((target, page)),
            _ => None,
        };
        page.into_iter().flat_map(|(target, page)| page.links.iter().chain(&page.redirect).map(move |c| (target, c)))
    })
}

impl Offered<'_> {
    /// Keeps the better of two links to one URL.
    fn merge(&mut self, other: &Self) {
        let rank = |offer: &Self| (!offer.follow, offer.skip.is_some(), offer.depth);
        self.hops = self.hops.min(other.hops);
        if rank(other) < rank(self) {
            self.depth = other.depth;
            self.skip = other.skip;
            self.follow = other.follow;
            self.referrer = other.referrer;
        }
    }

    fn target(&self, id: UrlId, host: HostId, depth: u32) -> Target {
        Target { id, host, url: self.url.clone(), depth, hops: self.hops, attempts: 0, due_at: None }
    }
}

fn hex(hash: [u8; 32]) -> String {
    use std::fmt::Write as _;
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

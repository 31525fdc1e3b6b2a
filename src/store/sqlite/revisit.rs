//! Pages met again: what the next answer changes of them, how a 304 keeps them alive, and what a new run asks for again.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::json;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::canonical::CanonicalUrl;
use crate::config::{Config, Recrawl};
use crate::policy::politeness::millis;
use crate::policy::recrawl::{self, Change, FIRST_INTERVAL, Life};
use crate::store::{Committed, StoreError};
use crate::visit::{self, Millis, Page, Record, Target, UrlId, Validators};

use super::SqliteStore;
use super::write::Changes;

/// Bits of `page.kept`.
const BODY: u8 = 1;
const LINKS: u8 = 2;
const TEXT: u8 = 4;
const SITEMAP: u8 = 8;

/// A page as it stood before the answer at hand.
#[derive(Debug)]
pub(super) struct Before {
    pub(super) status: u16,
    pub(super) content_hash: Option<String>,
    pub(super) changed_at: Millis,
    life: Life,
    new: Option<(i64, Millis)>,
    interval: Option<Millis>,
}

/// What the store remembers of a page besides its latest response.
pub(super) struct Memory {
    pub(super) life: Life,
    /// Run and time of its first good answer.
    pub(super) new: Option<(i64, Millis)>,
    pub(super) interval: Option<Millis>,
    pub(super) changed_at: Millis,
}

impl SqliteStore {
    /// The stored pages that the batch replaces, and those of its pages to which a shorter path was found while they
    /// were in flight: their links were judged by the longer one.
    pub(super) async fn before(
        &mut self,
        batch: &[Record],
    ) -> Result<(HashMap<UrlId, Before>, Vec<UrlId>), StoreError> {
        let fetched = batch.iter().filter_map(Record::page);
        let asked: Vec<_> = fetched.map(|(target, _)| (target.id, target.depth)).collect();
        let rows = sqlx::query(
            "select u.id, u.depth < (j.value ->> 1) as lowered, p.status, p.content_hash, p.changed_at, p.fingerprint,
                 p.gone, p.new_run, p.new_at, p.interval_ms
             from json_each(?1) j join url u on u.id = j.value ->> 0 left join page p on p.url_id = u.id",
        )
        .bind(json!(asked).to_string())
        .fetch_all(&mut self.db)
        .await?;
        let lowered = rows.iter().filter(|row| row.get("lowered")).map(|row| row.get("id")).collect();
        Ok((rows.iter().filter_map(|row| Some((row.get("id"), Before::read(row)?))).collect(), lowered))
    }

    /// What an answer makes of the page, and a row of `change` if that is news.
    pub(super) fn remember(
        &self,
        id: UrlId,
        page: &Page,
        hash: Option<&str>,
        redirect: Option<UrlId>,
        before: Option<&Before>,
        changes: &mut Changes,
    ) -> Memory {
        let fingerprint = recrawl::fingerprint(redirect, hash, page.etag.as_deref(), page.last_modified.as_deref());
        if hash.is_none() && redirect.is_none() && before.is_some_and(|old| old.is_still(page.status, &fingerprint)) {
            changes.note_unchanged();
        }
        let mut life = before.map(|old| old.life.clone()).unwrap_or_default();
        let change = life.advance(page.status, fingerprint);
        let new = match change {
            Some(Change::New) => Some((self.run, page.fetched_at)),
            _ => before.and_then(|old| old.new),
        };
        if let Some(change) = change.filter(|change| *change != Change::New) {
            changes.changes.push((self.run, id, change.as_str(), page.fetched_at));
        }
        // A server in trouble says nothing of how often its pages change.
        let interval = match before {
            Some(old) if page.status < 500 => Some(self.next_interval(old, change.is_some())),
            Some(old) => old.interval,
            None => None,
        };
        let changed_at = match before {
            Some(old) if change.is_none() => old.changed_at,
            _ => page.fetched_at,
        };
        Memory { life, new, interval, changed_at }
    }

    /// The page as it is stays the latest.
    pub(super) fn not_modified(
        &mut self,
        target: &Target,
        page: Page,
        elapsed: u64,
        old: &Before,
        changes: &mut Changes,
    ) {
        changes.note_unchanged();
        let interval = self.next_interval(old, false);
        changes.kept_alive.push((
            target.id,
            page.fetched_at,
            elapsed,
            page.etag,
            page.last_modified,
            page.fresh_until,
            interval,
        ));
        self.stored(target, changes);
    }

    fn next_interval(&self, old: &Before, changed: bool) -> Millis {
        recrawl::next_interval(old.interval, changed, self.recrawl_min, self.recrawl_max)
    }

    /// What is kept of a page by the present settings.
    pub(super) fn kept(&self) -> u8 {
        let bits = [
            (self.store_bodies, BODY),
            (self.store_links, LINKS),
            (self.store_text, TEXT),
            (self.reads_sitemaps, SITEMAP),
        ];
        bits.iter().filter(|(stored, _)| *stored).map(|(_, bit)| bit).sum()
    }

    /// What a request for a pending URL may be conditional on: only if all that is wanted of the page is there.
    pub(super) fn validators(&self, row: &SqliteRow) -> Option<Arc<Validators>> {
        let wanted = self.kept();
        let status: Option<u16> = row.get("status");
        let kept: u8 = row.get::<Option<u8>, _>("kept").unwrap_or(0);
        // Where links are not stored but depths handed on along them, they must be read anew.
        let reads_links = !self.store_links && self.max_depth.is_some();
        let has_content = row.get::<Option<bool>, _>("has_content").unwrap_or(false);
        if status != Some(200) || kept & wanted != wanted || reads_links || !has_content {
            return None;
        }
        let date: Option<String> = row.get("date");
        recrawl::validators(row.get("etag"), row.get("last_modified"), date.as_deref(), row.get("fetched_at"))
            .map(Arc::new)
    }
}

impl Before {
    /// Whether an answer without a body says by its validators that nothing changed.
    fn is_still(&self, status: u16, fingerprint: &str) -> bool {
        let told = !fingerprint.is_empty() && self.life.fingerprint.as_deref() == Some(fingerprint);
        told && self.status == status && self.content_hash.is_none()
    }

    /// Whether it is a page with content that the next answer replaces by another. What goes with errors is not kept.
    pub(super) fn is_worth_keeping(&self, next_hash: Option<&str>) -> bool {
        matches!(self.status, 200..=299) && self.content_hash.is_some() && self.content_hash.as_deref() != next_hash
    }

    fn read(row: &SqliteRow) -> Option<Self> {
        let new_run: Option<i64> = row.get("new_run");
        Some(Self {
            status: row.get::<Option<u16>, _>("status")?,
            content_hash: row.get("content_hash"),
            changed_at: row.get("changed_at"),
            life: Life { fingerprint: row.get("fingerprint"), gone: row.get("gone") },
            new: new_run.zip(row.get("new_at")),
            interval: row.get("interval_ms"),
        })
    }
}

/// Whether a page `p` was modified since it was fetched, as a sitemap says, at the time `?1`: at the end of the day or the
/// second that it names. A date beyond tomorrow is a mistake.
macro_rules! is_modified {
    () => {
        "(url.lastmod <= ?1 + 86400000 and p.fetched_at < url.lastmod
             + iif(url.lastmod % 86400000 = 0, 86399999, iif(url.lastmod % 1000 = 0, 999, 0)))"
    };
}

/// Whether a known page `p` is to be fetched again by a run that begins at the time `?1`. A time of fetching to come is a
/// clock's mistake.
macro_rules! is_due {
    () => {
        concat!(
            "((p.fetched_at + coalesce(?2, max(min(coalesce(p.interval_ms, ?3), ?5), ?4)) <= ?1 or p.fetched_at > ?1
                 or (?7 and url.sitemap is not null) or (?7 and ?2 is null and ",
            is_modified!(),
            ")) and (not ?6 or p.fresh_until is null or p.fresh_until <= ?1 or p.fetched_at > ?1))"
        )
    };
}

impl SqliteStore {
    /// Under `--recrawl-after auto`, what a sitemap says was modified since it was fetched is due at once.
    pub(super) async fn wake_modified(
        &mut self,
        lastmods: &[(UrlId, Millis)],
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        if self.recrawl_after != Recrawl::Auto || lastmods.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(concat!(
            "update url set state = 0, attempts = 0, due_at = null, known = 1
                 where id in (select value ->> 0 from json_each(?2)) and state = 1
                   and exists (select 1 from page p where p.url_id = url.id and ",
            is_modified!(),
            // Once in a run is enough.
            " and p.fetched_at < (select started_at from run where id = ?3))
                 returning id, url, host_id, depth, hops, sitemap"
        ))
        .bind(visit::now())
        .bind(json!(lastmods).to_string())
        .bind(self.run)
        .fetch_all(&mut self.db)
        .await?;
        let mut hosts = HashSet::new();
        for row in &rows {
            let url = CanonicalUrl::parse(row.get("url")).map_err(|e| sqlx::Error::Decode(e.into()))?;
            let (hops, sitemap, known) = (row.get("hops"), row.get("sitemap"), true);
            let target = Target::new(row.get("id"), row.get("host_id"), url, row.get("depth"));
            hosts.insert(target.host);
            committed.targets.push(Target { hops, sitemap, known, ..target });
        }
        for host in hosts {
            committed.hosts.push(self.host_record(host).await?);
        }
        let count = i64::try_from(rows.len()).unwrap_or(0);
        self.accounting.fetched -= count;
        self.accounting.pending += count;
        Ok(())
    }
}

/// A new run: known pages that are old enough, and whatever failed, are due again; what a given-up run left starts anew.
pub(super) async fn sweep_again(tx: &mut SqliteConnection, config: &Config) -> Result<(), StoreError> {
    let (age, min, max) = match config.recrawl_after {
        Recrawl::After(age) => (Some(millis(age)), 0, 0),
        Recrawl::Auto => (None, millis(config.recrawl_min), millis(config.recrawl_max)),
    };
    let now = visit::now();
    let statements = [
        // A run that was given up leaves pages pending that are not due.
        concat!(
            "update url set state = 1, attempts = 0, due_at = null
             where state = 0 and exists (select 1 from page p where p.url_id = url.id and not ",
            is_due!(),
            ")"
        ),
        concat!(
            "update url set state = 0, reason = null, attempts = 0, due_at = null,
                 known = exists (select 1 from page where url_id = id)
             where state in (0, 2) or (state = 3 and reason = 'robots')
                or (state = 1 and exists (select 1 from page p where p.url_id = url.id and ",
            is_due!(),
            "))"
        ),
    ];
    for statement in statements {
        sqlx::query(statement)
            .bind(now)
            .bind(age)
            .bind(millis(FIRST_INTERVAL))
            .bind(min)
            .bind(max)
            .bind(config.respect_cache)
            .bind(config.sitemaps)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Writes down what the view `recrawl` reckons with.
pub(super) async fn save_recrawl(tx: &mut SqliteConnection, config: &Config) -> Result<(), StoreError> {
    let after = match config.recrawl_after {
        Recrawl::After(age) => millis(age).to_string(),
        Recrawl::Auto => "auto".to_owned(),
    };
    sqlx::query(
        "insert into meta (key, value) values ('recrawl_after_ms', ?1), ('recrawl_min_ms', ?2), ('recrawl_max_ms', ?3),
             ('respect_cache', ?4), ('sitemaps', ?5)
         on conflict do update set value = excluded.value",
    )
    .bind(after)
    .bind(millis(config.recrawl_min).to_string())
    .bind(millis(config.recrawl_max).to_string())
    .bind(if config.respect_cache { "1" } else { "0" })
    .bind(if config.sitemaps { "1" } else { "0" })
    .execute(tx)
    .await?;
    Ok(())
}

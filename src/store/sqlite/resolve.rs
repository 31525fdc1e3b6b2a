//! The links of a batch: each target gets its row, its best depth, and its place in the frontier.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::canonical::{CanonicalUrl, Host};
use crate::store::{Committed, StoreError};
use crate::visit::{self, Candidate, Element, HostId, PageOutcome, Record, SkipReason, Target, UrlId};

use super::state::{FAILED, FETCHED, PENDING, SKIPPED};
use super::{Known, Seeded, SqliteStore};

/// Rounds of passing a shorter depth on before the rest is left as it is.
const MAX_DEPTH_ROUNDS: u32 = 10_000;

/// A target of links in the batch: the best that is said of it.
struct Offered<'a> {
    url: &'a CanonicalUrl,
    host: Host,
    depth: u32,
    hops: u32,
    skip: Option<&'a SkipReason>,
    follow: bool,
    /// None for what robots.txt names.
    referrer: Option<UrlId>,
    /// Its level, if it is named as a sitemap.
    sitemap: Option<u32>,
    /// Not only by a redirect.
    listed: bool,
}

/// A URL's row as it stands.
struct Row {
    id: UrlId,
    state: u8,
    depth: u32,
    hops: u32,
    reason: Option<SkipReason>,
    /// A followed link leads there.
    followed: bool,
    is_sitemap: bool,
}

/// URLs that have a row.
type Present = HashMap<String, Row, Seeded>;

type Offers<'a> = HashMap<&'a CanonicalUrl, Offered<'a>, Seeded>;

impl SqliteStore {
    /// Gives every link target of the batch its row, and reports those that became pending. Answers with the rows in the
    /// order of [`candidates`].
    pub(super) async fn resolve(
        &mut self,
        batch: &[Record],
        committed: &mut Committed,
    ) -> Result<Vec<Option<UrlId>>, StoreError> {
        let mut ids = Vec::new();
        let mut offered = Offers::default();
        for (source, candidate) in candidates(batch) {
            let hops = if candidate.element == Element::Redirect { source.hops + 1 } else { 0 };
            let depth = candidate.depth_below(source.depth);
            let known = self.known.get(candidate.url.as_str());
            let known = known.filter(|_| candidate.sitemap.is_none());
            let known = known.filter(|known| known.settled && known.depth <= depth && known.hops <= hops);
            ids.push(known.map(|known| known.id));
            if known.is_some() {
                continue;
            }
            let new = Offered {
                url: &candidate.url,
                host: candidate.url.host(),
                depth,
                hops,
                skip: candidate.skip.as_ref(),
                follow: candidate.follow,
                referrer: source.id,
                sitemap: candidate.sitemap,
                listed: candidate.sitemap.is_some() && candidate.element == Element::Sitemap,
            };
            offered.entry(&candidate.url).and_modify(|old| old.merge(&new)).or_insert(new);
        }
        if offered.is_empty() {
            return Ok(ids);
        }
        self.resolve_hosts(offered.values().map(|o| &o.host), committed).await?;
        let present = self.look_up(&offered).await?;
        self.improve(&offered, &present, committed).await?;
        let inserted = self.insert(&offered, &present, committed).await?;
        for (id, (_, candidate)) in ids.iter_mut().zip(candidates(batch)) {
            let url = candidate.url.as_str();
            *id = id.or_else(|| present.get(url).map(|row| row.id).or_else(|| inserted.get(url).copied()));
        }
        Ok(ids)
    }

    pub(super) async fn resolve_hosts(
        &mut self,
        hosts: impl Iterator<Item = &Host>,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        if self.hosts.len() > 100_000 {
            self.hosts.clear();
        }
        let missing: HashSet<_> = hosts.filter(|&host| !self.hosts.contains_key(host)).map(Host::as_str).collect();
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

    /// Rows that exist already.
    async fn look_up(&mut self, offered: &Offers<'_>) -> Result<Present, StoreError> {
        let urls: Vec<_> = offered.keys().map(|url| url.as_str()).collect();
        let rows = sqlx::query(
            "select url, id, state, depth, hops, reason, followed, sitemap is not null from url
             where url in (select value from json_each(?1))",
        )
        .bind(json!(urls).to_string())
        .fetch_all(&mut self.db)
        .await?;
        let row = |r: &SqliteRow| Row {
            id: r.get(1),
            state: r.get(2),
            depth: r.get(3),
            hops: r.get(4),
            reason: r.get::<Option<&str>, _>(5).and_then(SkipReason::from_word),
            followed: r.get(6),
            is_sitemap: r.get(7),
        };
        Ok(rows.iter().map(|r| (r.get(0), row(r))).collect())
    }

    /// Lowers depths and opens what a better link opens.
    async fn improve(
        &mut self,
        offered: &Offers<'_>,
        present: &Present,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let mut better = Vec::new();
        let mut lowered = Vec::new();
        for offer in offered.values() {
            let Some(row) = present.get(offer.url.as_str()) else { continue };
            let new_depth = match (offer.follow, row.followed) {
                (true, true) => offer.depth.min(row.depth),
                // So far only links led there that lend no depth.
                (true, false) => offer.depth,
                (false, _) => row.depth,
            };
            let first_followed = offer.follow && !row.followed;
            let new_hops = offer.hops.min(row.hops);
            let becomes_sitemap = offer.makes_sitemap(row);
            let reopen = becomes_sitemap || offer.changes_skip(row);
            let opens = reopen && offer.skip.is_none();
            if new_depth != row.depth || new_hops < row.hops || reopen || first_followed {
                let state = if opens { PENDING } else { row.state };
                let reason = if reopen { offer.skip } else { row.reason.as_ref() }.map(SkipReason::as_str);
                let nearer = new_depth < row.depth || first_followed;
                let followed = row.followed || offer.follow;
                let sitemap = offer.sitemap.filter(|_| becomes_sitemap);
                let found = json!([offer.referrer, nearer, followed, sitemap]);
                better.push(json!([row.id, new_depth, new_hops, state, reason, found]));
                if new_depth < row.depth {
                    lowered.push(row.id);
                }
            }
            let held_back = row.state == SKIPPED && decided_by_link(row.reason.as_ref());
            let settled = (row.followed || offer.follow) && (opens || !held_back);
            let known = Known { id: row.id, depth: new_depth, hops: new_hops, settled };
            self.known.insert(offer.url.as_str().into(), known);
            if opens {
                self.count_reopened(row.state);
                let host = self.hosts.get(&offer.host).copied().unwrap_or_default();
                committed.targets.push(offer.target(row.id, host, new_depth));
            }
        }
        if !better.is_empty() {
            sqlx::query(
                "update url set depth = v.depth, hops = v.hops, state = v.state, reason = v.reason, followed = v.followed,
                     referrer_id = iif(v.nearer, v.referrer, referrer_id), sitemap = coalesce(url.sitemap, v.sitemap)
                 from (select value ->> 0 as id, value ->> 1 as depth, value ->> 2 as hops, value ->> 3 as state,
                     value ->> 4 as reason, value ->> '$[5][0]' as referrer, value ->> '$[5][1]' as nearer,
                     value ->> '$[5][2]' as followed, value ->> '$[5][3]' as sitemap from jsonb_each(?1)) v
                 where url.id = v.id",
            )
            .bind(Value::from(better).to_string())
            .execute(&mut self.db)
            .await?;
        }
        self.pass_depth_on(lowered, committed).await
    }

    fn count_reopened(&mut self, state: u8) {
        match state {
            FETCHED => self.accounting.fetched -= 1,
            FAILED => self.accounting.failed -= 1,
            SKIPPED => self.accounting.skipped -= 1,
            _ => return,
        }
        self.accounting.pending += 1;
    }

    /// Hands a shorter path on along links already stored, so that depth does not depend on the order of answers.
    pub(super) async fn pass_depth_on(
        &mut self,
        mut lowered: Vec<UrlId>,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        for _ in 0..MAX_DEPTH_ROUNDS {
            if lowered.is_empty() {
                return Ok(());
            }
            let rows = sqlx::query(
                "with way (from_id, to_id, step) as (
                     select from_id, to_id, element <> 'sitemap' from link
                     where follow and from_id in (select value from json_each(?1))
                     union select from_id, to_id, step from edge where from_id in (select value from json_each(?1))
                     union select p.url_id, p.redirect_to, u.sitemap is null from page p join url u on u.id = p.url_id
                     where p.redirect_to is not null and p.url_id in (select value from json_each(?1)))
                 update url set depth = v.depth, referrer_id = v.from_id
                 from (select e.to_id, e.from_id, max(1, min(f.depth + e.step)) as depth
                       from way e join url f on f.id = e.from_id group by e.to_id) v
                 where url.id = v.to_id and url.depth > v.depth
                 returning id, url, host_id, depth, hops, state, attempts, due_at, known, sitemap",
            )
            .bind(json!(lowered).to_string())
            .fetch_all(&mut self.db)
            .await?;
            lowered = rows.iter().map(|row| row.get(0)).collect();
            let opened = self.open_nearer(&lowered).await?;
            let mut hosts = HashSet::new();
            for row in rows {
                if (row.get::<i64, _>(5) == 0 || opened.contains(&row.get(0)))
                    && let Ok(url) = CanonicalUrl::parse(row.get(1))
                {
                    hosts.insert(row.get::<HostId, _>(2));
                    // Harmless if it is queued already: what is held is not queued twice.
                    committed.targets.push(Target {
                        id: row.get(0),
                        host: row.get(2),
                        url,
                        depth: row.get(3),
                        hops: row.get(4),
                        attempts: row.get(6),
                        due_at: row.get(7),
                        known: row.get(8),
                        validators: None,
                        sitemap: row.get(9),
                    });
                }
            }
            for host in hosts {
                // This invocation may have had no work for it so far.
                committed.hosts.push(self.host_record(host).await?);
            }
        }
        Ok(())
    }

    /// Opens those of the given URLs that were too deep and are so no more.
    async fn open_nearer(&mut self, lowered: &[UrlId]) -> Result<HashSet<UrlId>, StoreError> {
        let opened = sqlx::query_scalar(
            "update url set state = 0, reason = null
             where id in (select value from json_each(?1)) and state = 3 and reason = 'depth' and depth <= ?2
             returning id",
        )
        .bind(json!(lowered).to_string())
        .bind(self.max_depth.map_or(i64::MAX, i64::from))
        .fetch_all(&mut self.db)
        .await?;
        let count = i64::try_from(opened.len()).unwrap_or(0);
        self.accounting.skipped -= count;
        self.accounting.pending += count;
        Ok(opened.into_iter().collect())
    }

    async fn insert(
        &mut self,
        offered: &Offers<'_>,
        present: &Present,
        committed: &mut Committed,
    ) -> Result<HashMap<String, UrlId, Seeded>, StoreError> {
        let mut inserted = HashMap::default();
        let new: Vec<_> = offered.values().filter(|offer| !present.contains_key(offer.url.as_str())).collect();
        if new.is_empty() {
            return Ok(inserted);
        }
        let host_of = |offer: &Offered<'_>| self.hosts.get(&offer.host).copied().unwrap_or_default();
        let mut rows = Vec::with_capacity(new.len());
        for (id, offer) in (self.next_url..).zip(new) {
            let skip = offer.skip.map(SkipReason::as_str);
            let state = if skip.is_some() { SKIPPED } else { PENDING };
            let url = offer.url.as_str();
            let found = (offer.depth, offer.hops, offer.referrer, offer.follow, offer.sitemap);
            rows.push((id, url, host_of(offer), state, skip, found));
            self.accounting.discovered += 1;
            if skip.is_some() {
                self.accounting.skipped += 1;
            } else {
                self.accounting.pending += 1;
                committed.targets.push(offer.target(id, host_of(offer), offer.depth));
            }
            let settled = offer.follow && !matches!(offer.skip, Some(SkipReason::Depth | SkipReason::Nofollow));
            self.known.insert(url.into(), Known { id, depth: offer.depth, hops: offer.hops, settled });
            inserted.insert(url.to_owned(), id);
        }
        self.next_url += UrlId::try_from(rows.len()).unwrap_or(UrlId::MAX);
        sqlx::query(
            "insert into url (id, url, host_id, state, reason, depth, hops, referrer_id, followed, sitemap,
                 first_seen_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> '$[5][0]',
                 value ->> '$[5][1]', value ->> '$[5][2]', value ->> '$[5][3]', value ->> '$[5][4]', ?2
             from jsonb_each(?1)",
        )
        .bind(serde_json::to_string(&rows).map_err(|e| sqlx::Error::Encode(e.into()))?)
        .bind(visit::now())
        .execute(&mut self.db)
        .await?;
        Ok(inserted)
    }
}

/// Where a candidate was found: a page, or robots.txt, which has no row.
#[derive(Debug, Clone, Copy, Default)]
struct Source {
    id: Option<UrlId>,
    depth: u32,
    hops: u32,
}

/// Every candidate of the batch beside where it was found.
fn candidates(batch: &[Record]) -> impl Iterator<Item = (Source, &Candidate)> {
    batch.iter().flat_map(|record| {
        let (source, links, redirect) = match record {
            Record::Page { target, outcome: PageOutcome::Fetched(page), .. } => {
                let source = Source { id: Some(target.id), depth: target.depth, hops: target.hops };
                (source, page.links.as_slice(), page.redirect.as_ref())
            }
            Record::Sitemaps { named, .. } => (Source::default(), named.as_slice(), None),
            _ => (Source::default(), [].as_slice(), None),
        };
        links.iter().chain(redirect).map(move |candidate| (source, candidate))
    })
}

/// Whether a better link can change this.
fn decided_by_link(reason: Option<&SkipReason>) -> bool {
    matches!(reason, Some(SkipReason::Depth | SkipReason::Nofollow))
}

impl Offered<'_> {
    /// Whether this link is better than those that got the URL skipped.
    fn changes_skip(&self, row: &Row) -> bool {
        row.state == SKIPPED
            && decided_by_link(row.reason.as_ref())
            && self.skip != row.reason.as_ref()
            && self.skip != Some(&SkipReason::Nofollow)
    }

    /// Whether a URL that was read as a page, or left alone as one, is to be read as a sitemap.
    fn makes_sitemap(&self, row: &Row) -> bool {
        let can_be_asked = match row.state {
            SKIPPED => matches!(
                row.reason,
                Some(SkipReason::Scope | SkipReason::Excluded | SkipReason::Depth | SkipReason::Nofollow)
            ),
            // Where a redirect leads may well be the front page.
            FETCHED | FAILED => self.listed,
            _ => true,
        };
        self.sitemap.is_some() && !row.is_sitemap && self.skip.is_none() && can_be_asked
    }

    /// Keeps the better of two links to one URL.
    fn merge(&mut self, other: &Self) {
        let rank = |offer: &Self| (!offer.follow, offer.skip.is_some(), offer.depth);
        self.hops = self.hops.min(other.hops);
        self.sitemap = self.sitemap.or(other.sitemap);
        self.listed |= other.listed;
        if rank(other) < rank(self) {
            self.depth = other.depth;
            self.skip = other.skip;
            self.follow = other.follow;
            self.referrer = other.referrer;
        }
    }

    fn target(&self, id: UrlId, host: HostId, depth: u32) -> Target {
        let new = Target::new(id, host, self.url.clone(), depth);
        Target { hops: self.hops, sitemap: self.sitemap, ..new }
    }
}

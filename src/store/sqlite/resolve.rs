//! The links of a batch: each target gets its row, its best depth, and its place in the frontier.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::Row;

use crate::canonical::{CanonicalUrl, Host};
use crate::store::{Committed, StoreError};
use crate::visit::{self, Candidate, Element, Errand, HostId, Outcome, Record, SkipReason, Target, UrlId};

use super::state::{PENDING, SKIPPED};
use super::{Known, Seeded, SqliteStore};

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

/// URLs that have a row: its id, state, depth, hops, reason, and whether a followed link leads there.
type Present = HashMap<String, (UrlId, i64, u32, u32, Option<String>, bool), Seeded>;

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
        for (target, candidate) in candidates(batch) {
            let hops = if candidate.element == Element::Redirect { target.hops + 1 } else { 0 };
            let depth = target.depth + 1;
            let known = self.known.get(candidate.url.as_str());
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
        for (id, (_, candidate)) in ids.iter_mut().zip(candidates(batch)) {
            *id = id.or_else(|| present.get(candidate.url.as_str()).map(|row| row.0));
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
            "select url, id, state, depth, hops, reason, followed from url
             where url in (select value from json_each(?1))",
        )
        .bind(json!(urls).to_string())
        .fetch_all(&mut self.db)
        .await?;
        Ok(rows.into_iter().map(|r| (r.get(0), (r.get(1), r.get(2), r.get(3), r.get(4), r.get(5), r.get(6)))).collect())
    }

    /// Lowers depths and opens what a better link opens.
    async fn improve(
        &mut self,
        offered: &Offers<'_>,
        present: &Present,
        committed: &mut Committed,
    ) -> Result<(), StoreError> {
        let mut better = Vec::new();
        let mut opened = HashSet::new();
        let mut lowered = Vec::new();
        for offer in offered.values() {
            let Some((id, state, depth, hops, reason, followed)) = present.get(offer.url.as_str()) else { continue };
            let new_depth = match (offer.follow, followed) {
                (true, true) => offer.depth.min(*depth),
                // So far only links led there that lend no depth.
                (true, false) => offer.depth,
                (false, _) => *depth,
            };
            let first_followed = offer.follow && !followed;
            let new_hops = offer.hops.min(*hops);
            let link_decided = matches!(reason.as_deref(), Some("depth" | "nofollow"));
            let reopen = *state == 3
                && link_decided
                && offer.skip != reason.as_deref().and_then(SkipReason::from_word)
                && offer.skip != Some(SkipReason::Nofollow);
            if new_depth != *depth || new_hops < *hops || reopen || first_followed {
                let state = if reopen && offer.skip.is_none() { 0 } else { *state };
                let reason =
                    if reopen { offer.skip.map(SkipReason::as_str).map(str::to_owned) } else { reason.clone() };
                let nearer = new_depth < *depth || first_followed;
                let followed = *followed || offer.follow;
                better.push(json!([id, new_depth, new_hops, state, reason, offer.referrer, nearer, followed]));
                if new_depth < *depth {
                    lowered.push(*id);
                }
                if reopen && offer.skip.is_none() {
                    opened.insert(*id);
                    self.accounting.skipped -= 1;
                    self.accounting.pending += 1;
                }
            }
            let settled = (*followed || offer.follow) && (!(*state == 3 && link_decided) || opened.contains(id));
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
                "update url set depth = v.depth, hops = v.hops, state = v.state, reason = v.reason, followed = v.followed,
                     referrer_id = iif(v.nearer, v.referrer, referrer_id)
                 from (select value ->> 0 as id, value ->> 1 as depth, value ->> 2 as hops, value ->> 3 as state,
                     value ->> 4 as reason, value ->> 5 as referrer, value ->> 6 as nearer, value ->> 7 as followed
                     from jsonb_each(?1)) v
                 where url.id = v.id",
            )
            .bind(Value::from(better).to_string())
            .execute(&mut self.db)
            .await?;
        }
        self.pass_depth_on(lowered, committed).await
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
                "with way (from_id, to_id) as (
                     select from_id, to_id from link where follow and from_id in (select value from json_each(?1))
                     union select from_id, to_id from edge where from_id in (select value from json_each(?1))
                     union select url_id, redirect_to from page
                     where redirect_to is not null and url_id in (select value from json_each(?1)))
                 update url set depth = v.depth, referrer_id = v.from_id
                 from (select e.to_id, e.from_id, min(f.depth) + 1 as depth from way e join url f on f.id = e.from_id
                       group by e.to_id) v
                 where url.id = v.to_id and url.depth > v.depth
                 returning id, url, host_id, depth, hops, state, attempts, due_at",
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
    ) -> Result<Present, StoreError> {
        let new: Vec<_> = offered.values().filter(|offer| !present.contains_key(offer.url.as_str())).collect();
        if new.is_empty() {
            return Ok(Present::default());
        }
        let host_of = |offer: &Offered<'_>| self.hosts.get(&offer.host).copied().unwrap_or_default();
        let mut rows = Vec::with_capacity(new.len());
        let mut inserted = Present::default();
        for (id, offer) in (self.next_url..).zip(new) {
            let skip = offer.skip.map(SkipReason::as_str);
            let state = if skip.is_some() { SKIPPED } else { PENDING };
            let url = offer.url.as_str();
            rows.push((id, url, host_of(offer), state, skip, offer.depth, offer.hops, offer.referrer, offer.follow));
            self.accounting.discovered += 1;
            if skip.is_some() {
                self.accounting.skipped += 1;
            } else {
                self.accounting.pending += 1;
                committed.targets.push(offer.target(id, host_of(offer), offer.depth));
            }
            let settled = offer.follow && !matches!(offer.skip, Some(SkipReason::Depth | SkipReason::Nofollow));
            self.known.insert(url.into(), Known { id, depth: offer.depth, hops: offer.hops, settled });
            inserted.insert(url.to_owned(), (id, 0, offer.depth, offer.hops, None, offer.follow));
        }
        self.next_url += UrlId::try_from(rows.len()).unwrap_or(UrlId::MAX);
        sqlx::query(
            "insert into url (id, url, host_id, state, reason, depth, hops, referrer_id, followed, first_seen_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
                 value ->> 7, value ->> 8, ?2 from jsonb_each(?1)",
        )
        .bind(serde_json::to_string(&rows).map_err(|e| sqlx::Error::Encode(e.into()))?)
        .bind(visit::now())
        .execute(&mut self.db)
        .await?;
        Ok(inserted)
    }
}

/// Every candidate of the batch beside the page it was found on.
pub(super) fn candidates(batch: &[Record]) -> impl Iterator<Item = (&Target, &Candidate)> {
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

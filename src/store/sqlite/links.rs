//! The links of a batch: each target gets its row, what the best of them offers it, and its place in the frontier.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use crate::canonical::CanonicalUrl;
use crate::policy::offer::{Offer, Source, Standing, depth_and_hops};
use crate::policy::traps::Weighed;
use crate::visit::{self, Candidate, HostId, Record, SkipReason, Target, UrlId};

use super::batch::{Batch, Weights};
use super::failed::Failed;
use super::known::{Known, Seeded};
use super::rows::{self, json};
use super::run::SqliteRun;

/// URLs that have a row.
type Present = HashMap<String, Standing, Seeded>;

type Offers<'a> = HashMap<&'a CanonicalUrl, Offer<'a>, Seeded>;

/// The rows of URLs.
type Rows<'a> = HashMap<&'a str, UrlId, Seeded>;

/// The rows of the links' targets, in the order of the links.
pub(super) type Ids = std::vec::IntoIter<Option<UrlId>>;

/// The rows of the URLs that a record leads to.
pub(super) struct Found {
    /// In the order of the page's links.
    pub(super) links: Vec<Option<UrlId>>,
    pub(super) redirect: Option<UrlId>,
}

impl Found {
    /// Takes the record's own from the rows of the candidates of all records.
    pub(super) fn of(record: &Record, ids: &mut Ids) -> Self {
        let (links, redirect) = record.candidates();
        let links = ids.by_ref().take(links.len()).collect();
        Self { links, redirect: redirect.and_then(|_| ids.next().flatten()) }
    }
}

/// Every candidate of the batch beside the record that it is of, and where it was found.
fn candidates(records: &[Record]) -> impl Iterator<Item = (usize, Source, &Candidate)> {
    records.iter().enumerate().flat_map(|(index, record)| {
        // What robots.txt names has no page that it was found on.
        let page = |(target, _): (&Target, _)| Source { id: Some(target.id), depth: target.depth, hops: target.hops };
        let source = record.page().map(page).unwrap_or_default();
        let (links, redirect) = record.candidates();
        links.iter().chain(redirect).map(move |candidate| (index, source, candidate))
    })
}

impl SqliteRun {
    /// Gives every link target of the batch its row, and reports those that became pending. Answers with the rows in the
    /// order of [`candidates`].
    pub(super) async fn resolve(
        &mut self,
        records: &[Record],
        weights: &mut Weights<'_>,
        batch: &mut Batch,
    ) -> Result<Ids, Failed> {
        let mut ids = Vec::new();
        let mut offers = Offers::default();
        for (index, source, candidate) in candidates(records) {
            let mut weighed = weights[index].as_mut();
            let (depth, hops) = depth_and_hops(source, candidate);
            // A URL that is named as a sitemap may become one.
            let is_page = candidate.sitemap.is_none();
            let known = is_page.then(|| self.urls.settled(candidate.url.as_str(), depth, hops)).flatten();
            ids.push(known.map(|known| known.id));
            if let Some(known) = known {
                if let Some(page) = weighed.as_mut().filter(|_| source.id != Some(known.id)) {
                    page.woven += u32::from(known.trap.is_some() && known.trap == page.account);
                }
                self.relieve(known, weighed, candidate, batch);
            } else {
                let weighed = weighed.filter(|_| candidate.follow);
                let trap = weighed.and_then(|page| self.traps.named(page, candidate));
                let mut offer = Offer::new(source, candidate);
                offer.trap = trap;
                offers.entry(&candidate.url).and_modify(|old| old.merge(&offer)).or_insert(offer);
            }
        }
        for offer in offers.values_mut().filter(|offer| offer.skip.is_none()) {
            offer.skip = offer.trap.filter(|trap| self.traps.is_held(*trap)).map(|_| &SkipReason::Trap);
        }
        if offers.is_empty() {
            return Ok(ids.into_iter());
        }
        self.resolve_hosts(offers.values().map(|offer| &offer.host), batch).await?;
        let offers: Vec<_> = offers.into_values().collect();
        let mut found = Rows::default();
        for some in offers.chunks(rows::ROWS) {
            let present = self.look_up(some).await?;
            self.improve(some, &present, batch).await?;
            self.insert(some, &present, &mut found, batch).await?;
        }
        for (id, (_, _, candidate)) in ids.iter_mut().zip(candidates(records)) {
            *id = id.or_else(|| found.get(candidate.url.as_str()).copied());
        }
        Ok(ids.into_iter())
    }

    /// A URL that is known, and that nothing but what pays for it can change of.
    fn relieve(
        &mut self,
        known: Known,
        mut weighed: Option<&mut Weighed<'_>>,
        candidate: &Candidate,
        batch: &mut Batch,
    ) {
        let Some(paying) = known.trap else { return };
        if !candidate.follow
            || candidate.skip.is_some()
            || weighed.as_ref().is_some_and(|page| page.account == Some(paying))
        {
            return;
        }
        let named = weighed.as_deref_mut().and_then(|page| self.traps.named(page, candidate));
        if self.traps.relieves(weighed.as_deref(), named, paying) {
            batch.relieved.push((known.id, named));
            self.urls.insert(candidate.url.as_str(), Known { trap: named, ..known });
        }
    }

    /// Rows that exist already.
    async fn look_up(&mut self, offers: &[Offer<'_>]) -> Result<Present, Failed> {
        let urls: Vec<_> = offers.iter().map(|offer| offer.url.as_str()).collect();
        let rows = sqlx::query(
            "select url, id, state, depth, hops, reason, followed, sitemap is not null as is_sitemap, trap_id from url
             where url in (select value from json_each(?1))",
        )
        .bind(json(&urls)?)
        .fetch_all(self.db())
        .await?;
        rows.iter().map(|row| Ok((row.get("url"), standing(row)?))).collect()
    }

    /// Lowers depths and opens what a better link opens.
    async fn improve(&mut self, offers: &[Offer<'_>], present: &Present, batch: &mut Batch) -> Result<(), Failed> {
        let mut better = Vec::new();
        let mut lowered = Vec::new();
        for offer in offers {
            let Some(old) = present.get(offer.url.as_str()) else { continue };
            let new = offer.improve(old);
            if new.is_news {
                let reason = new.reason.as_ref().map(SkipReason::as_str);
                let found = json!([offer.referrer, new.nearer, new.followed, new.sitemap, new.trap]);
                better.push(json!([old.id, new.depth, new.hops, new.state.number(), reason, found]));
                if new.depth < old.depth {
                    lowered.push(old.id);
                }
            }
            let known = Known { id: old.id, depth: new.depth, hops: new.hops, settled: new.settled, trap: new.trap };
            self.urls.insert(offer.url.as_str(), known);
            if new.opens {
                batch.delta.change(old.state, new.state);
                self.hand_out(offer, old.id, new.depth, batch);
            }
        }
        if !better.is_empty() {
            sqlx::query(
                "update url set depth = v.depth, hops = v.hops, state = v.state, reason = v.reason, followed = v.followed,
                     referrer_id = iif(v.nearer, v.referrer, referrer_id), sitemap = coalesce(url.sitemap, v.sitemap),
                     trap_id = v.trap
                 from (select value ->> 0 as id, value ->> 1 as depth, value ->> 2 as hops, value ->> 3 as state,
                     value ->> 4 as reason, value ->> '$[5][0]' as referrer, value ->> '$[5][1]' as nearer,
                     value ->> '$[5][2]' as followed, value ->> '$[5][3]' as sitemap, value ->> '$[5][4]' as trap
                     from jsonb_each(?1)) v
                 where url.id = v.id",
            )
            .bind(Value::from(better).to_string())
            .execute(self.db())
            .await?;
        }
        self.pass_depth_on(lowered, batch).await
    }

    /// Gives those that have none a row, and tells the rows of all.
    async fn insert<'a>(
        &mut self,
        offers: &'a [Offer<'a>],
        present: &Present,
        found: &mut Rows<'a>,
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        let mut new = Vec::new();
        for offer in offers {
            match present.get(offer.url.as_str()) {
                Some(row) => drop(found.insert(offer.url.as_str(), row.id)),
                None => new.push(offer),
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        // Nobody else inserts while this transaction lasts.
        let next: UrlId = sqlx::query_scalar("select coalesce(max(id), 0) + 1 from url").fetch_one(self.db()).await?;
        let mut rows = Vec::with_capacity(new.len());
        for (id, offer) in (next..).zip(new) {
            let state = offer.first_state();
            let (url, host) = (offer.url.as_str(), self.host_of(offer));
            let by = (offer.depth, offer.hops, offer.referrer, offer.follow, offer.sitemap, offer.trap);
            rows.push((id, url, host, state.number(), offer.skip.map(SkipReason::as_str), by));
            batch.delta.discover(state);
            if offer.skip.is_none() {
                self.hand_out(offer, id, offer.depth, batch);
            }
            let known =
                Known { id, depth: offer.depth, hops: offer.hops, settled: offer.is_settled(), trap: offer.trap };
            batch.led_on.extend(offer.referrer.zip(offer.trap));
            self.urls.insert(url, known);
            found.insert(url, id);
        }
        sqlx::query(
            "insert into url (id, url, host_id, state, reason, depth, hops, referrer_id, followed, sitemap,
                 trap_id, first_seen_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> '$[5][0]',
                 value ->> '$[5][1]', value ->> '$[5][2]', value ->> '$[5][3]', value ->> '$[5][4]', value ->> '$[5][5]', ?2
             from jsonb_each(?1)",
        )
        .bind(json(&rows)?)
        .bind(visit::now())
        .execute(self.db())
        .await?;
        Ok(())
    }

    /// Reports a URL that became pending, if it is this process's to fetch.
    fn hand_out(&mut self, offer: &Offer<'_>, id: UrlId, depth: u32, batch: &mut Batch) {
        if self.may_fetch(&offer.host, batch) {
            let new = Target::new(id, self.host_of(offer), offer.url.clone(), depth);
            let (hops, sitemap, trap) = (offer.hops, offer.sitemap, offer.trap);
            batch.committed.targets.push(Target { hops, sitemap, trap, ..new });
        }
    }

    fn host_of(&self, offer: &Offer<'_>) -> HostId {
        self.hosts.id(&offer.host).unwrap_or_default()
    }
}

fn standing(row: &SqliteRow) -> Result<Standing, Failed> {
    Ok(Standing {
        id: row.get("id"),
        state: rows::state(row)?,
        depth: row.get("depth"),
        hops: row.get("hops"),
        reason: rows::reason(row),
        followed: row.get("followed"),
        is_sitemap: row.get("is_sitemap"),
        trap: row.get("trap_id"),
    })
}

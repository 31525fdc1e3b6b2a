//! The links of a batch: each target gets its row, what the best of them offers it, and its place in the frontier.

use std::collections::{HashMap, HashSet};

use crate::canonical::CanonicalUrl;
use crate::policy::offer::{Offer, Source, Standing, depth_and_hops};
use crate::policy::traps::Weighed;
use crate::store::failed::Failed;
use crate::store::tables::{Better, NewUrl, Present, Seeded, Tables};
use crate::visit::{Candidate, HostId, Record, SkipReason, Target, TrapId, UrlId};

use super::batch::{Batch, Weights};
use super::known::Known;
use super::run::Part;

/// Links whose targets are given their rows at once: what a page of many links takes beside itself stays small.
const LINKS: usize = 8_192;

type Offers<'a> = HashMap<&'a CanonicalUrl, Offer<'a>, Seeded>;

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

/// A link to a URL that is not remembered.
struct Link<'a> {
    /// Among all candidates of the batch.
    place: usize,
    /// Of its record.
    index: usize,
    source: Source,
    candidate: &'a Candidate,
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

impl<D: Tables> Part<D> {
    /// Gives every link target of the batch its row, and reports those that became pending. Answers with the rows in the
    /// order of [`candidates`].
    pub(super) async fn resolve(
        &mut self,
        records: &[Record],
        weights: &mut Weights<'_>,
        batch: &mut Batch,
    ) -> Result<Ids, Failed> {
        let mut ids = Vec::new();
        let mut links = Vec::new();
        for (place, (index, source, candidate)) in candidates(records).enumerate() {
            let (depth, hops) = depth_and_hops(source, candidate);
            // A URL that is named as a sitemap may become one.
            let is_page = candidate.sitemap.is_none();
            let known = is_page.then(|| self.urls.settled(candidate.url.as_str(), depth, hops)).flatten();
            ids.push(known.map(|known| known.id));
            let link = Link { place, index, source, candidate };
            if let Some(known) = known {
                self.meet(&link, known.id, known.trap, weights);
                self.relieve(known, weights[index].as_mut(), candidate, batch);
            } else {
                links.push(link);
                if links.len() == LINKS {
                    self.give_rows(&links, weights, &mut ids, batch).await?;
                    links.clear();
                }
            }
        }
        self.give_rows(&links, weights, &mut ids, batch).await?;
        Ok(ids.into_iter())
    }

    /// Gives the targets of links their rows. They are looked up before anything is said of them: a URL that an earlier
    /// invocation or another process found is no news.
    async fn give_rows(
        &mut self,
        links: &[Link<'_>],
        weights: &mut Weights<'_>,
        ids: &mut [Option<UrlId>],
        batch: &mut Batch,
    ) -> Result<(), Failed> {
        if links.is_empty() {
            return Ok(());
        }
        let urls: HashSet<_, Seeded> = links.iter().map(|link| link.candidate.url.as_str()).collect();
        let mut present = self.database.look_up(&urls.iter().copied().collect::<Vec<_>>()).await?;
        let mut offers = Offers::default();
        for link in links {
            let mut offer = Offer::new(link.source, link.candidate);
            offer.trap = self.payer(link, present.get(link.candidate.url.as_str()), weights);
            offers.entry(&link.candidate.url).and_modify(|old| old.merge(&offer)).or_insert(offer);
        }
        for offer in offers.values_mut().filter(|offer| offer.skip.is_none()) {
            offer.skip = offer.trap.filter(|trap| self.traps.is_held(*trap)).map(|_| &SkipReason::Trap);
        }
        self.resolve_hosts(offers.values().map(|offer| &offer.host), batch).await?;
        self.improve(&offers, &present, batch).await?;
        let inserted = self.insert(&offers, &present, batch).await?;
        if present.len() + inserted.len() < offers.len() {
            // Another process inserted some of them just now.
            let is_missing = |url: &&str| !present.contains_key(*url) && !inserted.contains_key(*url);
            let missing: Vec<_> = urls.into_iter().filter(is_missing).collect();
            let late = self.database.look_up(&missing).await?;
            self.improve(&offers, &late, batch).await?;
            present.extend(late);
        }
        for link in links {
            let url = link.candidate.url.as_str();
            ids[link.place] = present.get(url).map(|row| row.id).or_else(|| inserted.get(url).copied());
        }
        Ok(())
    }

    /// What pays for the target of a link, which is known if it has a row. None if it is named freely.
    fn payer(&mut self, link: &Link<'_>, known: Option<&Standing>, weights: &mut Weights<'_>) -> Option<TrapId> {
        let known = known.filter(|row| !row.is_left_to_links());
        if let Some(row) = known {
            self.meet(link, row.id, row.trap, weights);
        }
        let page = weights[link.index].as_mut().filter(|_| link.candidate.follow)?;
        match known.map(|row| row.trap) {
            Some(paying) if paying.is_none() || paying == page.account => paying,
            Some(paying) => self.traps.named(page, link.candidate).and(paying),
            None => self.traps.named(page, link.candidate),
        }
    }

    /// Takes note that a page names a known URL.
    fn meet(&mut self, link: &Link<'_>, id: UrlId, paying: Option<TrapId>, weights: &mut Weights<'_>) {
        if let Some(page) = weights[link.index].as_mut().filter(|_| link.source.id != Some(id)) {
            self.traps.met(page, id, paying);
        }
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

    /// Lowers depths and opens what a better link opens.
    async fn improve(&mut self, offers: &Offers<'_>, present: &Present, batch: &mut Batch) -> Result<(), Failed> {
        let mut better = Vec::new();
        let mut lowered = Vec::new();
        let changes =
            |offer: &&Offer<'_>| present.get(offer.url.as_str()).is_some_and(|old| offer.improve(old).is_news);
        let changed: Vec<_> = offers.values().filter(changes).map(|offer| offer.url.as_str()).collect();
        let held = if changed.is_empty() { Present::default() } else { self.database.hold_still(&changed).await? };
        for offer in offers.values() {
            let url = offer.url.as_str();
            let Some(old) = held.get(url).or_else(|| present.get(url)) else { continue };
            let new = offer.improve(old);
            let known = Known { id: old.id, depth: new.depth, hops: new.hops, settled: new.settled, trap: new.trap };
            self.urls.insert(offer.url.as_str(), known);
            if new.reason != old.reason {
                self.note_check(offer.url, self.host_of(offer), new.reason.as_ref(), batch);
            }
            if new.opens {
                batch.delta.change(old.state, new.state);
                self.hand_out(offer, old.id, new.depth, batch);
            }
            if new.depth < old.depth {
                lowered.push(old.id);
            }
            if new.is_news {
                better.push(Better { id: old.id, referrer: offer.referrer, outcome: new });
            }
        }
        self.database.improve(&better).await?;
        self.pass_depth_on(lowered, batch).await
    }

    async fn insert(
        &mut self,
        offers: &Offers<'_>,
        present: &Present,
        batch: &mut Batch,
    ) -> Result<HashMap<String, UrlId, Seeded>, Failed> {
        let mut inserted = HashMap::default();
        let new: Vec<_> = offers.values().filter(|offer| !present.contains_key(offer.url.as_str())).collect();
        if new.is_empty() {
            return Ok(inserted);
        }
        let rows: Vec<_> = new.iter().map(|offer| new_url(offer, self.host_of(offer))).collect();
        let now = self.database.clock().now();
        let ids = self.database.insert_urls(&rows, now).await?;
        for (id, offer) in ids.into_iter().zip(new) {
            let Some(id) = id else { continue };
            batch.delta.discover(offer.first_state());
            self.note_check(offer.url, self.host_of(offer), offer.skip, batch);
            if offer.skip.is_none() {
                self.hand_out(offer, id, offer.depth, batch);
            }
            let known =
                Known { id, depth: offer.depth, hops: offer.hops, settled: offer.is_settled(), trap: offer.trap };
            batch.led_on.extend(offer.referrer.zip(offer.trap));
            if let Some(referrer) = offer.referrer.filter(|_| offer.trap.is_some()) {
                *batch.led_to.entry(referrer).or_default() += 1;
            }
            self.urls.insert(offer.url.as_str(), known);
            inserted.insert(offer.url.as_str().to_owned(), id);
        }
        Ok(inserted)
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

fn new_url<'a>(offer: &Offer<'a>, host: HostId) -> NewUrl<'a> {
    NewUrl {
        url: offer.url.as_str(),
        host,
        state: offer.first_state(),
        reason: offer.skip.map(SkipReason::as_str),
        depth: offer.depth,
        hops: offer.hops,
        referrer: offer.referrer,
        followed: offer.follow,
        sitemap: offer.sitemap,
        trap: offer.trap,
    }
}

//! Traps: sites, or parts of them, whose URLs have no end and bring nothing new.
//!
//! Each pattern of a host whose pages lead to each other has a budget, and so has what these pages lead to elsewhere while
//! they bring nothing: an [`Account`]. A URL is named *freely* if a seed, a sitemap or a page of another pattern that
//! brought something names it; otherwise the account of the page that names it pays for it, and so on from page to page,
//! whatever their patterns and hosts are. So patterns that only name each other, and hosts that do, are one trap. What a
//! page brings ([`Verdict`]) is booked to the account that paid for it. Once an account is spent, what it would have to pay
//! for is held back.
//!
//! Nothing here knows a database or a network. What is remembered of pages is bounded, and lives as long as the process;
//! accounts are handed in ([`Traps::load`]) and out ([`Traps::take_changes`]).

mod account;
mod accounts;
mod aging;
mod alike;
mod content;
mod memory;
mod pairs;
mod pattern;
mod sites;
#[cfg(test)]
mod tests;
mod together;
mod web;
mod weighed;
mod words;

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use crate::canonical::CanonicalUrl;
use crate::visit::{Candidate, Element, HostId, Page, Target, TrapId, UrlId};

pub use account::{Account, Changes};
use account::{Booking, DISTINCT_EACH, STRICT_FROM};
use accounts::Accounts;
use aging::Aging;
use alike::Alike;
use content::{Sketcher, glance, names_beside, text_of};
pub use memory::Verdict;
use memory::{Compared, How, Memory};
use pairs::Pairs;
use pattern::{PatternAt, Shape};
use sites::Sites;
pub use web::Web;
use web::{FAR, WATCHED_FROM};
use weighed::{First, Ground, Kind, STRICT_BESIDE};
pub use weighed::{Recalled, Weighed};

/// Hosts, and patterns, of which pages are remembered: the last used, twice as many at most.
const GROUNDS: usize = 2_048;
const MEMORIES: usize = 512;
/// The first pages of a pattern are compared with those of others on the host as well: a pattern of its own is no news.
const STRANGERS: u32 = 3;
/// URLs without their tokens that are remembered of one host.
const WITHOUT_TOKENS: usize = 16_384;

/// See the module's documentation.
#[derive(Debug)]
pub struct Traps {
    hasher: RandomState,
    sketcher: Sketcher,
    sites: Sites,
    grounds: Aging<Ground>,
    memories: Aging<Memory>,
    alike: Alike,
    pairs: Pairs,
    accounts: Accounts,
}

impl Traps {
    /// `allowed` are patterns that are let through, or `all`; `next` is the first number that is free.
    pub fn new(allowed: &[String], next: TrapId) -> Self {
        let (hasher, sketcher, sites, alike, pairs) = Default::default();
        let (grounds, memories) = (Aging::new(GROUNDS), Aging::new(MEMORIES));
        let accounts = Accounts::new(allowed, next);
        Self { hasher, sketcher, sites, grounds, memories, alike, pairs, accounts }
    }

    /// Which of these accounts and hosts are not in memory.
    pub fn missing(&self, targets: &[&Target]) -> (Vec<HostId>, Vec<TrapId>) {
        self.accounts.missing(targets)
    }

    /// Takes in accounts as they are stored; of `hosts` these are all.
    pub fn load(&mut self, hosts: &[HostId], accounts: Vec<(String, Account)>) {
        let mut found = Vec::new();
        for (host, account) in accounts {
            let ground = CanonicalUrl::parse(&host).map_or(0, |url| self.sites.ground_of(&url));
            self.grounds.get(ground).variety.recall(&account.pattern);
            found.push((ground, self.key(ground, &account.pattern), account));
        }
        self.accounts.load(hosts, found);
    }

    /// The accounts just loaded that are so large that only words count that were never seen, and not so large that they
    /// have stood the test: what their pages said is to be [recalled](Self::recall).
    pub fn forgotten(&mut self) -> Vec<TrapId> {
        self.accounts.forgotten()
    }

    /// Takes in pages that an account paid for, as they are stored: url, title, description and text.
    pub fn recall(&mut self, pages: &[Recalled]) {
        for Recalled { url, title, description, text } in pages {
            let Ok(url) = CanonicalUrl::parse(url) else { continue };
            let ground = self.sites.ground_of(&url);
            let shape = self.grounds.get(ground).variety.shape(&url);
            let text = text_of([title.as_deref(), description.as_deref(), None], text);
            let sketch = self.sketcher.sketch(&url, std::iter::empty(), &text);
            let memory = self.memories.get(self.key(ground, &shape.pattern));
            let weight = memory.weight();
            memory.recall(&sketch);
            let more = memory.weight().saturating_sub(weight);
            self.memories.grow(more);
        }
    }

    /// Forgets the accounts: they are to be loaded again.
    pub fn forget(&mut self) {
        self.accounts.forget();
    }

    fn key(&self, ground: u64, pattern: &str) -> u64 {
        self.hasher.hash_one((ground, pattern))
    }

    /// Whether what this account would have to pay for is held back.
    pub fn is_held(&self, id: TrapId) -> bool {
        self.accounts.is_held(id)
    }

    /// Looks at an answer. Its text is compared with those of its pattern once what it brings matters.
    pub fn weigh<'a>(&mut self, target: &'a Target, page: &'a Page) -> Weighed<'a> {
        let ground = self.sites.ground_of(&target.url);
        let shape = self.grounds.get(ground).variety.shape(&target.url);
        Weighed::new(target, page, ground, shape)
    }

    fn judge_once(&mut self, weighed: &mut Weighed<'_>) {
        if weighed.kind == Kind::Page && !std::mem::replace(&mut weighed.is_judged, true) {
            weighed.verdict = self.judge(weighed);
        }
    }

    /// What a page brings, if it is its turn to be compared.
    fn judge(&mut self, weighed: &mut Weighed<'_>) -> Option<Verdict> {
        let (url, page) = (&weighed.target.url, weighed.page);
        if page.status >= 400 {
            return Some(Verdict::Nothing);
        }
        let key = self.key(weighed.ground, &weighed.shape.pattern);
        let accounts = [weighed.account, self.accounts.at(key)];
        let [is_large, is_tried] = [Account::is_large, Account::is_looked_at]
            .map(|has| accounts.iter().flatten().any(|id| self.accounts.get(*id).is_some_and(has)));
        let is_resumed = accounts[1].and_then(|id| self.accounts.get(id)).is_some_and(|account| account.pages() > 0);
        let ally = self.memories.get(key).ally;
        let is_ally_large = ally.is_some_and(|ally| self.memories.get(ally).has_brought(STRICT_FROM));
        let beside = self.accounts.unproven_beside(weighed.ground, accounts);
        let memory = self.memories.get(key);
        let strict = is_large || is_ally_large || memory.has_brought(STRICT_FROM) || beside >= STRICT_BESIDE;
        weighed.is_strict = strict;
        let body = page.content_hash.and_then(|hash| hash.first_chunk().copied()).map(u64::from_le_bytes);
        let Some(text) = &page.text else {
            weighed.signs.is_told_apart = true;
            return Some(memory.compare_body(body));
        };
        let (is_due, looks_known) = memory.is_due(is_tried, || self.hasher.hash_one(glance(page, text)));
        if !is_due {
            return None;
        }
        let besides = [page.title.as_deref(), page.description.as_deref(), Some(&*page.captions)];
        let sketch = self.sketcher.sketch(url, names_beside(url, page), &text_of(besides, text));
        let (is_stranger, is_first) = (memory.compared < STRANGERS, memory.compared == 0);
        let how = How { strict, combines: weighed.shape.combines, looks_known, is_resumed };
        let weight = memory.weight();
        let Compared { verdict, stands_for, signs } = memory.compare(&sketch, &page.images, body, how);
        let more = memory.weight().saturating_sub(weight);
        self.memories.grow(more);
        (weighed.stands_for, weighed.signs) = (stands_for, signs);
        let here = self.grounds.get(weighed.ground);
        let has_new_images = verdict == Verdict::New && !page.images.is_empty();
        let bare = weighed.shape.without_tokens.as_ref().filter(|_| !has_new_images);
        if let Some(first) = bare.and_then(|bare| here.without_tokens.get_mut(&bare.key))
            && *first.text.get_or_insert(sketch.whole) == sketch.whole
            && first.url != self.hasher.hash_one(url.as_str())
        {
            return Some(Verdict::Nothing);
        }
        here.fruits += i64::from(verdict == Verdict::New);
        if verdict == Verdict::New && is_stranger {
            let (here, memory) = (self.grounds.get(weighed.ground), self.memories.get(key));
            weighed.like = self.alike.find(weighed, &sketch, here);
            if weighed.like.as_ref().is_none_or(|like| like.ground != weighed.ground) {
                memory.like.clone_from(&weighed.like);
            }
        }
        if verdict == Verdict::Nothing {
            weighed.like = self.memories.get(key).like.clone();
        }
        let said = &mut self.grounds.get(weighed.ground).said;
        Some(weighed.beside_others(said, &sketch, verdict, is_first, beside))
    }

    /// What pays for a URL that a page names; none if it is named freely.
    pub fn named(&mut self, weighed: &mut Weighed<'_>, candidate: &Candidate) -> Option<TrapId> {
        if candidate.element == Element::Sitemap || weighed.kind == Kind::Sitemap {
            return None;
        }
        if weighed.kind == Kind::Redirect {
            return weighed.account;
        }
        self.judge_once(weighed);
        weighed.links.new += 1;
        let ground = self.sites.ground_of(&candidate.url);
        let shape = self.grounds.get(ground).variety.shape(&candidate.url);
        let there = self.key(ground, &shape.pattern);
        let Some(without) = &shape.without_tokens else { return self.payer(weighed, there, &shape) };
        let url = self.hasher.hash_one(candidate.url.as_str());
        let is_held = |id| self.accounts.is_held(id);
        // One that is held back was never seen: another takes its place.
        let first = self.grounds.get(ground).without_tokens.get(&without.key);
        let first = first.filter(|first| first.text.is_some() || !first.payer.is_some_and(is_held));
        if first.is_some_and(|first| first.url != url) {
            let place = PatternAt { ground: weighed.ground, host: weighed.target.host, pattern: without.place.clone() };
            return Some(self.account(place, shape.repeats, false));
        }
        let is_known = first.is_some();
        let payer = self.payer(weighed, there, &shape);
        if !is_known {
            let here = self.grounds.get(ground);
            if here.without_tokens.len() >= WITHOUT_TOKENS {
                here.without_tokens.clear();
            }
            here.without_tokens.insert(without.key, First { url, payer, text: None });
        }
        payer
    }

    /// What pays for a URL of this pattern that a page names, if it is not one of many in its tokens alone.
    fn payer(&mut self, weighed: &Weighed<'_>, there: u64, named: &Shape) -> Option<TrapId> {
        let here = self.key(weighed.ground, &weighed.shape.pattern);
        let grows = named.grows_out_of(&weighed.shape);
        let is_same = here == there || grows;
        // Shorter ones are named freely by longer ones until it turns out that they name each other.
        if here != there && self.brings(weighed) && self.frees(here, there) && !grows {
            return None;
        }
        // Pages that bring something, or differ from each other a little, and lead to each other pay for themselves.
        let is_own = matches!(weighed.verdict, Some(Verdict::New | Verdict::Word | Verdict::Distinct));
        if let Some(id) = weighed.account.filter(|id| !(is_same && is_own) || self.is_held(*id)) {
            return Some(id);
        }
        let (ground, host, pattern) = (weighed.ground, weighed.target.host, weighed.shape.pattern.clone());
        let place = weighed.like.clone().unwrap_or(PatternAt { ground, host, pattern });
        let is_from_outside = weighed.account.is_none() && weighed.says_something();
        let proves = weighed.signs.is_proof || is_from_outside;
        Some(self.account(place, weighed.shape.repeats || named.repeats, proves))
    }

    /// Whether a page that brought something names one of another pattern freely: unless they are parts of one thing.
    fn frees(&mut self, here: u64, there: u64) -> bool {
        if self.accounts.are_one([here, there]) {
            return false;
        }
        let is_one = self.pairs.note(here, there);
        if is_one {
            self.memories.get(here).ally = Some(there);
            self.memories.get(there).ally = Some(here);
            self.accounts.unite([here, there]);
        }
        // A maze may have any number of patterns.
        let account = self.accounts.at(here).and_then(|id| self.accounts.get(id));
        !is_one && !account.is_some_and(|account| account.is_endless() || account.web.is_maze())
    }

    /// Whether a page brought something, as far as is known.
    fn brings(&self, weighed: &Weighed<'_>) -> bool {
        match (weighed.kind, weighed.verdict) {
            (Kind::Known, _) => !weighed.account.is_some_and(|id| self.is_held(id)),
            (_, None | Some(Verdict::Mixed)) => !weighed.is_strict,
            (_, verdict) => verdict == Some(Verdict::New),
        }
    }

    /// Whether `named` pays from now on for a URL that `paying` would have to pay for, though it was named before.
    pub fn relieves(&self, weighed: Option<&Weighed<'_>>, named: Option<TrapId>, paying: TrapId) -> bool {
        let is_free = weighed.is_none_or(|page| page.account.is_none());
        named.is_none_or(|id| is_free && id != paying && !self.is_held(id))
    }

    /// Takes note of a link to a URL that was known before, and of what pays for that.
    pub fn met(&mut self, weighed: &mut Weighed<'_>, id: UrlId, paying: Option<TrapId>) {
        let paying = paying.filter(|_| weighed.account.is_some()).and_then(|id| self.accounts.get(id));
        let Some(paying) = paying.filter(|account| account.pages() >= WATCHED_FROM) else { return };
        let is_far = weighed.target.id.abs_diff(id) >= (paying.pages() / FAR).unsigned_abs();
        let memory = self.memories.get(self.key(weighed.ground, &weighed.shape.pattern));
        let (is_met, is_again) = memory.meet(id);
        weighed.links.met += u32::from(is_met);
        if is_far {
            weighed.links.far += u32::from(is_met);
            weighed.links.again += u32::from(is_again);
        }
    }

    /// Books what a page brought, once its links are known.
    pub fn settle(&mut self, weighed: &mut Weighed<'_>) {
        let Some(id) = weighed.account else { return };
        self.judge_once(weighed);
        let verdict = match weighed.kind {
            Kind::Page => weighed.verdict,
            Kind::Redirect if !weighed.leads_on => Some(Verdict::Nothing),
            Kind::Redirect | Kind::Known | Kind::Sitemap => None,
        };
        self.accounts.book(id, |account| {
            if weighed.kind == Kind::Page && account.pages() >= WATCHED_FROM {
                account.web.note(weighed.led_to, weighed.links.met);
            }
            let Weighed { stands_for, signs, .. } = *weighed;
            let leads_on = weighed.leads_on || weighed.led_to > 0;
            Some(Booking {
                verdict: verdict?,
                stands_for,
                is_own: leads_on || account.pattern == weighed.shape.pattern,
                leads_on,
                is_woven: weighed.links.are_woven() && account.pages() >= STRICT_FROM / 2,
                is_maze: weighed.kind == Kind::Page && account.web.is_maze(),
                is_strict: weighed.is_strict || account.is_large(),
                is_chosen: !signs.is_row || weighed.target.id % DISTINCT_EACH == 0,
                signs,
            })
        });
    }

    /// What is to be stored.
    pub fn take_changes(&mut self) -> Changes {
        self.accounts.take_changes()
    }

    /// The account of a pattern, which is opened if there is none.
    fn account(&mut self, place: PatternAt, repeats: bool, proves: bool) -> TrapId {
        let key = self.key(place.ground, &place.pattern);
        if let Some(id) = self.accounts.at(key) {
            return id;
        }
        let fruits = self.grounds.get(place.ground).fruits;
        self.accounts.open(key, place, repeats, fruits, proves)
    }
}

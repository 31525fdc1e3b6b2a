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
mod aging;
mod content;
mod memory;
mod pattern;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, Hash};

use foldhash::fast::RandomState;

use crate::canonical::CanonicalUrl;
use crate::scope::place::registrable_domain;
use crate::visit::{Candidate, Element, HostId, Page, Target, TrapId};

pub use account::Account;
use account::{Booking, MAX_BARREN_TOGETHER};
use aging::Aging;
use content::{Sketcher, glance, names_beside, text_of};
pub use memory::Verdict;
use memory::push;
use memory::{How, Memory};
use pattern::{Shape, Variety};

/// Hosts of one registrable domain, or ports of one address, from which on they are seen as one: whoever answers for any
/// name has as many hosts as links.
const MANY_HOSTS: u32 = 4;
/// Hosts, and patterns, of which pages are remembered: the last used, twice as many at most.
const GROUNDS: usize = 2_048;
const MEMORIES: usize = 512;
/// Hosts of which it is known what they are part of, and accounts in memory.
const HOSTS: usize = 50_000;
const ACCOUNTS: usize = 50_000;
/// Hosts on which budgets begin with the most: behind them there may be hosts without end.
const FIRST_HOSTS: usize = 3;
/// The first pages of a pattern are compared with those of others on the host as well: a pattern of its own is no news.
const STRANGERS: u32 = 3;
/// Pages that they are compared with, and how many of a hundred parts of their text make them the same.
const NEIGHBOURS: usize = 16;
const SAME: u64 = 90;
/// Links to known pages of its own trap that tell a page of a web from one in a row, which names the page before it and the one
/// above it.
const WOVEN_LINKS: u32 = 3;
/// URLs without their tokens that are remembered of one host.
const WITHOUT_TOKENS: usize = 4_096;

/// What a page is to the URLs that it names.
#[derive(Debug)]
pub struct Weighed<'a> {
    target: &'a Target,
    page: &'a Page,
    /// Where its pattern holds: its host, or all hosts of its site.
    ground: u64,
    shape: Shape,
    /// What paid for it.
    pub account: Option<TrapId>,
    kind: Kind,
    /// Its text was looked at, or it was not its turn. Most pages of a site name none but known URLs, and nobody asks what
    /// they bring.
    is_judged: bool,
    /// None if it was not its turn to be looked at.
    verdict: Option<Verdict>,
    stands_for: u32,
    /// The pattern of a page of the same host that says nearly the same.
    like: Option<String>,
    /// It led to URLs that nobody knew and that its own account pays for.
    pub leads_on: bool,
    /// Its links to others that its account paid for, and that were known before.
    pub woven: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    /// It passes on what paid for it.
    Redirect,
    /// It was fetched before, in another run.
    Known,
    Sitemap,
}

/// What is known of one host, or of a site of many.
#[derive(Debug, Default)]
struct Ground {
    variety: Variety,
    without_tokens: HashMap<u64, First, RandomState>,
    /// Pages that brought something.
    fruits: i64,
    /// The last of them, of whatever pattern.
    pages: VecDeque<(String, Vec<u64>)>,
}

/// The first URL of those that are one without their tokens.
#[derive(Debug, Default)]
struct First {
    url: u64,
    /// What the first of their pages that was compared says.
    text: Option<u64>,
}

/// What changed since it was asked last.
#[derive(Debug, Default)]
pub struct Changes {
    pub accounts: Vec<Account>,
    /// Accounts that are traps from now on (`true`), or are no more.
    pub turned: Vec<(TrapId, bool)>,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Traps {
    hasher: RandomState,
    sketcher: Sketcher,
    /// What a host is part of, and how many hosts a site has.
    hosts: HashMap<Box<str>, u64, RandomState>,
    sites: HashMap<Box<str>, u32, RandomState>,
    grounds: Aging<Ground>,
    memories: Aging<Memory>,
    accounts: HashMap<TrapId, Account, RandomState>,
    /// Where accounts are, and pages there that brought nothing, of all that are not fruitful.
    places: HashMap<TrapId, u64, RandomState>,
    barren: HashMap<u64, i64, RandomState>,
    /// By where they are, and their pattern.
    keys: HashMap<u64, TrapId, RandomState>,
    loaded: HashSet<HostId, RandomState>,
    /// Those of which something changed, and whether they were traps before.
    changed: HashMap<TrapId, bool, RandomState>,
    next: TrapId,
    allowed: Vec<String>,
}

impl Traps {
    /// `allowed` are patterns that are let through, or `all`; `next` is the first number that is free.
    pub fn new(allowed: &[String], next: TrapId) -> Self {
        let (hasher, sketcher, hosts, sites, accounts, places, barren, keys, loaded, changed) = Default::default();
        Self {
            hasher,
            sketcher,
            hosts,
            sites,
            grounds: Aging::new(GROUNDS),
            memories: Aging::new(MEMORIES),
            accounts,
            places,
            barren,
            keys,
            loaded,
            changed,
            next,
            allowed: allowed.to_vec(),
        }
    }

    /// Which of these accounts and hosts are not in memory.
    pub fn missing(&self, targets: &[&Target]) -> (Vec<HostId>, Vec<TrapId>) {
        let hosts: HashSet<_> = targets.iter().map(|target| target.host).collect();
        let accounts: HashSet<_> = targets.iter().filter_map(|target| target.trap).collect();
        let hosts = hosts.into_iter().filter(|host| !self.loaded.contains(host)).collect();
        (hosts, accounts.into_iter().filter(|id| !self.accounts.contains_key(id)).collect())
    }

    /// Takes in accounts as they are stored; of `hosts` these are all.
    pub fn load(&mut self, hosts: &[HostId], accounts: Vec<(String, Account)>) {
        self.loaded.extend(hosts);
        for (host, account) in accounts {
            let ground = CanonicalUrl::parse(&host).map_or(0, |url| self.ground_of(&url));
            self.grounds.get(ground).variety.recall(&account.pattern);
            if !self.accounts.contains_key(&account.id) {
                self.take_in(ground, account);
            }
        }
        for (id, account) in &mut self.accounts {
            let ground = self.places.get(id).copied().unwrap_or_default();
            account.is_drained = self.barren.get(&ground).is_some_and(|barren| *barren >= MAX_BARREN_TOGETHER);
        }
    }

    /// Forgets the accounts: they are to be loaded again. `next` is as before.
    pub fn forget(&mut self) {
        self.accounts.clear();
        self.keys.clear();
        self.places.clear();
        self.barren.clear();
        self.loaded.clear();
        self.changed.clear();
    }

    fn take_in(&mut self, ground: u64, mut account: Account) {
        account.is_allowed = is_allowed(&self.allowed, &account.pattern);
        self.keys.insert(self.hasher.hash_one((ground, &account.pattern)), account.id);
        self.places.insert(account.id, ground);
        let barren = self.barren.entry(ground).or_default();
        *barren += if account.is_fruitful() { 0 } else { account.barren };
        account.is_drained = *barren >= MAX_BARREN_TOGETHER;
        self.accounts.insert(account.id, account);
    }

    /// Whether what this account would have to pay for is held back.
    pub fn is_held(&self, id: TrapId) -> bool {
        self.accounts.get(&id).is_some_and(Account::is_held)
    }

    /// Looks at an answer. Its text is compared with those of its pattern once what it brings matters.
    pub fn weigh<'a>(&mut self, target: &'a Target, page: &'a Page) -> Weighed<'a> {
        let ground = self.ground_of(&target.url);
        let shape = self.grounds.get(ground).variety.shape(&target.url);
        let kind = match page {
            _ if target.sitemap.is_some() => Kind::Sitemap,
            page if page.redirect.is_some() => Kind::Redirect,
            _ if target.known => Kind::Known,
            _ => Kind::Page,
        };
        let (is_judged, verdict, stands_for, like, leads_on, woven) = (false, None, 1, None, false, 0);
        let account = target.trap;
        Weighed { target, page, ground, shape, account, kind, is_judged, verdict, stands_for, like, leads_on, woven }
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
        let accounts = [weighed.account, self.own_account(weighed)];
        let strict = accounts.iter().flatten().any(|id| self.accounts.get(id).is_some_and(Account::is_large));
        let is_resumed = accounts[1].and_then(|id| self.accounts.get(&id)).is_some_and(Account::is_used);
        let memory = self.memories.get(self.hasher.hash_one((weighed.ground, &weighed.shape.pattern)));
        let body = page.content_hash.and_then(|hash| hash.first_chunk().copied()).map(u64::from_le_bytes);
        let Some(text) = &page.text else { return Some(memory.compare_body(body)) };
        let (is_due, looks_known) = memory.is_due(|| self.hasher.hash_one(glance(page, text)));
        if !is_due {
            return None;
        }
        let sketch = self.sketcher.sketch(url, names_beside(url, page), &text_of(page, text));
        let is_stranger = memory.compared < STRANGERS;
        let how = How { strict, combines: weighed.shape.combines, looks_known, is_resumed };
        let weight = memory.weight();
        let (verdict, stands_for) = memory.compare(&sketch, &page.images, body, how);
        let more = memory.weight().saturating_sub(weight);
        self.memories.grow(more);
        weighed.stands_for = stands_for;
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
            let alike = here.pages.iter().find(|(_, other)| sketch.common(other) >= SAME);
            if let Some((pattern, _)) = alike.filter(|_| page.images.is_empty()) {
                weighed.like = Some(pattern.clone());
                return Some(Verdict::Nothing);
            }
            let pieces = sketch.pieces.iter().map(|piece| piece.hash).collect();
            push(&mut here.pages, (weighed.shape.pattern.clone(), pieces), NEIGHBOURS);
        }
        Some(verdict)
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
        let ground = self.ground_of(&candidate.url);
        let here = self.grounds.get(ground);
        let shape = here.variety.shape(&candidate.url);
        if let Some(without) = &shape.without_tokens {
            if here.without_tokens.len() >= WITHOUT_TOKENS {
                here.without_tokens.clear();
            }
            let url = self.hasher.hash_one(candidate.url.as_str());
            if here.without_tokens.entry(without.key).or_insert(First { url, text: None }).url != url {
                return Some(self.account(weighed, &without.place, shape.repeats));
            }
        }
        let is_same = ground == weighed.ground && shape.pattern == weighed.shape.pattern;
        if !is_same && self.brings(weighed) {
            return None;
        }
        let own = &weighed.shape;
        // Pages that differ in numbers alone and lead to each other pay for themselves.
        let pays_for_itself = is_same && weighed.verdict == Some(Verdict::Distinct);
        if let Some(id) = weighed.account.filter(|id| !pays_for_itself || self.is_held(*id)) {
            return Some(id);
        }
        let pattern = weighed.like.as_ref().unwrap_or(&own.pattern);
        Some(self.account(weighed, pattern, own.repeats || shape.repeats))
    }

    /// Whether a page brought something, as far as is known.
    fn brings(&self, weighed: &Weighed<'_>) -> bool {
        match (weighed.kind, weighed.verdict) {
            (Kind::Known, _) => !weighed.account.is_some_and(|id| self.is_held(id)),
            (_, verdict) => matches!(verdict, None | Some(Verdict::New | Verdict::Mixed)),
        }
    }

    /// Whether `named` pays from now on for a URL that `paying` would have to pay for, though it was named before.
    pub fn relieves(&self, weighed: Option<&Weighed<'_>>, named: Option<TrapId>, paying: TrapId) -> bool {
        let is_free = weighed.is_none_or(|page| page.account.is_none());
        named.is_none_or(|id| is_free && id != paying && !self.is_held(id))
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
        let (Some(verdict), Some(account)) = (verdict, self.accounts.get_mut(&id)) else { return };
        self.changed.entry(id).or_insert(account.is_held());
        let is_own = weighed.leads_on || account.pattern == weighed.shape.pattern;
        let before = account.barren;
        let (stands_for, leads_on, is_woven) = (weighed.stands_for, weighed.leads_on, weighed.woven >= WOVEN_LINKS);
        account.book(Booking { verdict, stands_for, is_own, leads_on, is_woven });
        if !account.is_fruitful() {
            let (more, ground) = (account.barren - before, self.places.get(&id).copied().unwrap_or_default());
            self.drain(ground, more);
        }
    }

    /// Counts pages that brought nothing. When there are too many, all patterns there that are not fruitful are held back.
    fn drain(&mut self, ground: u64, more: i64) {
        let barren = self.barren.entry(ground).or_default();
        let was_below = *barren < MAX_BARREN_TOGETHER;
        *barren += more;
        if was_below && *barren >= MAX_BARREN_TOGETHER {
            for (id, account) in &mut self.accounts {
                if self.places.get(id) == Some(&ground) {
                    self.changed.entry(*id).or_insert(account.is_held());
                    account.is_drained = true;
                }
            }
        }
    }

    /// What is to be stored.
    pub fn take_changes(&mut self) -> Changes {
        let mut changes = Changes::default();
        for (id, was_held) in self.changed.drain() {
            let Some(account) = self.accounts.get(&id) else { continue };
            if account.is_held() != was_held {
                changes.turned.push((id, account.is_held()));
            }
            changes.accounts.push(account.clone());
        }
        if self.accounts.len() > ACCOUNTS {
            self.forget();
        }
        changes
    }

    fn own_account(&self, weighed: &Weighed<'_>) -> Option<TrapId> {
        self.keys.get(&self.hasher.hash_one((weighed.ground, &weighed.shape.pattern))).copied()
    }

    /// The account of a pattern where a page is, which is opened if there is none.
    fn account(&mut self, at: &Weighed<'_>, pattern: &str, repeats: bool) -> TrapId {
        if let Some(id) = self.keys.get(&self.hasher.hash_one((at.ground, pattern))) {
            return *id;
        }
        let id = self.next;
        self.next += 1;
        let is_one_of_many = self.barren.len() >= FIRST_HOSTS && !self.barren.contains_key(&at.ground);
        let fruits = is_one_of_many.then(|| self.grounds.get(at.ground).fruits);
        self.take_in(at.ground, Account::open(id, at.target.host, pattern.to_owned(), repeats, fruits));
        self.changed.insert(id, false);
        id
    }

    /// The host of a URL, or the site of so many hosts that they are seen as one.
    fn ground_of(&mut self, url: &CanonicalUrl) -> u64 {
        if let Some(ground) = self.hosts.get(url.host_str()) {
            return *ground;
        }
        if self.hosts.len() >= HOSTS {
            self.hosts.clear();
            self.sites.clear();
        }
        let site = registrable_domain(url.url()).unwrap_or_default();
        let hosts = self.sites.entry(site.as_str().into()).or_default();
        *hosts += 1;
        let ground = if *hosts > MANY_HOSTS { hash(&self.hasher, &site) } else { hash(&self.hasher, url.host_str()) };
        self.hosts.insert(url.host_str().into(), ground);
        ground
    }
}

fn hash(hasher: &RandomState, of: &(impl Hash + ?Sized)) -> u64 {
    hasher.hash_one(of)
}

fn is_allowed(allowed: &[String], pattern: &str) -> bool {
    allowed.iter().any(|allowed| allowed == "all" || allowed == pattern)
}

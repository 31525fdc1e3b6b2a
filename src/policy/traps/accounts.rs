//! The accounts of a crawl: read from the database, found by what they pay for, booked, and handed out to be stored.

use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::visit::{HostId, Target, TrapId};

use super::account::{Account, Booking, Changes};
use super::pattern::PatternAt;
use super::together::Together;

/// Accounts in memory.
const ACCOUNTS: usize = 50_000;
/// Hosts on which budgets begin with the most: behind them there may be hosts without end.
const FIRST_HOSTS: usize = 3;

/// Those in memory. A *ground* is a host, or all hosts of a site; a *key* is a ground and a pattern in one number.
#[derive(Debug)]
pub(super) struct Accounts {
    all: HashMap<TrapId, Account, RandomState>,
    /// Where accounts are, and what all there come to.
    places: HashMap<TrapId, u64, RandomState>,
    together: HashMap<u64, Together, RandomState>,
    by_key: HashMap<u64, TrapId, RandomState>,
    loaded: HashSet<HostId, RandomState>,
    /// Those of which something changed, and whether they were traps before.
    changed: HashMap<TrapId, bool, RandomState>,
    /// Large ones of an earlier invocation, and those of which the pages were asked for.
    forgotten: Vec<TrapId>,
    recalled: HashSet<TrapId, RandomState>,
    next: TrapId,
    allowed: Vec<String>,
}

impl Accounts {
    /// `allowed` are patterns that are let through, or `all`; `next` is the first number that is free.
    pub(super) fn new(allowed: &[String], next: TrapId) -> Self {
        let (all, places, together, by_key) = Default::default();
        let (loaded, changed, forgotten, recalled) = Default::default();
        let allowed = allowed.to_vec();
        Self { all, places, together, by_key, loaded, changed, forgotten, recalled, next, allowed }
    }

    /// Which of these accounts and hosts are not in memory.
    pub(super) fn missing(&self, targets: &[&Target]) -> (Vec<HostId>, Vec<TrapId>) {
        let hosts: HashSet<_> = targets.iter().map(|target| target.host).collect();
        let accounts: HashSet<_> = targets.iter().filter_map(|target| target.trap).collect();
        let hosts = hosts.into_iter().filter(|host| !self.loaded.contains(host)).collect();
        (hosts, accounts.into_iter().filter(|id| !self.all.contains_key(id)).collect())
    }

    /// Takes in accounts as they are stored, each with its ground and its key; of `hosts` these are all.
    pub(super) fn load(&mut self, hosts: &[HostId], accounts: Vec<(u64, u64, Account)>) {
        self.loaded.extend(hosts);
        for (ground, key, account) in accounts {
            if account.is_large() && account.is_tried() && !account.is_held() && self.recalled.insert(account.id) {
                self.forgotten.push(account.id);
            }
            if !self.all.contains_key(&account.id) {
                self.take_in(ground, key, account);
            }
        }
        for (id, account) in &mut self.all {
            if let Some(together) = self.places.get(id).and_then(|ground| self.together.get(ground)) {
                together.tell(account);
            }
        }
    }

    /// The accounts just loaded that are so large that only words count that were never seen, and not so large that they
    /// have stood the test.
    pub(super) fn forgotten(&mut self) -> Vec<TrapId> {
        std::mem::take(&mut self.forgotten)
    }

    /// Forgets the accounts: they are to be loaded again. The next number is as before.
    pub(super) fn forget(&mut self) {
        self.all.clear();
        self.by_key.clear();
        self.places.clear();
        self.together.clear();
        self.loaded.clear();
        self.changed.clear();
    }

    fn take_in(&mut self, ground: u64, key: u64, mut account: Account) {
        account.is_allowed = self.allowed.iter().any(|allowed| allowed == "all" || *allowed == account.pattern);
        self.by_key.insert(key, account.id);
        self.places.insert(account.id, ground);
        self.together.entry(ground).or_default().take_in(&mut account);
        self.all.insert(account.id, account);
    }

    pub(super) fn get(&self, id: TrapId) -> Option<&Account> {
        self.all.get(&id)
    }

    /// The account of a pattern.
    pub(super) fn at(&self, key: u64) -> Option<TrapId> {
        self.by_key.get(&key).copied()
    }

    /// Whether the patterns of these keys are parts of one thing, as far as that is stored.
    pub(super) fn are_one(&self, keys: [u64; 2]) -> bool {
        let [one, other] = keys.map(|key| self.at(key).and_then(|id| self.get(id)?.part_of));
        one.is_some() && one == other
    }

    /// Makes the patterns of these keys parts of one thing.
    pub(super) fn unite(&mut self, keys: [u64; 2]) {
        let [Some(one), Some(other)] = keys.map(|key| self.at(key)) else { return };
        let parts = [one, other].map(|id| self.get(id).and_then(|account| account.part_of).unwrap_or(id));
        let whole = parts[0].min(parts[1]);
        let is_part = |account: &Account| account.part_of.is_some_and(|part| parts.contains(&part));
        for account in self.all.values_mut().filter(|it| it.id == one || it.id == other || is_part(it)) {
            self.changed.entry(account.id).or_insert(account.is_held());
            account.part_of = Some(whole);
        }
    }

    /// Whether what this account would have to pay for is held back.
    pub(super) fn is_held(&self, id: TrapId) -> bool {
        self.get(id).is_some_and(Account::is_held)
    }

    /// Pages on a host that led on without anything that was never seen, but for those of some accounts.
    pub(super) fn unproven_beside(&self, ground: u64, accounts: [Option<TrapId>; 2]) -> i64 {
        let all = self.together.get(&ground).map_or(0, Together::unproven);
        let [one, other] = accounts.map(|id| id.and_then(|id| self.get(id)).map_or(0, |one| one.unproven));
        all - one - if accounts[0] == accounts[1] { 0 } else { other }
    }

    /// Opens the account of a pattern that has none. `fruits` are the pages of its host that brought something. A page that
    /// `proves` that it says what was never seen, or says something and was named from outside, opens one even where the
    /// host came to too much: it may stand beside a trap.
    pub(super) fn open(&mut self, key: u64, place: PatternAt, repeats: bool, fruits: i64, proves: bool) -> TrapId {
        let PatternAt { ground, host, pattern } = place;
        let id = self.next;
        self.next += 1;
        let is_one_of_many = self.together.len() >= FIRST_HOSTS && !self.together.contains_key(&ground);
        let mut account = Account::open(id, host, pattern, repeats, is_one_of_many.then_some(fruits));
        account.fruitful = i64::from(proves);
        self.take_in(ground, key, account);
        self.changed.insert(id, false);
        id
    }

    /// Books a page to an account. `describe` says what it brought, in view of the account as it is with the page's links.
    pub(super) fn book(&mut self, id: TrapId, describe: impl FnOnce(&mut Account) -> Option<Booking>) {
        let Some(account) = self.all.get_mut(&id) else { return };
        let (was_held, before) = (account.is_held(), account.shares());
        let Some(page) = describe(account) else { return };
        self.changed.entry(id).or_insert(was_held);
        account.book(page);
        let ground = self.places.get(&id).copied().unwrap_or_default();
        let together = self.together.entry(ground).or_default();
        if together.count(before, account) {
            for (id, account) in self.all.iter_mut().filter(|(id, _)| self.places.get(id) == Some(&ground)) {
                self.changed.entry(*id).or_insert(account.is_held());
                together.tell(account);
            }
        }
    }

    /// What is to be stored.
    pub(super) fn take_changes(&mut self) -> Changes {
        let mut changes = Changes::default();
        for (id, was_held) in self.changed.drain() {
            let Some(account) = self.all.get(&id) else { continue };
            if account.is_held() != was_held {
                changes.turned.push((id, account.is_held()));
            }
            changes.accounts.push(account.clone());
        }
        if self.all.len() > ACCOUNTS {
            self.forget();
        }
        changes
    }
}

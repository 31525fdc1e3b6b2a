//! URLs and hosts remembered with their rows, so that a link seen again costs no statement.
//!
//! What is remembered stays right whoever else writes: the id of a row never changes, the depth of a URL that followed
//! links lead to and its hops only fall, and what no better link can change stays so for the whole run. So a remembered
//! depth may be too great, which costs a look at the row, and never too small. Only what was committed may stay
//! remembered: after a transaction that failed, all is forgotten.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroI64;
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;

use crate::canonical::Host;
use crate::store::tables::{Holder, Seeded};
use crate::visit::{HostId, TrapId, UrlId};

/// URLs remembered, at about 50 bytes each. Half as many fill a hash table of 2^18 places, of which seven in eight are used.
const URLS: usize = (1 << 18) / 8 * 7 * 2;
const HOSTS: usize = 100_000;

/// What is remembered of a URL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) id: UrlId,
    pub(super) depth: u32,
    pub(super) hops: u32,
    /// A better link cannot change its state any more.
    pub(super) settled: bool,
    /// What pays for it.
    pub(super) trap: Option<TrapId>,
}

/// The same in fewer bytes.
#[derive(Debug, Clone, Copy)]
struct Packed {
    id: UrlId,
    trap: Option<NonZeroI64>,
    depth: u32,
    hops: u16,
    settled: bool,
}

impl From<Known> for Packed {
    fn from(known: Known) -> Self {
        let Known { id, depth, hops, settled, trap } = known;
        // A URL with more hops than fit is looked up each time.
        let fits = u16::try_from(hops).is_ok();
        let hops = u16::try_from(hops).unwrap_or(u16::MAX);
        Self { id, trap: trap.and_then(NonZeroI64::new), depth, hops, settled: settled && fits }
    }
}

impl From<Packed> for Known {
    fn from(packed: Packed) -> Self {
        let Packed { id, trap, depth, hops, settled } = packed;
        Self { id, depth, hops: hops.into(), settled, trap: trap.map(NonZeroI64::get) }
    }
}

/// A URL by two hashes of 64 bits under keys drawn at random, which nobody sees: that two URLs share both is out of the
/// question. Comparing their texts would fetch each from memory, for every link of every page.
type Key = [u64; 2];

/// The key of the second hash. [`Seeded`] has one of its own.
static SECOND: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(RandomState::new().hash_one(0)));

/// Two generations of remembered URLs: bounded, and what is used stays.
#[derive(Debug)]
pub(super) struct KnownUrls {
    hashers: (Seeded, SeedableRandomState),
    young: HashMap<Key, Packed, Seeded>,
    old: HashMap<Key, Packed, Seeded>,
}

impl Default for KnownUrls {
    fn default() -> Self {
        let second = SeedableRandomState::with_seed(RandomState::new().hash_one(0), &SECOND);
        Self { hashers: (Seeded::default(), second), young: HashMap::default(), old: HashMap::default() }
    }
}

impl KnownUrls {
    /// A URL, if a link of this depth and so many redirects cannot change it but for what pays for it.
    pub(super) fn settled(&mut self, url: &str, depth: u32, hops: u32) -> Option<Known> {
        self.get(self.key(url)).filter(|known| known.settled && known.depth <= depth && known.hops <= hops)
    }

    /// Forgets a URL, whose state a better link can change again.
    pub(super) fn forget(&mut self, url: &str) {
        let key = self.key(url);
        self.young.remove(&key);
        self.old.remove(&key);
    }

    pub(super) fn insert(&mut self, url: &str, known: Known) {
        self.put(self.key(url), known.into());
    }

    fn get(&mut self, key: Key) -> Option<Known> {
        if let Some(known) = self.young.get(&key) {
            return Some((*known).into());
        }
        let known = self.old.remove(&key)?;
        self.put(key, known);
        Some(known.into())
    }

    fn put(&mut self, key: Key, known: Packed) {
        if self.young.len() >= URLS / 2 {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, known);
    }

    fn key(&self, url: &str) -> Key {
        [self.hashers.0.hash_one(url), self.hashers.1.hash_one(url)]
    }
}

/// Hosts with their rows and who holds them. It must be cleared after every change of a holder that did not go through
/// [`insert`](Self::insert).
#[derive(Debug, Default)]
pub(super) struct KnownHosts(HashMap<Host, (HostId, Holder), Seeded>);

impl KnownHosts {
    pub(super) fn id(&self, host: &Host) -> Option<HostId> {
        self.get(host).map(|(id, _)| id)
    }

    pub(super) fn get(&self, host: &Host) -> Option<(HostId, Holder)> {
        self.0.get(host).copied()
    }

    pub(super) fn insert(&mut self, host: Host, id: HostId, holder: Holder) {
        self.0.insert(host, (id, holder));
    }

    pub(super) fn forget(&mut self, hosts: &HashSet<HostId>) {
        self.0.retain(|_, (id, _)| !hosts.contains(id));
    }

    /// Makes room for the hosts of another batch.
    pub(super) fn trim(&mut self) {
        if self.0.len() > HOSTS {
            self.0.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: UrlId) -> Known {
        Known { id, depth: 3, hops: 1, settled: true, trap: None }
    }

    #[test]
    fn only_a_link_that_can_change_nothing_needs_no_look_at_the_row() {
        let mut urls = KnownUrls::default();
        urls.insert("a", known(7));
        urls.insert("b", Known { settled: false, ..known(8) });
        let mut settled = |url, depth, hops| urls.settled(url, depth, hops).map(|known| known.id);
        assert_eq!((settled("a", 3, 1), settled("a", 9, 9)), (Some(7), Some(7)));
        assert_eq!((settled("a", 2, 1), settled("a", 3, 0)), (None, None));
        assert_eq!((settled("b", 9, 9), settled("c", 9, 9)), (None, None));
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut urls = KnownUrls::default();
        let used = "used";
        urls.insert(used, known(1));
        for id in 0..i64::try_from(URLS * 2).unwrap() {
            urls.insert(&id.to_string(), known(id));
            if id % 1_000 == 0 {
                assert!(urls.settled(used, 3, 1).is_some());
            }
        }
        assert!(urls.settled("0", 3, 1).is_none());
        assert!(urls.young.len() + urls.old.len() <= URLS);
    }
}

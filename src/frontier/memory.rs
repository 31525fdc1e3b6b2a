//! What is remembered of hosts that left memory: facts of this invocation that the store does not keep.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::visit::HostId;

use super::robots::State;

/// The facts of one host.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The host answered.
    pub(super) ever_answered: bool,
    /// Its sitemaps were taken up.
    pub(super) are_sitemaps_known: bool,
    /// What only few hosts have.
    pub(super) rare: Rare,
}

#[derive(Debug, Default)]
pub(super) struct Rare {
    /// Responses stored; 0 if nothing limits them.
    pub(super) stored: u64,
    /// Outages since its last answer.
    pub(super) streak: u32,
    /// It asks for more time than this invocation waits.
    pub(super) parked: bool,
    pub(super) robots: Option<Box<State>>,
}

impl Rare {
    fn is_empty(&self) -> bool {
        self.stored == 0 && self.streak == 0 && !self.parked && self.robots.is_none()
    }
}

/// The facts of all hosts that left memory. The two that almost every host has take one bit per host each.
#[derive(Debug, Default)]
pub(super) struct Memory {
    answered: IdSet,
    surveyed: IdSet,
    rare: HashMap<HostId, Rare, RandomState>,
}

impl Memory {
    pub(super) fn keep(&mut self, id: HostId, facts: Facts) {
        self.answered.put(id, facts.ever_answered);
        self.surveyed.put(id, facts.are_sitemaps_known);
        if !facts.rare.is_empty() {
            self.rare.insert(id, facts.rare);
        }
    }

    /// The facts of a host that comes back; for one that was never here, those of a stranger.
    pub(super) fn recall(&mut self, id: HostId) -> Facts {
        Facts {
            ever_answered: self.answered.contains(id),
            are_sitemaps_known: self.surveyed.contains(id),
            rare: self.rare.remove(&id).unwrap_or_default(),
        }
    }
}

/// A set of ids that lie close together: a bit of each.
#[derive(Debug, Default)]
struct IdSet(HashMap<HostId, u64, RandomState>);

impl IdSet {
    fn put(&mut self, id: HostId, is_in: bool) {
        let word = self.0.entry(id >> 6).or_default();
        *word = *word & !(1 << (id & 63)) | u64::from(is_in) << (id & 63);
    }

    fn contains(&self, id: HostId) -> bool {
        self.0.get(&(id >> 6)).is_some_and(|word| word >> (id & 63) & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_recalled() {
        let mut memory = Memory::default();
        let rare = Rare { stored: 7, streak: 2, parked: true, robots: Some(Box::new(State::Private)) };
        memory.keep(64, Facts { ever_answered: true, are_sitemaps_known: false, rare });
        memory.keep(65, Facts { ever_answered: false, are_sitemaps_known: true, ..Facts::default() });
        let facts = memory.recall(64);
        assert!(facts.ever_answered && !facts.are_sitemaps_known);
        assert!(facts.rare.stored == 7 && facts.rare.streak == 2 && facts.rare.parked && facts.rare.robots.is_some());
        let facts = memory.recall(65);
        assert!(!facts.ever_answered && facts.are_sitemaps_known && facts.rare.is_empty());
        assert!(memory.rare.is_empty(), "the host itself holds it now");
    }

    #[test]
    fn a_stranger_has_no_facts_and_an_ordinary_host_costs_a_bit_of_each() {
        let mut memory = Memory::default();
        for id in 0..1_000 {
            memory.keep(id, Facts { ever_answered: true, are_sitemaps_known: id % 2 == 0, ..Facts::default() });
        }
        assert_eq!((memory.answered.0.len(), memory.rare.len()), (16, 0));
        let facts = memory.recall(1_000);
        assert!(!facts.ever_answered && !facts.are_sitemaps_known && facts.rare.is_empty());
        assert!((0..1_000).all(|id| memory.recall(id).are_sitemaps_known == (id % 2 == 0)));
    }
}
